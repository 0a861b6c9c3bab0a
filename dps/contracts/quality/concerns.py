"""Complaints and safeguarding investigations about a contract: what about and what was found, never whom or by whom.

Topics are a closed list, because free text would name people; the papers of the case stay where they are.
"""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from sqlmodel import Field, Session, SQLModel, col, select

from dps.contracts.contracts import Contract
from dps.contracts.standing import find_contract
from dps.contracts.telling import tell_provider
from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.columns import day_column, id_column, link_column, ref_column, state_column, utc_column
from dps.kernel.database import locked_one
from dps.kernel.errors import BadInput, NotFound
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.kernel.states import StateTable, advance


class ConcernKind(StrEnum):
    COMPLAINT = "complaint"
    SAFEGUARDING = "safeguarding"


class ConcernTopic(StrEnum):
    MISSED_VISITS = "missed_visits"
    LATE_VISITS = "late_visits"
    SHORT_VISITS = "short_visits"
    CONDUCT = "conduct"
    QUALITY_OF_CARE = "quality_of_care"
    MEDICATION = "medication"
    NEGLECT = "neglect"
    ABUSE = "abuse"


class ConcernState(StrEnum):
    OPEN = "open"
    UPHELD = "upheld"
    NOT_UPHELD = "not_upheld"


_S = ConcernState
_OFFICE = (Role.BROKER, Role.COMMISSIONER)

STEPS = StateTable(
    "concern",
    _S.OPEN,
    (_S.OPEN, "uphold", _S.UPHELD, _OFFICE),
    (_S.OPEN, "dismiss", _S.NOT_UPHELD, _OFFICE),
)


class Concern(SQLModel, table=True):
    """One complaint or investigation, counted on the day it was received."""

    __tablename__ = "concern"

    STEPS: ClassVar[StateTable] = STEPS

    id: int | None = id_column()
    ref: str = ref_column()
    contract_id: int = link_column("contract.id")
    kind: ConcernKind = state_column(ConcernKind, index=False)
    topic: ConcernTopic = state_column(ConcernTopic, index=False)
    state: ConcernState = state_column(ConcernState, index=False)
    received_on: date = day_column()
    recorded_at: datetime = utc_column()
    recorded_by: str = Field(max_length=64)

    @property
    def stream(self) -> str:
        return self.ref


def record_concern(
    session: Session,
    ports: Ports,
    *,
    contract_ref: str,
    kind: ConcernKind,
    topic: ConcernTopic,
    received_on: date,
    actor: Actor,
) -> Concern:
    """Record that a complaint or an investigation was opened; its provider hears of a complaint at once."""
    actor.needs("record a concern", *_OFFICE)
    contract = find_contract(session, contract_ref, actor=actor)
    now = ports.clock.read(session)
    if received_on > now.astimezone(LONDON).date():
        raise BadInput("this day is still to come", field="received_on")
    concern = Concern(
        ref=new_reference(Kind.CONCERN, ports.entropy),
        contract_id=contract.id or 0,
        kind=kind,
        topic=topic,
        state=_S.OPEN,
        received_on=received_on,
        recorded_at=now,
        recorded_by=actor.ref,
    )
    session.add(concern)
    session.flush()
    facts = {"contract": contract.ref, "kind": kind, "topic": topic, "received_on": received_on.isoformat()}
    audit.append(session, concern.stream, "concern.recorded", actor, now, facts)
    # A provider under investigation is told by whoever investigates, not by this engine.
    if kind is ConcernKind.COMPLAINT:
        tell_provider(session, ports, contract, "complaint_received", concern.ref, now)
    return concern


def close_concern(session: Session, ports: Ports, *, concern_ref: str, is_upheld: bool, actor: Actor) -> Concern:
    """Say what was found."""
    known, contract = _found(session, concern_ref, actor)
    concern = locked_one(session, Concern, known.id)
    now = ports.clock.read(session)
    advance(session, concern, "uphold" if is_upheld else "dismiss", actor, now, facts={"contract": contract.ref})
    if concern.kind is ConcernKind.COMPLAINT:
        tell_provider(session, ports, contract, "complaint_closed", concern.ref, now)
    return concern


def concerns_of(session: Session, contract_ref: str, *, actor: Actor) -> Sequence[Concern]:
    """The contract's concerns in order; a provider sees its complaints, not the investigations."""
    contract = find_contract(session, contract_ref, actor=actor)
    query = select(Concern).where(Concern.contract_id == contract.id)
    if actor.role is Role.PROVIDER:
        query = query.where(Concern.kind == ConcernKind.COMPLAINT)
    return session.exec(query.order_by(col(Concern.id))).all()


def contract_of_concern(session: Session, ref: str, *, actor: Actor) -> Contract:
    """The contract that a concern is about, to its council; NotFound to everybody else."""
    return _found(session, ref, actor)[1]


def _found(session: Session, ref: str, actor: Actor) -> tuple[Concern, Contract]:
    known = session.exec(select(Concern).where(Concern.ref == ref)).first()
    contract = session.get(Contract, known.contract_id) if known else None
    if known is None or contract is None:
        raise NotFound(kind="concern", ref=ref)
    actor.sees("concern", ref, authority=contract.authority)
    return known, contract
