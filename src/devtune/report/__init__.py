"""Showing: samples, tables and curves for people."""
