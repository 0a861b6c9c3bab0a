"""The JSON API: for providers' own systems, for councils' own systems, and for a look."""
