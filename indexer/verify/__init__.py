"""Comparing a table with its index, and repairing the index."""
