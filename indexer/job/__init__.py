"""One run of reindex: plan, load, verify, swap."""
