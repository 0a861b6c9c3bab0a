"""The simulation of a year."""
