"""Scheme files to break: a preset's text with something else in it, and what the loader says to that."""

from importlib.resources import files

from dps.kernel.errors import BadScheme
from dps.schemes.loader import load


def text_of(preset: str) -> str:
    """The TOML text of a preset."""
    return files("dps.schemes").joinpath("presets", f"{preset}.toml").read_text(encoding="utf-8")


def with_changes(preset: str, changes: dict[str, str]) -> str:
    """A preset's text in which the first of each `old` stands as `new`; every `old` must be there."""
    text = text_of(preset)
    for old, new in changes.items():
        assert old in text, f"{old!r} is not in {preset}.toml"
        text = text.replace(old, new, 1)
    return text


def faults_of(text: str) -> dict[str, str]:
    """The loader's reasons by their keys, those of one key in a row; none for a sound file."""
    try:
        load(text)
    except BadScheme as bad:
        reasons: dict[str, str] = {}
        for key, reason in bad.facts["faults"]:
            reasons[key] = f"{reasons[key]}; {reason}" if key in reasons else reason
        return reasons
    return {}
