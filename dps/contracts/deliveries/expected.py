"""Visits that a provider was to make and nobody has recorded yet: the rows of its monitoring workbook.

A name is made of the visit's day and place in that day's week, so that two workbooks of one period name it alike.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, time, timedelta

from sqlmodel import Session, col, select

from dps.contracts.contracts import Contract
from dps.contracts.deliveries.recording import Recorder
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import Weekday
from dps.kernel.errors import BadInput
from dps.kernel.ports import Ports
from dps.kernel.references import Kind
from dps.packages.schedule import Schedule
from dps.schemes.model import Scheme

MOST_DAYS = 31


@dataclass(frozen=True, slots=True)
class ExpectedVisit:
    """One visit that can still be recorded; `planned_start` is where its window begins."""

    contract: str
    visit_ref: str
    day: date
    planned_start: time


def expected_on(contract: str, day: date, week: Schedule | None, taken: Collection[int] = ()) -> list[ExpectedVisit]:
    """The week's visits of a day, less those in the places `taken`, in order of their windows."""
    if week is None:
        return []
    weekday = Weekday(day.weekday())
    found = [
        ExpectedVisit(contract, f"{Kind.WORKBOOK}-{day}-{line + 1}", day, visit.window_start)
        for line, visit in enumerate(week.visits)
        if weekday in visit.days and line not in taken
    ]
    return sorted(found, key=lambda visit: (visit.planned_start, visit.visit_ref))


def is_of_workbook(visit_ref: str) -> bool:
    """Whether a record's source is a workbook, by the name of its visit."""
    return visit_ref.startswith(f"{Kind.WORKBOOK}-")


def expected_visits(
    session: Session, ports: Ports, *, scheme: Scheme, first: date, last: date, actor: Actor
) -> list[ExpectedVisit]:
    """What this provider's own contracts of the scheme still lack, of these days; nothing is written."""
    actor.needs("have a workbook", Role.PROVIDER)
    if not first <= last:
        raise BadInput("the last day is before the first", field="last")
    if (last - first).days >= MOST_DAYS:
        raise BadInput(f"a workbook covers at most {MOST_DAYS} days", field="last")
    query = select(Contract).where(
        Contract.provider == actor.provider, Contract.scheme == scheme.key, col(Contract.started_on) <= last
    )
    found = []
    for contract in session.exec(query.order_by(col(Contract.ref))).all():
        recorder = Recorder(session, ports, contract, scheme=scheme, actor=actor)
        for day in (first + timedelta(days=n) for n in range((last - first).days + 1)):
            if recorder.takes(day):
                found += expected_on(contract.ref, day, *recorder.planned(day))
    return found


def schemes_served(session: Session, *, actor: Actor) -> frozenset[str]:
    """The schemes under which this provider's care of anybody has begun, whether or not it goes on."""
    actor.needs("have a workbook", Role.PROVIDER)
    begun = select(Contract.scheme).where(Contract.provider == actor.provider, col(Contract.started_on).is_not(None))
    return frozenset(session.exec(begun.distinct()))
