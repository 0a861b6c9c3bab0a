"""Which planned visit a record belongs to, and what is odd about it."""

from collections.abc import Iterator, Sequence
from datetime import date, time, timedelta
from itertools import combinations, product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dps.contracts.deliveries.matching import Matched, Oddity, VisitRecord, match_day
from dps.contracts.payment.visits import VisitOutcome
from dps.kernel.calendar import Weekday
from dps.kernel.errors import BadInput
from dps.packages.schedule import Schedule, VisitKind, parse_schedule
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


def match(record: VisitRecord, week: Schedule | None, **more: Any) -> Matched:
    """One record by itself, for which there is a place or none was planned."""
    (matched,) = match_day([record], week, tolerance_minutes=5, **more)
    assert matched is not None
    return matched


def found(record: VisitRecord, week: Schedule | None = WEEK, **more: Any) -> tuple[int | None, int, list[Oddity]]:
    matched = match(record, week, **more)
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

    matched = match(a_record("22:00", "07:00", day=saturday, carers=1), WEEK)

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

    matched = match(record, WEEK)

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


CLOSE = parse_schedule("Mon-Sun 08:00-08:15 15m medication; Mon-Sun 08:10-08:40 30m personal_care")
"""Two visits of a morning, each within the other's tolerance of a quarter of an hour."""


def lines(records: Sequence[VisitRecord], week: Schedule, **more: Any) -> list[int | None]:
    matched = match_day(records, week, **{"tolerance_minutes": 15, **more})
    return [None if one is None else one.line for one in matched]


def test_visits_that_are_close_are_not_swapped_in_whichever_order_they_are_told() -> None:
    early, late = a_record("08:00", "08:15", visit_ref="A"), a_record("08:10", "08:40", visit_ref="B")

    assert lines([early, late], CLOSE) == [0, 1]
    assert lines([late, early], CLOSE) == [1, 0]
    assert [lines([one], CLOSE) for one in (early, late)] == [[0], [1]]


def test_one_moves_on_so_that_both_have_a_place() -> None:
    nearer_to_the_second, of_the_second_alone = (a_record(at, "09:00", visit_ref=at) for at in ("08:06", "08:35"))

    assert lines([nearer_to_the_second], CLOSE) == [1]
    assert lines([nearer_to_the_second, of_the_second_alone], CLOSE) == [0, 1]


def test_of_visits_that_begin_alike_each_record_goes_to_the_one_of_its_length() -> None:
    twice = parse_schedule("Mon-Sun 07:30-09:30 30m personal_care; Mon-Sun 07:30-09:30 45m meal")

    long, short = a_record("07:30", "08:15", visit_ref="A"), a_record("07:30", "08:00", visit_ref="B")

    assert [visit.minutes for visit in twice.visits] == [45, 30]
    assert lines([short, long], twice) == [1, 0]
    assert lines([short], twice, taken={1}) == [0]


def test_a_record_too_many_is_told_apart_and_the_nearest_has_the_place() -> None:
    once = parse_schedule("Mon-Sun 08:00-09:00 30m personal_care")
    records = [a_record(at, "09:30", visit_ref=at) for at in ("08:20", "08:02", "08:40")]

    matched = match_day(records, once, tolerance_minutes=5)

    assert [one and one.line for one in matched] == [None, 0, None]
    assert match_day(records[:1], once, tolerance_minutes=5, taken={0}) == [None]


times = st.integers(0, 24 * 60 - 1).map(lambda minute: time(minute // 60, minute % 60))


@given(schedules, st.lists(times, max_size=4), st.integers(0, 90))
def test_no_other_matching_has_more_places_or_deviates_less_and_none_crosses(
    week: Schedule, begun: list[time], tolerance: int
) -> None:
    records = [
        VisitRecord(visit_ref=str(n), day=MONDAY, outcome=VisitOutcome.CANCELLED, planned_start=at)
        for n, at in enumerate(begun)
    ]
    allowed = [places(at, week, tolerance) for at in begun]

    matched = lines(records, week, tolerance_minutes=tolerance)

    own = [None if line is None else allowed[n][line] for n, line in enumerate(matched)]
    taken = [line for line in matched if line is not None]
    assert len(taken) == len(set(taken))
    assert (-len(taken), sum(off for off in own if off is not None)) == min(every_outcome(allowed))
    again = lines(records[::-1], week, tolerance_minutes=tolerance)[::-1]
    assert sorted(map(str, again)) == sorted(map(str, matched))
    if len(set(begun)) == len(begun):
        assert again == matched
    for one, other in combinations([n for n, line in enumerate(matched) if line is not None], 2):
        here, there = matched[one], matched[other]
        assert here is not None
        assert there is not None
        if there in allowed[one] and here in allowed[other]:
            straight = [allowed[one][here], allowed[other][there]]
            crossed = [allowed[one][there], allowed[other][here]]
            assert (sum(straight), sum(off * off for off in straight)) <= (
                sum(crossed),
                sum(off * off for off in crossed),
            )


def places(at: time, week: Schedule, tolerance: int) -> dict[int, int]:
    """Minutes between a time and the beginning of each of Monday's visits that it may be of."""
    minute = at.hour * 60 + at.minute
    found = {}
    for line, visit in enumerate(week.visits):
        start = visit.window_start.hour * 60 + visit.window_start.minute
        after = (minute - start) % (24 * 60)
        is_within = after <= visit.window_minutes or 24 * 60 - after <= tolerance
        if Weekday.MONDAY in visit.days and (is_within or visit.kind is VisitKind.LIVE_IN):
            found[line] = min(after, 24 * 60 - after)
    return found


def every_outcome(allowed: list[dict[int, int]]) -> Iterator[tuple[int, int]]:
    """Of every way to match: how many have a place, negated, and the minutes in all."""
    choices: list[list[int | None]] = [[None, *own] for own in allowed]
    for chosen in product(*choices):
        used = [line for line in chosen if line is not None]
        if len(used) == len(set(used)):
            offs = [allowed[n][line] for n, line in enumerate(chosen) if line is not None]
            yield -len(used), sum(offs)


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

    matched = match(record, week)

    if matched.line is None:
        assert matched.planned_minutes == 0
    else:
        visit = week.visits[matched.line]
        assert weekday in visit.days
        assert (matched.planned_minutes, matched.carers) == (visit.minutes, min(2, visit.carers))


def test_what_comes_in_a_second_file_lets_the_first_move_on() -> None:
    nearer_to_the_second, of_the_second_alone = (a_record(at, "09:00", visit_ref=at) for at in ("08:06", "08:35"))

    assert lines([of_the_second_alone], CLOSE, before=[nearer_to_the_second]) == [0, 1]
    assert lines([of_the_second_alone], CLOSE, taken={1}) == [None]


def test_who_had_a_visit_keeps_one_though_another_would_be_nearer() -> None:
    once = parse_schedule("Mon-Sun 08:00-09:00 30m personal_care")
    there, nearer = (a_record(at, "09:30", visit_ref=at) for at in ("08:20", "08:02"))

    assert lines([nearer], once, before=[there]) == [0, None]


@given(schedules, st.lists(times, max_size=5), st.integers(0, 90), st.integers(0, 5))
def test_in_how_many_files_a_day_comes_makes_no_difference(
    week: Schedule, begun: list[time], tolerance: int, cut: int
) -> None:
    records = [
        VisitRecord(visit_ref=str(n), day=MONDAY, outcome=VisitOutcome.CANCELLED, planned_start=at)
        for n, at in enumerate(begun)
    ]
    allowed = [places(at, week, tolerance) for at in begun]
    in_one = lines(records, week, tolerance_minutes=tolerance)
    first = lines(records[:cut], week, tolerance_minutes=tolerance)
    kept = [n for n, line in enumerate(first) if line is not None]
    rest = list(range(len(first), len(records)))

    in_two = lines([records[n] for n in rest], week, tolerance_minutes=tolerance, before=[records[n] for n in kept])

    own = dict(zip([*kept, *rest], in_two, strict=True))
    assert all(own[n] is not None for n in kept)
    placed = {n: line for n, line in own.items() if line is not None}
    assert len(set(placed.values())) == len(placed) == sum(line is not None for line in in_one)
    if all(line is not None for n, line in enumerate(in_one) if allowed[n]):
        assert sum(allowed[n][line] for n, line in placed.items()) == sum(
            allowed[n][line] for n, line in enumerate(in_one) if line is not None
        )
