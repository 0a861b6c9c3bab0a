"""Recording what the call monitoring says: each record matched to its contract's week, each once.

A record that is known already changes nothing; one that says something else of a known visit is refused. Which
visit a record is of is found with all others of its day, also those of earlier files, until the day is stated. All
records of a call are written, or none: the caller's transaction is taken back at the first that can't be.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, and_, col, or_, select

from dps.contracts.area_contracts import AreaContractRow
from dps.contracts.contracts import Contract, ContractState
from dps.contracts.deliveries.matching import Matched, VisitRecord, match_day
from dps.contracts.deliveries.records import Delivery, deliveries_of
from dps.contracts.payment.visits import VisitOutcome
from dps.contracts.standing import find_contract
from dps.contracts.statements.records import Statement, StatementState
from dps.contracts.variations.records import Variation, VariationKind, Weeks, variations_of
from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.database import locked_one
from dps.kernel.errors import BadInput
from dps.kernel.ports import Ports
from dps.packages.schedule import Schedule
from dps.schemes.model import Scheme


@dataclass(slots=True)
class Recorded:
    """What became of a contract's records: how many are new, known before, or odd; the oddities by name.

    `moved` counts earlier records of these days that were found to be of another visit.
    """

    new: int = 0
    known: int = 0
    moved: int = 0
    oddities: dict[str, int] = field(default_factory=dict)


class Recorder:
    """Records visits of one contract in one transaction; whoever writes holds its lock (`recorder_of`)."""

    def __init__(self, session: Session, ports: Ports, contract: Contract, *, scheme: Scheme, actor: Actor) -> None:
        actor.needs("record deliveries", Role.BROKER, Role.PROVIDER, Role.CLOCK)
        self._session = session
        self._actor = actor
        self._contract = contract
        if self._contract.scheme != scheme.key:
            raise BadInput(f"the contract belongs to scheme {self._contract.scheme}", field="contract")
        payment = scheme.payment(self._contract.lot)
        self._tolerance = payment.tolerance_minutes if payment else 0
        self._now = ports.clock.read(session)
        self._today = self._now.astimezone(LONDON).date()
        self._weeks = Weeks(session, self._contract)
        self._pauses = variations_of(session, self._contract, VariationKind.PAUSE)
        known = session.exec(select(Delivery).where(Delivery.contract_id == self._contract.id)).all()
        self._known = {row.visit_ref: row for row in known}
        self._stated = _live_statements(session, self._contract)
        self._placed: dict[date, list[Delivery]] = {}
        for row in known:
            if row.line is not None:
                self._placed.setdefault(row.day, []).append(row)
        self.recorded = Recorded()

    def record(self, records: Sequence[VisitRecord]) -> dict[int, BadInput]:
        """Record these visits, those of one day matched together; why not, by place in `records`, of those refused."""
        refused: dict[int, BadInput] = {}
        new: dict[date, dict[int, VisitRecord]] = {}
        named: dict[str, VisitRecord] = {}
        for place, record in enumerate(records):
            try:
                self._refuse_day(record.day)
                if self._is_known(record, named.setdefault(record.visit_ref, record)):
                    self.recorded.known += 1
                    continue
                self._refuse_stated(record.day)
            except BadInput as bad:
                refused[place] = bad
                continue
            new.setdefault(record.day, {})[place] = record
        for day, of_day in new.items():
            for place, found in zip(of_day, self._match(day, list(of_day.values())), strict=True):
                if found is None:
                    refused[place] = BadInput("its planned visit is recorded already, by another", field="visit")
                else:
                    self._write(of_day[place], found)
        return dict(sorted(refused.items()))

    def _match(self, day: date, records: Sequence[VisitRecord]) -> Sequence[Matched | None]:
        """A visit for each, beside what is there of this day, which may move on to another visit of it."""
        placed, week = self._placed.get(day, []), self._weeks.on(day)
        movable = [row for row in placed if row.told is not None]
        fixed = frozenset(row.line for row in placed if row.told is None and row.line is not None)
        before = [row.as_told() for row in movable]
        found = match_day(records, week, tolerance_minutes=self._tolerance, taken=fixed, before=before)
        kept = found[: len(before)]
        if any(one is None or one.line is None for one in kept):
            # The week was another when these were matched: they stay as they are.
            all_taken = frozenset(row.line for row in placed if row.line is not None)
            return match_day(records, week, tolerance_minutes=self._tolerance, taken=all_taken)
        moved = [(row, one) for row, one in zip(movable, kept, strict=True) if one is not None and one.line != row.line]
        for row, _ in moved:
            row.line, row.planned_minutes = None, 0
        if moved:
            self._session.flush()  # so that two of them can change places
        for row, one in moved:
            row.line, row.planned_minutes, row.carers = one.line, one.planned_minutes, one.carers
            row.is_night, row.oddities = one.is_night, list(one.oddities)
        self.recorded.moved += len(moved)
        return found[len(before) :]

    def _is_known(self, record: VisitRecord, first: VisitRecord) -> bool:
        """Whether its name is kept, or was told just before as `first`; BadInput where that says otherwise."""
        known = self._known.get(record.visit_ref)
        is_told_twice = first is not record
        if (known is not None and not _says_the_same(known, record)) or (is_told_twice and first != record):
            raise BadInput(f"{record.visit_ref} was recorded before, and otherwise", field="visit")
        return known is not None or is_told_twice

    def takes(self, day: date) -> bool:
        """Whether a new record of this day would be taken: the contract runs, and no statement covers it."""
        try:
            self._refuse_day(day)
            self._refuse_stated(day)
        except BadInput:
            return False
        return True

    def planned(self, day: date) -> tuple[Schedule | None, Collection[int]]:
        """The week in force on a day, and the places in it whose visit of that day is recorded."""
        return self._weeks.on(day), [row.line for row in self._placed.get(day, []) if row.line is not None]

    def close(self) -> Recorded:
        """Write all that was recorded, and its event."""
        self._session.flush()
        if self.recorded.new:
            facts: dict[str, Any] = {
                "ref": self._contract.ref,
                "new": self.recorded.new,
                "known": self.recorded.known,
                "oddities": self.recorded.oddities,
            }
            if self.recorded.moved:
                facts["moved"] = self.recorded.moved
            audit.append(self._session, self._contract.stream, "contract.deliveries", self._actor, self._now, facts)
        return self.recorded

    def _write(self, record: VisitRecord, matched: Matched) -> None:
        times = record.times
        row = Delivery(
            contract_id=self._contract.id or 0,
            visit_ref=record.visit_ref,
            day=record.day,
            outcome=record.outcome,
            line=matched.line,
            planned_minutes=matched.planned_minutes,
            delivered_minutes=matched.delivered_minutes,
            carers=matched.carers,
            is_night=matched.is_night,
            started_at=times[0] if times else None,
            ended_at=times[1] if times else None,
            oddities=list(matched.oddities),
            told=record.told(),
            recorded_at=self._now,
            recorded_by=self._actor.ref,
        )
        self._session.add(row)
        self._known[record.visit_ref] = row
        if row.line is not None:
            self._placed.setdefault(record.day, []).append(row)
        self.recorded.new += 1
        for oddity in matched.oddities:
            self.recorded.oddities[oddity] = self.recorded.oddities.get(oddity, 0) + 1

    def _refuse_stated(self, day: date) -> None:
        for statement in self._stated:
            if statement.first_day <= day <= statement.last_day:
                raise BadInput(f"statement {statement.ref} covers this day: withdraw it first", field="day")

    def _refuse_day(self, day: date) -> None:
        contract = self._contract
        if contract.started_on is None or contract.state is ContractState.PENDING or day < contract.started_on:
            raise BadInput("the contract had not started by then", field="day")
        if contract.last_day is not None and day > contract.last_day:
            raise BadInput(f"the contract's last day was {contract.last_day}", field="day")
        if day > self._today:
            raise BadInput("this day is still to come", field="day")
        if contract.suspended_on is not None and day >= contract.suspended_on:
            raise BadInput(f"visits are paused since {contract.suspended_on}", field="day")
        for pause in self._pauses:
            if pause.last_day is not None and pause.from_day <= day <= pause.last_day:
                raise BadInput(f"visits were paused from {pause.from_day} to {pause.last_day}", field="day")


def _live_statements(session: Session, contract: Contract) -> Sequence[Statement]:
    """Those of the contract, and of an area contract that pays for what is recorded of it."""
    area = (
        col(AreaContractRow.provider) == contract.provider,
        col(AreaContractRow.authority) == contract.authority,
        col(AreaContractRow.scheme) == contract.scheme,
        col(AreaContractRow.locality) == contract.locality,
    )
    query = (
        select(Statement, AreaContractRow)
        .join(AreaContractRow, col(AreaContractRow.ref) == col(Statement.area_contract), isouter=True)
        .where(
            or_(col(Statement.contract_id) == contract.id, and_(*area)),
            Statement.state != StatementState.WITHDRAWN,
        )
        .order_by(col(Statement.id))
    )
    return [one for one, its in session.exec(query) if its is None or contract.lot in its.lots]


def recorder_of(session: Session, ports: Ports, *, contract_ref: str, scheme: Scheme, actor: Actor) -> Recorder:
    """A recorder of this contract, which is locked."""
    contract = locked_one(session, Contract, find_contract(session, contract_ref, actor=actor).id)
    return Recorder(session, ports, contract, scheme=scheme, actor=actor)


def record_deliveries(
    session: Session,
    ports: Ports,
    *,
    contract_ref: str,
    scheme: Scheme,
    records: Iterable[VisitRecord],
    actor: Actor,
) -> Recorded:
    """Record these visits of one contract."""
    recorder = recorder_of(session, ports, contract_ref=contract_ref, scheme=scheme, actor=actor)
    for refused in recorder.record(list(records)).values():
        raise refused
    return recorder.close()


def last_day_paid(session: Session, contract: Contract, *, since: date) -> date | None:
    """The last day from `since` on with a visit that was made, or that a statement of the contract covers, if any."""
    made = [
        one.day
        for one in deliveries_of(session, contract, first=since, last=date.max)
        if one.outcome is VisitOutcome.DONE
    ]
    stated = [one.last_day for one in _live_statements(session, contract) if one.contract_id == contract.id]
    return max((day for day in (*made, *stated) if day >= since), default=None)


def flexes_on(flexes: Iterable[Variation], day: date) -> list[Variation]:
    """The flexes in force on a day."""
    return [flex for flex in flexes if flex.last_day is not None and flex.from_day <= day <= flex.last_day]


def _says_the_same(known: Delivery, record: VisitRecord) -> bool:
    started: datetime | None
    started, ended = record.times or (None, None)
    return (known.day, known.outcome, known.started_at, known.ended_at) == (record.day, record.outcome, started, ended)
