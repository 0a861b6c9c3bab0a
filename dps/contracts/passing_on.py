"""Work passed on: which subcontractor delivers a lead's contract, and what members of a consortium get of a statement.

The contract stays the lead's: it is paid, it answers, its hours are counted. Who delivers is a record beside it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from sqlalchemy import UniqueConstraint, and_, or_
from sqlmodel import Field, Session, SQLModel, col, select

from dps.contracts.contracts import IN_FORCE, Contract
from dps.contracts.standing import find_contract
from dps.contracts.statements.records import Statement, StatementState
from dps.kernel import audit, outbox
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.columns import day_column, id_column, link_column, utc_column
from dps.kernel.database import find, locked_one
from dps.kernel.errors import BadInput, Conflict, NoSuchStep, RuleNotMet
from dps.kernel.ports import Ports
from dps.register.arrangements import ArrangementKind, SeenArrangement, arrangement_of_lead, members_of
from dps.register.providers import Provider

_SHOWN = 100


class PassedOn(SQLModel, table=True):
    """From `from_day` on `provider` delivers the contract: a subcontractor, or again the lead itself."""

    __tablename__ = "passed_on"
    __table_args__ = (UniqueConstraint("contract_id", "from_day"),)

    id: int | None = id_column()
    contract_id: int = link_column("contract.id", index=False)
    provider: str = Field(max_length=24)
    from_day: date = day_column()
    passed_at: datetime = utc_column()
    passed_by: str = Field(max_length=64)


class PassedOnBefore(SQLModel, table=True):
    """What a passing-on said until it was corrected; never rewritten."""

    __tablename__ = "passed_on_before"

    id: int | None = id_column()
    contract_id: int = link_column("contract.id")
    provider: str = Field(max_length=24)
    from_day: date = day_column()
    passed_at: datetime = utc_column()
    passed_by: str = Field(max_length=64)
    corrected_at: datetime = utc_column()
    corrected_by: str = Field(max_length=64)


def pass_on(session: Session, ports: Ports, *, contract_ref: str, to: str, from_day: date, actor: Actor) -> PassedOn:
    """The lead passes a contract on to one of its subcontractors, or takes it back into its own hands.

    Until the end of the day from which it counts another may be named for it: that corrects it, and what was said
    before is kept. RuleNotMet where no arrangement of the lead runs on that day with this subcontractor in it, Conflict
    where it is named for that day already.
    """
    actor.needs("pass a contract on", Role.PROVIDER)
    contract = locked_one(session, Contract, find_contract(session, contract_ref, actor=actor).id)
    if contract.state not in IN_FORCE:
        raise NoSuchStep(kind="Contract", ref=contract.ref, state=str(contract.state), step="be passed on")
    now = ports.clock.read(session)
    if from_day < now.astimezone(LONDON).date():
        raise BadInput("work is passed on from today or later", field="from_day")
    arrangement = arrangement_of_lead(session, scheme=contract.scheme, lead=contract.provider, on=from_day)
    is_lead = arrangement is not None and arrangement.kind is ArrangementKind.LEAD
    if arrangement is None or not is_lead or to not in {contract.provider, *members_of(session, arrangement)}:
        raise RuleNotMet(reason=f"{to} is no subcontractor of {contract.provider} on {from_day}.")
    row, before = find(session, PassedOn, contract_id=contract.id or 0, from_day=from_day), None
    if row is None:
        row = PassedOn(contract_id=contract.id or 0, provider=to, from_day=from_day, passed_at=now, passed_by=actor.ref)
    elif row.provider == to:
        raise Conflict(contract=contract.ref)
    else:
        before = _correct(session, row, to, actor, now)
    session.add(row)
    session.flush()
    facts = {"ref": contract.ref, "provider": to, "from_day": from_day.isoformat(), "arrangement": arrangement.ref}
    if before is None:
        audit.append(session, contract.stream, "contract.passed_on", actor, now, facts)
    else:
        corrected = facts | {"before": before}
        audit.append(session, contract.stream, "contract.passing_on_corrected", actor, now, corrected)
    for recipient in (f"authority:{contract.authority}", *(f"provider:{one}" for one in (before, to) if one)):
        outbox.post(session, ports.entropy, recipient=recipient, kind="contract_passed_on", about=contract.ref, now=now)
    return row


def _correct(session: Session, row: PassedOn, to: str, actor: Actor, now: datetime) -> str:
    """Name another for the same day, and keep who was named before; returns that one."""
    before = PassedOnBefore(
        contract_id=row.contract_id,
        provider=row.provider,
        from_day=row.from_day,
        passed_at=row.passed_at,
        passed_by=row.passed_by,
        corrected_at=now,
        corrected_by=actor.ref,
    )
    session.add(before)
    row.provider, row.passed_at, row.passed_by = to, now, actor.ref
    return before.provider


def leads_others(session: Session, contract: Contract, today: date) -> bool:
    """Whether its provider leads subcontractors today, to whom it may pass the contract on."""
    found = arrangement_of_lead(session, scheme=contract.scheme, lead=contract.provider, on=today)
    return found is not None and found.kind is ArrangementKind.LEAD and contract.state in IN_FORCE


def deliverers_named(session: Session, contract: Contract) -> list[tuple[date, str]]:
    """From which day who delivers it, by name."""
    query = (
        select(col(PassedOn.from_day), Provider.name)
        .join(Provider, col(Provider.ref) == col(PassedOn.provider))
        .where(PassedOn.contract_id == contract.id)
        .order_by(col(PassedOn.from_day))
    )
    return list(session.exec(query).all())


def corrected_named(session: Session, contract: Contract) -> list[tuple[date, str, datetime]]:
    """Who was named for a day until it was corrected, by name, and when that was; the first corrected first."""
    query = (
        select(col(PassedOnBefore.from_day), Provider.name, col(PassedOnBefore.corrected_at))
        .join(Provider, col(Provider.ref) == col(PassedOnBefore.provider))
        .where(PassedOnBefore.contract_id == contract.id)
        .order_by(col(PassedOnBefore.id))
    )
    return list(session.exec(query).all())


@dataclass(frozen=True, slots=True)
class DeliveredForAnother:
    """A contract of another provider, the lead, that this one delivers: from `from_day`, before `until` if it ends."""

    contract: str
    lead_name: str
    lot: str
    locality: str
    from_day: date
    until: date | None


def delivered_for_others(session: Session, *, actor: Actor, today: date) -> list[DeliveredForAnother]:
    """What leads passed on to the actor's provider and that is not over, in the order they were agreed.

    Nothing of the person: that is the lead's to tell (law 7).
    """
    actor.needs("see what it delivers for others", Role.PROVIDER)
    theirs = select(PassedOn.contract_id).where(PassedOn.provider == actor.provider)
    query = (
        select(PassedOn, Contract, Provider.name)
        .join(Contract, col(Contract.id) == col(PassedOn.contract_id))
        .join(Provider, col(Provider.ref) == col(Contract.provider))
        .where(
            col(PassedOn.contract_id).in_(theirs),
            col(Contract.state).in_(IN_FORCE),
            Contract.provider != actor.provider,
        )
        .order_by(col(Contract.id), col(PassedOn.from_day))
    )
    found = []
    for _, passed in groupby(session.exec(query), key=lambda row: row[1].id):
        rows = list(passed)
        ends = [row[0].from_day for row in rows[1:]]
        for (step, contract, lead_name), until in zip(rows, [*ends, None], strict=True):
            if step.provider == actor.provider and (until is None or today < until):
                found.append(
                    DeliveredForAnother(contract.ref, lead_name, contract.lot, contract.locality, step.from_day, until)
                )
    return found


@dataclass(frozen=True, slots=True)
class SharedStatement:
    """A statement of a consortium's lead, and what another member gets of it."""

    statement: str
    lead_name: str
    first_day: date
    last_day: date
    pence: int
    state: StatementState


def shared_with(session: Session, *, actor: Actor, seen: Sequence[SeenArrangement]) -> list[SharedStatement]:
    """What the actor's provider gets of what leads of its consortiums agreed to or were paid, the last days first.

    `seen` are its arrangements. Of whom the statements are about, and of their lines, it learns nothing here.
    """
    actor.needs("see its shares", Role.PROVIDER)
    led = [
        one
        for one in seen
        if one.arrangement.kind is ArrangementKind.CONSORTIUM and one.arrangement.lead != actor.provider
    ]
    if not led:
        return []
    theirs = or_(
        *(
            and_(col(Statement.provider) == one.arrangement.lead, col(Statement.scheme) == one.arrangement.scheme)
            for one in led
        )
    )
    query = (
        select(Statement)
        .where(theirs, col(Statement.state).in_((StatementState.AGREED, StatementState.PAID)))
        .order_by(col(Statement.last_day).desc(), col(Statement.id).desc())
        .limit(_SHOWN)
    )
    return [
        SharedStatement(
            statement=row.ref,
            lead_name=one.lead_name,
            first_day=row.first_day,
            last_day=row.last_day,
            pence=shares(row.pence, {ref: share or 0 for ref, _, share in one.members})[actor.provider or ""],
            state=row.state,
        )
        for row in session.exec(query)
        for one in led
        if (one.arrangement.lead, one.arrangement.scheme) == (row.provider, row.scheme)
        and one.arrangement.runs_on(row.last_day)
    ]


def deliverers(session: Session, contract: Contract) -> list[tuple[date, str]]:
    """From which day who delivers it; before the first of them the contract's own provider does."""
    query = select(PassedOn).where(PassedOn.contract_id == contract.id).order_by(col(PassedOn.from_day))
    return [(row.from_day, row.provider) for row in session.exec(query)]


def delivers_on(session: Session, contract: Contract, day: date) -> str:
    """Who delivers the contract on a day."""
    begun = [provider for from_day, provider in deliverers(session, contract) if from_day <= day]
    return begun[-1] if begun else contract.provider


def shares(pence: int, percents: dict[str, int]) -> dict[str, int]:
    """An amount in shares that add up to it: rounded down, the odd pennies to the largest remainders, then by name."""
    whole = {name: pence * percent // 100 for name, percent in percents.items()}
    left = pence - sum(whole.values())
    by_remainder = sorted(percents, key=lambda name: (-(pence * percents[name] % 100), name))
    return {name: amount + (name in by_remainder[:left]) for name, amount in whole.items()}


def shares_of(session: Session, statement: Statement) -> dict[str, int]:
    """What each member gets of what a consortium's lead is paid, by the shares of the last day; else all is its own."""
    arrangement = arrangement_of_lead(session, scheme=statement.scheme, lead=statement.provider, on=statement.last_day)
    if arrangement is None or arrangement.kind is not ArrangementKind.CONSORTIUM:
        return {statement.provider: statement.pence}
    return shares(statement.pence, {name: share or 0 for name, share in members_of(session, arrangement).items()})


def shares_named(session: Session, statement: Statement) -> list[tuple[str, int]]:
    """The same by name, the lead first and the others by name; empty where nobody shares."""
    found = shares_of(session, statement)
    if len(found) < 2:
        return []
    query = (
        select(Provider.ref, Provider.name)
        .where(col(Provider.ref).in_(found))
        .order_by(col(Provider.ref) != statement.provider, col(Provider.name), col(Provider.ref))
    )
    return [(name, found[ref]) for ref, name in session.exec(query)]
