"""One run of reindex: plan, lock, load, reconcile, switch; and what is done with jobs afterwards."""
