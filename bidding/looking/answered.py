"""What a provider has answered and holds: its live bids by round, what it was offered, what it agreed to."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, or_, select

from bidding.awards.records import Award, award_of
from bidding.bids.records import Bid, BidRound, BidState, LapseCause, ScoredBid
from bidding.looking.invited import OwnBid
from bidding.looking.pages import PAGE, turned
from bidding.rounds import Round, RoundState
from bidding.stages import shown
from dps.contracts.contracts import Contract
from dps.kernel.actors import Actor, Role
from dps.kernel.audit import AuditEvent
from dps.kernel.ports import Ports


@dataclass(frozen=True, slots=True)
class LiveBid:
    """A sealed bid that stands for a round; `is_current` is False where the referral was amended after it came in."""

    bid: str
    received_at: datetime
    is_current: bool


def live_bids(session: Session, actor: Actor) -> dict[str, LiveBid]:
    """This provider's sealed bids, by the round that each is for; what a broker typed is none until it is confirmed."""
    query = (
        select(Round.ref, Round.version, BidRound.version, Bid.ref, Bid.received_at)  # type: ignore[call-overload]
        .join(BidRound, col(BidRound.round_id) == col(Round.id))
        .join(Bid, col(Bid.id) == col(BidRound.bid_id))
        .where(
            Bid.provider == actor.provider,
            col(Bid.state) == BidState.SEALED,
            or_(col(Bid.typed_by).is_(None), col(Bid.confirmed_at).is_not(None)),
        )
        .order_by(col(Bid.id))
    )
    return {
        round_: LiveBid(bid=bid, received_at=received_at, is_current=asked == answered)
        for round_, asked, answered, bid, received_at in session.exec(query)
    }


def typed_to_confirm(session: Session, actor: Actor) -> list[str]:
    """The bids that a broker typed for this provider and that count only once it confirms them."""
    query = select(Bid.ref).where(
        Bid.provider == actor.provider,
        col(Bid.state) == BidState.SEALED,
        col(Bid.typed_by).is_not(None),
        col(Bid.confirmed_at).is_(None),
    )
    return list(session.exec(query.order_by(col(Bid.id))))


WHY_LAPSED = {
    LapseCause.ANOTHER_VERSION: "The package was amended or withdrawn after this bid, which is for what it was before.",
    LapseCause.BARRED: "By the closing you could no longer take part. Your service page says what keeps you away.",
    LapseCause.NOT_CONFIRMED: "You did not confirm what the council typed before the closing.",
    LapseCause.ROUND_CANCELLED: "The round was cancelled before its bids were opened.",
    LapseCause.ASKED_AGAIN: "We lost a bid that was in time: everybody was asked again, and this one was handed over.",
    LapseCause.TENDER_CANCELLED: "The tender was cancelled before its bids were opened.",
}


def with_reasons(session: Session, actor: Actor, bids: Sequence[OwnBid]) -> list[OwnBid]:
    """The same bids of this provider, each that was never opened with the reason (law 8)."""
    unread = why_unread(session, actor, [bid.bid for bid in bids if bid.state in (BidState.LAPSED, BidState.INVALID)])
    return [replace(bid, why_unread=unread.get(bid.bid)) for bid in bids]


def why_unread(session: Session, actor: Actor, bids: Collection[str]) -> dict[str, str]:
    """Why these bids of the provider were never read: they lapsed unopened, or could not be read; nothing of any other.

    What bars a provider is not named here: it may be confidential.
    """
    if not bids:
        return {}
    query = (
        select(AuditEvent, Bid.ref)
        .join(Bid, col(Bid.invitation_ref) == col(AuditEvent.stream))
        .where(
            col(Bid.ref).in_(bids),
            Bid.provider == actor.provider,
            col(AuditEvent.kind).in_(("bid.lapse", "bid.reject")),
        )
        .order_by(col(AuditEvent.id), col(Bid.id))
    )
    ends = {ref: event for event, ref in session.exec(query) if event.body["ref"] == ref}
    return {ref: _why(event) for ref, event in ends.items()}


def _why(event: AuditEvent) -> str:
    if event.kind == "bid.reject":
        return "It could not be read at the opening."
    return WHY_LAPSED[LapseCause(event.body["cause"])]


def debriefs(session: Session, actor: Actor, bid: str) -> list[str]:
    """The rounds of this provider's bid that are over and of which a debrief can be read."""
    query = (
        select(Round.ref)
        .join(ScoredBid, col(ScoredBid.round_id) == col(Round.id))
        .join(Bid, col(Bid.id) == col(ScoredBid.bid_id))
        .where(
            Bid.ref == bid,
            Bid.provider == actor.provider,
            col(Round.state).in_([RoundState.DECIDED, RoundState.CANCELLED]),
        )
        .order_by(col(Round.id))
    )
    return list(session.exec(query))


def awarded_part(session: Session, ports: Ports, award_ref: str, actor: Actor) -> dict[str, Any]:
    """What was published of an awarded package, to its winner and its authority; NotFound to everybody else."""
    award: Award = award_of(session, award_ref, actor)
    round_ = session.get(Round, award.round_id)
    assert round_ is not None
    return shown(session, ports, round_)


@dataclass(frozen=True, slots=True)
class SeenContract:
    """A contract as its provider or its authority sees it."""

    contract: str
    award: str
    authority: str
    provider: str
    state: str
    lot: str
    locality: str
    weekly_minutes: int
    weekly_pence: int
    agreed_at: datetime
    starts_on: date
    started_on: date | None
    last_day: date | None


def contracts(
    session: Session, actor: Actor, *, ref: str | None = None, after: str | None = None, last_first: bool = False
) -> list[SeenContract]:
    """To a provider its own contracts, to an office those of its authority, in the order they were agreed or back."""
    turn = turned(Contract, after, last_first=last_first)
    query = select(Contract).where(turn.rows).order_by(turn.order).limit(PAGE)
    if actor.role is Role.PROVIDER:
        query = query.where(Contract.provider == actor.provider)
    else:
        query = query.where(Contract.authority == actor.authority)
    if ref is not None:
        query = query.where(Contract.ref == ref)
    return [
        SeenContract(
            contract=row.ref,
            award=row.award_ref,
            authority=row.authority,
            provider=row.provider,
            state=str(row.state),
            lot=row.lot,
            locality=row.locality,
            weekly_minutes=row.weekly_minutes,
            weekly_pence=row.weekly_pence,
            agreed_at=row.agreed_at,
            starts_on=row.starts_on,
            started_on=row.started_on,
            last_day=row.last_day,
        )
        for row in session.exec(query)
    ]
