"""The worked example of each council is computed by its own rules, and tells what a reader can check by hand."""

import re

import pytest

from bidding.worked_example import worked_example
from dps.schemes.loader import preset, presets


@pytest.mark.parametrize("key", presets())
def test_every_council_has_an_example_and_the_same_one_each_time(key: str) -> None:
    text = worked_example(preset(key))

    assert text == worked_example(preset(key))
    assert ("awarded to" in text) is ("Nobody bids" not in text)


def test_where_the_lowest_rate_wins_a_full_bidder_s_second_package_passes_to_the_next() -> None:
    text = worked_example(preset("cornwall"))

    rows = re.findall(r"^\| (\w+) \| £(\S+) \| .* \| (\d) \|$", text, re.M)
    assert rows[:3] == [("Alder", "17.80", "1"), ("Beech", "18.85", "2"), ("Cedar", "19.90", "3")]
    assert "First package: awarded to Alder at £124.60 a week." in text
    assert "Second package: awarded to Beech" in text


def test_where_nobody_competes_the_published_price_is_worked_out() -> None:
    assert "A package of 7 hours a week is worth £112.00 a week at the published £16.00." in worked_example(
        preset("halton")
    )
