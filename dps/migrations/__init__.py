"""One history of the database's shape, for SQLite and PostgreSQL alike; the metadata comes from the caller."""
