"""The award: one provider chosen for one referral, at one price, on its way to a contract.

At most one award of a referral is alive (a partial unique index says so). Capacity is reserved at the offer,
committed with the contract, released where the award falls through.
"""

from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import Index, text
from sqlmodel import Field, Session, SQLModel, col, select

from dps.kernel.actors import Actor, Role
from dps.kernel.columns import (
    day_column,
    id_column,
    json_column,
    link_column,
    ref_column,
    state_column,
    utc_column,
    whole_column,
)
from dps.kernel.database import find
from dps.kernel.errors import NotFound
from dps.kernel.states import StateTable


class AwardState(StrEnum):
    PROPOSED = "proposed"
    OFFERED = "offered"
    ACCEPTED = "accepted"
    CONFIRMED = "confirmed"
    RETURNED = "returned"
    DECLINED = "declined"
    EXPIRED = "expired"
    REFUSED_BY_PERSON = "refused_by_person"
    OVERTURNED = "overturned"


class Source(StrEnum):
    """How the provider was found."""

    ALLOCATION = "allocation"
    RESERVE = "reserve"
    RANKED_OFFER = "ranked_offer"
    FIRST_ACCEPTANCE = "first_acceptance"
    DIRECT_AWARD = "direct_award"
    OPEN_LIST = "open_list"
    OVERRIDE = "override"
    BLOCK_HOURS = "block_hours"


_A = AwardState
_CLOCK = (Role.CLOCK,)
_OFFICE = (Role.BROKER, Role.APPROVER)
_PROVIDER = (Role.PROVIDER,)
WORDED = ("decline", "return", "refuse", "overturn")
"""The steps that end an award in somebody's own words, kept as a remark about it."""

LIVE = (_A.PROPOSED, _A.OFFERED, _A.ACCEPTED, _A.CONFIRMED)
_RUNNING = "ended_at IS NULL"
_LIVE = "state IN ('proposed', 'offered', 'accepted', 'confirmed') AND ended_at IS NULL"


class Award(SQLModel, table=True):
    """`answer_by` ends the offer, `confirm_by` the acceptance. `bundle` names the bid that stands or falls as one.

    `end_reason` is the engine's own sentence; what somebody wrote instead is a remark about the award.

    `needs_person` keeps an exceptional price, or a run that was not counted, from being offered without a broker.
    `[from_minute, until_minute)` is the span of the day that the visits touch, for the provider's take limit.
    """

    __tablename__ = "award"
    __table_args__ = (
        Index("uq_award_live", "referral_id", unique=True, sqlite_where=text(_LIVE), postgresql_where=text(_LIVE)),
        Index("ix_award_due", "state", "answer_by"),
        Index("ix_award_provider_state", "provider", "state"),
        # What counts against take limits: what came to nothing or is over is not read.
        Index(
            "ix_award_running",
            "scheme",
            "state",
            "provider",
            sqlite_where=text(_RUNNING),
            postgresql_where=text(_RUNNING),
        ),
    )
    STEPS: ClassVar[StateTable] = StateTable(
        "award",
        _A.PROPOSED,
        (_A.PROPOSED, "offer", _A.OFFERED, (*_OFFICE, Role.CLOCK)),
        (_A.PROPOSED, "expire", _A.EXPIRED, _CLOCK),
        (_A.PROPOSED, "overturn", _A.OVERTURNED, _OFFICE),
        (_A.OFFERED, "accept", _A.ACCEPTED, (Role.PROVIDER, Role.CLOCK)),
        (_A.OFFERED, "decline", _A.DECLINED, _PROVIDER),
        (_A.OFFERED, "expire", _A.EXPIRED, _CLOCK),
        (_A.OFFERED, "refuse", _A.REFUSED_BY_PERSON, _OFFICE),
        (_A.OFFERED, "overturn", _A.OVERTURNED, _OFFICE),
        (_A.ACCEPTED, "confirm", _A.CONFIRMED, _PROVIDER),
        (_A.ACCEPTED, "return", _A.RETURNED, _PROVIDER),
        (_A.ACCEPTED, "expire", _A.EXPIRED, _CLOCK),
        (_A.ACCEPTED, "refuse", _A.REFUSED_BY_PERSON, _OFFICE),
        (_A.ACCEPTED, "overturn", _A.OVERTURNED, _OFFICE),
    )

    id: int | None = id_column()
    ref: str = ref_column()
    referral_id: int = link_column("referral.id")
    round_id: int = link_column("round.id")
    bid_id: int | None = link_column("bid.id", nullable=True)
    run_ref: str | None = Field(default=None, max_length=24)
    bundle: str | None = Field(default=None, max_length=24, index=True)
    source: str = Field(max_length=24)
    reason: str | None = Field(default=None, max_length=2000)
    provider: str = Field(max_length=24, index=True)
    authority: str = Field(max_length=40)
    scheme: str = Field(max_length=40)
    lot: str = Field(max_length=40)
    locality: str = Field(max_length=40)
    weekly_pence: int = whole_column()
    weekly_minutes: int = whole_column()
    card: Any = json_column()
    starts_on: date = day_column()
    from_minute: int = whole_column()
    until_minute: int = whole_column()
    needs_person: bool = Field(default=False)
    already_accepted: bool = Field(default=False)
    state: AwardState = state_column(AwardState)
    proposed_at: datetime = utc_column()
    approvals: Any = json_column()
    offered_at: datetime | None = utc_column(nullable=True)
    answer_by: datetime | None = utc_column(nullable=True)
    accepted_at: datetime | None = utc_column(nullable=True)
    confirm_by: datetime | None = utc_column(nullable=True)
    ended_at: datetime | None = utc_column(nullable=True)
    end_reason: str | None = Field(default=None, max_length=2000)

    @property
    def stream(self) -> str:
        return self.ref

    @property
    def is_live(self) -> bool:
        return self.state in LIVE and self.ended_at is None

    @property
    def due(self) -> datetime | None:
        """When what is asked of the provider now must be there: its answer, or its confirmation."""
        return {_A.OFFERED: self.answer_by, _A.ACCEPTED: self.confirm_by}.get(self.state)

    @property
    def approved_by(self) -> tuple[str, ...]:
        """Who said yes; among `approvals` stands also who asked for the award to be overturned."""
        return tuple(one["by"] for one in self.approvals if "overturn" not in one)


def award_of(session: Session, ref: str, actor: Actor) -> Award:
    """The award with this reference, if `actor` may know of it; a provider knows of none before it is offered."""
    found = find(session, Award, ref=ref)
    if found is None:
        raise NotFound(kind="award", ref=ref)
    actor.sees("award", ref, authority=found.authority, provider=found.provider)
    if actor.role is Role.PROVIDER and found.offered_at is None:
        raise NotFound(kind="award", ref=ref)
    return found


def live_award(session: Session, referral_id: int | None) -> Award | None:
    """The one award of a referral that has not fallen through."""
    query = select(Award).where(
        Award.referral_id == referral_id,
        col(Award.state).in_(LIVE),
        col(Award.ended_at).is_(None),
    )
    return session.exec(query).first()


def bundled_with(session: Session, award: Award) -> list[Award]:
    """The other live awards of the same bundle, in the order in which referrals are locked."""
    if award.bundle is None:
        return []
    query = select(Award).where(
        Award.bundle == award.bundle,
        Award.id != award.id,
        col(Award.state).in_(LIVE),
        col(Award.ended_at).is_(None),
    )
    return list(session.exec(query.order_by(col(Award.referral_id))).all())


def tried_providers(session: Session, round_id: int | None) -> set[str]:
    """Providers that already had an award of this round: they are not offered it twice."""
    return set(session.exec(select(Award.provider).where(Award.round_id == round_id)).all())
