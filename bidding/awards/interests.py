"""Who may not decide a round: who typed a bid of it, and who declared an interest in one of its providers (law 9)."""

from enum import StrEnum

from sqlmodel import Session, col, select

from bidding.bids.records import Bid, BidRound
from bidding.rounds import Invitation, Round
from dps.kernel.actors import Actor
from dps.kernel.errors import NeedsSecondPerson
from dps.register.interests import Interest


class Bar(StrEnum):
    """Why somebody may not decide a round."""

    TYPED = "typed"
    TIED = "tied"


def refuse_interested(session: Session, round_: Round, actor: Actor, step: str, *providers: str) -> None:
    """Refuse who typed a bid of this round, or has an interest in one of those invited or in one of `providers`."""
    if bar_of(session, round_, actor, *providers) is not None:
        raise NeedsSecondPerson(actor=actor.ref, step=step)


def bar_of(session: Session, round_: Round, actor: Actor, *providers: str) -> Bar | None:
    """What keeps this person from deciding about the round; None where nothing does."""
    typed = (
        select(Bid.id)
        .join(BidRound, col(BidRound.bid_id) == col(Bid.id))
        .where(BidRound.round_id == round_.id, Bid.typed_by == actor.ref)
    )
    invited = select(Invitation.provider).where(Invitation.round_id == round_.id)
    interested = select(Interest.id).where(
        Interest.account == actor.ref,
        col(Interest.provider).in_(invited) | col(Interest.provider).in_(providers),
    )
    if session.exec(typed).first() is not None:
        return Bar.TYPED
    return Bar.TIED if session.exec(interested).first() is not None else None
