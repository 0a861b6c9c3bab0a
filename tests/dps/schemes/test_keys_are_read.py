"""Every key of the model is read by a rule: a key that nothing reads would promise what nobody keeps.

Read means: a source file that works with schemes (it imports from `dps.schemes`, or is of `dps.places`, which knows
localities by their shape, or of `bidding`, which is handed them) takes the attribute of that name. What only prints
or checks a scheme does not count.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from dps.schemes.model import Section
from dps.schemes.shape import section_of

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("dps", "matching", "bidding", "web")
PRINTING_OR_CHECKING = (
    "dps/schemes/checks/",
    "dps/schemes/rulebook",
    "dps/schemes/loader.py",
    "dps/schemes/contracting.py",
    "dps/schemes/quality.py",
    "web/schemes.py",
)

# Kept by other means than a rule at work; each says by which.
EXEMPT = {
    ("Scheme", "source"): "words for the rulebook",
    ("Scheme", "assumed"): "words for the rulebook",
    ("Scheme", "legal_basis"): "its terms and dates are checked when the file is loaded",
    ("Stage", "speed_permitted"): "refused or allowed when the file is loaded",
    ("Ladder", "ends"): "has one value, and the loader refuses a ladder without it",
    ("Allocation", "published"): "a joint allocation with an unpublished term is refused when the file is loaded",
    ("ProviderList", "published"): "a stage that asks an unpublished list is refused when the file is loaded",
}


def keys() -> list[tuple[str, str]]:
    """Every key of every section."""
    return [(section.__name__, name) for section in Section.__subclasses__() for name in section.model_fields]


@pytest.fixture(scope="module")
def attributes_read() -> set[str]:
    return {name for path in _readers() for name in _reads(ast.parse(path.read_text(), str(path)))}


def checked() -> Iterator[str]:
    """A parameter for each key that a rule must read."""
    for section, name in keys():
        if (section, name) not in EXEMPT:
            yield f"{section}.{name}"


@pytest.mark.parametrize("key", list(checked()))
def test_a_rule_reads_the_key(key: str, attributes_read: set[str]) -> None:
    assert key.partition(".")[2] in attributes_read


def test_the_exempt_are_keys_of_the_model() -> None:
    assert set(EXEMPT) <= set(keys())


def test_reading_is_told_from_writing_and_from_naming() -> None:
    tree = ast.parse("a = scheme.term.ends\nscheme.colour = 'red'\nStage(window=b)\n'closings'")

    assert set(_reads(tree)) == {"term", "ends"}


def test_every_section_hangs_on_the_scheme() -> None:
    """So that a section that nothing uses any more does not stay unseen."""
    hanging = {
        section_of(field.annotation) for section in Section.__subclasses__() for field in section.model_fields.values()
    }

    assert {section.__name__ for section in Section.__subclasses__() if section not in hanging} == {"Scheme"}


def _readers() -> Iterator[Path]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            name = path.relative_to(ROOT).as_posix()
            if name == "dps/schemes/model.py" or (
                not name.startswith(PRINTING_OR_CHECKING)
                and (name.startswith(("dps/places/", "bidding/")) or "dps.schemes" in path.read_text())
            ):
                yield path


def _reads(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield node.attr
