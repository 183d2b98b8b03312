"""The ways that are compared, each run in a process of its own."""
