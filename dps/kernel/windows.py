"""The three kinds of window, and the published closings.

Windows are half-open `[start, end)`, so an end that falls on the close of business is that close, not the next opening.
Source: design.md §6.
"""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import ClassVar, TypeAlias

from dps.kernel.calendar import WorkingCalendar, as_wall_time, in_utc, on_the_minute
from dps.kernel.errors import BadInput

LONGEST_MINUTES = 366 * 24 * 60
LONGEST_DAYS = 366


@dataclass(frozen=True, slots=True)
class _Hours:
    """Hours and minutes, kept with fewer than 60 minutes; at least a minute, at most a leap year."""

    hours: int = 0
    minutes: int = 0

    hour_sign: ClassVar[str]
    minute_sign: ClassVar[str]
    adjective: ClassVar[str]

    def __post_init__(self) -> None:
        total = self.hours * 60 + self.minutes
        if self.hours < 0 or self.minutes < 0 or not 1 <= total <= LONGEST_MINUTES:
            raise BadInput("a window lasts from one minute to one year", field="window")
        object.__setattr__(self, "hours", total // 60)
        object.__setattr__(self, "minutes", total % 60)

    @property
    def length(self) -> timedelta:
        return timedelta(hours=self.hours, minutes=self.minutes)

    def text(self) -> str:
        """The form that `parse_window` reads."""
        if self.minutes:
            return f"{self.hours * 60 + self.minutes}{self.minute_sign}"
        return f"{self.hours}{self.hour_sign}"

    def words(self) -> str:
        """For people: `5 hours`, `1 hour 30 minutes`, `8 working hours`."""
        parts = [(self.hours, "hour"), (self.minutes, "minute")]
        return " ".join(f"{n} {self.adjective}{unit}{'' if n == 1 else 's'}" for n, unit in parts if n)


@dataclass(frozen=True, slots=True)
class ElapsedHours(_Hours):
    """Real hours: a night on which the clocks change makes the wall disagree, not the window."""

    hour_sign: ClassVar[str] = "h"
    minute_sign: ClassVar[str] = "m"
    adjective: ClassVar[str] = ""

    def end(self, start: datetime, calendar: WorkingCalendar) -> datetime:
        return in_utc(start) + self.length


@dataclass(frozen=True, slots=True)
class WorkingHours(_Hours):
    """Hours of work: nights, weekends and bank holidays are skipped."""

    hour_sign: ClassVar[str] = "wh"
    minute_sign: ClassVar[str] = "wm"
    adjective: ClassVar[str] = "working "

    def end(self, start: datetime, calendar: WorkingCalendar) -> datetime:
        return calendar.add_working_time(start, self.length)


@dataclass(frozen=True, slots=True)
class ByWorkingDay:
    """By a time on the wall, `days` working days later.

    0 days is today, if today is a working day and the time is still ahead, and otherwise the next working day.
    """

    days: int
    at: time

    def __post_init__(self) -> None:
        if not 0 <= self.days <= LONGEST_DAYS:
            raise BadInput("a window ends from 0 to 366 working days later", field="window")
        on_the_minute(self.at, "window")

    def end(self, start: datetime, calendar: WorkingCalendar) -> datetime:
        today = calendar.local(start).date()
        if self.days:
            return calendar.at(calendar.add_working_days(today, self.days), self.at)
        end = calendar.at(calendar.working_day_from(today), self.at)
        return end if end > in_utc(start) else calendar.at(calendar.next_working_day(today), self.at)

    def text(self) -> str:
        """The form that `parse_window` reads."""
        return f"{self.at:%H:%M}+{self.days}wd"

    def words(self) -> str:
        """For people: `by 17:00 on the next working day`."""
        match self.days:
            case 0:
                return f"by {self.at:%H:%M} on the same working day, or on the next if that has passed"
            case 1:
                return f"by {self.at:%H:%M} on the next working day"
            case _:
                return f"by {self.at:%H:%M}, {self.days} working days later"


Window: TypeAlias = ElapsedHours | WorkingHours | ByWorkingDay


def parse_window(text: str) -> Window:
    """Read a window as scheme files write it; BadInput otherwise.

    `5h` and `90m` are elapsed, `8wh` and `30wm` worked, `17:00+1wd` is by 17:00 on the next working day.
    """
    if found := re.fullmatch(r"([0-9]{1,6})(h|m|wh|wm)", text):
        number, unit = int(found[1]), found[2]
        kind = WorkingHours if unit.startswith("w") else ElapsedHours
        return kind(hours=number) if unit.endswith("h") else kind(minutes=number)
    if found := re.fullmatch(r"([0-9]{2}:[0-9]{2})\+([0-9]{1,3})wd", text):
        return ByWorkingDay(int(found[2]), as_wall_time(found[1]))
    raise BadInput(
        f"{text!r} is no window: write 5h or 90m (elapsed), 8wh or 30wm (working hours), 17:00+1wd (by working day)"
    )


def next_closing(after: datetime, times: tuple[time, ...], calendar: WorkingCalendar, minimum: Window) -> datetime:
    """The first published closing that leaves at least the `minimum` window from `after`.

    Closings are at `times` on every working day; one that falls exactly on the minimum's end counts.
    """
    if not times:
        raise BadInput("no closing is published", field="times")
    earliest = minimum.end(after, calendar)
    day = calendar.working_day_from(calendar.local(earliest).date())
    while True:
        closing = min((c for c in (calendar.at(day, wall) for wall in times) if c >= earliest), default=None)
        if closing is not None:
            return closing
        day = calendar.next_working_day(day)
