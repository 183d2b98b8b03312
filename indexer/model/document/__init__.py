"""Documents: made of rows, identified, and what Elasticsearch answered for each."""
