"""Why this bid and not another, in sentences over opened bids."""

from dataclasses import replace
from datetime import date

from bidding.looking.deciding import SeenBid
from bidding.looking.explained import explained

BID = SeenBid(
    bid="BID-A", provider="PRV-A", name="Ash", is_valid=True, reasons=(), flags=(), weekly_pence=10_000,
    weekly_minutes=600, price_points=50_000, quality_points=40_000, total_points=90_000, rank=1,
    starts_on=date(2019, 3, 4), exceptional_reason=None, workings={}, stands=False, reserve=None,
)  # fmt: skip
DEARER = replace(BID, bid="BID-B", provider="PRV-B", name="Birch", weekly_pence=11_000, total_points=80_000, rank=2)
CHEAPER = replace(
    BID, bid="BID-C", provider="PRV-C", name="Cedar", weekly_pence=9_550, price_points=55_000, quality_points=20_000,
    total_points=75_000, rank=3,
)  # fmt: skip


def test_the_first_and_cheapest_needs_few_words() -> None:
    assert explained([BID, DEARER], bid="BID-A", tried={}) == (
        "It ranked first of 2 valid bids.",
        "No other valid bid costs less.",
    )


def test_the_only_valid_bid_is_said_to_be_that() -> None:
    assert explained([BID], bid="BID-A", tried={}) == ("It was the only valid bid.",)


def test_a_cheaper_bid_with_fewer_points_is_named_with_its_figures() -> None:
    (_, cheaper) = explained([BID, CHEAPER], bid="BID-A", tried={})

    assert cheaper == (
        "The cheapest, Cedar, asks £4.50 a week less, but has 75.0 points in all against 90.0: 55.0 against 50.0 for "
        "price, 20.0 against 40.0 for quality."
    )


def test_a_reserve_says_what_became_of_the_bids_before_it() -> None:
    said = explained([BID, DEARER], bid="BID-B", tried={"PRV-A": "declined"})

    assert said == (
        "It ranked second of 2 valid bids.",
        "Ash ranked first, and declined the package.",
        "Ash was the cheapest, £10.00 a week less.",
    )


def test_a_better_bid_that_was_passed_over_is_said_to_have_had_no_room() -> None:
    said = explained([BID, DEARER], bid="BID-B", tried={})

    assert "left no room for it" in said[1]


def test_a_cheaper_bid_that_is_not_valid_is_named_with_its_reason() -> None:
    invalid = replace(CHEAPER, is_valid=False, rank=None, reasons=("The start is too late.",))

    assert explained([BID, invalid], bid="BID-A", tried={})[-1] == (
        "Cedar asked £4.50 a week less, but its bid is not valid: The start is too late."
    )


def test_an_award_of_no_bid_is_explained_by_nothing() -> None:
    assert explained([BID], bid=None, tried={}) == ()
