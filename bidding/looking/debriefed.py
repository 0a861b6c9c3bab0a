"""A bidder's debrief (law 8), and the trace of a look that came too early (law 2).

A loser reads its own score by criterion, its rank of how many, the main reason, and the winner's band, never a
rival's price. No debrief goes out before the round is over.
"""

from dataclasses import dataclass

from sqlmodel import Session, col, select

from bidding.allocation.runs import AllocationRun
from bidding.awards.records import Award, AwardState
from bidding.bids.records import Bid, BidRound, ScoredBid
from bidding.referrals import Referral
from bidding.rounds import Round, RoundState
from dps.kernel import audit
from dps.kernel.actors import Actor
from dps.kernel.database import Database
from dps.kernel.errors import NotFound, PriceStillSealed
from dps.kernel.ports import Ports
from matching import allocation as solver

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


def debrief_in(database: Database, ports: Ports, *, bid_ref: str, round_ref: str, actor: Actor) -> Debrief:
    """`debrief` in its own look; one that is refused because the round is undecided is an event of the bid's stream."""
    try:
        with database.reading() as session:
            return debrief(session, bid_ref=bid_ref, round_ref=round_ref, actor=actor)
    except PriceStillSealed:
        with database.transaction() as session:
            bid = session.exec(select(Bid).where(Bid.ref == bid_ref)).one()
            now = ports.clock.read(session)
            audit.append(session, bid.stream, "bid.look_refused", actor, now, {"ref": bid.ref, "round": round_ref})
        raise


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
    limit = None if won or offered is not None else _own_limit(session, round_, bid.provider)
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
        main_reason=_WON if won else _main_reason(round_, own, best, award, offered, limit),
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


_WON = "You were awarded this package."
_OWN_LIMITS = {
    "take limit": "Your own take limit left no room for this package beside what you had won and were offered.",
    "capacity": "Your free hours, by your own word, left no room for this package beside what you held already.",
}


def _own_limit(session: Session, round_: Round, provider: str) -> str | None:
    """Which of its own limits kept the closing's run from giving this provider the package."""
    query = select(AllocationRun).where(AllocationRun.closing_id == round_.closing_id)
    run = session.exec(query).first() if round_.closing_id is not None else None
    if run is None or run.answer is None:
        return None
    won = [package for package, holder, *_ in run.answer["awards"] if holder == provider]
    return solver.own_limit(solver.instance_from_json(run.instance), provider, round_.ref, won=won)


def _main_reason(
    round_: Round,
    own: ScoredBid,
    best: ScoredBid | None,
    award: Award | None,
    offered: Award | None,
    limit: str | None,
) -> str:
    """Why a bid was not awarded. `offered` is the award that came to it and to no contract, `limit` its own limit."""
    if round_.state is RoundState.CANCELLED:
        return "The round was cancelled before anybody was awarded this package."
    if not own.is_valid:
        return "Your bid was not valid: " + " ".join(own.reasons)
    if offered is not None:
        return _LET_GO[offered.state]
    if limit is not None and (best is None or _is_before(own, best)):
        return _OWN_LIMITS[limit]
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


def _is_before(own: ScoredBid, best: ScoredBid) -> bool:
    return own.rank is not None and best.rank is not None and own.rank < best.rank
