"""Every planted fault still finds its place and its tests; `make mutants` shows that they turn red (line 16)."""

from pathlib import Path

import pytest

from tests.faults.mutants import MUTANTS, ROOT, Change, Moved, Mutant, planted


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: str(mutant.name))
def test_a_fault_can_be_planted_and_its_tests_are_there(mutant: Mutant) -> None:
    changed = planted(mutant, ROOT)

    assert all(text != (ROOT / file).read_text() for file, text in changed.items())
    for test in mutant.tests:
        file, _, name = test.partition("::")
        assert f"def {name.partition('[')[0]}" in (ROOT / file).read_text()


def test_there_are_the_thirteen_of_the_acceptance() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == 13


def test_an_anchor_that_moved_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("a = 1\na = 1\n")

    for anchor in ("a = 1", "a = 2"):
        with pytest.raises(Moved, match=r"one\.py holds"):
            Change("one.py", anchor, "a = 3").apply(tmp_path)
