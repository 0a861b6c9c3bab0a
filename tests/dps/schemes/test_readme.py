"""The README's numbered rules are the loader's, in the same order."""

import re
from pathlib import Path

import dps.schemes
from dps.schemes.checks import RULES
from dps.schemes.loader import presets

README = Path(dps.schemes.__path__[0]) / "README.md"


def test_the_numbered_rules_are_the_checks() -> None:
    numbered = re.findall(r"(?m)^([0-9]+)\. (.+)$", README.read_text(encoding="utf-8"))

    assert numbered == [(str(n), (rule.__doc__ or "").splitlines()[0]) for n, rule in enumerate(RULES, start=1)]


def test_every_preset_has_its_page() -> None:
    text = README.read_text(encoding="utf-8")

    assert all(f"### `{key}`" in text for key in presets())
