"""A contract ends, and what it held is given back; a hand-back is measured against the notice that was owed."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session, col, select

from dps.contracts import contracts
from dps.contracts.contracts import Contract, ContractState
from dps.contracts.reasons import EndReason, HandBackReason
from dps.contracts.standing import find_contract
from dps.contracts.variations.allowed import hand_back_rule
from dps.contracts.variations.hours import release_hours
from dps.contracts.variations.limits import earliest_last_day
from dps.kernel.actors import CLOCK, Actor
from dps.kernel.audit import AuditEvent
from dps.kernel.calendar import LONDON
from dps.kernel.database import locked_one
from dps.kernel.ports import Ports
from dps.register import holds
from dps.schemes.model import Scheme


def end_contract(
    session: Session, ports: Ports, *, contract_ref: str, reason: EndReason, last_day: date, actor: Actor
) -> None:
    """End a contract with its last day of care, and give back the hours that it and its variations held."""
    contract = locked_one(session, Contract, find_contract(session, contract_ref, actor=actor).id)
    now = ports.clock.read(session)
    contracts.end(session, ports.entropy, contract, reason=reason, last_day=last_day, actor=actor, now=now)
    release_hours(session, contract, now=now)
    if holds.hold_of(session, contract.award_ref) is not None:
        holds.release(session, award_ref=contract.award_ref, actor=CLOCK, now=now)


@dataclass(frozen=True, slots=True)
class HandedBack:
    """When a contract was handed back, and by how many days the notice was too short; 0: by none."""

    told_at: datetime
    days_short: int


def handed_back(session: Session, contract: Contract) -> HandedBack | None:
    """What the trail says of a contract's hand-back; None where there was none."""
    if contract.state is not ContractState.HANDED_BACK:
        return None
    query = select(AuditEvent).where(AuditEvent.stream == contract.stream, AuditEvent.kind == "contract.hand_back")
    event = session.exec(query.order_by(col(AuditEvent.seq).desc())).first()
    return HandedBack(event.at, int(event.body.get("days_short_of_notice", 0))) if event else None


def days_short_of_notice(scheme: Scheme, *, reason: HandBackReason, told_at: datetime, last_day: date) -> int:
    """How many days of notice are missing, 0 for none.

    A short notice is recorded and never refused: whoever can't serve any longer would go all the same, and the person's
    package must be placed again at once.
    """
    told_on = told_at.astimezone(LONDON).date()
    return max((earliest_last_day(hand_back_rule(scheme), reason=reason, told_on=told_on) - last_day).days, 0)
