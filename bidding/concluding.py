"""A round that is decided or cancelled: its bids are marked, and every bidder is told that it can read its debrief."""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from bidding.awards.records import Award
from bidding.bids.records import Bid, BidRound, BidState, LapseCause
from bidding.rounds import Round, RoundState, invitations_of
from dps.kernel.actors import CLOCK
from dps.kernel.outbox import post
from dps.kernel.ports import Ports
from dps.kernel.states import advance, advance_all


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
        advance(session, bid, "lapse", CLOCK, now, facts={"cause": LapseCause.ROUND_CANCELLED})
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
