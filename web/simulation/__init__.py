"""A synthetic year under two rule sets: the house's own rules over records, without a database."""
