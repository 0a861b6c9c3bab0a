"""Which planned visit a record of the call monitoring belongs to, and what is odd about it. Pure rules.

A record is matched by the time it was planned for, or without one by when it began: the visit of that weekday whose
window holds the time, tolerance added, and whose window begins nearest. Minutes are real minutes, also in the night in
which the clocks change.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum

from dps.contracts.payment.visits import VisitOutcome
from dps.kernel.calendar import LONDON, Weekday
from dps.kernel.errors import BadInput
from dps.packages.schedule import STANDARD_NIGHT, Schedule, Visit, VisitKind

DAY_MINUTES = 24 * 60
MINUTE = timedelta(minutes=1)


class Oddity(StrEnum):
    """Why somebody should look at a record."""

    UNPLANNED = "unplanned"
    SHORT = "short"
    LONG = "long"
    OUTSIDE_WINDOW = "outside_window"
    FEWER_CARERS = "fewer_carers"
    MISSED = "missed"


@dataclass(frozen=True, slots=True, kw_only=True)
class VisitRecord:
    """One visit as the monitoring holds it: wall times of `day`; an end before the start is on the next day.

    A visit that was done has a start and an end, any other neither. `visit_ref` is the monitoring's own name of it.
    """

    visit_ref: str
    day: date
    outcome: VisitOutcome = VisitOutcome.DONE
    planned_start: time | None = None
    started: time | None = None
    ended: time | None = None
    carers: int = 1

    def __post_init__(self) -> None:
        is_done = self.outcome is VisitOutcome.DONE
        if (self.started is not None) is not is_done:
            raise BadInput("a visit that was done has a start, any other has none", field="started")
        if (self.ended is not None) is not is_done:
            raise BadInput("a visit that was done has an end, any other has none", field="ended")
        if not is_done and self.planned_start is None:
            raise BadInput("say when the visit was planned that was not done", field="planned_start")
        if not 1 <= self.carers <= 4:
            raise BadInput(f"{self.carers} carers can't be", field="carers")

    @property
    def times(self) -> tuple[datetime, datetime] | None:
        """When it began and ended, in UTC."""
        if self.started is None or self.ended is None:
            return None
        next_day = timedelta(days=1) if self.ended <= self.started else timedelta()
        return _instant(self.day, self.started), _instant(self.day + next_day, self.ended)

    @property
    def minutes(self) -> int:
        """Whole minutes between start and end; 0 for a visit that was not done."""
        return (self.times[1] - self.times[0]) // MINUTE if self.times else 0


@dataclass(frozen=True, slots=True)
class Matched:
    """What a record means for the contract. `line` is the place of its visit in the week, None for no visit of it."""

    line: int | None
    planned_minutes: int
    delivered_minutes: int
    carers: int
    is_night: bool
    oddities: tuple[Oddity, ...]


def match(
    record: VisitRecord, week: Schedule | None, *, tolerance_minutes: int, taken: Collection[int] = ()
) -> Matched:
    """The record's visit in the week that is in force on its day; `taken` are the places matched before that day."""
    found = _nearest(record, week, tolerance_minutes, taken)
    if found is None:
        is_night = record.started is not None and record.ended is not None and _in_night(record.started, record.ended)
        oddity = Oddity.MISSED if record.outcome is VisitOutcome.MISSED else Oddity.UNPLANNED
        return Matched(None, 0, record.minutes, record.carers, is_night, (oddity,))
    line, visit = found
    return Matched(
        line,
        visit.minutes,
        record.minutes,
        min(record.carers, visit.carers) if record.outcome is VisitOutcome.DONE else visit.carers,
        visit.is_at_night(),
        tuple(_oddities(record, visit, tolerance_minutes)),
    )


def _nearest(
    record: VisitRecord, week: Schedule | None, tolerance: int, taken: Collection[int]
) -> tuple[int, Visit] | None:
    at = record.planned_start or record.started
    if week is None or at is None:
        return None
    weekday = Weekday(record.day.weekday())
    fitting = [
        (_after(visit.window_start, at, tolerance), line, visit)
        for line, visit in enumerate(week.visits)
        if weekday in visit.days and line not in taken and _holds(visit, at, tolerance)
    ]
    if not fitting:
        return None
    _, line, visit = min(fitting, key=lambda fit: (fit[0], fit[1]))
    return line, visit


def _oddities(record: VisitRecord, visit: Visit, tolerance: int) -> list[Oddity]:
    if record.outcome is VisitOutcome.MISSED:
        return [Oddity.MISSED]
    if record.outcome is not VisitOutcome.DONE:
        return []
    found = []
    if record.minutes < visit.minutes - tolerance:
        found.append(Oddity.SHORT)
    if record.minutes > visit.minutes + tolerance:
        found.append(Oddity.LONG)
    if record.started is not None and not _holds(visit, record.started, tolerance):
        found.append(Oddity.OUTSIDE_WINDOW)
    if record.carers < visit.carers:
        found.append(Oddity.FEWER_CARERS)
    return found


def _holds(visit: Visit, at: time, tolerance: int) -> bool:
    """Whether a visit may begin at this time of day, the tolerance given before its window."""
    if visit.kind is VisitKind.LIVE_IN:
        return True
    return _after(visit.window_start, at, tolerance) <= visit.window_minutes + tolerance


def _after(window_start: time, at: time, tolerance: int) -> int:
    """Minutes from the window's start, less the tolerance, to a time of day."""
    return (at.hour * 60 + at.minute - window_start.hour * 60 - window_start.minute + tolerance) % DAY_MINUTES


def _in_night(started: time, ended: time) -> bool:
    return started != ended and STANDARD_NIGHT.cover(started, ended)


def _instant(day: date, wall: time) -> datetime:
    return datetime.combine(day, wall, tzinfo=LONDON).astimezone(UTC)
