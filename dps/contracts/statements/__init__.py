"""Statements: what a contract or an area is paid for a period, line by line, and whether it was agreed and paid."""
