"""Code as its grammar sees it: functions, definitions, imports, calls and comments."""
