"""Measuring: base against tuned, on what was held out."""
