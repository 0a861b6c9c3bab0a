"""A contract's period and an area's period, model by model."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest

from dps.contracts.payment.areas import area_lines
from dps.contracts.payment.outcome_budget import ProvenException
from dps.contracts.payment.reckoning import Budget, Pause, Period, ReviewFacts, contract_lines
from dps.contracts.payment.visits import PricedVisit, VisitOutcome
from dps.contracts.payment.worked import Item, chargeable, total
from dps.kernel.errors import BadInput, CannotState
from dps.kernel.money import Band, PriceBasis, RateCard
from dps.schemes.contracting import Payment, Variations
from dps.schemes.loader import preset

MONDAY = date(2018, 7, 16)
CARD = RateCard.of(PriceBasis.PER_HOUR, {Band.WEEKDAY: 1800})


def days(count: int, start: int = 0) -> list[date]:
    return [MONDAY + timedelta(days=start + n) for n in range(count)]


def half_hours(on: Sequence[date], delivered: int = 30, planned: int = 30, **more: Any) -> list[PricedVisit]:
    return [PricedVisit(day, frozenset(), planned, delivered, **more) for day in on]


def a_period(count: int = 7, **facts: Any) -> Period:
    """So many days from Monday, with half an hour each day, at £18.00 an hour."""
    return Period(
        **{
            "first": MONDAY,
            "last": MONDAY + timedelta(days=count - 1),
            "delivered": half_hours(days(count)),
            "planned": half_hours(days(count)),
            "card_on": lambda day: CARD,
            "weekly_pence": 6300,
            **facts,
        }
    )


def payment_of(council: str, lot: str) -> tuple[Payment, Variations]:
    scheme = preset(council)
    found = scheme.payment(lot)
    assert found is not None
    return found, scheme.variations


def lines(council: str, lot: str, period: Period) -> list[tuple[Item, int]]:
    return [(line.item, line.pence) for line in contract_lines(*payment_of(council, lot), period)]


def test_delivered_visits_make_a_line_a_week() -> None:
    assert lines("halton", "personal-care", a_period(10)) == [(Item.VISITS, 6300), (Item.VISITS, 2700)]


def test_a_week_without_a_paid_visit_makes_no_line() -> None:
    missed = a_period(delivered=half_hours(days(7), outcome=VisitOutcome.MISSED))

    assert lines("halton", "personal-care", missed) == []


def test_commissioned_visits_are_paid_by_the_plan() -> None:
    assert lines("kingston", "round-the-clock", a_period(delivered=[])) == [(Item.COMMISSIONED, 6300)]


# Cornwall

SIX_WEEKS = Budget(60_000, MONDAY, MONDAY + timedelta(days=41))
MET = ReviewFacts(3, 3, ProvenException.NONE, SIX_WEEKS.last_day)
UNMET = ReviewFacts(2, 3, ProvenException.NONE, SIX_WEEKS.last_day)


def test_met_outcomes_earn_the_budget_and_the_weeks_after_it_the_bids_rate() -> None:
    # Six weeks of half an hour a day are worth £378.00; two more weeks follow.
    period = a_period(56, budget=SIX_WEEKS, reviewed=MET)

    assert lines("cornwall", "enablement", period) == [
        (Item.BUDGET, 60_000),
        (Item.VISITS, 6300),
        (Item.VISITS, 6300),
    ]


def test_unmet_outcomes_earn_the_delivered_visits_only() -> None:
    assert lines("cornwall", "enablement", a_period(42, budget=SIX_WEEKS, reviewed=UNMET)) == [(Item.BUDGET, 37_800)]


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"reviewed": None}, "not been reviewed"),
        ({"first": MONDAY + timedelta(days=1), "reviewed": MET}, "in one piece"),
        ({"last": MONDAY + timedelta(days=40), "reviewed": MET}, "in one piece"),
    ],
)
def test_the_budgets_weeks_are_stated_in_one_piece_and_after_the_review(facts: dict[str, Any], words: str) -> None:
    with pytest.raises(CannotState, match=words):
        lines("cornwall", "enablement", a_period(42, budget=SIX_WEEKS, **facts))


def test_a_pause_that_ended_adds_its_retainer() -> None:
    pause = Pause(MONDAY, MONDAY + timedelta(days=14))

    # Half of £63.00 a week, for two weeks.
    assert lines("cornwall", "ongoing", a_period(14, delivered=[], pauses=[pause])) == [(Item.RETAINER, 6300)]
    assert lines("halton", "personal-care", a_period(14, delivered=[], pauses=[pause])) == []


# Kingston


def test_a_share_of_the_plan_waits_for_the_review() -> None:
    assert lines("kingston", "reablement", a_period()) == [(Item.GUARANTEED, 4410)]  # 70% of £63.00
    reviewed = a_period(reviewed=UNMET, held_plan=half_hours(days(42)))
    # 30% of six weeks' £378.00 was held back; two of three outcomes release two thirds.
    assert lines("kingston", "reablement", reviewed) == [(Item.GUARANTEED, 4410), (Item.RELEASED, 7560)]
    assert lines("kingston", "personal-care", a_period()) == [(Item.GUARANTEED, 5670)]  # 90%


@pytest.mark.parametrize("lot", ["whole-area", "profiled-support"])
def test_what_is_paid_by_area_is_not_stated_by_contract(lot: str) -> None:
    with pytest.raises(CannotState, match="by area"):
        lines("kingston", lot, a_period())


def area(lot: str, **facts: Any) -> tuple[list[tuple[Item, int]], int]:
    asked: dict[str, Any] = {"actual_pence": None, "person_days": {}, "performance_percent": None, **facts}
    found = area_lines(payment_of("kingston", lot)[0], locality="surbiton", about="2016", **asked)
    return [(line.item, line.pence) for line in found.lines], found.to_discussion_pence


def test_an_area_at_seven_percent_over_is_paid_its_budget_and_discusses_two_points() -> None:
    assert area("whole-area", actual_pence=2_140_000_00) == ([(Item.AREA, 2_000_000_00)], 40_000_00)


def test_an_areas_people_are_paid_for_in_their_bands() -> None:
    found, discussed = area("profiled-support", person_days={"to-100": 7, "over-400": 14}, performance_percent=50)

    assert found == [(Item.BAND, 6_750), (Item.BAND, 93_600), (Item.PERFORMANCE, 5_575)]
    assert discussed == 0


@pytest.mark.parametrize("lot", ["whole-area", "profiled-support"])
def test_the_figure_that_an_area_is_paid_by_must_be_given(lot: str) -> None:
    with pytest.raises(BadInput):
        area(lot)
    with pytest.raises(CannotState, match="contract by contract"):
        area("reablement")


# Worcestershire


def test_a_contract_in_a_tier_is_paid_its_weekly_price_and_any_other_what_was_delivered() -> None:
    tiers = [(day, "tier-4" if day < MONDAY + timedelta(days=7) else "tier-3") for day in days(14)]

    assert lines("worcestershire", "home-care", a_period(14, tiers=tiers)) == [
        (Item.TIER, 80_000),
        (Item.TIER, 50_000),
    ]
    spot = [(day, None) for day in days(7)]
    assert lines("worcestershire", "home-care", a_period(7, tiers=spot)) == [(Item.VISITS, 6300)]


# Kent


def test_flexed_visits_are_paid_at_the_contracts_rate_and_not_charged_to_the_person() -> None:
    payment, variations = payment_of("kent-flex", "domiciliary-care")
    flexed = half_hours(days(7), delivered=600, planned=600)

    found = contract_lines(payment, variations, a_period(flexed=flexed))

    assert [(line.item, line.pence) for line in found] == [(Item.VISITS, 6300), (Item.FLEX, 126_000)]
    assert (total(found), chargeable(found)) == (132_300, 6300)
    assert all(line.working for line in found)
