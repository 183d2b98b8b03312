"""Pure values and decisions: nothing here opens a socket or a file."""
