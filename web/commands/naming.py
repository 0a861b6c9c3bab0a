"""How a command line names a scheme (by the key of one that comes with the engine, or by a file) and its buyer."""

from pathlib import Path

from dps.kernel.errors import BadInput
from dps.schemes.loader import load, preset, presets
from dps.schemes.model import Scheme


def scheme_named(name: str) -> Scheme:
    """The scheme with this key, or in this file. NotFound; BadScheme with every fault of the file."""
    is_file = name not in presets() and (name.endswith(".toml") or "/" in name)
    return load(Path(name)) if is_file else preset(name)


def authority_named(scheme: Scheme, key: str | None) -> str:
    """The scheme's buyer with this key, or its only one; BadInput naming those there are."""
    keys = [authority.key for authority in scheme.authorities]
    if key is None and len(keys) == 1:
        return keys[0]
    if key not in keys:
        raise BadInput(f"name one of: {', '.join(keys)}", field="--authority")
    return key
