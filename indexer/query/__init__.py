"""Searches of an indexed table: hits, counts, summaries, exports."""
