"""A source table: its columns, its key, and the selection that a job reads."""
