"""Queries against an indexed table: hits, counts, summaries, exports."""
