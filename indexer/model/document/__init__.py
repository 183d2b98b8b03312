"""Documents: built from rows, identified, sent in bulk requests, and kept where they are rejected."""
