"""What the verbs of `import devtune` take and return: objects a notebook can show."""
