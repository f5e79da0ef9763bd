"""What coding agents log, read into one shape: ATIF 1.8."""
