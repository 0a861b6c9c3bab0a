"""What a bid says, and every reason for which it can't be submitted."""

from datetime import date, time
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidding.bids.content import MOST_WEEKLY_PENCE, BidContent, ExceptionalReason, is_outside, problems, weekly_pence
from dps.kernel.errors import BadInput
from dps.kernel.money import Band, PriceBasis, RateCard
from dps.packages.costing import exact_effective_rate
from dps.packages.schedule import Schedule
from dps.schemes.model import Envelope
from matching.allocation.records import MOST_PENCE
from tests.bidding.builders import QUESTION, START, asked, content, per_hour
from tests.dps.packages.builders import a_visit, schedules

TOO_EARLY = "The start can't be before 7 March 2019."
TOO_LATE = "The person needs the first visit by 14 March 2019."
OTHER_HOURS = "This package asks for its own weekly hours; no other number can be offered."
OUTSIDE = "The price comes to an hourly rate outside £14.00 to £20.00; give a reason to ask for an exceptional price."
UNANSWERED = "Answer the question “How many carers?” with one of: few, many."


def test_a_bid_that_answers_what_was_asked_has_no_problem() -> None:
    assert problems(content(), asked()) == ()


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"starts_on": date(2019, 3, 6)}, TOO_EARLY),
        ({"starts_on": date(2019, 3, 15)}, TOO_LATE),
        ({"weekly_minutes": 200}, OTHER_HOURS),
        ({"card": per_hour(1399)}, OUTSIDE),
        ({"card": per_hour(2001)}, OUTSIDE),
        ({"answers": (("colour", "red"),)}, "There is no question colour."),
        (
            {"times": Schedule.of([a_visit(), a_visit(task="meal")])},
            "Offer a time for each of the 1 visits, or for none.",
        ),
        (
            {"card": RateCard.by_length({45: {Band.WEEKDAY: 1200}})},
            "The prices do not cover every visit: the card has no price for a visit of 30 minutes.",
        ),
    ],
)
def test_each_problem_is_said_in_words(facts: dict[str, Any], words: str) -> None:
    assert problems(content(**facts), asked()) == (words,)


def test_all_problems_are_said_together() -> None:
    bid = content(3000, starts_on=date(2019, 4, 1), weekly_minutes=1, answers=(("colour", "red"),))

    found = problems(bid, asked(questions=(QUESTION,)))

    assert found == (TOO_LATE, OTHER_HOURS, OUTSIDE, UNANSWERED, "There is no question colour.")


@pytest.mark.parametrize("day", [START, date(2019, 3, 14)])
def test_the_first_and_the_last_day_asked_for_are_in_time(day: date) -> None:
    assert problems(content(starts_on=day), asked()) == ()


def test_a_package_without_dates_takes_any_start() -> None:
    assert problems(content(starts_on=date(2030, 1, 1)), asked(earliest_start=None, latest_start=None)) == ()


# The envelope


@pytest.mark.parametrize(("pence", "is_inside"), [(1399, False), (1400, True), (2000, True), (2001, False)])
def test_floor_and_ceiling_are_both_inside(pence: int, is_inside: bool) -> None:
    assert (problems(content(pence), asked()) == ()) is is_inside


@pytest.mark.parametrize(
    ("weekday", "weekend", "rate"), [(700, 699, Fraction(9796, 7)), (1000, 1001, Fraction(14004, 7))]
)
def test_a_hair_beyond_the_envelope_is_outside(weekday: int, weekend: int, rate: Fraction) -> None:
    # Five visits of 30 minutes at one price and two at a penny's difference: either rate would round to the bound.
    card = RateCard.by_length({30: {Band.WEEKDAY: weekday, Band.WEEKEND: weekend}})

    assert exact_effective_rate(card, asked().schedule) == rate
    assert problems(content(card=card), asked()) == (OUTSIDE,)


def test_a_reason_asks_for_the_exceptional_route() -> None:
    assert problems(content(2500, exceptional_reason=ExceptionalReason.TWO_CARERS), asked()) == ()


def test_no_reason_asks_for_a_price_that_no_allocation_could_count() -> None:
    dear = content(99_999_999_99, exceptional_reason=ExceptionalReason.TRAVEL)

    assert problems(dear, asked()) == ("The price comes to more than £200,000.00 a week: please check it.",)
    assert 50 * MOST_WEEKLY_PENCE <= MOST_PENCE


@given(schedules, st.integers(1, 5000), st.integers(0, 3000), st.integers(0, 3000))
def test_inside_means_floor_to_ceiling_exactly(week: Schedule, pence: int, floor: int, room: int) -> None:
    envelope = Envelope(floor_pence_per_hour=floor, ceiling_pence_per_hour=floor + room)

    assert is_outside(per_hour(pence), week, envelope) is not (floor <= pence <= floor + room)


# Other weekly minutes


def test_other_minutes_need_leave_and_measure() -> None:
    leave = asked(other_minutes_allowed=True)

    assert problems(content(weekly_minutes=210), asked()) == ()
    assert problems(content(weekly_minutes=180), leave) == ()
    assert problems(content(weekly_minutes=420), leave) == ()
    assert problems(content(weekly_minutes=421), leave) == (
        "The weekly hours offered are out of all proportion to those asked for.",
    )


def test_other_minutes_scale_the_weekly_cost_and_it_is_rounded_once() -> None:
    week = asked().schedule

    assert weekly_pence(content(1601), week) == 5604  # 3.5 hours at £16.01 are 5,603.5 pence
    assert weekly_pence(content(1601, weekly_minutes=180), week) == 4803
    assert weekly_pence(content(1601, weekly_minutes=205), week) == 5470  # 5,470.08 pence


# Offered times

DAYS = sorted(a_visit().days)


@pytest.mark.parametrize(
    ("window", "fits"),
    [
        ((time(7, 30), time(9, 30)), True),
        ((time(8), time(8, 30)), True),
        ((time(7, 29), time(9)), False),
        ((time(9), time(9, 31)), False),
    ],
)
def test_offered_times_lie_within_those_asked_for(window: tuple[time, time], fits: bool) -> None:
    times = Schedule.of([a_visit(window=window)])

    assert (problems(content(times=times), asked()) == ()) is fits


@pytest.mark.parametrize("other", [{"minutes": 25}, {"carers": 2}, {"task": "meal"}, {"days": frozenset(DAYS[:6])}])
def test_nothing_but_the_hours_can_be_offered_otherwise(other: dict[str, Any]) -> None:
    times = Schedule.of([a_visit(**other)])

    [words] = problems(content(times=times), asked())

    assert words.startswith("No time offered fits the visit")


def test_times_that_change_the_order_of_the_visits_still_fit() -> None:
    wanted = Schedule.of([a_visit(window=(time(7), time(10))), a_visit(window=(time(8), time(12)), task="medication")])
    offered = Schedule.of(
        [a_visit(window=(time(9), time(9, 30))), a_visit(window=(time(8), time(8, 30)), task="medication")]
    )

    assert problems(content(times=offered), asked(schedule=wanted)) == ()


def test_equal_visits_may_take_each_others_times() -> None:
    wanted = Schedule.of([a_visit(window=(time(7), time(11))), a_visit(window=(time(8), time(9)))])
    offered = Schedule.of([a_visit(window=(time(8), time(8, 30))), a_visit(window=(time(10), time(10, 30)))])

    assert problems(content(times=offered), asked(schedule=wanted)) == ()


@pytest.mark.parametrize(
    ("window", "fits"),
    [
        ((time(22), time(22, 30)), True),
        ((time(23, 45), time(0, 30)), True),
        ((time(1), time(2)), True),
        ((time(1, 45), time(2, 15)), False),
        ((time(12), time(12, 30)), False),
    ],
)
def test_hours_that_pass_midnight_are_hours_like_others(window: tuple[time, time], fits: bool) -> None:
    wanted = Schedule.of([a_visit(window=(time(22), time(2)))])

    found = problems(content(times=Schedule.of([a_visit(window=window)])), asked(schedule=wanted))

    assert (found == ()) is fits


@given(schedules)
def test_the_times_asked_for_always_fit(week: Schedule) -> None:
    found = problems(content(times=week), asked(schedule=week))

    assert not [words for words in found if "time" in words]


# Answers


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ((("continuity", "few"),), ()),
        ((("continuity", "some"),), (UNANSWERED,)),
        ((), (UNANSWERED,)),
    ],
)
def test_each_question_takes_one_of_its_answers(answers: tuple[tuple[str, str], ...], found: tuple[str, ...]) -> None:
    assert problems(content(answers=answers), asked(questions=(QUESTION,))) == found


# To and fro

TEXTS = st.text(max_size=20)
CARDS = st.one_of(
    st.dictionaries(st.sampled_from(Band), st.integers(0, 9000)).map(
        lambda bands: RateCard.of(PriceBasis.PER_HOUR, {Band.WEEKDAY: 1500, **bands})
    ),
    st.integers(0, 900_000).map(lambda pence: RateCard.of(PriceBasis.PER_WEEK, {Band.WEEKDAY: pence})),
    st.dictionaries(st.integers(15, 90), st.integers(0, 9000), min_size=1).map(
        lambda lengths: RateCard.by_length({minutes: {Band.WEEKDAY: pence} for minutes, pence in lengths.items()})
    ),
)
CONTENTS = st.builds(
    BidContent,
    card=CARDS,
    starts_on=st.dates(),
    times=st.none() | schedules,
    weekly_minutes=st.none() | st.integers(1, 9_999_999),
    answers=st.dictionaries(TEXTS, TEXTS).map(lambda answers: tuple(sorted(answers.items()))),
    preference=st.none() | st.integers(1, 99),
    not_with=st.sets(TEXTS).map(lambda refs: tuple(sorted(refs))),
    exceptional_reason=st.none() | st.sampled_from(ExceptionalReason),
)


@given(CONTENTS)
def test_a_bid_is_read_back_as_it_was_written(bid: BidContent) -> None:
    assert BidContent.from_dict(bid.to_dict()) == bid


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("card", None, "card"),
        ("card", {"basis": "per_mile", "prices": {"weekday": 1}}, "basis"),
        ("card", {"basis": "per_hour", "prices": {"weekday": 16.5}}, "prices.weekday"),
        ("starts_on", None, "starts_on"),
        ("starts_on", "7 March", "starts_on"),
        ("starts_on", 20190307, "starts_on"),
        ("times", {"visits": []}, "visits"),
        ("weekly_minutes", "210", "weekly_minutes"),
        ("weekly_minutes", True, "weekly_minutes"),
        ("weekly_minutes", 0, "weekly_minutes"),
        ("answers", [], "answers"),
        ("answers", {"continuity": 3}, "answers"),
        ("preference", -1, "preference"),
        ("not_with", "RND-1", "not_with"),
        ("not_with", [3], "not_with"),
        ("exceptional_reason", "Mrs Synthetic asks for two nurses.", "exceptional_reason"),
        ("exceptional_reason", ["travel"], "exceptional_reason"),
        ("discount", 10, "discount"),
    ],
)
def test_what_makes_no_sense_is_refused_by_the_name_of_its_field(field: str, value: Any, named: str) -> None:
    raw = content().to_dict() | {field: value}

    with pytest.raises(BadInput) as refused:
        BidContent.from_dict(raw)

    assert refused.value.field == named


@pytest.mark.parametrize("raw", [None, [], "bid", 7])
def test_only_an_object_is_a_bid(raw: Any) -> None:
    with pytest.raises(BadInput, match="an object"):
        BidContent.from_dict(raw)
