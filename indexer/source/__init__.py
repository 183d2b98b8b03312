"""The read side: CrateDB, and any other database that SQLAlchemy speaks to."""
