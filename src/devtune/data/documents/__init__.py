"""Documentation files: their headings, prose and code blocks, whatever markup they are in."""
