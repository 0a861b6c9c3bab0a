"""Which planned visit a record belongs to, and what is odd about it."""

from datetime import date, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dps.contracts.deliveries.matching import Oddity, VisitRecord, match
from dps.contracts.payment.visits import VisitOutcome
from dps.kernel.errors import BadInput
from dps.packages.schedule import Schedule, parse_schedule
from tests.dps.packages.builders import schedules

MONDAY = date(2026, 3, 2)
WEEK = parse_schedule(
    "Mon-Sun 07:30-09:30 30m x2 personal_care; Mon-Fri 12:00-13:30 45m meal; "
    "Sat,Sun waking_night 22:00-07:00 540m personal_care"
)


def a_record(started: str, ended: str, **more: Any) -> VisitRecord:
    form = {
        "visit_ref": "V1",
        "day": MONDAY,
        "started": time.fromisoformat(started),
        "ended": time.fromisoformat(ended),
        "carers": 2,
        **more,
    }
    return VisitRecord(**form)


def found(record: VisitRecord, week: Schedule | None = WEEK, **more: Any) -> tuple[int | None, int, list[Oddity]]:
    matched = match(record, week, tolerance_minutes=5, **more)
    return matched.line, matched.delivered_minutes, list(matched.oddities)


@pytest.mark.parametrize(
    ("record", "line", "minutes", "oddities"),
    [
        (a_record("08:00", "08:30"), 0, 30, []),
        (a_record("07:25", "07:55"), 0, 30, []),
        (a_record("07:24", "07:54"), None, 30, [Oddity.UNPLANNED]),
        (a_record("08:00", "08:25"), 0, 25, []),
        (a_record("08:00", "08:24"), 0, 24, [Oddity.SHORT]),
        (a_record("08:00", "08:36"), 0, 36, [Oddity.LONG]),
        (a_record("08:00", "08:30", carers=1), 0, 30, [Oddity.FEWER_CARERS]),
        (a_record("12:10", "12:55", carers=1), 1, 45, []),
        (a_record("15:00", "15:30"), None, 30, [Oddity.UNPLANNED]),
        (a_record("11:00", "11:30", planned_start=time(8)), 0, 30, [Oddity.OUTSIDE_WINDOW]),
    ],
)
def test_a_record_finds_its_visit_by_its_time(
    record: VisitRecord, line: int | None, minutes: int, oddities: list[Oddity]
) -> None:
    assert found(record) == (line, minutes, oddities)


def test_a_night_passes_midnight_and_counts_for_the_day_it_begins() -> None:
    saturday = MONDAY + timedelta(days=5)

    matched = match(a_record("22:00", "07:00", day=saturday, carers=1), WEEK, tolerance_minutes=5)

    assert (matched.line, matched.delivered_minutes, matched.is_night) == (2, 540, True)
    assert found(a_record("22:00", "07:00", carers=1)) == (None, 540, [Oddity.UNPLANNED])  # no night on a Monday


@pytest.mark.parametrize(
    ("day", "minutes"),
    [(date(2026, 3, 28), 8 * 60), (date(2026, 10, 24), 10 * 60), (date(2026, 3, 21), 9 * 60)],
)
def test_minutes_are_real_minutes_when_the_clocks_change(day: date, minutes: int) -> None:
    assert a_record("22:00", "07:00", day=day).minutes == minutes


@pytest.mark.parametrize("outcome", [VisitOutcome.MISSED, VisitOutcome.CANCELLED, VisitOutcome.CANCELLED_LATE])
def test_a_visit_that_was_not_done_is_known_by_when_it_was_planned(outcome: VisitOutcome) -> None:
    record = VisitRecord(visit_ref="V1", day=MONDAY, outcome=outcome, planned_start=time(8))

    matched = match(record, WEEK, tolerance_minutes=5)

    assert (matched.line, matched.planned_minutes, matched.delivered_minutes, matched.carers) == (0, 30, 0, 2)
    assert matched.oddities == ((Oddity.MISSED,) if outcome is VisitOutcome.MISSED else ())
    assert found(VisitRecord(visit_ref="V2", day=MONDAY, outcome=outcome, planned_start=time(4)))[0] is None


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"started": time(8)}, "ended"),
        ({"ended": time(8)}, "started"),
        ({"outcome": VisitOutcome.MISSED}, "planned_start"),
        ({"outcome": VisitOutcome.MISSED, "planned_start": time(8), "started": time(8), "ended": time(9)}, "started"),
        ({"started": time(8), "ended": time(9), "carers": 0}, "carers"),
        ({"started": time(8), "ended": time(9), "carers": 5}, "carers"),
    ],
)
def test_a_record_that_contradicts_itself_is_refused(form: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as refused:
        VisitRecord(visit_ref="V1", day=MONDAY, **form)

    assert refused.value.facts["field"] == field


def test_of_two_visits_at_one_time_each_is_matched_once() -> None:
    twice = parse_schedule("Mon-Sun 07:30-09:30 30m personal_care; Mon-Sun 07:30-09:30 45m meal")
    first = found(a_record("08:00", "08:30", carers=1), twice)

    second = found(a_record("08:40", "09:25", carers=1), twice, taken={first[0]})

    assert {first[0], second[0]} == {0, 1}


def test_without_a_week_nothing_is_planned() -> None:
    assert found(a_record("08:00", "08:30"), None) == (None, 30, [Oddity.UNPLANNED])


@given(schedules, st.times(), st.integers(1, 600), st.integers(0, 6))
def test_a_match_is_a_visit_of_that_weekday_and_pays_no_carer_that_was_not_planned(
    week: Schedule, started: time, minutes: int, weekday: int
) -> None:
    begun = started.replace(second=0, microsecond=0)
    total = begun.hour * 60 + begun.minute + minutes
    day = MONDAY + timedelta(days=weekday)
    record = VisitRecord(visit_ref="V1", day=day, started=begun, ended=time(total // 60 % 24, total % 60), carers=2)

    matched = match(record, week, tolerance_minutes=5)

    if matched.line is None:
        assert matched.planned_minutes == 0
    else:
        visit = week.visits[matched.line]
        assert weekday in visit.days
        assert (matched.planned_minutes, matched.carers) == (visit.minutes, min(2, visit.carers))
