"""The rulebook's examples for areas are worked out by the code that decides."""

from bidding.tenders.example import worked_areas
from dps.schemes.loader import preset


def test_each_way_of_bidding_has_its_example_with_a_working_that_adds_up() -> None:
    said = worked_areas(preset("kingston"))

    assert said.count("## A worked example") == 3
    for key in ("outcomes", "rate-card", "two-rates"):
        assert f"(`{key}`)" in said
    # 75% of both ceilings: 60,000 hours at £16.50 and 14,000 at £18.75.
    assert "| Alder | £1,252,500.00 | 100.0 |" in said
    assert "- Home care: 60,000 carer-hours at £16.50: £990,000.00" in said
    assert "- A year on the stated volume: £1,252,500.00" in said
    assert "of a budget of £2,000,000.00" in said


def test_where_no_area_is_let_there_is_none() -> None:
    assert worked_areas(preset("liverpool")) == ""
