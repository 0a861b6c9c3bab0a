"""Reading scheme files: strictly, with every fault of a file reported at once.

A file is TOML. It is refused as a whole (`BadScheme`) unless each key is known, each value is of its kind and every
check in `checks/` passes. What is stored and hashed is the canonical JSON of the rules: all keys, defaults written
out, without the `demo` section, so that one hash stands for one meaning whatever the program's later defaults are.
"""

import hashlib
import json
import tomllib
from datetime import date
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from dps.kernel.columns import canonical_json
from dps.kernel.errors import BadScheme, Corrupted, NotFound, meant
from dps.schemes.checks import broken_rules
from dps.schemes.faults import Fault
from dps.schemes.model import Scheme
from dps.schemes.shape import read

LARGEST_FILE_BYTES = 1_000_000


def load(source: Path | str) -> Scheme:
    """The scheme in a file (`Path`) or in a TOML text (`str`); BadScheme with all its faults."""
    if isinstance(source, str):
        return _parse(source, "the scheme")
    return _parse(_text_of(source), source.name)


def presets() -> tuple[str, ...]:
    """The keys of the schemes that come with the engine, in alphabetical order."""
    return tuple(sorted(_preset_files()))


@cache
def preset(key: str) -> Scheme:
    """A scheme that comes with the engine; NotFound for any other key."""
    known = _preset_files()
    if key not in known:
        raise NotFound(kind="preset scheme", ref=f"{key!r}{meant(key, known)}")
    return _parse(known[key].read_text(encoding="utf-8"), f"{key}.toml")


def with_term(scheme: Scheme, *, starts: date, ends: date | None) -> Scheme:
    """The same rules for another term, asked of every check again; BadScheme where the term is none for them."""
    term = {"starts": starts.isoformat(), "ends": ends.isoformat() if ends else None}
    return _checked(json.loads(canonical(scheme)) | {"term": term}, scheme.key)


def with_changes(scheme: Scheme, changes: dict[str, Any]) -> Scheme:
    """The same rules with other sections, asked of every check again; BadScheme where they are no rules together."""
    return _checked(json.loads(canonical(scheme)) | changes, scheme.key)


def canonical(scheme: Scheme) -> str:
    """The one text of a scheme's rules: what closings freeze and the database stores."""
    return canonical_json(scheme.model_dump(mode="json", exclude={"demo"}))


def rule_hash(scheme: Scheme) -> str:
    """SHA-256, in hex, of the canonical text."""
    return hash_of(canonical(scheme))


def hash_of(text: str) -> str:
    """SHA-256, in hex, of a canonical text."""
    return hashlib.sha256(text.encode()).hexdigest()


def from_canonical(text: str) -> Scheme:
    """The scheme that `canonical` wrote. Its checks were passed when it was published and are not asked again.

    Corrupted if the text has not the shape of a scheme: nobody but `canonical` writes it.
    """
    scheme, _, faults = read(json.loads(text))
    if scheme is None:
        raise Corrupted(reason=f"Stored rules can't be read: {'; '.join(map(str, faults))}.")
    return scheme


def _preset_files() -> dict[str, Traversable]:
    folder = files("dps.schemes").joinpath("presets")
    return {file.name.removesuffix(".toml"): file for file in folder.iterdir() if file.name.endswith(".toml")}


def _text_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_FILE_BYTES + 1)
    except OSError as failed:
        raise BadScheme((Fault("", f"can't be read ({failed.strerror})"),), file=path.name) from None
    if len(content) > LARGEST_FILE_BYTES:
        raise BadScheme((Fault("", "is larger than a megabyte: this is no scheme file"),), file=path.name)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadScheme((Fault("", "is not UTF-8 text"),), file=path.name) from None


def _parse(text: str, file: str) -> Scheme:
    try:
        raw: dict[str, Any] = tomllib.loads(text)
    except tomllib.TOMLDecodeError as bad:
        raise BadScheme((Fault("", f"is no TOML: {bad}"),), file=file) from None
    except RecursionError:
        raise BadScheme((Fault("", "is no TOML: nested too deeply"),), file=file) from None
    return _checked(raw, file)


def _checked(raw: dict[str, Any], file: str) -> Scheme:
    scheme, sections, faults = read(raw)
    faults += broken_rules(sections)
    if scheme is None or faults:
        raise BadScheme(tuple(faults), file=file)
    return scheme
