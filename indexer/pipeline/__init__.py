"""Reader threads make batches of rows, worker threads take them, within one memory budget."""
