"""A round that is decided or cancelled: its bids are marked, and every bidder is told that it can read its debrief."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam
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
    bids = _bids_of(session, round_, BidState.OPENED, BidState.INVALID)
    opened = [bid for bid in bids if bid.state is BidState.OPENED]
    winning = None if winner is None else winner.bid_id
    not_lost = {winning, *_still_in_play(session, [bid.id for bid in opened])}
    advance_all(session, [bid for bid in opened if bid.id == winning], "win", CLOCK, now)
    advance_all(session, [bid for bid in opened if bid.id not in not_lost], "lose", CLOCK, now)
    for bid in bids:
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
    sealed = _bids_of(session, round_, BidState.SEALED)
    advance_all(session, sealed, "lapse", CLOCK, now, facts={"cause": LapseCause.ROUND_CANCELLED})
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


def _still_in_play(session: Session, bids: Collection[int | None]) -> set[int]:
    """Those of these bids that stand for another round which is still to be decided: bundles."""
    return set(session.exec(_IN_PLAY, params={"bids": list(bids)})) if bids else set()


# Built once: each award that is confirmed asks it.
_IN_PLAY: Any = (
    select(BidRound.bid_id)
    .join(Round, col(Round.id) == col(BidRound.round_id))
    .where(
        col(BidRound.bid_id).in_(bindparam("bids", expanding=True)),
        col(Round.state).in_([RoundState.PUBLISHED, RoundState.CLOSED]),
    )
    .order_by(col(BidRound.id))
)
