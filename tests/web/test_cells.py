"""Cells: numbers of a spreadsheet become whole pence and whole digits, or are refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dps.kernel.errors import BadInput
from web.cells import pence, several, whole, words, yes


@given(st.integers(0, 10**10 - 1))
def test_pounds_typed_as_a_number_are_their_pence(amount: int) -> None:
    assert pence(amount / 100) == amount


@pytest.mark.parametrize("cell", [0.001, 1250.125, -1.0, 1e300, float("inf"), float("nan"), True, "1250.5"])
def test_what_is_no_amount_is_refused(cell: float | bool | str) -> None:
    with pytest.raises(BadInput):
        pence(cell)


@pytest.mark.parametrize("cell", [6.5, -6.0, 1e20, "6 weeks", "٦", True])
def test_what_is_no_whole_number_is_refused(cell: float | bool | str) -> None:
    with pytest.raises(BadInput):
        whole(cell)


def test_a_whole_number_is_read_as_its_digits() -> None:
    assert (words(42.0), whole(6.0), whole(" 6 ")) == ("42", 6, 6)


def test_yes_and_no_are_read_in_any_case() -> None:
    assert [yes(cell) for cell in (True, False, "Yes", " no ")] == [True, False, True, False]


def test_none_is_an_answer() -> None:
    assert [several(cell) for cell in ("None", "Hoist, peg feeding,")] == [[], ["hoist", "peg_feeding"]]
