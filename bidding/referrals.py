"""Referrals: a package to be placed, and where its search stands.

A referral outlives its rounds: escalation, hand-back and failed start bring it back to `seeking`, each time as a new
*cycle* of the ladder that was frozen at its first publication. What providers see is the round's published part.
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import Index
from sqlmodel import Field, Session, SQLModel, col, select

from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.columns import (
    id_column,
    json_column,
    link_column,
    ref_column,
    state_column,
    utc_column,
    whole_column,
)
from dps.kernel.database import find, locked_one
from dps.kernel.errors import CannotAmend, NotFound, PersonErased
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.kernel.states import StateTable
from dps.packages.packages import Package
from dps.packages.persons import Person
from dps.schemes.model import Ladder, Stage, Urgency

_OFFICE = (Role.BROKER,)
_WRITERS = (Role.BROKER, Role.REQUESTER)
_CLOCK = (Role.CLOCK,)


class ReferralState(StrEnum):
    DRAFT = "draft"
    READY = "ready"
    SEEKING = "seeking"
    HELD = "held"
    PLACED = "placed"
    UNFILLED = "unfilled"
    PLACED_OTHERWISE = "placed_otherwise"
    WITHDRAWN = "withdrawn"


_S = ReferralState
OPEN = (_S.DRAFT, _S.READY, _S.SEEKING, _S.HELD, _S.UNFILLED)
"""A provider is sought, or may be again without anybody's new decision."""

# 1 is asked first; priority 1 and 2 people are placed before caps and coverage count.
PRIORITY = {Urgency.CRISIS: 1, Urgency.DISCHARGE: 2, Urgency.URGENT: 3, Urgency.STANDARD: 4}


class Referral(SQLModel, table=True):
    """One package's search for a provider. `cycle` counts how often its ladder was begun.

    Somebody has waited since `seeking_since`, through every cycle and while it is unfilled; it begins anew after a
    hold, and when a contract was handed back.

    `requested_by` is the account of whoever asked for it and follows it: a social worker, a ward. A draft is
    with them (`with_requester_since`) until they send it to the brokers, or a broker takes it over.
    """

    __tablename__ = "referral"
    __table_args__ = (Index("ix_referral_authority_state", "authority", "state"),)
    STEPS: ClassVar[StateTable] = StateTable(
        "referral",
        _S.DRAFT,
        (_S.DRAFT, "make_ready", _S.READY, _OFFICE),
        (_S.READY, "publish", _S.SEEKING, _OFFICE),
        (_S.SEEKING, "hold", _S.HELD, _OFFICE),
        (_S.HELD, "resume", _S.SEEKING, _OFFICE),
        (_S.SEEKING, "place", _S.PLACED, _CLOCK),
        (_S.SEEKING, "exhaust", _S.UNFILLED, _CLOCK),
        (_S.UNFILLED, "restart", _S.SEEKING, (Role.CLOCK, Role.BROKER)),
        (_S.UNFILLED, "take_offer", _S.SEEKING, _OFFICE),
        (_S.UNFILLED, "place_otherwise", _S.PLACED_OTHERWISE, (Role.APPROVER,)),
        (_S.PLACED, "broker_again", _S.SEEKING, (Role.CLOCK, Role.BROKER)),
        (_S.DRAFT, "withdraw", _S.WITHDRAWN, _WRITERS),
        (_S.READY, "withdraw", _S.WITHDRAWN, _OFFICE),
        (_S.SEEKING, "withdraw", _S.WITHDRAWN, _OFFICE),
        (_S.HELD, "withdraw", _S.WITHDRAWN, _OFFICE),
        (_S.UNFILLED, "withdraw", _S.WITHDRAWN, _OFFICE),
    )

    id: int | None = id_column()
    ref: str = ref_column()
    authority: str = Field(max_length=40)
    scheme: str = Field(max_length=40, index=True)
    rule_hash: str | None = Field(default=None, max_length=64)
    package_id: int = link_column("package.id", unique=True)
    package_ref: str = Field(max_length=24)
    urgency: str = Field(max_length=24)
    state: ReferralState = state_column(ReferralState)
    version: int = whole_column(default=1)
    ladder: Any = json_column(nullable=True)
    cycle: int = whole_column(default=0)
    created_by: str
    requested_by: str | None = Field(default=None, max_length=40, index=True)
    with_requester_since: datetime | None = utc_column(nullable=True)
    published_at: datetime | None = utc_column(nullable=True)
    seeking_since: datetime | None = utc_column(nullable=True)
    unfilled_at: datetime | None = utc_column(nullable=True)
    placed_at: datetime | None = utc_column(nullable=True)

    @property
    def stream(self) -> str:
        return self.ref

    @property
    def is_with_requester(self) -> bool:
        return self.with_requester_since is not None

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The ladder as it was frozen at the first publication."""
        return Ladder.model_validate(self.ladder).stages

    @property
    def priority(self) -> int:
        return PRIORITY[Urgency(self.urgency)]


def open_referral(session: Session, ports: Ports, *, package: Package, actor: Actor) -> Referral:
    """Begin a draft for `package`; PersonErased where nobody is left to place."""
    actor.needs("open a referral", Role.BROKER, Role.REQUESTER)
    actor.sees("package", package.ref, authority=package.authority)
    person = locked_one(session, Person, package.person_id, shared=True)
    if person.erased_at is not None:
        raise PersonErased(ref=person.ref)
    now = ports.clock.read(session)
    referral = Referral(
        ref=new_reference(Kind.REFERRAL, ports.entropy),
        authority=package.authority,
        scheme=package.scheme,
        package_id=package.id or 0,
        package_ref=package.ref,
        urgency=package.urgency,
        state=ReferralState.DRAFT,
        created_by=actor.ref,
        requested_by=actor.ref if actor.role is Role.REQUESTER else None,
        with_requester_since=now if actor.role is Role.REQUESTER else None,
    )
    session.add(referral)
    session.flush()
    audit.append(session, referral.stream, "referral.opened", actor, now, {"package": package.ref})
    return referral


def referral_of(session: Session, ref: str, actor: Actor) -> Referral:
    """The referral with this reference, if `actor` may know of it."""
    return _known(session.exec(select(Referral).where(Referral.ref == ref)).first(), ref, actor)


def _known(referral: Referral | None, ref: str, actor: Actor) -> Referral:
    if referral is None:
        raise NotFound(kind="referral", ref=ref)
    actor.sees("referral", ref, authority=referral.authority)
    if actor.role is Role.REQUESTER and actor.ref not in (referral.requested_by, referral.created_by):
        raise NotFound(kind="referral", ref=ref)
    return referral


def refuse_once_sent(referral: Referral, actor: Actor) -> None:
    """CannotAmend where a requester would change what is the brokers' by now."""
    if actor.role is Role.REQUESTER and not referral.is_with_requester:
        raise CannotAmend(ref=referral.ref, reason="it is with the brokers: tell them what has changed")


def still_sought(session: Session, package_ids: Sequence[int]) -> str | None:
    """The first open referral of these packages: a draft, one on its way, one that nobody took and that restarts."""
    query = select(Referral.ref).where(col(Referral.package_id).in_(package_ids), col(Referral.state).in_(OPEN))
    return session.exec(query.order_by(col(Referral.id)).limit(1)).first()


def locked_referral(session: Session, ref: str, actor: Actor) -> Referral:
    """The same, locked until the transaction ends."""
    return _known(find(session, Referral, ref=ref, lock=True), ref, actor)
