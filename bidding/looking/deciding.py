"""What an office decides from: a round's opened bids side by side with their workings, and who was asked.

Bids have rows here only once their closing was opened: before that there is nothing to look at, for anybody.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, select

from bidding.allocation.runs import AllocationRun
from bidding.awards.interests import Bar, bar_of
from bidding.awards.line import approvals_needed, standing_bids
from bidding.awards.offering import round_of_award
from bidding.awards.records import Award, Source, award_of
from bidding.bids.answers import Answer, answer_of, has_bid_at_closing
from bidding.bids.content import BidContent, ExceptionalReason
from bidding.bids.records import Bid, OpenedBid, ScoredBid
from bidding.rounds import Invitation, Round, RoundState
from dps.kernel.actors import Actor, Role
from dps.register.providers import Provider
from dps.schemes.stored import rules_by_hash


@dataclass(frozen=True, slots=True)
class SeenBid:
    """One opened and scored bid. Points are thousandths of 100.

    `stands` says that it can still be awarded instead; `reserve` is its place among those, from 1.
    """

    bid: str
    provider: str
    name: str
    is_valid: bool
    reasons: tuple[str, ...]
    flags: tuple[str, ...]
    weekly_pence: int
    weekly_minutes: int
    price_points: int
    quality_points: int
    total_points: int
    rank: int | None
    starts_on: date
    exceptional_reason: ExceptionalReason | None
    workings: dict[str, Any]
    stands: bool
    reserve: int | None


@dataclass(frozen=True, slots=True)
class Decision:
    """An award as an office decides on it. `asked_to_overturn` holds who asked, and for which bid instead if any.

    Once it is overturned, the last who asked is who agreed.

    `bid` is the one that the award is of, None where it went round the competition; `tried` gives the states of the
    round's earlier awards by provider; `bar` is what keeps whoever looks from deciding it.
    """

    award: str
    round: str
    bid: str | None
    tried: dict[str, str]
    source: str
    reason: str | None
    approvals_needed: int
    approved_by: tuple[str, ...]
    asked_to_overturn: tuple[tuple[str, str | None], ...]
    bids: tuple[SeenBid, ...]
    advice: dict[str, Any] | None
    bar: Bar | None


def decision(session: Session, *, award_ref: str, actor: Actor, now: datetime) -> Decision:
    """Everything that an award is decided from; NotFound to another authority, Forbidden to a provider."""
    actor.needs("decide on an award", Role.BROKER, Role.APPROVER)
    award = award_of(session, award_ref, actor)
    round_ = round_of_award(session, award)
    return Decision(
        award=award.ref,
        round=round_.ref,
        bid=session.exec(select(Bid.ref).where(Bid.id == award.bid_id)).first() if award.bid_id else None,
        tried=_tried(session, award),
        source=award.source,
        reason=award.reason,
        approvals_needed=_needed(session, award, round_),
        approved_by=award.approved_by,
        asked_to_overturn=tuple((one["by"], one["instead"]) for one in award.approvals if "overturn" in one),
        bids=_bids(session, round_, now),
        advice=_advice(session, round_),
        bar=bar_of(session, round_, actor, award.provider),
    )


def _needed(session: Session, award: Award, round_: Round) -> int:
    return approvals_needed(
        rules_by_hash(session, round_.rule_hash).award,
        weekly_pence=award.weekly_pence,
        needs_person=award.needs_person,
        source=Source(award.source),
    )


def _bids(session: Session, round_: Round, now: datetime) -> tuple[SeenBid, ...]:
    """The valid ones in order of rank, then the others."""
    in_order = [bid.ref for _, bid in standing_bids(session, round_, now)] if round_.closing_id is not None else []
    reserves = {ref: place for place, ref in enumerate(in_order, start=1)}
    query = (
        select(ScoredBid, Bid, OpenedBid, Provider.name)
        .join(Bid, col(Bid.id) == col(ScoredBid.bid_id))
        .join(OpenedBid, col(OpenedBid.bid_id) == col(Bid.id))
        .join(Provider, col(Provider.ref) == col(Bid.provider))
        .where(ScoredBid.round_id == round_.id)
        .order_by(col(ScoredBid.rank).is_(None), col(ScoredBid.rank), col(Bid.id))
    )
    found = []
    for scored, bid, opened, name in session.exec(query):
        content = BidContent.from_dict(opened.content)
        found.append(
            SeenBid(
                bid=bid.ref,
                provider=bid.provider,
                name=name,
                is_valid=scored.is_valid,
                reasons=tuple(scored.reasons),
                flags=tuple(scored.flags),
                weekly_pence=scored.weekly_pence,
                weekly_minutes=scored.weekly_minutes,
                price_points=scored.price_points,
                quality_points=scored.quality_points,
                total_points=scored.total_points,
                rank=scored.rank,
                starts_on=content.starts_on,
                exceptional_reason=content.exceptional_reason,
                workings=scored.workings,
                stands=bid.ref in reserves,
                reserve=reserves.get(bid.ref),
            )
        )
    return tuple(found)


def _tried(session: Session, award: Award) -> dict[str, str]:
    query = select(Award.provider, Award.state).where(Award.round_id == award.round_id, Award.id != award.id)
    return {provider: str(state) for provider, state in session.exec(query.order_by(col(Award.id)))}


def _advice(session: Session, round_: Round) -> dict[str, Any] | None:
    """What a joint allocation would have given, where the scheme shows it: labelled, and never awarded."""
    query = select(AllocationRun.advice).where(AllocationRun.closing_id == round_.closing_id)
    found: dict[str, Any] | None = session.exec(query).first() if round_.closing_id is not None else None
    return found


@dataclass(frozen=True, slots=True)
class Asked:
    """One provider that was asked in a round, and what it answered."""

    invitation: str
    provider: str
    name: str
    position: int
    answer: Answer
    answered_at: datetime | None


def asked(session: Session, round_ref: str) -> list[Asked]:
    """Who was asked, in the published order. The caller has made sure that its actor may see the referral."""
    query = (
        select(Invitation, Round.state, Provider.name, has_bid_at_closing())
        .join(Round, col(Round.id) == col(Invitation.round_id))
        .join(Provider, col(Provider.ref) == col(Invitation.provider))
        .where(Round.ref == round_ref)
        .order_by(col(Invitation.position))
    )
    return [
        Asked(
            invitation=one.ref,
            provider=one.provider,
            name=name,
            position=one.position,
            answer=answer_of(one.state, RoundState(round_state), has_bid=has_bid),
            answered_at=one.answered_at,
        )
        for one, round_state, name, has_bid in session.exec(query)
    ]
