"""Private code and its history become rows on disk; nothing here runs or loads a model."""
