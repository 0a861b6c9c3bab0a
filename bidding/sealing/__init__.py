"""Sealed means sealed (law 2): `seal` is for every process, `opening` for the worker alone."""
