"""The write side: Elasticsearch indexes, bulk requests and search."""
