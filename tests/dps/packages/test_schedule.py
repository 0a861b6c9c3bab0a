"""The standard week of a package: counted in carer-minutes, read from a cell or a form, refused by field."""

from datetime import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dps.kernel.calendar import MONDAY_TO_FRIDAY, Weekday
from dps.kernel.errors import BadInput
from dps.packages.schedule import NightHours, Schedule, Visit, VisitKind, parse_schedule
from tests.dps.packages.builders import a_visit, schedules, visits

ALL_WEEK = frozenset(Weekday)


def test_weekly_minutes_are_carer_minutes() -> None:
    week = Schedule.of([a_visit(minutes=30, carers=2), a_visit(days={Weekday.MONDAY, Weekday.FRIDAY}, minutes=15)])

    assert week.weekly_minutes == 7 * 30 * 2 + 2 * 15
    assert week.weekly_visits == 9
    assert week.shortest_visit_minutes == 15
    assert week.most_carers == 2
    assert week.is_double_handed


@given(st.lists(visits, min_size=2, max_size=5))
def test_minutes_of_two_halves_of_a_week_add_up(lines: list[Visit]) -> None:
    whole, first, rest = Schedule.of(lines), Schedule.of(lines[:1]), Schedule.of(lines[1:])

    assert whole.weekly_minutes == first.weekly_minutes + rest.weekly_minutes
    assert whole.weekly_visits == first.weekly_visits + rest.weekly_visits
    assert whole.days == first.days | rest.days


@given(schedules)
def test_a_week_survives_its_forms(week: Schedule) -> None:
    assert Schedule.from_dict(week.to_dict()) == week
    assert parse_schedule(week.text()) == week


@given(st.lists(visits, min_size=1, max_size=5), st.randoms())
def test_a_week_is_the_same_in_any_order(lines: list[Visit], shuffler: Any) -> None:
    shuffled = list(lines)
    shuffler.shuffle(shuffled)

    assert Schedule.of(shuffled) == Schedule.of(lines)
    assert Schedule.of(shuffled).text() == Schedule.of(lines).text()


def test_a_cell_of_a_spreadsheet_is_a_week() -> None:
    week = parse_schedule("Mon-Sun 07:30-09:30 30m x2 personal_care; mon,Wed,FRI 12:00-14:00  15m medication;")

    assert week == Schedule.of(
        [
            Visit(ALL_WEEK, time(7, 30), time(9, 30), 30, "personal_care", carers=2),
            Visit(frozenset({Weekday.MONDAY, Weekday.WEDNESDAY, Weekday.FRIDAY}), time(12), time(14), 15, "medication"),
        ]
    )
    assert week.text() == "Mon-Sun 07:30-09:30 30m x2 personal_care; Mon,Wed,Fri 12:00-14:00 15m medication"


def test_nights_and_live_in_care_are_kinds_of_visit() -> None:
    week = parse_schedule("Fri-Mon sleeping_night 22:00-07:00 540m personal_care; Mon-Sun live_in 600m personal_care")

    night, live_in = sorted(week.visits, key=lambda visit: visit.minutes)
    assert night.kind is VisitKind.SLEEPING_NIGHT
    assert night.days == {Weekday.FRIDAY, Weekday.SATURDAY, Weekday.SUNDAY, Weekday.MONDAY}
    assert night.passes_midnight
    assert live_in.kind is VisitKind.LIVE_IN
    assert live_in.window_minutes == 24 * 60
    assert week.has_live_in
    assert week.has_nights()
    assert week.weekly_minutes == 4 * 540 + 7 * 600


@pytest.mark.parametrize(
    ("window", "at_night"),
    [
        ((time(22), time(22, 30)), True),
        ((time(23, 30), time(0, 30)), True),
        ((time(5, 30), time(6)), True),
        ((time(21, 59), time(22, 30)), False),
        ((time(5, 30), time(6, 1)), False),
        ((time(7), time(21)), False),
    ],
)
def test_a_visit_is_at_night_when_its_whole_window_is(window: tuple[time, time], at_night: bool) -> None:
    assert a_visit(window=window, minutes=15).is_at_night() is at_night


def test_a_council_may_have_other_night_hours() -> None:
    evening = a_visit(window=(time(20), time(21)))

    assert not evening.is_at_night()
    assert evening.is_at_night(NightHours(time(20), time(7)))
    assert a_visit(window=(time(1), time(2))).is_at_night(NightHours(time(0), time(5)))
    with pytest.raises(BadInput):
        NightHours(time(6), time(6))


def test_a_night_of_any_kind_is_at_night_whatever_its_hours() -> None:
    early = a_visit(window=(time(20), time(6)), minutes=600, kind=VisitKind.WAKING_NIGHT)

    assert early.is_at_night()


def test_the_latest_end_may_lie_past_midnight() -> None:
    week = Schedule.of([a_visit(window=(time(20), time(23))), a_visit(window=(time(22), time(0, 30)))])

    assert week.earliest == time(20)
    assert week.latest == time(0, 30)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("days", {"days": set[Weekday]()}),
        ("minutes", {"minutes": 0}),
        ("minutes", {"minutes": 1441}),
        ("minutes", {"minutes": 30.0}),
        ("minutes", {"minutes": True}),
        ("carers", {"carers": 0}),
        ("carers", {"carers": 5}),
        ("task", {"task": "Personal care"}),
        ("task", {"task": ""}),
        ("window_start", {"window": (time(7, 30, 1), time(9))}),
        ("window_end", {"window": (time(7, 30), time(9), 31)}),
        ("window_end", {"window": (time(7), time(7, 29))}),
        ("window_end", {"window": (time(7), time(7))}),
        ("window_end", {"window": (time(0), time(0))}),
        ("window_end", {"window": (time(9), time(8))}),
        ("window_end", {"kind": VisitKind.LIVE_IN}),
    ],
)
def test_an_impossible_visit_is_refused_at_its_field(field: str, wrong: dict[str, Any]) -> None:
    if len(wrong.get("window", ())) == 3:
        start, end, second = wrong["window"]
        wrong = {"window": (start, end.replace(second=second))}

    with pytest.raises(BadInput) as refused:
        a_visit(**wrong)

    assert refused.value.facts["field"] == field


def test_a_window_just_long_enough_holds_a_visit() -> None:
    assert a_visit(window=(time(7), time(7, 30)), minutes=30).window_minutes == 30


def test_a_long_window_may_end_at_midnight_but_not_past_it() -> None:
    assert not a_visit(window=(time(9), time(0))).passes_midnight
    with pytest.raises(BadInput):
        a_visit(window=(time(9), time(0, 1)))


def test_a_schedule_has_some_lines_but_not_too_many() -> None:
    with pytest.raises(BadInput):
        Schedule(())
    with pytest.raises(BadInput):
        Schedule.of([a_visit()] * 101)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "schedule: no visit is named"),
        (
            "Mon-Sun 07:30-09:30 30m x2 personal_care; Fry 12:00-14:00 15m medication",
            "schedule: line 2, 'Fry 12:00-14:00 15m medication': "
            "'Fry' is no weekday: write Mon, Tue, Wed, Thu, Fri, Sat or Sun",
        ),
        (
            "Mon 7:30-09:30 30m personal_care",
            "schedule: line 1, 'Mon 7:30-09:30 30m personal_care': "
            "'7:30' is no time of day: write hours and minutes as 07:30",
        ),
        (
            "Mon 07:30-07:45 30m personal_care",
            "schedule: line 1, 'Mon 07:30-07:45 30m personal_care': 30 minutes don't fit a window of 15 minutes",
        ),
        ("Mon,Mon 07:30-09:30 30m a", "schedule: line 1, 'Mon,Mon 07:30-09:30 30m a': Mon is named twice"),
        ("Mon 30m a", "schedule: line 1, 'Mon 30m a': the window is missing: write it as 07:30-09:30"),
        ("Mon 07:30-09:30 30m x5 a", "schedule: line 1, 'Mon 07:30-09:30 30m x5 a': 5 is not between 1 and 4"),
        ("Mon 07:30-09:30 0m a", "schedule: line 1, 'Mon 07:30-09:30 0m a': 0 is not between 1 and 1440"),
        (
            "Mon 07:30-09:30 half an hour",
            "schedule: line 1, 'Mon 07:30-09:30 half an hour': "
            "write days, window, minutes, carers and task as Mon-Fri 07:30-09:30 30m x2 personal_care",
        ),
    ],
)
def test_a_bad_cell_is_refused_with_its_line_and_reason(text: str, words: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_schedule(text)

    assert str(refused.value) == words


@given(st.text() | st.from_regex(r"[MonTueSat,;: \-0-9mx_]{0,60}", fullmatch=True))
def test_any_text_is_a_week_or_refused(text: str) -> None:
    try:
        week = parse_schedule(text)
    except BadInput:
        return
    assert parse_schedule(week.text()) == week


A_FORM: dict[str, Any] = a_visit().to_dict()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"minutes": "30"}, "visits[2].minutes"),
        ({"minutes": 30.0}, "visits[2].minutes"),
        ({"days": "mon"}, "visits[2].days"),
        ({"days": ["mon", 1]}, "visits[2].days"),
        ({"days": ["mon", "Mon"]}, "visits[2].days"),
        ({"days": []}, "visits[2].days"),
        ({"window_start": "7:30"}, "visits[2].window_start"),
        ({"window_end": 930}, "visits[2].window_end"),
        ({"kind": "night"}, "visits[2].kind"),
        ({"kind": ["visit"]}, "visits[2].kind"),
        ({"task": None}, "visits[2].task"),
        ({"carers": 0}, "visits[2].carers"),
        ({"note": ""}, "visits[2].note"),
    ],
)
def test_a_bad_form_is_refused_at_its_field(change: dict[str, Any], field: str) -> None:
    with pytest.raises(BadInput) as refused:
        Schedule.from_dict({"visits": [A_FORM, A_FORM | change]})

    assert refused.value.facts["field"] == field


def test_a_missing_field_is_named() -> None:
    with pytest.raises(BadInput) as refused:
        Schedule.from_dict({"visits": [{key: value for key, value in A_FORM.items() if key != "task"}]})

    assert str(refused.value) == "visits[1].task: is missing"


@pytest.mark.parametrize(
    "form", [None, [], {}, {"visits": {}}, {"visits": []}, {"visits": [1]}, {"visits": [{}] * 101}]
)
def test_what_is_no_schedule_is_refused(form: Any) -> None:
    with pytest.raises(BadInput):
        Schedule.from_dict(form)


def test_carers_and_kind_may_be_left_out_of_a_form() -> None:
    short = {key: value for key, value in A_FORM.items() if key not in {"carers", "kind"}}

    assert Visit.from_dict(short) == a_visit()


def test_five_days_are_written_as_a_range_and_two_are_named() -> None:
    assert a_visit(days=MONDAY_TO_FRIDAY).text().startswith("Mon-Fri ")
    assert a_visit(days={Weekday.SATURDAY, Weekday.SUNDAY}).text().startswith("Sat,Sun ")
