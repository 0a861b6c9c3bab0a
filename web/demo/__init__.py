"""A council played end to end on a stepped clock, with a synthetic market. Nothing here is a real person or provider."""
