"""When a scheme is open, what it asks, and by when it answers."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dps.kernel.errors import BadInput
from dps.register.admission import Flag, checked_answers, decide_by, flags, is_open, next_opening, openings
from dps.schemes.model import Scheme
from tests.dps.register.builders import ST_HELENS, WORCESTERSHIRE

NEW_YEAR = datetime(2017, 1, 1, tzinfo=UTC)
INSTANTS = st.timedeltas(timedelta(0), timedelta(days=3 * 365)).map(lambda passed: NEW_YEAR + passed)


def opening(kind: str, *, day: int = 1, days_open: int = 28, ends: date | None = None) -> Scheme:
    admission = WORCESTERSHIRE.admission.model_copy(update={"opening": kind, "day": day, "days_open": days_open})
    term = WORCESTERSHIRE.term.model_copy(update={"starts": date(2016, 1, 1), "ends": ends})
    return WORCESTERSHIRE.model_copy(update={"admission": admission, "term": term})


def test_a_scheme_that_is_always_open_is_open_until_its_term_ends() -> None:
    scheme = opening("always", ends=date(2018, 4, 1))
    last = datetime(2018, 3, 31, 22, 59, 59, tzinfo=UTC)

    assert is_open(scheme, last)
    assert not is_open(scheme, last + timedelta(seconds=1))
    assert next_opening(scheme, last + timedelta(seconds=1)) is None


def test_a_quarterly_window_opens_at_local_midnight_and_is_half_open() -> None:
    scheme = opening("quarterly", day=1, days_open=28)
    opens, closes = datetime(2018, 3, 31, 23, tzinfo=UTC), datetime(2018, 4, 28, 23, tzinfo=UTC)
    tick = timedelta(microseconds=1)

    verdicts = [is_open(scheme, at) for at in (opens - tick, opens, closes - tick, closes)]

    assert verdicts == [False, True, True, False]
    assert next_opening(scheme, opens - tick) == opens
    assert next_opening(scheme, closes) == datetime(2018, 6, 30, 23, tzinfo=UTC)


def test_a_monthly_day_is_one_day_of_each_month() -> None:
    scheme = opening("monthly", day=15, days_open=1)

    days = [date(2018, 1, 1) + timedelta(days=n) for n in range(365)]
    open_days = [day for day in days if is_open(scheme, datetime(day.year, day.month, day.day, 12, tzinfo=UTC))]

    assert open_days == [date(2018, month, 15) for month in range(1, 13)]


def test_the_shipped_quarterly_scheme_is_open_for_the_first_28_days_of_a_quarter() -> None:
    year = ST_HELENS.term.starts.year + 1
    verdicts = [
        is_open(ST_HELENS, datetime(year, *when, 12, tzinfo=UTC)) for when in ((1, 28), (1, 29), (4, 1), (5, 1))
    ]

    assert verdicts == [True, False, True, False]


@given(
    at=INSTANTS,
    kind=st.sampled_from(["always", "quarterly", "monthly"]),
    day=st.integers(1, 28),
    days_open=st.integers(1, 31),
    ends=st.none() | st.dates(date(2017, 1, 1), date(2020, 1, 1)),
)
def test_the_next_opening_is_the_first_instant_at_which_the_scheme_is_open(
    at: datetime, kind: str, day: int, days_open: int, ends: date | None
) -> None:
    scheme = opening(kind, day=day, days_open=days_open, ends=ends)

    opens_at = next_opening(scheme, at)

    assert is_open(scheme, at) is (opens_at == at)
    if opens_at is None:
        assert ends is not None
    else:
        assert is_open(scheme, opens_at)
        between = [at + (opens_at - at) * share / 7 for share in range(7)]
        assert all(not is_open(scheme, instant) for instant in between if instant < opens_at)


@given(at=INSTANTS, day=st.integers(1, 28), days_open=st.integers(1, 31))
def test_openings_come_in_order(at: datetime, day: int, days_open: int) -> None:
    found = list(openings(opening("monthly", day=day, days_open=days_open), at))

    assert found == sorted(found)
    assert all(one.closes_at is not None and at < one.closes_at and one.opens_at < one.closes_at for one in found)


def test_the_council_answers_by_the_close_of_its_tenth_working_day() -> None:
    before_easter = datetime(2018, 3, 26, 9, tzinfo=UTC)  # Monday; Good Friday and Easter Monday follow

    assert decide_by(WORCESTERSHIRE, before_easter) == datetime(2018, 4, 11, 16, tzinfo=UTC)


def test_an_application_on_a_saturday_night_loses_no_working_day() -> None:
    saturday = datetime(2018, 6, 2, 22, 59, tzinfo=UTC)

    assert decide_by(WORCESTERSHIRE, saturday) == datetime(2018, 6, 15, 16, tzinfo=UTC)


ANSWERS: dict[str, Any] = {"staff-turnover": 20, "travel-time-paid": True, "staff-pay": "All above the living wage."}


@pytest.mark.parametrize(
    ("changed", "flagged"),
    [
        ({}, ()),
        ({"staff-turnover": 21}, (Flag("staff-turnover", 21),)),
        ({"travel-time-paid": False}, (Flag("travel-time-paid", False),)),
        (
            {"staff-turnover": 100, "travel-time-paid": False},
            (Flag("staff-turnover", 100), Flag("travel-time-paid", False)),
        ),
    ],
)
def test_turnover_above_20_percent_is_put_before_the_officer(
    changed: dict[str, Any], flagged: tuple[Flag, ...]
) -> None:
    assert flags(WORCESTERSHIRE, ANSWERS | changed) == flagged


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("staff-turnover", 101),
        ("staff-turnover", -1),
        ("staff-turnover", True),
        ("staff-turnover", 12.5),
        ("staff-turnover", "12"),
        ("travel-time-paid", 1),
        ("travel-time-paid", "yes"),
        ("staff-pay", ""),
        ("staff-pay", "x" * 4001),
        ("staff-pay", 7),
        ("favourite-colour", "blue"),
    ],
)
def test_an_answer_of_the_wrong_kind_is_refused_with_its_question(question: str, answer: Any) -> None:
    with pytest.raises(BadInput) as refused:
        checked_answers(WORCESTERSHIRE, ANSWERS | {question: answer}, complete=True)

    assert refused.value.field == f"answers.{question}"


@pytest.mark.parametrize("question", list(ANSWERS))
def test_a_draft_may_leave_a_question_open_and_a_submission_may_not(question: str) -> None:
    some = {key: answer for key, answer in ANSWERS.items() if key != question}

    assert checked_answers(WORCESTERSHIRE, some, complete=False) == some
    with pytest.raises(BadInput):
        checked_answers(WORCESTERSHIRE, some, complete=True)
