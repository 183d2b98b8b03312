"""Slices, windows, and the walks through them."""
