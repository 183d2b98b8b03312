"""The write side: Elasticsearch."""
