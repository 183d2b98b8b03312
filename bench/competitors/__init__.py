"""What is compared: `reindex`, its ceilings, and other ways to fill an index, each run in a process of its own."""
