"""A source table: its columns, its key, and what is selected of it."""
