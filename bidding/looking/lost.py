"""What a broker sees of a closing of which a bid was lost: how many, until when it waits, and whom it concerns."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from bidding.closings import Closing, ClosingState
from bidding.deadline import has_part
from bidding.referrals import Referral
from bidding.rounds import Round, RoundState
from bidding.unkept import lost_of, waits_until
from dps.kernel.actors import Actor
from dps.kernel.database import find
from dps.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class SoughtHere:
    """One package of the closing, to its own authority."""

    referral: str
    lot: str
    locality: str
    urgency: str


@dataclass(frozen=True, slots=True)
class LostHere:
    """A closing and what was lost of it; `lost` is 0 once a broker has decided, or anything is open.

    `packages` are one's own; `others` counts those of other authorities. Whose bid it was is told to nobody.
    """

    closing: str
    closes_at: datetime
    lost: int
    waits_until: datetime | None
    packages: tuple[SoughtHere, ...]
    others: int


def lost_here(session: Session, closing_ref: str, actor: Actor) -> LostHere:
    """NotFound where this office has no round in the closing."""
    closing = find(session, Closing, ref=closing_ref)
    if closing is None or not has_part(session, closing, actor):
        raise NotFound(kind="closing", ref=closing_ref)
    query = (
        select(  # type: ignore[call-overload]
            Referral.authority, Referral.ref, Round.lot, Round.locality, Referral.urgency
        )
        .join(Round, col(Round.referral_id) == col(Referral.id))
        .where(Round.closing_id == closing.id, col(Round.state) == RoundState.CLOSED)
        .order_by(col(Round.id))
    )
    found = session.exec(query).all()
    own = tuple(SoughtHere(*rest) for authority, *rest in found if authority == actor.authority)
    is_shut = closing.state is ClosingState.CLOSED
    return LostHere(
        closing=closing.ref,
        closes_at=closing.closes_at,
        lost=len(lost_of(session, closing.id)) if is_shut else 0,
        waits_until=waits_until(session, closing) if is_shut else None,
        packages=own,
        others=len(found) - len(own),
    )
