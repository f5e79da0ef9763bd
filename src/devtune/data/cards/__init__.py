"""What is said of a dataset, to people and to machines: card and metadata beside its tables."""
