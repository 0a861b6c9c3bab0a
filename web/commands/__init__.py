"""The commands of `dps` that are not a room's own; `web/mounted.py` and `web/cli.py` mount them."""
