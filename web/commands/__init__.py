"""The commands of `dps` that are not a room's own; `web/cli.py` mounts them all."""
