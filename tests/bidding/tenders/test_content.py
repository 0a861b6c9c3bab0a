"""What a bid for an area comes to on the stated volume, and every bad bid explained."""

from dataclasses import replace

import pytest

from bidding.tenders.content import AreaBid, evaluated_pence, problems, promised, volume_lines, working
from dps.kernel.errors import BadInput
from dps.schemes.loader import preset

KINGSTON = preset("kingston")
CARD, RATES, OUTCOMES = (KINGSTON.area_contract(key) for key in ("rate-card", "two-rates", "outcomes"))
TOWN, SURBITON, MALDEN = "kingston-town", "surbiton", "new-malden"
TWO = AreaBid(rates=(("home-care", 1_700), ("reablement", 1_950)))
PROMISES = (("at-home", 90), ("independent", 70), ("no-admission", 80), ("satisfied", 80))
PRICE = AreaBid(yearly_pence=196_000_000, targets=PROMISES)


def a_card(**changed: int) -> AreaBid:
    """Every element of the rate card at half its ceiling, but for those named."""
    rates = {element.key: element.ceiling_pence // 2 for element in CARD.elements}
    return AreaBid(rates=tuple(sorted((rates | changed).items())))


def test_two_rates_come_to_their_stated_hours_in_a_year() -> None:
    assert evaluated_pence(TWO, RATES) == 14_000 * 1_950 + 60_000 * 1_700
    assert working(TWO, RATES, MALDEN) == (
        "Reablement, by intake: 14,000 carer-hours at £19.50: £273,000.00",
        "Home care: 60,000 carer-hours at £17.00: £1,020,000.00",
        "A year on the stated volume: £1,293,000.00",
    )


def test_a_rate_card_is_evaluated_on_every_element_and_its_lines_add_up() -> None:
    bid = a_card()

    assert problems(bid, CARD, SURBITON) == ()
    assert [line.key for line in volume_lines(bid, CARD)] == [element.key for element in CARD.elements]
    assert sum(line.pence for line in volume_lines(bid, CARD)) == evaluated_pence(bid, CARD)
    assert volume_lines(bid, CARD)[7].words == "Crisis response: 400 call-outs at £45.00: £18,000.00"


def test_a_year_of_outcomes_costs_its_price_whatever_is_promised() -> None:
    assert problems(PRICE, OUTCOMES, TOWN) == ()
    assert evaluated_pence(PRICE, OUTCOMES) == 196_000_000
    assert working(PRICE, OUTCOMES, TOWN)[:2] == (
        "A year: £1,960,000.00, of a budget of £2,000,000.00, £90,000.00 less than the area costs today",
        "Still at home, not in a care home, after a year: 90% of people, at least 85% asked",
    )


@pytest.mark.parametrize(
    ("percents", "score"),
    [((85, 60, 70, 80), 0), ((100, 100, 100, 100), 100), ((100, 60, 70, 80), 40), ((90, 70, 80, 80), 25)],
)
def test_a_promise_counts_from_the_least_to_everybody_by_its_points(percents: tuple[int, ...], score: int) -> None:
    keys = (key for key, _ in PROMISES)
    targets = tuple(zip(keys, percents, strict=True))

    assert promised(replace(PRICE, targets=targets), OUTCOMES) == score


@pytest.mark.parametrize(
    ("bid", "words"),
    [
        (AreaBid(rates=(("home-care", 1_700),)), "Give a rate for Reablement, by intake"),
        (replace(TWO, rates=(*TWO.rates, ("nights", 1))), "'nights' is no element of this contract"),
        (AreaBid(rates=(("home-care", 0), ("reablement", 1_950))), "The rate for Home care can't be nothing"),
        (
            AreaBid(rates=(("home-care", 2_201), ("reablement", 1_950))),
            "£22.01 for Home care is above the ceiling of £22.00 a carer-hour",
        ),
        (replace(TWO, yearly_pence=1), "bid for by rates"),
        (replace(TWO, targets=(("at-home", 90),)), "bid for by rates"),
        (replace(TWO, answers=(("why", "yes"),)), "There is no question why"),
    ],
)
def test_a_bad_bid_of_rates_is_explained(bid: AreaBid, words: str) -> None:
    (said,) = problems(bid, RATES, MALDEN)

    assert words in said


@pytest.mark.parametrize(
    ("bid", "words"),
    [
        (replace(PRICE, yearly_pence=200_000_001), "is £0.01 above the area's budget of £2,000,000.00"),
        (replace(PRICE, yearly_pence=None), "Give the price of a year"),
        (replace(PRICE, yearly_pence=0), "can't be nothing"),
        (replace(PRICE, targets=PROMISES[1:]), "how far this will be reached: Still at home"),
        (replace(PRICE, targets=(*PROMISES, ("happy", 90))), "'happy' is no outcome"),
        (replace(PRICE, targets=(("at-home", 84), *PROMISES[1:])), "84% for “Still at home"),
        (replace(PRICE, targets=(("at-home", 101), *PROMISES[1:])), "is not from 85% to 100%"),
        (replace(PRICE, rates=(("home-care", 1),)), "say no rates"),
    ],
)
def test_a_bad_bid_of_outcomes_is_explained(bid: AreaBid, words: str) -> None:
    (said,) = problems(bid, OUTCOMES, TOWN)

    assert words in said


def test_what_may_be_free_may_cost_nothing_and_the_budget_itself_may_be_asked() -> None:
    assert problems(a_card(reviews=0), CARD, SURBITON) == ()
    assert problems(replace(PRICE, yearly_pence=200_000_000), OUTCOMES, TOWN) == ()


@pytest.mark.parametrize("bid", [TWO, PRICE, a_card()])
def test_a_bid_is_read_back_as_it_was_written(bid: AreaBid) -> None:
    assert AreaBid.from_dict(bid.to_dict()) == bid


@pytest.mark.parametrize(
    ("raw", "field"),
    [
        ([], "bid"),
        ({"rates": {"home-care": 17.5}}, "rates"),
        ({"rates": {"home-care": True}}, "rates"),
        ({"rates": {"home-care": -1}}, "rates"),
        ({"rates": [1]}, "rates"),
        ({"yearly_pence": "2"}, "yearly_pence"),
        ({"targets": {"at-home": None}}, "targets"),
        ({"answers": {"a": 1}}, "answers"),
        ({"card": {}}, "card"),
    ],
)
def test_what_is_no_bid_for_an_area_is_refused_by_its_field(raw: object, field: str) -> None:
    with pytest.raises(BadInput) as refused:
        AreaBid.from_dict(raw)

    assert refused.value.field == field
