"""The scenarios: each answers one question about the product, and gives a record."""
