"""Call monitoring of a demonstration: what became of each planned visit, drawn, and recorded by the provider."""

from datetime import date, datetime, time, timedelta

import numpy as np
from sqlmodel import Session, col, select

from dps.contracts.contracts import Contract
from dps.contracts.deliveries.matching import VisitRecord
from dps.contracts.deliveries.recording import record_deliveries
from dps.contracts.payment.visits import VisitOutcome
from dps.contracts.variations.records import Variation, VariationKind, Weeks
from dps.kernel.calendar import Weekday
from dps.kernel.database import Database
from dps.kernel.ports import Ports
from dps.packages.schedule import Schedule, Visit
from dps.schemes.model import Scheme
from web.demo.paying import provider_of

FLEX_MINUTES = 120


class Monitoring:
    """The records of one council's contracts; `rng` is that of whoever plays them."""

    def __init__(self, database: Database, ports: Ports, scheme: Scheme, rng: np.random.Generator) -> None:
        self.database, self.ports, self.scheme = database, ports, scheme
        self._rng = rng

    def record(self, contract: Contract, first: date, last: date) -> None:
        """Record these days of a contract, both included: each planned visit, a few of them missed."""
        with self.database.transaction() as session:
            record_deliveries(
                session,
                self.ports,
                contract_ref=contract.ref,
                scheme=self.scheme,
                records=self._visits(session, contract, first, last),
                actor=provider_of(contract),
            )

    def _visits(self, session: Session, contract: Contract, first: date, last: date) -> list[VisitRecord]:
        """What the call monitoring noted: each planned visit but those of a pause, a few missed; and flexed ones."""
        rows = session.exec(select(Variation).where(Variation.contract_id == contract.id).order_by(col(Variation.id)))
        spans = [(row.kind, row.from_day, row.last_day) for row in rows if row.last_day is not None]
        weeks = Weeks(session, contract)
        found: list[VisitRecord] = []
        for number in range((last - first).days + 1):
            day = first + timedelta(days=number)
            over = [kind for kind, since, until in spans if since <= day <= until]
            if VariationKind.PAUSE in over:
                continue
            planned = [visit for visit in week_on(weeks, day).visits if Weekday(day.weekday()) in visit.days]
            found += [self._visit(day, line, visit) for line, visit in enumerate(planned)]
            if VariationKind.FLEX in over:
                begins = datetime.combine(day, time(2, 0))
                ends = begins + timedelta(minutes=FLEX_MINUTES)
                found.append(VisitRecord(visit_ref=f"{day} flex", day=day, started=begins.time(), ended=ends.time()))
        return found

    def _visit(self, day: date, line: int, visit: Visit) -> VisitRecord:
        ref = f"{day} {line}"
        if self._rng.random() < 0.02:
            return VisitRecord(
                visit_ref=ref, day=day, outcome=VisitOutcome.MISSED, planned_start=visit.window_start,
                carers=visit.carers,
            )  # fmt: skip
        late = int(self._rng.integers(0, min(15, visit.window_minutes - visit.minutes) + 1))
        lasted = max(1, visit.minutes + int(self._rng.integers(-6, 7)))
        begins = datetime.combine(day, visit.window_start) + timedelta(minutes=late)
        return VisitRecord(
            visit_ref=ref,
            day=day,
            planned_start=visit.window_start,
            started=begins.time(),
            ended=(begins + timedelta(minutes=lasted)).time(),
            carers=visit.carers,
        )


def week_on(weeks: Weeks, day: date) -> Schedule:
    """A contract's week on a day; it has one, because the contract began with it."""
    week = weeks.on(day)
    assert week is not None
    return week
