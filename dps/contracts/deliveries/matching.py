"""Which planned visit a record of the call monitoring belongs to, and what is odd about it. Pure rules.

A record may be of a visit of that weekday whose window holds its time, tolerance added: the time for which it was
planned, or without one when it began. The records of a day are matched together: as many as can be, with the least
minutes between their times and their windows' beginnings in all; of equal sums the earlier record goes to the earlier
visit, and of visits that begin alike to the one of its length. In which order they are told makes no difference, nor in
how many files: what comes later of a day is matched together with what is there, which keeps a visit in any case.
Minutes are real minutes, also in the night in which the clocks change.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from dps.contracts.payment.visits import VisitOutcome
from dps.kernel.calendar import LONDON, Weekday
from dps.kernel.errors import BadInput
from dps.packages.schedule import STANDARD_NIGHT, Schedule, Visit, VisitKind

DAY_MINUTES = 24 * 60
MINUTE = timedelta(minutes=1)

_MORE_THAN_ALL_SQUARES = 10**12
_MORE_THAN_ALL_LENGTHS = 10**9
"""Above what the records of one day come to, so that a lesser reason never outweighs a greater one."""


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
            raise BadInput(f"{self.carers} carers can't be: write 1 to 4", field="carers")

    def told(self) -> dict[str, Any]:
        """What the monitoring said, but for the name, the day and what became of the visit, for `Delivery.told`."""
        return {
            "planned_start": self.planned_start.isoformat() if self.planned_start else None,
            "started": self.started.isoformat() if self.started else None,
            "ended": self.ended.isoformat() if self.ended else None,
            "carers": self.carers,
        }

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


def match_day(
    records: Sequence[VisitRecord],
    week: Schedule | None,
    *,
    tolerance_minutes: int,
    taken: Collection[int] = (),
    before: Sequence[VisitRecord] = (),
) -> list[Matched | None]:
    """For each record of one day, those `before` first, its visit in the week in force.

    `before` are records that had a visit already and keep one, though perhaps another; `taken` are places that nobody
    moves from. None stands for a record whose visit has another record: one of before, or a nearer one of these.
    """
    everything = [*before, *records]
    fits = [_fitting(record, week, tolerance_minutes) for record in everything]
    order = sorted(range(len(everything)), key=lambda n: (_time_of(everything[n]) or time.min, everything[n].visit_ref))
    costs = [{line: cost for line, cost in fits[n].items() if line not in taken} for n in order]
    first = _assigned([own if n < len(before) else {} for n, own in zip(order, costs, strict=True)])
    lines = {order[place]: line for line, place in _assigned(costs, first).items()}
    return [
        None if fits[n] and n not in lines else _matched(record, week, lines.get(n), tolerance_minutes)
        for n, record in enumerate(everything)
    ]


def _matched(record: VisitRecord, week: Schedule | None, line: int | None, tolerance: int) -> Matched:
    if week is None or line is None:
        is_night = record.started is not None and record.ended is not None and _in_night(record.started, record.ended)
        oddity = Oddity.MISSED if record.outcome is VisitOutcome.MISSED else Oddity.UNPLANNED
        return Matched(None, 0, record.minutes, record.carers, is_night, (oddity,))
    visit = week.visits[line]
    return Matched(
        line,
        visit.minutes,
        record.minutes,
        min(record.carers, visit.carers) if record.outcome is VisitOutcome.DONE else visit.carers,
        visit.is_at_night(),
        tuple(_oddities(record, visit, tolerance)),
    )


def _time_of(record: VisitRecord) -> time | None:
    return record.planned_start or record.started


def _fitting(record: VisitRecord, week: Schedule | None, tolerance: int) -> dict[int, int]:
    """What it costs to match the record to each visit that it may be of; a week's visits stand in order of start."""
    at = _time_of(record)
    if week is None or at is None:
        return {}
    weekday = Weekday(record.day.weekday())
    return {
        line: _cost(record, at, visit)
        for line, visit in enumerate(week.visits)
        if weekday in visit.days and _holds(visit, at, tolerance)
    }


def _cost(record: VisitRecord, at: time, visit: Visit) -> int:
    """Minutes off the window's beginning; then their square, which never crosses two; then minutes off the length."""
    after = _after(visit.window_start, at, 0)
    off = min(after, DAY_MINUTES - after)
    off_length = abs(record.minutes - visit.minutes) if record.outcome is VisitOutcome.DONE else 0
    return (off * _MORE_THAN_ALL_SQUARES + off * off) * _MORE_THAN_ALL_LENGTHS + off_length


def _assigned(costs: Sequence[Mapping[int, int]], first: Mapping[int, int] | None = None) -> dict[int, int]:
    """From each line to the record that has it: as many as can be, at the least cost. `costs` are by record and line.

    Whoever has a line at `first`, at the least cost among those, has one at the end.

    One record more in each turn, by the cheapest way in which those before it move on to other lines; so that the sum
    stays the least for so many (successive shortest paths).
    """
    held = dict(first or {})
    while True:
        # line -> what it costs to bring a record there, which record, and the line that it leaves for it
        reached: dict[int, tuple[int, int, int | None]] = {}
        has_one = set(held.values())
        for record, own in enumerate(costs):
            for line, cost in own.items():
                if record not in has_one and (line not in reached or cost < reached[line][0]):
                    reached[line] = (cost, record, None)
        open_ends = [line for line in reached if line in held]
        while open_ends:
            line = open_ends.pop(0)
            record = held[line]
            for other, cost in costs[record].items():
                total = reached[line][0] - costs[record][line] + cost
                if other not in reached or total < reached[other][0]:
                    reached[other] = (total, record, line)
                    if other in held:
                        open_ends.append(other)
        ends = [line for line in reached if line not in held]
        if not ends:
            return held
        taken: int | None = min(ends, key=lambda line: reached[line][0])
        while taken is not None:
            _, record, left = reached[taken]
            held[taken], taken = record, left


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
