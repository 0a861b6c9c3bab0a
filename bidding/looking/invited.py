"""What a provider sees of the rounds it is asked in, and of its own bids."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import or_
from sqlmodel import Session, col, select

from bidding.bids.records import Bid, BidRound
from bidding.closings import Closing
from bidding.first_visit import days_offered
from bidding.looking.pages import PAGE, behind, turned
from bidding.rounds import Invitation, InvitationState, Round, RoundState
from dps.kernel.actors import Actor

_ASKED = (InvitationState.INVITED, InvitationState.ACCEPTED, InvitationState.DECLINED)


@dataclass(frozen=True, slots=True)
class Opportunity:
    """A round that a provider is asked in, open now. `published_part` lacks the confirmed words: `stages.shown`.

    `travel` is how near it lay to the provider's own round when it was asked (`bidding/fit`). A bid offers its first
    visit from `first_visit_from` to `first_visit_until`: of the days that were wanted those left at the closing.
    """

    round: str
    scheme: str
    lot: str
    locality: str
    mode: str
    stage: str
    version: int
    opens_at: datetime
    closes_at: datetime | None
    closing: str | None
    invitation: str
    travel: str | None
    first_visit_from: date | None
    first_visit_until: date | None
    published_part: dict[str, Any]


def opportunities(
    session: Session,
    actor: Actor,
    now: datetime,
    *,
    ref: str | None = None,
    refs: Collection[str] | None = None,
    after: str | None = None,
    most: int = PAGE,
    scheme: str | None = None,
    lot: str | None = None,
    locality: str | None = None,
    closes_before: datetime | None = None,
) -> list[Opportunity]:
    """The open rounds this provider is asked in; `ref` looks for one, `refs` for several, the rest narrows the list."""
    query = (
        select(Round, Invitation.state, Invitation.travel, Closing.ref)
        .join(Invitation, col(Invitation.round_id) == col(Round.id))
        .outerjoin(Closing, col(Closing.id) == col(Round.closing_id))
        .where(
            Invitation.provider == actor.provider,
            col(Invitation.state).in_(_ASKED),
            col(Round.state) == RoundState.PUBLISHED,
            or_(col(Round.closes_at).is_(None), col(Round.closes_at) > now),
            behind(Round, after),
        )
        .order_by(col(Round.id))
        .limit(most)
    )
    if ref is not None:
        query = query.where(Round.ref == ref)
    if refs is not None:
        query = query.where(col(Round.ref).in_(refs))
    if scheme is not None:
        query = query.where(Round.scheme == scheme)
    if lot is not None:
        query = query.where(Round.lot == lot)
    if locality is not None:
        query = query.where(Round.locality == locality)
    if closes_before is not None:
        query = query.where(col(Round.closes_at) < closes_before)
    found = [(*row, *days_offered(row[0].published_part, row[0].closes_at or now)) for row in session.exec(query)]
    return [
        Opportunity(
            round=round_.ref,
            scheme=round_.scheme,
            lot=round_.lot,
            locality=round_.locality,
            mode=round_.mode,
            stage=round_.stage_key,
            version=round_.version,
            opens_at=round_.opens_at,
            closes_at=round_.closes_at,
            closing=closing,
            invitation=invitation,
            travel=travel,
            first_visit_from=earliest,
            first_visit_until=latest,
            published_part=round_.published_part,
        )
        for round_, invitation, travel, closing, earliest, latest in found
    ]


def unanswered(found: Iterable[Opportunity], answered: Collection[str]) -> list[Opportunity]:
    """Those still to be answered. `answered` names the rounds that were bid for, or of which an offer waits."""
    return [one for one in found if one.round not in answered and one.invitation == InvitationState.INVITED]


@dataclass(frozen=True, slots=True)
class OwnBid:
    """A bid as its own bidder may see it again: everything but what it says.

    `is_typed` by a broker at the telephone: it counts only if it `is_confirmed`. `handed_over_from` is the bid of a
    closing that was asked again, in whose place it stands. `why_unread` says in words why it was never opened, or could
    not be read; None of any other, and where `answered.with_reasons` was not asked.
    """

    bid: str
    state: str
    rounds: list[str]
    closing: str
    closes_at: datetime
    received_at: datetime
    valid_until: datetime
    receipt: dict[str, Any]
    is_typed: bool
    is_confirmed: bool
    handed_over_from: str | None
    why_unread: str | None = None


def own_bids(
    session: Session,
    actor: Actor,
    *,
    ref: str | None = None,
    refs: Collection[str] | None = None,
    after: str | None = None,
    most: int = PAGE,
    last_first: bool = False,
) -> list[OwnBid]:
    """This provider's bids, replaced and withdrawn ones too, in the order they were received or the other way."""
    turn = turned(Bid, after, last_first=last_first)
    query = (
        select(  # type: ignore[call-overload]
            Bid.ref,
            Bid.state,
            Bid.received_at,
            Bid.valid_until,
            Bid.receipt,
            Bid.typed_by,
            Bid.confirmed_at,
            Bid.handed_over_from,
            Closing.closes_at,
        )
        .join(Closing, col(Closing.id) == col(Bid.closing_id))
        .where(Bid.provider == actor.provider, turn.rows)
        .order_by(turn.order)
        .limit(most)
    )
    if ref is not None:
        query = query.where(Bid.ref == ref)
    if refs is not None:
        query = query.where(col(Bid.ref).in_(refs))
    return [
        OwnBid(
            bid=found.ref,
            state=str(found.state),
            rounds=found.receipt["rounds"],
            closing=found.receipt["closing"],
            closes_at=found.closes_at,
            received_at=found.received_at,
            valid_until=found.valid_until,
            receipt=found.receipt,
            is_typed=found.typed_by is not None,
            is_confirmed=found.confirmed_at is not None,
            handed_over_from=found.handed_over_from,
        )
        for found in session.exec(query)
    ]


@dataclass(frozen=True, slots=True)
class BidPackage:
    """What a bid is for, as it was published: the round, the service, the area and the week."""

    round: str
    lot: str
    locality: str
    weekly_minutes: int


def packages_of(session: Session, actor: Actor, bids: Collection[str]) -> dict[str, list[BidPackage]]:
    """By bid of this provider, the packages that it is for, in one query."""
    query = (
        select(Bid.ref, Round.ref, Round.lot, Round.locality, Round.published_part)  # type: ignore[call-overload]
        .join(BidRound, col(BidRound.bid_id) == col(Bid.id))
        .join(Round, col(Round.id) == col(BidRound.round_id))
        .where(col(Bid.ref).in_(bids), Bid.provider == actor.provider)
        .order_by(col(Bid.id), col(Round.id))
    )
    found: dict[str, list[BidPackage]] = {}
    for bid, round_, lot, locality, part in session.exec(query):
        found.setdefault(bid, []).append(BidPackage(round_, lot, locality, part["weekly_minutes"]))
    return found
