"""Which samples stay: duplicates, contamination, ceilings and the mix."""
