"""What schemes allow of each variation: the papers' figures, and every reason against at once."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dps.contracts.reasons import HandBackReason
from dps.contracts.variations.limits import (
    FlexAsked,
    FlexDays,
    against_flex,
    against_increase,
    against_proposal,
    against_reduction,
    against_short_visits,
    against_uplift,
    earliest_last_day,
    needs_signature,
    review_due_on,
    worst_week_pence,
)
from dps.packages.schedule import parse_schedule
from dps.schemes.contracting import Flex, HandBack, Increase, Reduction, Uplift
from dps.schemes.loader import preset

MONDAY = date(2013, 9, 2)


@pytest.fixture(scope="module")
def kent() -> Flex:
    rule = preset("kent-flex").variations.flex
    assert rule is not None
    return rule


def flexed(days: int, *, start: int = 0, pence_a_day: int = 10_000, minutes: int = 60) -> FlexDays:
    first = MONDAY + timedelta(days=start)
    return FlexDays(first, first + timedelta(days=days - 1), pence_a_day, minutes)


WEEK_ROUND_THE_CLOCK = FlexAsked(flexed(7, minutes=24 * 60), "older_people", frozenset(), "provider", True)


def against(rule: Flex, asked: FlexAsked, *earlier: FlexDays, today: date = MONDAY) -> list[str]:
    return list(against_flex(rule, asked, earlier, today=today))


def test_a_provider_flexes_up_to_the_whole_day_for_a_whole_week(kent: Flex) -> None:
    assert (kent.most_hours_a_day, kent.most_days, kent.weekly_limit_pence) == (24, 7, 3_000_00)
    assert not kent.charged_to_person
    assert against(kent, WEEK_ROUND_THE_CLOCK) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"days": flexed(7, minutes=24 * 60 + 1)}, "24 hours a day"),
        ({"days": flexed(7, minutes=0)}, "24 hours a day"),
        ({"days": flexed(8)}, "7 days"),
        ({"days": flexed(3, start=-2)}, "told within"),
        ({"group": "learning_disability"}, "older people, physical disability"),
        ({"begun_by": "neighbour"}, "begun by"),
        ({"council_funds": False}, "manages and funds"),
        ({"circumstances": frozenset({"direct_payment"})}, "direct payment"),
        ({"circumstances": frozenset({"extra_care_housing"})}, "extra care housing"),
        ({"circumstances": frozenset({"enablement"})}, "enablement"),
    ],
)
def test_each_limit_of_a_flex_says_no_in_its_own_words(kent: Flex, change: dict[str, object], words: str) -> None:
    (reason,) = against(kent, replace(WEEK_ROUND_THE_CLOCK, **change))  # type: ignore[arg-type]

    assert words in reason


def test_flexes_of_the_same_days_come_to_the_whole_day_together_and_for_two_carers_to_two(kent: Flex) -> None:
    asked = replace(WEEK_ROUND_THE_CLOCK, days=flexed(3, minutes=20 * 60))

    assert against(kent, asked, flexed(2, minutes=4 * 60)) == []
    assert against(kent, asked, flexed(2, minutes=2 * 60), flexed(1, start=1, minutes=2 * 60)) == []
    (reason,) = against(kent, asked, flexed(1, start=2, minutes=4 * 60 + 1))
    assert "24 hours a day" in reason
    assert against(kent, replace(asked, carers=2), flexed(2, minutes=28 * 60)) == []
    (reason,) = against(kent, replace(asked, carers=2), flexed(2, minutes=28 * 60 + 1))
    assert "24 hours of each of 2 carers a day" in reason


def test_all_that_speaks_against_a_flex_is_said_at_once(kent: Flex) -> None:
    asked = replace(WEEK_ROUND_THE_CLOCK, days=flexed(9), group="mental_health", council_funds=False)

    assert len(against(kent, asked)) == 3


def test_an_exclusion_holds_on_its_dates(kent: Flex) -> None:
    dated = next(one for one in kent.exclusions if one.ends is not None)
    assert dated.ends is not None
    asked = replace(WEEK_ROUND_THE_CLOCK, circumstances=frozenset({dated.circumstance}))

    def on(day: date) -> list[str]:
        moved = replace(asked, days=FlexDays(day, day, 1, 60))
        return against(kent, moved, today=day)

    assert on(dated.ends - timedelta(days=1))
    assert not on(dated.ends)


@pytest.mark.parametrize(
    ("earlier", "allowed"),
    [
        ([flexed(4, start=-4)], False),  # touches: eight days in a row
        ([flexed(3, start=-3)], True),
        ([flexed(4, start=-5)], True),  # a day between
        ([flexed(2, start=4), flexed(2, start=6)], False),
        ([flexed(2, start=-4), flexed(2, start=-2)], False),
    ],
)
def test_flexes_that_touch_count_as_one(kent: Flex, earlier: list[FlexDays], allowed: bool) -> None:
    asked = replace(WEEK_ROUND_THE_CLOCK, days=flexed(4))

    assert (against(kent, asked, *earlier) == []) is allowed


@pytest.mark.parametrize(
    ("pence_a_day", "others", "signed"),
    [
        (42_857, [], False),  # £2,999.99
        (42_858, [], True),  # £3,000.06
        (30_000, [flexed(7, start=-7, pence_a_day=30_000)], False),
        (40_000, [flexed(7, start=-7, pence_a_day=50_000)], True),  # the week across both
        (30_000, [flexed(1, pence_a_day=90_000)], False),  # exactly £3,000
        (30_000, [flexed(1, pence_a_day=90_001)], True),
    ],
)
def test_above_three_thousand_pounds_in_any_seven_days_an_officer_signs(
    kent: Flex, pence_a_day: int, others: list[FlexDays], signed: bool
) -> None:
    assert needs_signature(kent, flexed(7, pence_a_day=pence_a_day), others) is signed


@given(st.lists(st.tuples(st.integers(-20, 20), st.integers(1, 14), st.integers(0, 90_000)), max_size=6))
def test_no_seven_days_cost_more_than_the_worst_week(flexes: list[tuple[int, int, int]]) -> None:
    made = [flexed(days, start=start, pence_a_day=pence) for start, days, pence in flexes]

    weeks = [
        sum(
            flex.pence_a_day
            for flex in made
            for day in range(7)
            if flex.from_day <= MONDAY + timedelta(days=start + day) <= flex.last_day
        )
        for start in range(-30, 40)
    ]

    assert worst_week_pence(made) == max(weeks)


# The other variations

TRUSTED = Reduction(document="trusted_assessor", most_percent=25)


@pytest.mark.parametrize(
    ("holds", "wanted", "words"),
    [
        (["trusted_assessor"], 300, None),
        (["trusted_assessor"], 299, "25%"),
        ([], 300, "trusted assessor"),
        (["trusted_assessor"], 400, "reduces nothing"),
    ],
)
def test_a_trusted_assessor_reduces_a_package_within_the_limit(
    holds: list[str], wanted: int, words: str | None
) -> None:
    reasons = list(against_reduction(TRUSTED, holds=holds, first_minutes=400, wanted_minutes=wanted, now_minutes=400))

    assert [words in reason for reason in reasons if words] == ([True] if words else [])
    assert bool(reasons) is bool(words)


@pytest.mark.parametrize(("wanted", "refused"), [(440, False), (441, True), (400, True)])
def test_a_package_grows_within_the_tolerance_without_a_competition(wanted: int, refused: bool) -> None:
    rule = Increase(most_percent=10)

    reasons = list(against_increase(rule, first_minutes=400, wanted_minutes=wanted, now_minutes=400))

    assert bool(reasons) is refused


def test_worcestershires_providers_propose_from_the_third_week_and_the_council_reviews_by_the_sixth() -> None:
    rule = preset("worcestershire").variations.review
    assert rule is not None
    assert (rule.earliest_weeks, rule.due_weeks) == (3, 6)

    assert list(against_proposal(rule, started_on=MONDAY, today=MONDAY + timedelta(days=20)))
    assert not list(against_proposal(rule, started_on=MONDAY, today=MONDAY + timedelta(days=21)))
    assert review_due_on(rule, started_on=MONDAY) == MONDAY + timedelta(weeks=6)


def test_a_change_brings_no_visit_below_the_least_that_was_not_agreed_before() -> None:
    lot = preset("worcestershire").lot("home-care")
    before = parse_schedule("Mon-Sun 08:00-10:00 30m personal_care; Mon 12:00-14:00 20m meals")
    wanted = parse_schedule(
        "Mon-Fri 08:00-10:00 25m personal_care; Mon 12:00-14:00 20m meals; Tue 12:00-14:00 15m medication"
    )

    assert list(against_short_visits(lot, before, wanted)) == [
        "25 minutes of personal care are too short: the least is 30 minutes."
    ]
    assert len(list(against_short_visits(lot, None, wanted))) == 2


def test_uplifts_of_one_day_count_together() -> None:
    rule = Uplift(most_basis_points=300)

    assert not list(against_uplift(rule, basis_points=300))
    assert not list(against_uplift(rule, basis_points=100, already=200))
    assert list(against_uplift(rule, basis_points=301)) == ["Prices rise by 3% at most at one date."]
    assert list(against_uplift(rule, basis_points=150, already=250)) == [
        "Prices rise by 2.5% on this day already, and by 3% at most at one date."
    ]


@pytest.mark.parametrize(("reason", "days"), [(HandBackReason.STAFFING, 28), (HandBackReason.SAFETY, 0)])
def test_a_provider_hands_back_with_notice_unless_the_reason_allows_none(reason: HandBackReason, days: int) -> None:
    rule = HandBack(notice_days=28, without_notice=(HandBackReason.SAFETY,))

    assert earliest_last_day(rule, reason=reason, told_on=MONDAY) == MONDAY + timedelta(days=days)
