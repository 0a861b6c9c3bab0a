"""A council played end to end on a stepped clock, with a synthetic market: no real person or provider is in it."""
