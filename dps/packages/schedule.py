"""The standard week of a package: which visits, on which days, in which window, by how many carers.

Minutes are minutes of one carer's visit; `weekly_minutes` are carer-minutes (visit × carers × days).
Source: design.md §2 and §6.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import time
from enum import StrEnum
from typing import Any, Self

from dps.kernel.calendar import Weekday, as_wall_time, on_the_minute
from dps.kernel.errors import BadInput

DAY_MINUTES = 24 * 60
MOST_CARERS = 4
MOST_VISITS = 100
LONGEST_WINDOW_PAST_MIDNIGHT_MINUTES = 12 * 60
"""A longer window that ends before it starts is two times exchanged, not a night."""

MIDNIGHT = time(0)


class VisitKind(StrEnum):
    """How the carer is there."""

    VISIT = "visit"
    WAKING_NIGHT = "waking_night"
    SLEEPING_NIGHT = "sleeping_night"
    LIVE_IN = "live_in"


NIGHT_KINDS = frozenset({VisitKind.WAKING_NIGHT, VisitKind.SLEEPING_NIGHT})


@dataclass(frozen=True, slots=True)
class NightHours:
    """From when to when it is night, past midnight or not."""

    starts: time = time(22)
    ends: time = time(6)

    def __post_init__(self) -> None:
        on_the_minute(self.starts, "night.starts")
        on_the_minute(self.ends, "night.ends")
        if self.starts == self.ends:
            raise BadInput("a night that ends as it starts is a day", field="night.ends")

    def cover(self, window_start: time, window_end: time) -> bool:
        """Whether a window lies wholly within the night."""
        start = _minute_of(self.starts)
        length = _span(self.starts, self.ends)
        begins_after = (_minute_of(window_start) - start) % DAY_MINUTES
        return begins_after + _span(window_start, window_end) <= length


STANDARD_NIGHT = NightHours()


@dataclass(frozen=True, slots=True)
class Visit:
    """One line of the week: on each of `days`, `minutes` of care by each of `carers` within the window.

    The visit starts and ends within `[window_start, window_end]`; a window that ends before it starts ends on the
    next day and counts for the day on which it starts. Live-in care has the whole day (00:00 to 00:00) as its window,
    and its minutes are the hands-on care agreed for a day.
    """

    days: frozenset[Weekday]
    window_start: time
    window_end: time
    minutes: int
    task: str
    carers: int = 1
    kind: VisitKind = VisitKind.VISIT

    def __post_init__(self) -> None:
        if not self.days:
            raise BadInput("a visit needs at least one day", field="days")
        on_the_minute(self.window_start, "window_start")
        on_the_minute(self.window_end, "window_end")
        _whole_between(self.minutes, 1, DAY_MINUTES, "minutes")
        _whole_between(self.carers, 1, MOST_CARERS, "carers")
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,39}", self.task):
            raise BadInput(f"{self.task!r} is no task: write it as personal_care", field="task")
        whole_day = self.window_start == self.window_end
        if whole_day is not (self.kind is VisitKind.LIVE_IN) or (whole_day and self.window_start != MIDNIGHT):
            raise BadInput("live-in care, and nothing else, has the window 00:00-00:00", field="window_end")
        if self.window_minutes < self.minutes:
            raise BadInput(
                f"{self.minutes} minutes don't fit a window of {self.window_minutes} minutes", field="window_end"
            )
        if self.passes_midnight and self.window_minutes > LONGEST_WINDOW_PAST_MIDNIGHT_MINUTES:
            raise BadInput("a window past midnight lasts at most 12 hours: exchanged times?", field="window_end")

    @property
    def window_minutes(self) -> int:
        return _span(self.window_start, self.window_end)

    @property
    def passes_midnight(self) -> bool:
        return self.kind is not VisitKind.LIVE_IN and MIDNIGHT < self.window_end < self.window_start

    @property
    def weekly_visits(self) -> int:
        """Calls a week, however many carers come."""
        return len(self.days)

    @property
    def weekly_minutes(self) -> int:
        """Carer-minutes a week."""
        return self.minutes * self.carers * len(self.days)

    @property
    def is_double_handed(self) -> bool:
        return self.carers > 1

    def is_at_night(self, night: NightHours = STANDARD_NIGHT) -> bool:
        """A night of any kind, or a visit whose whole window lies in the night."""
        if self.kind is VisitKind.VISIT:
            return night.cover(self.window_start, self.window_end)
        return self.kind in NIGHT_KINDS

    def text(self) -> str:
        """The form that `parse_schedule` reads."""
        live_in = self.kind is VisitKind.LIVE_IN
        parts = [
            _days_text(self.days),
            "" if self.kind is VisitKind.VISIT else self.kind.value,
            "" if live_in else f"{self.window_start:%H:%M}-{self.window_end:%H:%M}",
            f"{self.minutes}m",
            f"x{self.carers}" if self.is_double_handed else "",
            self.task,
        ]
        return " ".join(part for part in parts if part)

    def to_dict(self) -> dict[str, Any]:
        return {
            "days": [day.short.lower() for day in sorted(self.days)],
            "window_start": f"{self.window_start:%H:%M}",
            "window_end": f"{self.window_end:%H:%M}",
            "minutes": self.minutes,
            "carers": self.carers,
            "task": self.task,
            "kind": self.kind.value,
        }

    @classmethod
    def from_dict(cls, form: Any) -> Self:
        """Read `to_dict`'s form, `carers` and `kind` optional; BadInput naming the field."""
        if not isinstance(form, dict):
            raise BadInput("a visit is an object", field="visit")
        required = {"days", "window_start", "window_end", "minutes", "task"}
        for key in sorted(required - set(form)):
            raise BadInput("is missing", field=key)
        for key in sorted(set(map(str, form)) - required - {"carers", "kind"}):
            raise BadInput("is no field of a visit", field=key)
        if not isinstance(form["days"], list):
            raise BadInput("the days are a list", field="days")
        kind = _text(form.get("kind", VisitKind.VISIT), "kind")
        if kind not in set(VisitKind):
            raise BadInput(f"{kind!r} is no kind of visit: {', '.join(VisitKind)}", field="kind")
        return cls(
            days=_days(form["days"]),
            window_start=as_wall_time(_text(form["window_start"], "window_start"), field="window_start"),
            window_end=as_wall_time(_text(form["window_end"], "window_end"), field="window_end"),
            minutes=form["minutes"],
            task=_text(form["task"], "task"),
            carers=form.get("carers", 1),
            kind=VisitKind(kind),
        )


@dataclass(frozen=True, slots=True)
class Schedule:
    """The visits of a standard week, in one order, so that equal weeks are equal."""

    visits: tuple[Visit, ...]

    def __post_init__(self) -> None:
        if not 1 <= len(self.visits) <= MOST_VISITS:
            raise BadInput(f"a schedule has from 1 to {MOST_VISITS} lines", field="visits")
        object.__setattr__(self, "visits", tuple(sorted(self.visits, key=_order)))

    @classmethod
    def of(cls, visits: Iterable[Visit]) -> Self:
        return cls(tuple(visits))

    @property
    def weekly_minutes(self) -> int:
        """Carer-minutes a week."""
        return sum(visit.weekly_minutes for visit in self.visits)

    @property
    def weekly_visits(self) -> int:
        """Calls a week, however many carers come."""
        return sum(visit.weekly_visits for visit in self.visits)

    @property
    def days(self) -> frozenset[Weekday]:
        return frozenset().union(*(visit.days for visit in self.visits))

    @property
    def earliest(self) -> time:
        """The earliest start of any window."""
        return min(visit.window_start for visit in self.visits)

    @property
    def latest(self) -> time:
        """The latest end of any window; one past midnight is later than any before it."""
        return max(self.visits, key=lambda visit: _minute_of(visit.window_start) + visit.window_minutes).window_end

    @property
    def shortest_visit_minutes(self) -> int:
        return min(visit.minutes for visit in self.visits)

    @property
    def most_carers(self) -> int:
        return max(visit.carers for visit in self.visits)

    @property
    def is_double_handed(self) -> bool:
        """Whether any visit needs two carers or more."""
        return self.most_carers > 1

    def has_nights(self, night: NightHours = STANDARD_NIGHT) -> bool:
        return any(visit.is_at_night(night) for visit in self.visits)

    @property
    def has_live_in(self) -> bool:
        return any(visit.kind is VisitKind.LIVE_IN for visit in self.visits)

    def text(self) -> str:
        """The form that `parse_schedule` reads."""
        return "; ".join(visit.text() for visit in self.visits)

    def to_dict(self) -> dict[str, Any]:
        return {"visits": [visit.to_dict() for visit in self.visits]}

    @classmethod
    def from_dict(cls, form: Any) -> Self:
        """Read `to_dict`'s form; BadInput names the field as `visits[2].minutes`, counted from 1."""
        if not isinstance(form, dict) or set(form) != {"visits"} or not isinstance(form["visits"], list):
            raise BadInput("a schedule has exactly one key, visits, with a list", field="visits")
        if len(form["visits"]) > MOST_VISITS:
            raise BadInput(f"a schedule has from 1 to {MOST_VISITS} lines", field="visits")
        visits = []
        for number, line in enumerate(form["visits"], 1):
            try:
                visits.append(Visit.from_dict(line))
            except BadInput as error:
                raise BadInput(error.facts["reason"], field=f"visits[{number}].{error.facts['field']}") from None
        return cls.of(visits)


_LINE = re.compile(
    r"(?P<days>\S+)"
    r"(?: (?P<kind>waking_night|sleeping_night|live_in))?"
    r"(?: (?P<start>[0-9:]{3,5})-(?P<end>[0-9:]{3,5}))?"
    r" (?P<minutes>[0-9]{1,4})m"
    r"(?: x(?P<carers>[0-9]))?"
    r" (?P<task>\S+)"
)


def parse_schedule(text: str) -> Schedule:
    """Read a week as a spreadsheet's cell holds it; BadInput names the line, its text and what is wrong.

    Lines are parted by `;`: days, kind (none for a visit), window, minutes, carers (`x2`), task. For example
    `Mon-Sun 07:30-09:30 30m x2 personal_care; Sat,Sun sleeping_night 22:00-07:00 540m personal_care;
    Mon-Sun live_in 600m personal_care`.
    """
    lines = [" ".join(line.split()) for line in text.split(";")]
    if lines[-1] == "":
        lines.pop()  # the text may end in a semicolon
    visits = []
    for number, line in enumerate(lines, 1):
        try:
            visits.append(_parse_line(line))
        except BadInput as error:
            raise BadInput(f"line {number}, {line[:80]!r}: {error.facts['reason']}", field="schedule") from None
    if not visits:
        raise BadInput("no visit is named", field="schedule")
    return Schedule.of(visits)


def _parse_line(line: str) -> Visit:
    found = _LINE.fullmatch(line)
    if found is None:
        raise BadInput("write days, window, minutes, carers and task as Mon-Fri 07:30-09:30 30m x2 personal_care")
    kind = VisitKind(found["kind"] or VisitKind.VISIT)
    if found["start"] is None and kind is not VisitKind.LIVE_IN:
        raise BadInput("the window is missing: write it as 07:30-09:30")
    return Visit(
        days=_days(_named_days(found["days"])),
        window_start=as_wall_time(found["start"]) if found["start"] else MIDNIGHT,
        window_end=as_wall_time(found["end"]) if found["end"] else MIDNIGHT,
        minutes=int(found["minutes"]),
        task=found["task"],
        carers=int(found["carers"] or 1),
        kind=kind,
    )


def _named_days(text: str) -> list[str]:
    """`Mon,Wed-Fri` as its days' names; a range may pass the week's end (`Fri-Mon`)."""
    names = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        start = Weekday.parse(first)
        length = (Weekday.parse(last) - start) % 7 if dash else 0
        names += [Weekday((start + n) % 7).short for n in range(length + 1)]
    return names


def _days(names: list[Any]) -> frozenset[Weekday]:
    days = [Weekday.parse(_text(name, "days"), field="days") for name in names]
    for day in days:
        if days.count(day) > 1:
            raise BadInput(f"{day.short} is named twice", field="days")
    return frozenset(days)


def _days_text(days: frozenset[Weekday]) -> str:
    runs: list[list[Weekday]] = []
    for day in sorted(days):
        if runs and day - runs[-1][-1] == 1:
            runs[-1].append(day)
        else:
            runs.append([day])
    parts = [f"{run[0].short}-{run[-1].short}" if len(run) > 2 else ",".join(day.short for day in run) for run in runs]
    return ",".join(parts)


def _text(value: Any, field: str) -> str:
    if not isinstance(value, str):
        raise BadInput(f"{value!r} is no text", field=field)
    return value


def _whole_between(value: Any, least: int, most: int, field: str) -> None:
    if type(value) is not int:  # a bool is an int to isinstance
        raise BadInput(f"{value!r} is not a whole number", field=field)
    if not least <= value <= most:
        raise BadInput(f"{value} is not between {least} and {most}", field=field)


def _minute_of(wall: time) -> int:
    return wall.hour * 60 + wall.minute


def _span(start: time, end: time) -> int:
    """Minutes from one time of day to the next time the wall shows the other: a whole day if they are equal."""
    return (_minute_of(end) - _minute_of(start)) % DAY_MINUTES or DAY_MINUTES


def _order(visit: Visit) -> tuple[Any, ...]:
    days = sorted(visit.days)
    return visit.window_start, visit.window_minutes, days, visit.kind, visit.task, visit.minutes, visit.carers
