"""Which sentence of the papers is which key: every key, value and number that the README names stands in the file."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import dps.schemes
from dps.schemes.loader import presets

ROOM = Path(dps.schemes.__path__[0])
TEXT = (ROOM / "README.md").read_text(encoding="utf-8")
NUMBERS = {"two": 2, "four": 4, "six": 6, "ten": 10}

Node = tuple[tuple[str, ...], Any]


def nodes(value: Any, path: tuple[str, ...] = ()) -> Iterator[Node]:
    """Every key of a file with what it holds; the members of a list stand under the list's own key."""
    yield path, value
    if isinstance(value, dict):
        for key, part in value.items():
            yield from nodes(part, (*path, key))
    elif isinstance(value, list):
        for part in value:
            yield from nodes(part, path)


def of_preset(key: str) -> list[Node]:
    return list(nodes(tomllib.loads((ROOM / "presets" / f"{key}.toml").read_text(encoding="utf-8"))))


def rows(heading: str) -> list[tuple[str, str]]:
    """The table under a heading: what the paper says, what the file says."""
    section = TEXT.split(f"### {heading}", 1)[1].split("\n### ", 1)[0]
    found = re.findall(r"(?m)^\| (.+?) \| (.+) \|$", section)
    return [row for row in found if row[1] != "the file says" and row[1] != "the files say"]


def missing(said: str, there: list[Node]) -> list[str]:
    """What of one cell does not stand in a file: a key, a value, or so many of something."""
    faults = []
    for number, token in re.findall(rf"(?:({'|'.join(NUMBERS)}) )?`([^`]+)`", said):
        name, _, value = token.partition(" = ")
        path = tuple(name.strip("[]").split("."))
        held = [one for where, one in there if where[-len(path) :] == path]
        if value:
            is_there = tomllib.loads(f"x = {value}")["x"] in held
        else:
            is_there = bool(held) or any(one == token for _, one in there if isinstance(one, str))
        if not is_there:
            faults.append(token)
        if number and not any(isinstance(one, list) and len(one) == NUMBERS[number] for one in held):
            faults.append(f"{number} {token}")
    return faults


@pytest.mark.parametrize("key", presets())
def test_each_key_that_a_council_s_page_names_stands_in_its_file(key: str) -> None:
    page = rows(f"`{key}`")

    assert page
    assert {said: faults for _, said in page if (faults := missing(said, of_preset(key)))} == {}


def test_each_key_named_for_what_follows_the_award_stands_in_the_file_of_the_council_named() -> None:
    faults = []
    for paper, said in rows("After the award"):
        council = paper.split(":")[0].split()[0].rstrip(",").lower()
        named = [key for key in presets() if council in key.split("-") or key == council]
        if all(missing(said, of_preset(key)) for key in named):
            faults.append((paper, [missing(said, of_preset(key)) for key in named]))

    assert faults == []


@pytest.mark.parametrize("key", presets())
def test_every_key_of_a_file_stands_on_its_council_s_page_or_among_what_is_in_every_file(key: str) -> None:
    said = [cell for _, cell in (*rows(f"`{key}`"), *after_the_award(key), *rows("In every file"))]
    named = {
        tuple(token.partition(" = ")[0].strip("[]").split(".")) for token in re.findall(r"`([^`]+)`", " ".join(said))
    }

    written = {path for path, value in of_preset(key) if path and not is_section(value)}

    assert sorted(".".join(path) for path in written if not is_said(path, named)) == []


def after_the_award(key: str) -> list[tuple[str, str]]:
    """The rows of the table for all councils that are about this one."""
    return [row for row in rows("After the award") if key in councils_named(row[0])]


def councils_named(paper: str) -> list[str]:
    """The presets that a row names before its colon, by their key or a word of it."""
    names = paper.partition(":")[0].lower()
    return [key for key in presets() if key in names.replace(" ", "-") or set(key.split("-")) & set(names.split())]


def is_section(value: Any) -> bool:
    """Whether keys stand below: a table, or a list of tables."""
    return isinstance(value, dict) or (isinstance(value, list) and any(isinstance(part, dict) for part in value))


def is_said(path: tuple[str, ...], named: set[tuple[str, ...]]) -> bool:
    """Whether the key or a section that it stands in is named, in full or by the end of its name."""
    return any(path[start:end] in named for end in range(len(path) + 1) for start in range(end))


def test_a_key_that_no_page_names_is_found_out() -> None:
    named = {("award",), ("variations", "run_off")}

    assert is_said(("award", "acceptance", "crisis"), named)
    assert not is_said(("variations", "flex", "most_days"), named)


def test_a_key_that_is_not_there_is_found_out() -> None:
    assert missing("`term.starts = 2017-10-02`", of_preset("liverpool")) == ["term.starts = 2017-10-02"]
    assert missing("two `[[authorities]]`, `admission.nothing`", of_preset("liverpool")) == [
        "two [[authorities]]",
        "admission.nothing",
    ]
