"""How a command line names a scheme: by the key of one that comes with the engine, or by a file."""

from pathlib import Path

from dps.schemes.loader import load, preset, presets
from dps.schemes.model import Scheme


def scheme_named(name: str) -> Scheme:
    """The scheme with this key, or in this file. NotFound; BadScheme with every fault of the file."""
    is_file = name not in presets() and (name.endswith(".toml") or "/" in name)
    return load(Path(name)) if is_file else preset(name)
