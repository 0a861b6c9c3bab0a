"""The working calendar: hours and days on which work is done, the nations' holidays, days counted on.

Everything goes in and comes out as aware UTC; wall time exists only inside, in the calendar's zone.
Source: design.md §6.
"""

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import IntEnum, StrEnum
from functools import cache
from itertools import count
from types import MappingProxyType
from typing import Self
from zoneinfo import ZoneInfo

from holidays import country_holidays

from dps.kernel.errors import BadInput

LONDON = ZoneInfo("Europe/London")
NO_TIME = timedelta()
ONE_DAY = timedelta(days=1)


class Nation(StrEnum):
    """Whose bank holidays count."""

    ENGLAND_WALES = "england_wales"
    SCOTLAND = "scotland"
    NORTHERN_IRELAND = "northern_ireland"


class Weekday(IntEnum):
    """Numbered as `date.weekday()` numbers them."""

    MONDAY = 0
    TUESDAY = 1
    WEDNESDAY = 2
    THURSDAY = 3
    FRIDAY = 4
    SATURDAY = 5
    SUNDAY = 6

    @property
    def short(self) -> str:
        """`Mon` … `Sun`."""
        return self.name[:3].title()

    @property
    def is_weekend(self) -> bool:
        return self >= Weekday.SATURDAY

    @classmethod
    def parse(cls, text: str, *, field: str | None = None) -> Self:
        """Read `Mon` … `Sun` in any case; BadInput otherwise."""
        found = _NAMED.get(text.casefold())
        if found is not None:
            return cls(found)
        raise BadInput(f"{text!r} is no weekday: write Mon, Tue, Wed, Thu, Fri, Sat or Sun", field=field)


_NAMED = {weekday.short.casefold(): weekday for weekday in Weekday}
MONDAY_TO_FRIDAY = frozenset(weekday for weekday in Weekday if not weekday.is_weekend)

_SUBDIVISION = {Nation.ENGLAND_WALES: "ENG", Nation.SCOTLAND: "SCT", Nation.NORTHERN_IRELAND: "NIR"}


@cache
def bank_holidays(nation: Nation, year: int) -> Mapping[date, str]:
    """The days of `year` that are bank holidays, with their names, known offline.

    A holiday that falls on a weekend is kept on its substitute day alone, as the government's list has it; the
    package names the weekend day as well, and no UK bank holiday stays on one.
    Source: Banking and Financial Dealings Act 1971, schedule 1, and the proclamations that the package collects.
    """
    known = country_holidays("GB", subdiv=_SUBDIVISION[nation], years=year)
    return MappingProxyType({day: known[day] for day in sorted(known) if not Weekday(day.weekday()).is_weekend})


def as_wall_time(text: str, *, field: str | None = None) -> time:
    """Read `HH:MM`, 00:00 to 23:59; BadInput otherwise."""
    if not re.fullmatch(r"([01][0-9]|2[0-3]):[0-5][0-9]", text):
        raise BadInput(f"{text!r} is no time of day: write hours and minutes as 07:30", field=field)
    return time(int(text[:2]), int(text[3:]))


def on_the_minute(wall: time, field: str) -> None:
    """Refuse a time of day with seconds or with a zone of its own."""
    if wall.second or wall.microsecond or wall.tzinfo is not None:
        raise BadInput(f"{wall.isoformat()} must be whole minutes without a zone", field=field)


def in_utc(instant: datetime) -> datetime:
    """The same instant in UTC; ValueError for one without a zone."""
    if instant.tzinfo is None:
        raise ValueError("a naive time has no place in a calendar")
    return instant.astimezone(UTC)


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """The hours in which a council works: weekdays from `opens` to `closes`, without the nation's bank holidays.

    `also_closed` names single days more: a council's closure, or a bank holiday proclaimed after this release.
    """

    nation: Nation
    opens: time = time(9)
    closes: time = time(17)
    weekdays: frozenset[Weekday] = MONDAY_TO_FRIDAY
    zone: ZoneInfo = LONDON
    also_closed: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        on_the_minute(self.opens, "opens")
        on_the_minute(self.closes, "closes")
        if self.closes <= self.opens:
            raise BadInput(f"{self.closes:%H:%M} is not after the opening at {self.opens:%H:%M}", field="closes")
        if not self.weekdays:
            raise BadInput("no weekday is a working day", field="weekdays")

    # Days

    def is_working_day(self, day: date) -> bool:
        return (
            day.weekday() in self.weekdays
            and day not in bank_holidays(self.nation, day.year)
            and day not in self.also_closed
        )

    def next_working_day(self, day: date) -> date:
        """The first working day strictly after `day`."""
        day += ONE_DAY
        while not self.is_working_day(day):
            day += ONE_DAY
        return day

    def working_day_from(self, day: date) -> date:
        """`day` itself if it is a working day, else the next."""
        return day if self.is_working_day(day) else self.next_working_day(day)

    def add_working_days(self, day: date, days: int) -> date:
        """The `days`-th working day after `day`, which is not counted; 0 is `day` itself, working or not."""
        if days < 0:
            raise BadInput(f"{days} working days can't be added", field="days")
        for _ in range(days):
            day = self.next_working_day(day)
        return day

    def working_days_between(self, after: date, until: date) -> int:
        """How many working days lie in `(after, until]`: the inverse of `add_working_days`."""
        return sum(self.is_working_day(after + timedelta(days=n)) for n in range(1, (until - after).days + 1))

    # Instants

    def local(self, instant: datetime) -> datetime:
        """The instant as this calendar's wall shows it: for words and dates, never for comparing."""
        return in_utc(instant).astimezone(self.zone)

    def at(self, day: date, wall: time) -> datetime:
        """The UTC instant at which the wall shows `wall` on `day`.

        A time that comes twice (autumn) or never (spring) is read as the later instant: no window is cut short.
        """
        first = datetime.combine(day, wall, tzinfo=self.zone)
        return max(first.astimezone(UTC), first.replace(fold=1).astimezone(UTC))

    def hours_on(self, day: date) -> tuple[datetime, datetime] | None:
        """The working hours `[opening, close)` of `day` in UTC, or None."""
        if not self.is_working_day(day):
            return None
        opening, close = self.at(day, self.opens), self.at(day, self.closes)
        # An opening inside the skipped hour may come after a close soon behind it.
        return (opening, close) if opening < close else None

    def is_working_time(self, instant: datetime) -> bool:
        hours = self.hours_on(self.local(instant).date())
        return hours is not None and hours[0] <= in_utc(instant) < hours[1]

    def add_working_time(self, start: datetime, worked: timedelta) -> datetime:
        """The earliest instant by which `worked` of working time has passed since `start`.

        So 8 hours from Monday 09:00 end on Monday at 17:00, and no time at all ends at `start`.
        """
        if worked < NO_TIME:
            raise BadInput("working time can't be taken away", field="worked")
        start, left = in_utc(start), worked
        if not left:
            return start
        for opening, close in self._hours_from(start):
            begin = max(opening, start)
            if left <= close - begin:
                return begin + left
            left -= max(close - begin, NO_TIME)
        raise AssertionError("a calendar does not end")

    def working_time_between(self, start: datetime, end: datetime) -> timedelta:
        """The working time within `[start, end)`; none if `end` is not after `start`."""
        start, end = in_utc(start), in_utc(end)
        worked = NO_TIME
        for opening, close in self._hours_from(start):
            if opening >= end:
                return worked
            worked += max(min(close, end) - max(opening, start), NO_TIME)
        raise AssertionError("a calendar does not end")

    def _hours_from(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        first = self.local(start).date()
        for n in count():
            hours = self.hours_on(first + timedelta(days=n))
            if hours is not None:
                yield hours


def months_later(day: date, months: int) -> date:
    """The same day so many months later; where that month is shorter, its last day."""
    year, month = divmod(day.month - 1 + months, 12)
    year, month = day.year + year, month + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def years_later(day: date, years: int) -> date:
    """The same day so many years on; the 1st of March for a 29th of February that the year does not have."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)
