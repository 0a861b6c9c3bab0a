"""Rounds: one stage of the ladder for one referral, `[opens_at, closes_at)`, and who was invited.

A round that found nobody is never reopened; escalation makes the next one, which names its predecessor. Commands of
bidders lock the round shared and their own invitation exclusively; what ends or moves a round locks it exclusively
(law 1).
"""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.audit import AuditEvent
from dps.kernel.columns import id_column, json_column, link_column, ref_column, state_column, utc_column, whole_column
from dps.kernel.database import find, find_all
from dps.kernel.errors import NotFound
from dps.kernel.ports import Ports
from dps.kernel.states import StateTable, advance


class RoundState(StrEnum):
    PLANNED = "planned"
    PUBLISHED = "published"
    CLOSED = "closed"
    DECIDED = "decided"
    CANCELLED = "cancelled"


class Outcome(StrEnum):
    """How a decided round ended."""

    ACCEPTED = "accepted"
    EXHAUSTED = "exhausted"


class InvitationState(StrEnum):
    WAITING = "waiting"
    INVITED = "invited"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    LAPSED = "lapsed"


UNREACHED = "invitations_undelivered"
"""The message, and the step of a round's story, by which a council hears that many invitations have not arrived."""

_R = RoundState
_I = InvitationState
_CLOCK = (Role.CLOCK,)
_OFFICE = (Role.BROKER, Role.CLOCK)
_PROVIDER = (Role.PROVIDER,)


class Round(SQLModel, table=True):
    """One stage asked for one referral. `published_part` is exactly what providers see."""

    __tablename__ = "round"
    __table_args__ = (UniqueConstraint("referral_id", "cycle", "stage_no", "attempt"),)
    STEPS: ClassVar[StateTable] = StateTable(
        "round",
        _R.PLANNED,
        (_R.PLANNED, "publish", _R.PUBLISHED, _OFFICE),
        (_R.PLANNED, "skip", _R.DECIDED, _CLOCK),
        (_R.PUBLISHED, "close", _R.CLOSED, _CLOCK),
        (_R.PUBLISHED, "decide", _R.DECIDED, _CLOCK),
        (_R.CLOSED, "decide", _R.DECIDED, _CLOCK),
        (_R.PLANNED, "cancel", _R.CANCELLED, _OFFICE),
        (_R.PUBLISHED, "cancel", _R.CANCELLED, _OFFICE),
        (_R.CLOSED, "cancel", _R.CANCELLED, _OFFICE),
    )

    id: int | None = id_column()
    ref: str = ref_column()
    referral_id: int = link_column("referral.id")
    closing_id: int | None = link_column("closing.id", nullable=True)
    predecessor_id: int | None = link_column("round.id", nullable=True, index=False)
    cycle: int = whole_column()
    stage_no: int = whole_column()
    attempt: int = whole_column(default=1)
    stage_key: str = Field(max_length=40)
    mode: str = Field(max_length=24)
    scheme: str = Field(max_length=40)
    rule_hash: str = Field(max_length=64)
    lot: str = Field(max_length=40)
    locality: str = Field(max_length=40)
    version: int = whole_column()
    state: RoundState = state_column(RoundState)
    opens_at: datetime = utc_column()
    closes_at: datetime | None = utc_column(nullable=True, index=True)
    outcome: str | None = Field(default=None, max_length=16)
    published_part: Any = json_column()

    @property
    def stream(self) -> str:
        return self.ref


class Invitation(SQLModel, table=True):
    """One provider asked in one round. In `ranked_offer` mode all but one wait for their turn, in `position` order.

    `travel` is how near the package lay when it was asked (`bidding/fit`), None where its sector was not published.
    """

    __tablename__ = "invitation"
    __table_args__ = (UniqueConstraint("round_id", "provider"),)
    STEPS: ClassVar[StateTable] = StateTable(
        "invitation",
        _I.INVITED,
        (_I.WAITING, "invite", _I.INVITED, _CLOCK),
        (_I.WAITING, "lapse", _I.LAPSED, _CLOCK),
        (_I.INVITED, "accept", _I.ACCEPTED, _PROVIDER),
        (_I.INVITED, "decline", _I.DECLINED, _PROVIDER),
        (_I.DECLINED, "reconsider", _I.INVITED, _PROVIDER),
        (_I.INVITED, "lapse", _I.LAPSED, _CLOCK),
    )

    id: int | None = id_column()
    ref: str = ref_column()
    round_id: int = link_column("round.id", index=False)
    provider: str = Field(max_length=24, index=True)
    position: int = whole_column()
    state: InvitationState = state_column(InvitationState, index=False)
    travel: str | None = Field(default=None, max_length=8)
    invited_at: datetime | None = utc_column(nullable=True)
    answered_at: datetime | None = utc_column(nullable=True)

    @property
    def stream(self) -> str:
        return self.ref


class EligibilityReport(SQLModel, table=True):
    """Who could be asked in a round and who could not, with every reason; written once, before the invitations."""

    __tablename__ = "eligibility_report"

    id: int | None = id_column()
    round_id: int = link_column("round.id", unique=True)
    at: datetime = utc_column()
    eligible: int = whole_column()
    assessed: int = whole_column()
    answers: Any = json_column()


def round_of(session: Session, ref: str) -> Round:
    found = find(session, Round, ref=ref)
    if found is None:
        raise NotFound(kind="round", ref=ref)
    return found


def rounds_of_closing(session: Session, closing_id: int | None, *states: RoundState) -> Sequence[Round]:
    return find_all(session, Round, closing_id=closing_id, state=states)


def current_round(session: Session, referral_id: int | None) -> Round | None:
    """The referral's latest round, whatever its state."""
    query = select(Round).where(Round.referral_id == referral_id).order_by(col(Round.id).desc()).limit(1)
    return session.exec(query).first()


def invitation_of(session: Session, round_id: int | None, provider: str, *, lock: bool = False) -> Invitation:
    """This provider's invitation to this round; to anybody else the round itself does not exist."""
    found = find(session, Invitation, round_id=round_id, provider=provider, lock=lock)
    if found is None or found.state is InvitationState.WAITING:
        round_ = session.get(Round, round_id)
        raise NotFound(kind="round", ref=round_.ref if round_ else "")
    return found


OPENED = "invitation.opened"
"""The event of a provider's first look at what it was asked."""


def is_opened(session: Session, invitation: Invitation) -> bool:
    """Whether somebody of the provider has looked at it."""
    seen = select(AuditEvent.id).where(AuditEvent.stream == invitation.stream, AuditEvent.kind == OPENED)
    return session.exec(seen.limit(1)).first() is not None


def note_opened(session: Session, ports: Ports, *, round_ref: str, actor: Actor) -> None:
    """Say in the trail who of a provider looked first, and when; a second look adds nothing."""
    actor.needs("open an invitation", Role.PROVIDER)
    invitation = invitation_of(session, round_of(session, round_ref).id, actor.provider or "", lock=True)
    if not is_opened(session, invitation):
        audit.append(session, invitation.stream, OPENED, actor, ports.clock.read(session), {"round": round_ref})


def invitations_of(session: Session, round_id: int | None) -> Sequence[Invitation]:
    return find_all(session, Invitation, round_id=round_id, order=("position",))


def decide(session: Session, round_: Round, outcome: Outcome, actor: Actor, now: datetime, *, cause: str) -> None:
    """End a round for good; its debriefs may go out afterwards."""
    step = "skip" if round_.state is RoundState.PLANNED else "decide"
    advance(session, round_, step, actor, now, outcome=str(outcome), facts={"outcome": str(outcome), "cause": cause})
