"""Invented secrets and harmless look-alikes; what `benchmarks/privacy.py` plants into real code."""
