"""What a decided or cancelled round tells its bidders: the debrief (law 8).

A loser reads its own score by criterion, its rank of how many, the main reason, and the winner's band, never a
rival's price. No debrief goes out before the round is over.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from bidding.awards.records import Award, AwardState
from bidding.bids.records import Bid, BidRound, BidState, ScoredBid
from bidding.referrals import Referral
from bidding.rounds import Round, RoundState, invitations_of
from dps.kernel.actors import CLOCK, Actor
from dps.kernel.errors import NotFound, PriceStillSealed
from dps.kernel.outbox import post
from dps.kernel.ports import Ports
from dps.kernel.states import advance, advance_all

_BANDS = ((95_000, "95 or more"), (85_000, "85 to 95"), (70_000, "70 to 85"), (0, "below 70"))


@dataclass(frozen=True, slots=True)
class Debrief:
    """What one bidder may know of a decided round; points out of 100, in thousandths."""

    bid: str
    won: bool
    is_valid: bool
    reasons: tuple[str, ...]
    price_points: int
    quality_points: int
    total_points: int
    rank: int | None
    of: int
    winner_band: str | None
    main_reason: str


def conclude_bids(session: Session, ports: Ports, round_: Round, now: datetime, *, winner: Award | None) -> None:
    """Mark the bids of a decided round and tell every bidder that its debrief can be read."""
    for bid in _bids_of(session, round_, BidState.OPENED, BidState.INVALID):
        if bid.state is BidState.OPENED:
            if winner is not None and winner.bid_id == bid.id:
                advance(session, bid, "win", CLOCK, now)
            elif not _still_in_play(session, bid):
                advance(session, bid, "lose", CLOCK, now)
        post(
            session,
            ports.entropy,
            recipient=f"provider:{bid.provider}",
            kind="debrief_ready",
            about=bid.ref,
            now=now,
            facts={"round": round_.ref},
        )
    lapse_invitations(session, round_, now)


def cancel_round(session: Session, ports: Ports, round_: Round, now: datetime, *, reason: str) -> None:
    """End a round before anybody was awarded it: sealed bids lapse unopened, opened ones are told, so are the invited.

    The caller holds the round's lock. `reason` is one of the engine's own sentences, not what somebody wrote.
    """
    advance(session, round_, "cancel", CLOCK, now, facts={"reason": reason})
    for bid in _bids_of(session, round_, BidState.SEALED):
        advance(session, bid, "lapse", CLOCK, now, facts={"cause": "the round was cancelled"})
    conclude_bids(session, ports, round_, now, winner=None)
    for invitation in invitations_of(session, round_.id):
        recipient = f"provider:{invitation.provider}"
        post(session, ports.entropy, recipient=recipient, kind="round_cancelled", about=round_.ref, now=now)


def _bids_of(session: Session, round_: Round, *states: BidState) -> Sequence[Bid]:
    query = (
        select(Bid)
        .join(BidRound, col(BidRound.bid_id) == col(Bid.id))
        .where(BidRound.round_id == round_.id, col(Bid.state).in_(states))
        .order_by(col(Bid.id))
    )
    return session.exec(query).all()


def lapse_invitations(session: Session, round_: Round, now: datetime) -> None:
    invitations = invitations_of(session, round_.id)
    unanswered = [one for one in invitations if one.STEPS.allows(one.state, "lapse")]
    advance_all(session, unanswered, "lapse", CLOCK, now)


def _still_in_play(session: Session, bid: Bid) -> bool:
    """Whether another round of this bundle is still to be decided."""
    query = (
        select(Round.id)
        .join(BidRound, col(BidRound.round_id) == col(Round.id))
        .where(BidRound.bid_id == bid.id, col(Round.state).in_([RoundState.PUBLISHED, RoundState.CLOSED]))
    )
    return session.exec(query).first() is not None


def debrief(session: Session, *, bid_ref: str, round_ref: str, actor: Actor) -> Debrief:
    """One bidder's debrief of one round that is over; PriceStillSealed before that.

    NotFound for any other provider or authority, and for a bid that was never scored.
    """
    query = (
        select(Bid, Round, Referral.authority)
        .join(BidRound, col(BidRound.bid_id) == col(Bid.id))
        .join(Round, col(Round.id) == col(BidRound.round_id))
        .join(Referral, col(Referral.id) == col(Round.referral_id))
        .where(Bid.ref == bid_ref, Round.ref == round_ref)
    )
    found = session.exec(query).first()
    if found is None:
        raise NotFound(kind="bid", ref=bid_ref)
    bid, round_, authority = found
    actor.sees("bid", bid_ref, authority=authority, provider=bid.provider)
    if round_.state not in (RoundState.DECIDED, RoundState.CANCELLED):
        raise PriceStillSealed()
    scores = session.exec(select(ScoredBid).where(ScoredBid.round_id == round_.id)).all()
    own = next((score for score in scores if score.bid_id == bid.id), None)
    if own is None:
        raise NotFound(kind="bid", ref=bid_ref)
    awards = session.exec(select(Award).where(Award.round_id == round_.id).order_by(col(Award.id))).all()
    award = next((one for one in awards if one.state is AwardState.CONFIRMED), None)
    offered = next((one for one in awards if one.bid_id == bid.id and one.state in _LET_GO), None)
    best = next((score for score in scores if award is not None and score.bid_id == award.bid_id), None)
    won = award is not None and award.bid_id == bid.id
    return Debrief(
        bid=bid.ref,
        won=won,
        is_valid=own.is_valid,
        reasons=tuple(own.reasons),
        price_points=own.price_points,
        quality_points=own.quality_points,
        total_points=own.total_points,
        rank=own.rank,
        of=sum(1 for score in scores if score.is_valid),
        winner_band=band_of(best.total_points) if best else None,
        main_reason="You were awarded this package." if won else _main_reason(round_, own, best, award, offered),
    )


def band_of(points: int) -> str:
    """The band of a score: close enough to learn from, too wide to work a price back."""
    return next(words for least, words in _BANDS if points >= least)


_LET_GO = {
    AwardState.DECLINED: "This package was offered to you, and you said no.",
    AwardState.EXPIRED: "This package was offered to you, and you did not answer in time.",
    AwardState.RETURNED: "This package was offered to you, and you gave it back.",
    AwardState.REFUSED_BY_PERSON: "This package was offered to you, and the person chose otherwise.",
    AwardState.OVERTURNED: "This package was proposed for you, and the council decided otherwise.",
}


def _main_reason(
    round_: Round, own: ScoredBid, best: ScoredBid | None, award: Award | None, offered: Award | None
) -> str:
    """Why a bid was not awarded. `offered` is the award that came to it and to no contract."""
    if round_.state is RoundState.CANCELLED:
        return "The round was cancelled before anybody was awarded this package."
    if not own.is_valid:
        return "Your bid was not valid: " + " ".join(own.reasons)
    if offered is not None:
        return _LET_GO[offered.state]
    if award is None:
        return "Nobody was awarded this package in this round."
    if best is None:
        return "The package was placed without a competing bid of this round."
    if best.price_points > own.price_points and best.price_points - own.price_points >= (
        best.quality_points - own.quality_points
    ):
        return "The successful bid had the better price."
    if best.quality_points > own.quality_points:
        return "The successful bid scored higher on quality."
    if (own.rank or 0) == (best.rank or 0):
        return "Bids were equal; the published tie-break decided."
    return "Your bid ranked as well or better, but awarding it would have broken a capacity, share or take limit."
