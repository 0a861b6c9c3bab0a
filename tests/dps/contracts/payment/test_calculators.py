"""Each way of paying, to the penny, with the papers' own examples."""

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dps.contracts.payment.at_risk import guaranteed_line, released_line
from dps.contracts.payment.block import block_line
from dps.contracts.payment.capitated import capitated
from dps.contracts.payment.outcome_budget import ProvenException, budget_line
from dps.contracts.payment.retainer import may_restart, retainer_line
from dps.contracts.payment.visits import (
    PricedVisit,
    VisitOutcome,
    commissioned,
    minutes_paid,
    uplifted,
    visits_line,
)
from dps.contracts.payment.weekly_prices import band_lines, saved_by_moving, tier_line
from dps.contracts.payment.worked import Item, Line, chargeable, in_words, summed, total
from dps.kernel.errors import BadInput, NoPrice
from dps.kernel.money import Band, PriceBasis, RateCard
from dps.schemes.contracting import Payment, PaymentModel, Retainer, WeeklyPrice
from dps.schemes.loader import preset

MONDAY = date(2018, 7, 16)
HOURLY = RateCard.of(PriceBasis.PER_HOUR, {Band.WEEKDAY: 1800, Band.WEEKEND: 2000})
BY_LENGTH = RateCard.by_length({30: {Band.WEEKDAY: 950}, 45: {Band.WEEKDAY: 1400}})


def a_rule(**terms: Any) -> Payment:
    return Payment(**{"lots": ("home-care",), "model": PaymentModel.DELIVERED, **terms})


def a_visit(planned: int = 30, delivered: int = 30, **more: Any) -> PricedVisit:
    return PricedVisit(
        **{
            "day": MONDAY,
            "bands": frozenset(),
            "planned_minutes": planned,
            "delivered_minutes": delivered,
            **more,
        }
    )


def line_of(*visits: PricedVisit, card: RateCard = HOURLY, rule: Payment | None = None, **more: Any) -> Line:
    return visits_line(visits, lambda day: card, rule or a_rule(), item=Item.VISITS, about="week 1", **more)


# Rate × delivered or commissioned


@pytest.mark.parametrize(
    ("rule", "visit", "paid"),
    [
        (a_rule(), a_visit(30, 27), 27),
        (a_rule(), a_visit(30, 31), 30),
        (a_rule(tolerance_minutes=5), a_visit(30, 35), 35),
        (a_rule(tolerance_minutes=5), a_visit(30, 36), 35),
        (a_rule(counts="visit", tolerance_minutes=5), a_visit(30, 25), 30),
        (a_rule(counts="visit", tolerance_minutes=5), a_visit(30, 24), 24),
        (a_rule(counts="visit", tolerance_minutes=5), a_visit(30, 90), 30),
        (a_rule(), a_visit(0, 45), 0),
        (a_rule(), a_visit(30, 0, outcome=VisitOutcome.MISSED), 0),
        (a_rule(), a_visit(30, 0, outcome=VisitOutcome.CANCELLED), 0),
        (a_rule(), a_visit(30, 0, outcome=VisitOutcome.CANCELLED_LATE), 0),
        (a_rule(late_cancellation_paid=True), a_visit(30, 0, outcome=VisitOutcome.CANCELLED_LATE), 30),
    ],
)
def test_what_of_a_visit_is_paid(rule: Payment, visit: PricedVisit, paid: int) -> None:
    assert minutes_paid(visit, rule) == paid


def test_delivered_minutes_are_paid_at_the_hourly_rate_and_rounded_once() -> None:
    # 20 + 20 + 20 minutes at £18.00: 600 pence each; three visits of 25 minutes at £18.01 would be thirds of a penny.
    odd = RateCard.of(PriceBasis.PER_HOUR, {Band.WEEKDAY: 1801})

    assert line_of(*[a_visit(30, 20)] * 3).pence == 1800
    line = line_of(*[a_visit(30, 25)] * 3, card=odd)
    assert line.pence == 2251  # 2251.25 once, not 3 × 750
    assert line.working == ("3 visits, 1 h 15 min at £18.01 an hour: £22.51 and 1/4 p, to the nearest penny £22.51",)


def test_what_stands_before_the_reader_adds_up_to_the_penny() -> None:
    third, two = Fraction(100, 3), Fraction(200, 3)

    assert summed([("a", Fraction(100)), ("b", Fraction(50))]) == ("a: £1.00", "b: £0.50")
    assert summed([("a", two), ("b", two)]) == (
        "a: £0.66 and 2/3 p", "b: £0.66 and 2/3 p", "together, to the nearest penny: £1.33"
    )  # fmt: skip
    assert summed([("a", third), ("b", two)])[-1] == "together: £1.00"


def test_two_carers_cost_twice_and_a_weekend_its_own_price() -> None:
    weekend = a_visit(30, 30, carers=2, bands=frozenset({Band.WEEKEND}))

    assert line_of(weekend).pence == 2000
    assert line_of(a_visit(), weekend).pence == 900 + 2000


def test_visits_by_their_length_cost_their_price_and_a_short_one_its_part() -> None:
    rule = a_rule(counts="visit", tolerance_minutes=5)

    line = line_of(a_visit(30, 28), a_visit(45, 60), a_visit(30, 15), card=BY_LENGTH, rule=rule)

    assert line.pence == 950 + 1400 + 475
    with pytest.raises(NoPrice, match="20 minutes"):
        line_of(a_visit(20, 20), card=BY_LENGTH)


def test_commissioned_hours_are_paid_whatever_was_delivered_but_for_missed_visits() -> None:
    visits = (
        a_visit(30, 10),
        a_visit(30, 0, outcome=VisitOutcome.CANCELLED),
        a_visit(30, 0, outcome=VisitOutcome.MISSED),
    )

    assert line_of(*visits, counted=commissioned).pence == 2 * 900


def test_an_uplift_raises_every_price_from_its_day() -> None:
    raised = uplifted(HOURLY, 250)  # 2.50%

    assert [price.pence for price in raised.prices] == [2050, 1845]
    line = visits_line(
        [a_visit(60, 60), a_visit(60, 60, day=MONDAY + timedelta(days=1))],
        lambda day: HOURLY if day == MONDAY else raised,
        a_rule(),
        item=Item.VISITS,
        about="week 1",
    )
    assert line.pence == 1800 + 1845


def test_a_week_with_nothing_paid_is_a_line_of_nothing() -> None:
    assert line_of(a_visit(0, 30)) == Line(Item.VISITS, 0, "week 1", ())


@given(st.lists(st.tuples(st.integers(1, 300), st.integers(0, 600), st.integers(1, 2)), max_size=30))
def test_a_line_is_the_exact_sum_to_half_a_penny(calls: list[tuple[int, int, int]]) -> None:
    visits = [a_visit(planned, delivered, carers=carers) for planned, delivered, carers in calls]

    exact = sum((Fraction(min(p, d) * c * 1800, 60) for p, d, c in calls), Fraction(0))

    assert abs(line_of(*visits).pence - exact) <= Fraction(1, 2)


# Cornwall: a budget for outcomes


@pytest.mark.parametrize(
    ("delivered", "met", "exception", "due"),
    [
        (41_400, True, ProvenException.NONE, 60_000),
        (75_000, True, ProvenException.NONE, 60_000),
        (75_000, True, ProvenException.EXCESS_NEEDED, 75_000),
        (41_400, True, ProvenException.EXCESS_NEEDED, 60_000),
        (41_400, False, ProvenException.NONE, 41_400),
        (75_000, False, ProvenException.NONE, 60_000),
        (75_000, False, ProvenException.EXCESS_NEEDED, 75_000),
        (41_400, False, ProvenException.UNMET_EXCUSED, 60_000),
    ],
)
def test_met_outcomes_earn_the_budget_and_unmet_ones_the_visits_that_were_made(
    delivered: int, met: bool, exception: ProvenException, due: int
) -> None:
    line = budget_line(
        budget_pence=60_000, delivered_pence=delivered, met=met, exception=exception, about="6 weeks", chargeable=True
    )

    assert (line.item, line.pence, line.is_chargeable) == (Item.BUDGET, due, True)


# Kingston: capitated, at risk, bands


@pytest.mark.parametrize(
    ("percent", "borne", "discussed"),
    [
        (0, 0, 0),
        (4, 80_000_00, 0),
        (5, 100_000_00, 0),
        (7, 100_000_00, 40_000_00),
        (-3, -60_000_00, 0),
        (-7, -100_000_00, -40_000_00),
    ],
)
def test_of_two_million_pounds_five_percent_are_borne_and_at_seven_two_points_are_discussed(
    percent: int, borne: int, discussed: int
) -> None:
    budget = 2_000_000_00

    found = capitated(
        budget_pence=budget, actual_pence=budget * (100 + percent) // 100, tolerance_percent=5, about="the area"
    )

    assert found.line.pence == budget
    assert (found.borne_by_provider_pence, found.to_discussion_pence) == (borne, discussed)


@given(st.integers(0, 10**10), st.integers(0, 10**10), st.integers(0, 100))
def test_what_is_borne_and_what_is_discussed_make_the_difference(budget: int, actual: int, percent: int) -> None:
    found = capitated(budget_pence=budget, actual_pence=actual, tolerance_percent=percent, about="the area")

    assert found.borne_by_provider_pence + found.to_discussion_pence == actual - budget
    assert found.borne_by_provider_pence * found.to_discussion_pence >= 0


def test_a_share_at_risk_is_released_by_outcomes_to_the_penny() -> None:
    guaranteed = guaranteed_line(plan_pence=10_001, at_risk_percent=30, about="6 weeks", chargeable=True)
    held = 10_001 - guaranteed.pence

    assert (guaranteed.pence, held) == (7001, 3000)
    assert [
        released_line(held_pence=held, met=met, agreed=3, about="review", chargeable=True).pence for met in range(4)
    ] == [0, 1000, 2000, 3000]
    with pytest.raises(BadInput):
        released_line(held_pence=held, met=4, agreed=3, about="review", chargeable=True)


def test_more_is_at_risk_for_reablement_than_for_home_care_in_kingston() -> None:
    kingston = preset("kingston")
    at_risk = {
        lot: payment.at_risk_percent
        for payment in kingston.payments
        for lot in payment.lots
        if payment.model is PaymentModel.SHARE_AT_RISK
    }

    assert at_risk["reablement"] is not None
    assert at_risk["personal-care"] is not None
    assert at_risk["reablement"] > at_risk["personal-care"]


BANDS = (
    WeeklyPrice(key="low", name="To £100", weekly_pence=7_500),
    WeeklyPrice(key="high", name="Over £400", weekly_pence=52_500),
)


def test_people_in_bands_are_paid_for_by_the_day_and_a_share_on_performance() -> None:
    lines = band_lines(BANDS, {"low": 70, "high": 7}, at_risk_percent=10, performance_percent=80, about="March")

    assert [(line.item, line.pence) for line in lines] == [
        (Item.BAND, 67_500),
        (Item.BAND, 47_250),
        (Item.PERFORMANCE, 10_200),
    ]
    assert total(lines) == (75_000 + 52_500) * 98 // 100
    assert chargeable(lines) == 0
    assert band_lines(BANDS, {}, at_risk_percent=10, performance_percent=80, about="March") == []


def test_a_band_that_the_scheme_does_not_know_is_refused() -> None:
    with pytest.raises(BadInput, match="none of low, high"):
        band_lines(BANDS, {"middle": 7}, at_risk_percent=10, performance_percent=80, about="March")


# Worcestershire: tiers


def test_moving_from_tier_four_to_tier_three_saves_three_hundred_pounds_a_week() -> None:
    worcestershire = preset("worcestershire")
    tiers = next(payment.weekly_prices for payment in worcestershire.payments if payment.weekly_prices)

    assert saved_by_moving(tiers, before="tier-4", after="tier-3") == 300_00
    assert saved_by_moving(tiers, before="tier-4", after="tier-3", people=12) == 3_600_00
    assert saved_by_moving(tiers, before="tier-3", after="tier-4") == -300_00


def test_a_block_is_paid_in_full_and_says_what_of_it_was_used() -> None:
    line = block_line(weekly_pence=100_00, weekly_minutes=10 * 60, used_by_day=[600, 300, 0], about="three days")

    # Three sevenths of £100 are £42.857…; 10 h, 5 h and nothing in use are 900/7 minutes, of 1800/7 bought.
    assert (line.pence, line.is_chargeable) == (42_86, False)
    assert line.working[1] == "of 4 h 17 min bought, used 2 h 09 min, unused 2 h 08 min"
    with pytest.raises(BadInput, match="can't have more in use"):
        block_line(weekly_pence=100_00, weekly_minutes=600, used_by_day=[601], about="a day")


def test_a_tier_is_paid_by_sevenths_of_its_week() -> None:
    assert tier_line(BANDS, "low", days=7, about="week 1", chargeable=True).pence == 7_500
    assert tier_line(BANDS, "low", days=3, about="week 1", chargeable=True).pence == 3_214  # 3214 2/7


# Retainers


def test_a_place_is_kept_for_four_weeks_and_no_longer() -> None:
    rule = preset("cornwall").variations.retainer
    assert rule is not None
    assert rule.most_weeks == 4

    assert may_restart(rule, paused_from=MONDAY, restarts_on=MONDAY + timedelta(days=28))
    assert not may_restart(rule, paused_from=MONDAY, restarts_on=MONDAY + timedelta(days=29))


@pytest.mark.parametrize(("days", "due"), [(1, 450), (10, 4_500), (28, 12_600), (40, 12_600)])
def test_a_retainer_is_paid_by_the_day_and_for_four_weeks_at_most(days: int, due: int) -> None:
    line = retainer_line(
        Retainer(most_weeks=4, percent=50),
        weekly_pence=6_300,
        paused_from=MONDAY,
        restarted_on=MONDAY + timedelta(days=days),
        chargeable=True,
    )

    assert line.pence == due
    assert line.working[0].startswith("1 day at" if days == 1 else f"{min(days, 28)} days at")


def test_amounts_are_said_exactly() -> None:
    assert in_words(Fraction(630)) == "£6.30"
    assert in_words(Fraction(1891, 3)) == "£6.30 and 1/3 p"
