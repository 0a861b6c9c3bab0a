"""Placed otherwise: a package that nobody took, placed outside the competition by two people of its authority."""
