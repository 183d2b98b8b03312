"""Benchmarks: how fast rows get through, beside the usual ways, and what a page costs at any depth."""
