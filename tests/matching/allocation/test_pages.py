"""The two pages on allocation say what the code does: every rule the referee names, every file of the engine."""

import re
from pathlib import Path

import pytest

from matching import allocation

ROOM = Path(allocation.__path__[0])
PROBLEM, ENGINE = (ROOM / "problem.md").read_text(), (ROOM / "engine.md").read_text()
WORDS = {
    "1": "Each package once",
    "2": "provider's minutes",
    "3": "provider in a locality",
    "5": "Take limits",
    "6": "Caps",
}


def test_the_problem_is_numbered_as_the_referee_numbers_its_faults() -> None:
    named = set(re.findall(r'"([1-6]) [a-z]', (ROOM / "referee.py").read_text()))

    assert named == set(WORDS)
    for number, words in WORDS.items():
        assert re.search(rf"^{number}\. \*\*.*{words}", PROBLEM, re.M), number
    assert re.search(r"^4\. \*\*Coverage", PROBLEM, re.M)


@pytest.mark.parametrize("page", [PROBLEM, ENGINE])
def test_every_file_that_a_page_names_is_there(page: str) -> None:
    named = {
        word.split(".")[0] for bracket in re.findall(r"\((`[^)]+`)\)", page) for word in re.findall(r"`(\w+)", bracket)
    }

    assert named
    assert {name for name in named if not (ROOM / f"{name}.py").exists()} == set()


def test_both_pages_stay_pages() -> None:
    assert max(len(PROBLEM.splitlines()), len(ENGINE.splitlines())) <= 90
