"""The grammar of a pipeline's named steps: rules of what is left out, families, selection."""
