"""Which published packages somebody wants to see: the filters of a list, and of a notification rule. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, Self

from dps.packages.schedule import Schedule, VisitKind

MINE = "mine"
"""The areas in which the provider holds a place, whichever they are when it is asked."""


class TimeOfDay(StrEnum):
    """When visits begin: morning before 11, midday before 15, teatime before 18, evening before 22, else night."""

    MORNING = "morning"
    MIDDAY = "midday"
    TEATIME = "teatime"
    EVENING = "evening"
    NIGHT = "night"


_UNTIL_HOUR = ((6, TimeOfDay.NIGHT), (11, TimeOfDay.MORNING), (15, TimeOfDay.MIDDAY), (18, TimeOfDay.TEATIME),
               (22, TimeOfDay.EVENING), (24, TimeOfDay.NIGHT))  # fmt: skip


def times_of_day(schedule: Schedule) -> frozenset[TimeOfDay]:
    """The parts of the day in which visits of this week may begin; live-in care and nights are nights too."""
    found = set()
    for visit in schedule.visits:
        if visit.kind is not VisitKind.VISIT:
            found.add(TimeOfDay.NIGHT)
        if visit.kind is not VisitKind.LIVE_IN:
            found.add(next(part for until, part in _UNTIL_HOUR if visit.window_start.hour < until))
    return frozenset(found)


@dataclass(frozen=True, slots=True)
class Own:
    """What of a provider the filters speak of: the areas it holds places in, and its skills."""

    areas: frozenset[str] = frozenset()
    skills: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """One filter; what is empty narrows nothing.

    `closing_hours`: closes within so many hours. `starts_from`: the first visit may be on that day or later. `times`:
    visits at no other time of day. `carers`: 1 for single visits alone, 2 for double-handed ones. `own_skills`: no
    skill beyond the provider's own.
    """

    lot: str = ""
    area: str = ""
    closing_hours: int | None = None
    least_hours: int | None = None
    most_hours: int | None = None
    starts_from: date | None = None
    times: frozenset[TimeOfDay] = frozenset()
    carers: int | None = None
    own_skills: bool = False

    @property
    def is_empty(self) -> bool:
        return self == type(self)()

    def fits(
        self,
        *,
        lot: str,
        locality: str,
        part: Mapping[str, Any],
        closes_at: datetime | None,
        now: datetime,
        own: Own,
    ) -> bool:
        """Whether a package with this published part is wanted at `now`. What is not published is no reason against."""
        minutes, schedule = part["weekly_minutes"], Schedule.from_dict(part["schedule"])
        latest = part.get("latest_start")
        return (
            self.lot in ("", lot)
            and (self.area in ("", locality) or (self.area == MINE and locality in own.areas))
            and (
                self.closing_hours is None
                or (closes_at is not None and closes_at <= now + timedelta(hours=self.closing_hours))
            )
            and (self.least_hours is None or minutes >= self.least_hours * 60)
            and (self.most_hours is None or minutes <= self.most_hours * 60)
            and (self.starts_from is None or latest is None or date.fromisoformat(latest) >= self.starts_from)
            and (not self.times or times_of_day(schedule) <= self.times)
            and (self.carers is None or schedule.is_double_handed is (self.carers == 2))
            and (not self.own_skills or own.skills.issuperset(part.get("needs") or ()))
        )

    def to_dict(self) -> dict[str, str]:
        """As the fields of a form or an address; empty ones are left out."""
        found = {
            "lot": self.lot,
            "locality": self.area,
            "hours": _text(self.closing_hours),
            "least": _text(self.least_hours),
            "most": _text(self.most_hours),
            "from": self.starts_from.isoformat() if self.starts_from else "",
            "carers": _text(self.carers),
            "skills": "own" if self.own_skills else "",
        } | {f"time-{time}": "on" for time in TimeOfDay if time in self.times}
        return {name: value for name, value in found.items() if value}

    @classmethod
    def from_dict(cls, fields: Mapping[str, str]) -> Self:
        """Read forgivingly: a field that makes no sense narrows nothing."""
        return cls(
            lot=fields.get("lot", "")[:40],
            area=fields.get("locality", "")[:40],
            closing_hours=_number(fields.get("hours", "")),
            least_hours=_number(fields.get("least", "")),
            most_hours=_number(fields.get("most", "")),
            starts_from=_day(fields.get("from", "")),
            times=frozenset(time for time in TimeOfDay if fields.get(f"time-{time}")),
            carers={"1": 1, "2": 2}.get(fields.get("carers", "")),
            own_skills=fields.get("skills") == "own",
        )


def unread(fields: Mapping[str, str]) -> dict[str, str]:
    """What was typed into a filter and makes no sense, by field; it narrows nothing."""
    readers: Mapping[str, Callable[[str], object]] = {"least": _number, "most": _number, "from": _day}
    return {name: fields[name] for name, read in readers.items() if fields.get(name) and read(fields[name]) is None}


def _text(number: int | None) -> str:
    return "" if number is None else str(number)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
