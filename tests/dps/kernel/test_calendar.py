"""The working calendar and the three kinds of window, over the nights the clocks change above all."""

import json
from datetime import UTC, date, datetime, time, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dps.kernel.calendar import Nation, Weekday, WorkingCalendar, bank_holidays
from dps.kernel.errors import BadInput
from dps.kernel.windows import ByWorkingDay, ElapsedHours, Window, WorkingHours, next_closing, parse_window

# Sunday 29 March 2026: 01:00 GMT becomes 02:00 BST. Sunday 25 October 2026: 02:00 BST becomes 01:00 GMT.
SPRING = date(2026, 3, 29)
AUTUMN = date(2026, 10, 25)
MONDAY_NINE = datetime(2026, 6, 1, 8, tzinfo=UTC)
ENGLAND = WorkingCalendar(Nation.ENGLAND_WALES)
EVERY_NIGHT = WorkingCalendar(
    Nation.SCOTLAND, opens=time(0, 30), closes=time(2, 30), weekdays=frozenset(Weekday), also_closed=frozenset({SPRING})
)
ODD_HOURS = WorkingCalendar(Nation.NORTHERN_IRELAND, opens=time(1, 15), closes=time(1, 45), weekdays=frozenset(Weekday))


def _from(start: datetime, *, days: int) -> st.SearchStrategy[datetime]:
    return st.timedeltas(timedelta(), timedelta(days=days)).map(lambda since: start + since)


calendars = st.sampled_from([ENGLAND, EVERY_NIGHT, ODD_HOURS])
instants = st.one_of(
    _from(datetime(2025, 1, 1, tzinfo=UTC), days=1400),
    _from(datetime(2026, 3, 28, tzinfo=UTC), days=3),
    _from(datetime(2026, 10, 24, tzinfo=UTC), days=3),
)
wall_times = st.builds(time, st.integers(0, 23), st.integers(0, 59))
worked_times = st.builds(timedelta, minutes=st.integers(0, 60 * 24), seconds=st.integers(0, 59))
hour_windows = st.builds(ElapsedHours, st.integers(1, 100), st.integers(0, 59)) | st.builds(
    WorkingHours, st.integers(1, 40), st.integers(0, 59)
)
windows: st.SearchStrategy[Window] = hour_windows | st.builds(ByWorkingDay, st.integers(0, 20), wall_times)


def london(day: date, hour: int, minute: int = 0) -> datetime:
    return ENGLAND.at(day, time(hour, minute))


# Bank holidays


@pytest.mark.parametrize("nation", Nation)
def test_bank_holidays_are_the_governments_own(nation: Nation, shared_data: Path) -> None:
    published = json.loads((shared_data / "bank_holidays_govuk_2012_2028.json").read_text())
    division = {"england_wales": "england-and-wales"}.get(nation, nation.replace("_", "-"))
    theirs = {date.fromisoformat(event["date"]) for event in published[division]["events"]}

    ours = {day for year in range(2012, 2029) for day in bank_holidays(nation, year)}

    # Proclaimed for Scotland in February 2026, after that feed was saved; the packaged calendar has it.
    later = {date(2026, 6, 15)} if nation is Nation.SCOTLAND else set()
    assert ours - theirs == later
    assert theirs - ours == set()


def test_a_holiday_on_a_weekend_is_kept_on_its_substitute_day_alone() -> None:
    holidays = bank_holidays(Nation.ENGLAND_WALES, 2027)

    assert date(2027, 12, 25) not in holidays
    assert {date(2027, 12, 27), date(2027, 12, 28)} <= set(holidays)


def test_each_nation_keeps_its_own_days() -> None:
    saint_andrew, boyne, easter_monday = date(2026, 11, 30), date(2026, 7, 13), date(2026, 4, 6)

    working = {
        nation: [WorkingCalendar(nation).is_working_day(day) for day in (saint_andrew, boyne, easter_monday)]
        for nation in Nation
    }

    assert working == {
        Nation.ENGLAND_WALES: [True, True, False],
        Nation.SCOTLAND: [False, True, True],
        Nation.NORTHERN_IRELAND: [True, False, False],
    }


def test_a_council_may_close_on_days_of_its_own() -> None:
    between_the_years = date(2026, 12, 29)
    closed = WorkingCalendar(Nation.ENGLAND_WALES, also_closed=frozenset({between_the_years}))

    assert ENGLAND.is_working_day(between_the_years)
    assert not closed.is_working_day(between_the_years)


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("closes", {"opens": time(9), "closes": time(9)}),
        ("opens", {"opens": time(9, 0, 1)}),
        ("closes", {"closes": time(17, tzinfo=UTC)}),
        ("weekdays", {"weekdays": frozenset[Weekday]()}),
    ],
)
def test_an_impossible_calendar_is_refused(field: str, wrong: dict[str, object]) -> None:
    with pytest.raises(BadInput) as refused:
        WorkingCalendar(Nation.SCOTLAND, **wrong)  # type: ignore[arg-type]

    assert refused.value.facts["field"] == field


# Working days


def test_the_tenth_working_day_skips_easter() -> None:
    maundy_thursday = date(2026, 4, 2)

    assert ENGLAND.add_working_days(maundy_thursday, 10) == date(2026, 4, 20)


def test_a_saturday_counts_from_the_next_monday() -> None:
    saturday = date(2026, 6, 6)

    assert ENGLAND.add_working_days(saturday, 0) == saturday
    assert ENGLAND.working_day_from(saturday) == date(2026, 6, 8)
    assert ENGLAND.add_working_days(saturday, 1) == date(2026, 6, 8)


def test_working_days_are_never_taken_away() -> None:
    with pytest.raises(BadInput):
        ENGLAND.add_working_days(AUTUMN, -1)


@given(calendars, st.dates(date(2024, 1, 1), date(2028, 12, 1)), st.integers(0, 30), st.integers(0, 30))
def test_working_days_add_up_and_count_back(calendar: WorkingCalendar, day: date, first: int, second: int) -> None:
    middle = calendar.add_working_days(day, first)
    end = calendar.add_working_days(day, first + second)

    assert calendar.add_working_days(middle, second) == end
    assert calendar.working_days_between(day, end) == first + second
    assert first + second == 0 or calendar.is_working_day(end)


# Working time


def test_working_time_skips_nights_weekends_and_holidays() -> None:
    friday_before_the_spring_holiday = london(date(2026, 5, 22), 16)

    end = ENGLAND.add_working_time(friday_before_the_spring_holiday, timedelta(hours=2))

    assert end == london(date(2026, 5, 26), 10)


def test_a_full_day_of_work_ends_at_the_close_not_at_the_next_opening() -> None:
    assert ENGLAND.add_working_time(MONDAY_NINE, timedelta(hours=8)) == london(date(2026, 6, 1), 17)


def test_working_hours_are_half_open() -> None:
    assert ENGLAND.is_working_time(MONDAY_NINE)
    assert not ENGLAND.is_working_time(london(date(2026, 6, 1), 17))


@pytest.mark.parametrize(("night", "hours"), [(SPRING, 1), (AUTUMN, 3)])
def test_work_through_the_change_of_clocks_is_counted_in_real_time(night: date, hours: int) -> None:
    all_nights = WorkingCalendar(
        Nation.ENGLAND_WALES, opens=time(0, 30), closes=time(2, 30), weekdays=frozenset(Weekday)
    )

    worked = all_nights.working_time_between(london(night, 0), london(night, 5))

    assert worked == timedelta(hours=hours)


def test_a_day_whose_few_hours_the_clock_skips_has_none() -> None:
    odd = WorkingCalendar(Nation.ENGLAND_WALES, opens=time(1, 30), closes=time(2), weekdays=frozenset(Weekday))

    assert odd.hours_on(SPRING) is None
    assert odd.hours_on(AUTUMN) is not None


def test_working_time_is_never_taken_away() -> None:
    with pytest.raises(BadInput):
        ENGLAND.add_working_time(MONDAY_NINE, timedelta(seconds=-1))


@given(calendars, instants, worked_times, worked_times)
def test_working_time_adds_up(calendar: WorkingCalendar, start: datetime, first: timedelta, second: timedelta) -> None:
    in_two = calendar.add_working_time(calendar.add_working_time(start, first), second)

    assert in_two == calendar.add_working_time(start, first + second)


@given(calendars, instants, worked_times)
def test_as_much_is_worked_as_was_added_and_not_a_moment_later(
    calendar: WorkingCalendar, start: datetime, worked: timedelta
) -> None:
    end = calendar.add_working_time(start, worked)

    assert end >= start
    assert calendar.working_time_between(start, end) == worked
    if worked:
        assert calendar.working_time_between(start, end - timedelta(microseconds=1)) < worked


@given(calendars, instants, instants, worked_times)
def test_a_later_start_never_ends_earlier(
    calendar: WorkingCalendar, one: datetime, other: datetime, worked: timedelta
) -> None:
    earlier, later = sorted([one, other])

    assert calendar.add_working_time(earlier, worked) <= calendar.add_working_time(later, worked)


# Windows


@pytest.mark.parametrize(
    ("night", "wall"), [(SPRING - timedelta(days=1), time(18)), (AUTUMN - timedelta(days=1), time(16))]
)
def test_elapsed_hours_are_real_hours_across_a_change_of_clocks(night: date, wall: time) -> None:
    start = london(night, 17)

    end = ElapsedHours(24).end(start, ENGLAND)

    assert end - start == timedelta(hours=24)
    assert ENGLAND.local(end).time() == wall


@pytest.mark.parametrize("change", [SPRING, AUTUMN])
def test_working_hours_pass_over_the_weekend_of_a_change_of_clocks(change: date) -> None:
    friday, monday = change - timedelta(days=2), change + timedelta(days=1)

    assert WorkingHours(8).end(london(friday, 16), ENGLAND) == london(monday, 16)
    assert WorkingHours(0, 30).end(london(friday, 20), ENGLAND) == london(monday, 9, 30)


def test_the_day_a_window_starts_is_the_walls_day_not_utcs() -> None:
    just_past_midnight_on_tuesday = datetime(2026, 6, 1, 23, 30, tzinfo=UTC)

    assert ByWorkingDay(1, time(17)).end(just_past_midnight_on_tuesday, ENGLAND) == london(date(2026, 6, 3), 17)
    assert ByWorkingDay(0, time(17)).end(just_past_midnight_on_tuesday, ENGLAND) == london(date(2026, 6, 2), 17)


@pytest.mark.parametrize("change", [SPRING, AUTUMN])
def test_by_the_next_working_day_is_wall_time_across_a_change_of_clocks(change: date) -> None:
    friday, monday = change - timedelta(days=2), change + timedelta(days=1)

    end = ByWorkingDay(1, time(17)).end(london(friday, 9), ENGLAND)

    assert end == london(monday, 17)
    assert ENGLAND.local(end).time() == time(17)


@pytest.mark.parametrize("night", [SPRING, AUTUMN])
def test_every_minute_of_the_night_of_change_elapses_once(night: date) -> None:
    minutes = [london(night, 0) + timedelta(minutes=n) for n in range(180)]

    ends = [ElapsedHours(5).end(minute, ENGLAND) for minute in minutes]

    assert [end - start for start, end in zip(minutes, ends, strict=True)] == [timedelta(hours=5)] * 180
    assert ends == sorted(set(ends))


def test_a_time_that_comes_twice_is_read_as_the_later() -> None:
    assert london(AUTUMN, 1, 30) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)


def test_a_time_that_never_comes_is_read_an_hour_later() -> None:
    assert ENGLAND.local(london(SPRING, 1, 30)).time() == time(2, 30)


@pytest.mark.parametrize(
    ("start", "day"),
    [
        ((date(2026, 6, 1), 16, 59), date(2026, 6, 1)),
        ((date(2026, 6, 1), 17, 0), date(2026, 6, 2)),
        ((date(2026, 6, 5), 18, 0), date(2026, 6, 8)),
        ((date(2026, 6, 6), 9, 0), date(2026, 6, 8)),
    ],
)
def test_by_the_same_working_day_is_today_only_while_the_time_is_ahead(start: tuple[date, int, int], day: date) -> None:
    assert ByWorkingDay(0, time(17)).end(london(*start), ENGLAND) == london(day, 17)


@given(calendars, instants, windows)
def test_every_window_ends_after_its_start_in_utc(calendar: WorkingCalendar, start: datetime, window: Window) -> None:
    end = window.end(start, calendar)

    assert end > start
    assert end.tzinfo is UTC


@given(calendars, instants, instants, windows)
def test_whoever_starts_later_never_ends_earlier(
    calendar: WorkingCalendar, one: datetime, other: datetime, window: Window
) -> None:
    earlier, later = sorted([one, other])

    assert window.end(earlier, calendar) <= window.end(later, calendar)


@given(calendars, instants, windows)
def test_a_window_does_not_depend_on_the_zone_in_which_its_start_is_written(
    calendar: WorkingCalendar, start: datetime, window: Window
) -> None:
    elsewhere = start.astimezone(timezone(timedelta(hours=-7)))

    assert window.end(elsewhere, calendar) == window.end(start, calendar)


@given(instants, st.integers(1, 50), st.integers(1, 50))
def test_elapsed_hours_add_up(start: datetime, first: int, second: int) -> None:
    in_two = ElapsedHours(second).end(ElapsedHours(first).end(start, ENGLAND), ENGLAND)

    assert in_two == ElapsedHours(first + second).end(start, ENGLAND)


@given(windows)
def test_a_window_reads_back_from_its_own_text(window: Window) -> None:
    assert parse_window(window.text()) == window


@pytest.mark.parametrize(
    ("text", "window", "words"),
    [
        ("5h", ElapsedHours(5), "5 hours"),
        ("1h", ElapsedHours(1), "1 hour"),
        ("90m", ElapsedHours(1, 30), "1 hour 30 minutes"),
        ("120m", ElapsedHours(2), "2 hours"),
        ("8wh", WorkingHours(8), "8 working hours"),
        ("1wm", WorkingHours(minutes=1), "1 working minute"),
        ("17:00+0wd", ByWorkingDay(0, time(17)), "by 17:00 on the same working day, or on the next if that has passed"),
        ("17:00+1wd", ByWorkingDay(1, time(17)), "by 17:00 on the next working day"),
        ("09:30+3wd", ByWorkingDay(3, time(9, 30)), "by 09:30, 3 working days later"),
    ],
)
def test_a_scheme_writes_windows_briefly_and_people_read_them_in_words(text: str, window: Window, words: str) -> None:
    assert parse_window(text) == window
    assert window.words() == words


@pytest.mark.parametrize(
    "text",
    [
        "",
        "5",
        "h",
        "0h",
        "0m",
        "-5h",
        "5.5h",
        "5 h",
        "5H",
        "5h\n",
        "\u0665h",
        "999999h",
        "1wd",
        "5d",
        "17:00",
        "24:00+1wd",
        "7:00+1wd",
        "17:60+1wd",
        "17:00+wd",
        "17:00+367wd",
        "17:00 +1wd",
    ],
)
def test_any_other_window_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        parse_window(text)


def test_working_and_elapsed_hours_of_one_number_are_not_equal() -> None:
    assert len({WorkingHours(8), ElapsedHours(8)}) == 2


@pytest.mark.parametrize("window", [ElapsedHours(5), WorkingHours(5), ByWorkingDay(0, time(17))])
def test_a_naive_time_is_refused(window: Window) -> None:
    with pytest.raises(ValueError, match="naive"):
        window.end(datetime(2026, 6, 1, 9), ENGLAND)  # noqa: DTZ001


# Published closings

CLOSINGS = (time(15), time(11))


@pytest.mark.parametrize(
    ("start", "closing"),
    [
        ((date(2026, 6, 1), 10, 0), (date(2026, 6, 1), 15)),
        ((date(2026, 6, 1), 11, 0), (date(2026, 6, 1), 15)),
        ((date(2026, 6, 1), 11, 1), (date(2026, 6, 2), 11)),
        ((date(2026, 6, 5), 16, 0), (date(2026, 6, 8), 11)),
        ((date(2026, 4, 2), 14, 0), (date(2026, 4, 7), 11)),
    ],
)
def test_a_round_closes_at_the_first_closing_that_leaves_the_minimum(
    start: tuple[date, int, int], closing: tuple[date, int]
) -> None:
    assert next_closing(london(*start), CLOSINGS, ENGLAND, ElapsedHours(4)) == london(*closing)


def test_without_a_published_closing_there_is_none() -> None:
    with pytest.raises(BadInput):
        next_closing(MONDAY_NINE, (), ENGLAND, ElapsedHours(4))


@given(calendars, instants, st.lists(wall_times, min_size=1, max_size=3).map(tuple), windows)
@example(EVERY_NIGHT, datetime(2026, 10, 25, 0, 15, tzinfo=UTC), (time(1, 30), time(1, 20)), ElapsedHours(minutes=1))
def test_no_earlier_closing_would_have_left_the_minimum(
    calendar: WorkingCalendar, after: datetime, times: tuple[time, ...], minimum: Window
) -> None:
    closing = next_closing(after, times, calendar, minimum)

    earliest = minimum.end(after, calendar)
    first_day = calendar.local(earliest).date() - timedelta(days=1)
    all_closings = [
        calendar.at(day, wall)
        for n in range((calendar.local(closing).date() - first_day).days + 1)
        if calendar.is_working_day(day := first_day + timedelta(days=n))
        for wall in times
    ]
    assert closing == min(instant for instant in all_closings if instant >= earliest)
