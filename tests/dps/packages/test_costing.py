"""A card on a package's own week: exact until the one rounding."""

from dataclasses import replace
from datetime import time
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from dps.kernel.calendar import Weekday
from dps.kernel.errors import NoPrice
from dps.kernel.money import Band, PriceBasis, RateCard, round_half_up
from dps.packages.costing import (
    WorkingsLine,
    effective_rate_pence_per_hour,
    exact_effective_rate,
    exact_weekly_cost,
    weekly_cost_pence,
    workings,
)
from dps.packages.schedule import NightHours, Schedule, Visit, VisitKind
from tests.dps.packages.builders import a_visit, night_schedules, schedules, visits

WEEKEND = frozenset({Weekday.SATURDAY, Weekday.SUNDAY})
HOURLY = RateCard.of(PriceBasis.PER_HOUR, {Band.WEEKDAY: 2000, Band.WEEKEND: 2200, Band.BANK_HOLIDAY: 4000})

pence = st.integers(0, 10_000)
band_prices = st.dictionaries(st.sampled_from(Band), pence).map(lambda prices: {Band.WEEKDAY: 2000} | prices)
hourly_cards = band_prices.map(lambda prices: RateCard.of(PriceBasis.PER_HOUR, prices))
length_cards = st.fixed_dictionaries(dict.fromkeys((15, 20, 30, 45, 60), band_prices)).map(RateCard.by_length)
weekly_cards = pence.map(lambda price: RateCard.of(PriceBasis.PER_WEEK, {Band.WEEKDAY: price}))
cards = hourly_cards | length_cards | weekly_cards
some_days = st.frozensets(st.sampled_from(Weekday))


def test_weekday_and_weekend_hours_are_paid_at_their_own_prices_per_carer() -> None:
    week = Schedule.of([a_visit(minutes=30, carers=2)])

    assert weekly_cost_pence(HOURLY, week) == 5 * 2000 + 2 * 2200


def test_the_standard_week_has_no_bank_holiday_until_one_is_named() -> None:
    week = Schedule.of([a_visit(minutes=60)])

    assert weekly_cost_pence(HOURLY, week) == 5 * 2000 + 2 * 2200
    assert weekly_cost_pence(HOURLY, week, bank_holidays=frozenset({Weekday.MONDAY})) == 4000 + 4 * 2000 + 2 * 2200


def test_a_weekend_night_without_a_night_price_is_paid_as_weekend() -> None:
    night = a_visit(days=WEEKEND, window=(time(22), time(6)), minutes=480, kind=VisitKind.WAKING_NIGHT)

    assert weekly_cost_pence(HOURLY, Schedule.of([night])) == 2 * 8 * 2200


def test_a_night_price_goes_before_the_weekends() -> None:
    card = RateCard.of(PriceBasis.PER_HOUR, {Band.WEEKDAY: 2000, Band.WEEKEND: 2200, Band.NIGHT: 3000})
    late = Schedule.of([a_visit(days=WEEKEND, window=(time(22), time(23)), minutes=60)])

    assert weekly_cost_pence(card, late) == 2 * 3000
    assert weekly_cost_pence(card, late, night=NightHours(time(23), time(6))) == 2 * 2200


def test_a_price_per_visit_goes_by_the_visits_length() -> None:
    card = RateCard.by_length({30: {Band.WEEKDAY: 1200, Band.WEEKEND: 1300}, 15: {Band.WEEKDAY: 800}})
    week = Schedule.of([a_visit(minutes=30, carers=2), a_visit(minutes=15, days={Weekday.MONDAY})])

    assert weekly_cost_pence(card, week) == 2 * (5 * 1200 + 2 * 1300) + 800


def test_a_length_without_a_price_is_refused() -> None:
    card = RateCard.by_length({30: {Band.WEEKDAY: 1200}})

    with pytest.raises(NoPrice) as refused:
        weekly_cost_pence(card, Schedule.of([a_visit(minutes=45)]))

    assert str(refused.value) == "prices: the card has no price for a visit of 45 minutes"
    assert refused.value.facts["minutes"] == 45


def test_nights_are_paid_by_the_night_and_the_carer() -> None:
    card = RateCard.of(PriceBasis.PER_NIGHT, {Band.WEEKDAY: 9000, Band.WEEKEND: 10000})
    nights = a_visit(window=(time(22), time(7)), minutes=540, kind=VisitKind.SLEEPING_NIGHT)

    assert weekly_cost_pence(card, Schedule.of([replace(nights, carers=2)])) == 2 * (5 * 9000 + 2 * 10000)


@pytest.mark.parametrize("kind", [VisitKind.VISIT, VisitKind.LIVE_IN])
def test_a_card_of_nights_has_no_price_for_other_visits(kind: VisitKind) -> None:
    card = RateCard.of(PriceBasis.PER_NIGHT, {Band.WEEKDAY: 9000})
    window = (time(0), time(0)) if kind is VisitKind.LIVE_IN else (time(23), time(1))

    with pytest.raises(NoPrice):
        weekly_cost_pence(card, Schedule.of([a_visit(kind=kind, window=window)]))


def test_a_price_per_week_is_for_the_whole_package() -> None:
    card = RateCard.of(PriceBasis.PER_WEEK, {Band.WEEKDAY: 120000})
    live_in = a_visit(kind=VisitKind.LIVE_IN, window=(time(0), time(0)), minutes=600)

    assert weekly_cost_pence(card, Schedule.of([live_in, a_visit(carers=2)])) == 120000


def test_a_week_is_rounded_once_and_not_by_the_visit() -> None:
    card = RateCard.of(PriceBasis.PER_HOUR, {Band.WEEKDAY: 2001})
    one_visit = Schedule.of([a_visit(days={Weekday.MONDAY}, minutes=30)])
    three_visits = Schedule.of([a_visit(days={Weekday.MONDAY, Weekday.TUESDAY, Weekday.WEDNESDAY}, minutes=30)])

    assert exact_weekly_cost(card, one_visit) == Fraction(2001, 2)
    assert weekly_cost_pence(card, one_visit) == 1001
    assert weekly_cost_pence(card, three_visits) == 3002  # 3 × 1000.5 = 3001.5, where rounding each gives 3003


def test_the_workings_explain_the_cost_line_by_line() -> None:
    card = RateCard.of(PriceBasis.PER_HOUR, {Band.WEEKDAY: 2001, Band.WEEKEND: 2200})
    week = Schedule.of([a_visit(minutes=20), a_visit(days={Weekday.MONDAY}, minutes=15, carers=2)])

    assert workings(card, week) == (
        WorkingsLine(Band.WEEKEND, None, carer_visits=2, carer_minutes=40, price_pence=2200, pence="4400/3"),
        WorkingsLine(Band.WEEKDAY, None, carer_visits=7, carer_minutes=130, price_pence=2001, pence="8671/2"),
    )


def test_the_effective_rate_is_the_weeks_price_of_one_carer_hour() -> None:
    week = Schedule.of([a_visit(minutes=30)])

    assert exact_effective_rate(HOURLY, week) == Fraction(5 * 2000 + 2 * 2200, 7)
    assert effective_rate_pence_per_hour(HOURLY, week) == 2057


@given(st.integers(0, 10_000), schedules)
def test_with_one_price_the_cost_is_minutes_times_price_over_sixty(price: int, week: Schedule) -> None:
    card = RateCard.of(PriceBasis.PER_HOUR, {Band.WEEKDAY: price})

    assert weekly_cost_pence(card, week) == round_half_up(week.weekly_minutes * price, 60)
    assert effective_rate_pence_per_hour(card, week) == price


@given(hourly_cards | length_cards, st.lists(visits, min_size=2, max_size=5), some_days)
def test_a_week_costs_what_its_lines_cost_together(
    card: RateCard, lines: list[Visit], bank_holidays: frozenset[Weekday]
) -> None:
    parts = [exact_weekly_cost(card, Schedule.of([line]), bank_holidays=bank_holidays) for line in lines]

    assert exact_weekly_cost(card, Schedule.of(lines), bank_holidays=bank_holidays) == sum(parts)


@given(hourly_cards, visits, some_days)
def test_an_hourly_price_does_not_care_how_a_visit_is_split(
    card: RateCard, visit: Visit, bank_holidays: frozenset[Weekday]
) -> None:
    assume(visit.minutes % 2 == 0)
    halves = [replace(visit, minutes=visit.minutes // 2)] * 2
    carers_apart = [replace(visit, carers=1)] * visit.carers
    days_apart = [replace(visit, days=frozenset({day})) for day in visit.days]

    costs = {
        exact_weekly_cost(card, Schedule.of(lines), bank_holidays=bank_holidays)
        for lines in ([visit], halves, carers_apart, days_apart)
    }

    assert len(costs) == 1


@given(cards, schedules, st.data())
def test_a_higher_price_never_costs_less(card: RateCard, week: Schedule, chosen: st.DataObject) -> None:
    line = chosen.draw(st.integers(0, len(card.prices) - 1))
    dearer = RateCard(
        card.basis,
        tuple(price._replace(pence=price.pence + 60 * (n == line)) for n, price in enumerate(card.prices)),
    )

    assert weekly_cost_pence(dearer, week) >= weekly_cost_pence(card, week)


@given(cards, schedules, some_days)
def test_the_workings_add_up_to_the_cost_and_cover_every_minute(
    card: RateCard, week: Schedule, bank_holidays: frozenset[Weekday]
) -> None:
    lines = workings(card, week, bank_holidays=bank_holidays)

    total = sum((Fraction(line.pence) for line in lines), Fraction(0))
    assert round_half_up(total.numerator, total.denominator) == weekly_cost_pence(
        card, week, bank_holidays=bank_holidays
    )
    assert sum(line.carer_minutes for line in lines) == week.weekly_minutes
    assert sum(line.carer_visits for line in lines) == sum(v.carers * v.weekly_visits for v in week.visits)


@given(st.integers(0, 20_000), night_schedules)
def test_with_one_price_a_night_is_a_night(price: int, week: Schedule) -> None:
    card = RateCard.of(PriceBasis.PER_NIGHT, {Band.WEEKDAY: price})

    assert weekly_cost_pence(card, week) == price * sum(len(visit.days) * visit.carers for visit in week.visits)


@given(cards, schedules, some_days)
def test_a_cost_is_within_a_half_penny_of_the_exact_one(
    card: RateCard, week: Schedule, bank_holidays: frozenset[Weekday]
) -> None:
    exact = exact_weekly_cost(card, week, bank_holidays=bank_holidays)

    assert abs(weekly_cost_pence(card, week, bank_holidays=bank_holidays) - exact) <= Fraction(1, 2)
