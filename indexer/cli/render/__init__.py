"""What is printed: tables, hits, summaries and progress, for people and for programs."""
