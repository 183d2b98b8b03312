"""The read side: a CrateDB table, or one of any other SQLAlchemy database, as pages."""
