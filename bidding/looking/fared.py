"""How a provider's bids and offers fared: counts of what is over, and the share that was won. Own figures alone."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, func, select

from bidding.awards.records import Award, AwardState
from bidding.bids.records import Bid, BidRound, BidState
from bidding.rounds import Round
from dps.kernel.actors import Actor, Role

_OVER = (BidState.AWARDED, BidState.UNSUCCESSFUL, BidState.INVALID)


@dataclass(frozen=True, slots=True)
class Fared:
    """Of one service: bids that were decided, won, not valid. `won_percent` is cut, never rounded up."""

    lot: str
    decided: int
    won: int
    invalid: int

    @property
    def won_percent(self) -> int:
        return self.won * 100 // self.decided if self.decided else 0


def bids_fared(session: Session, actor: Actor, *, since: datetime) -> list[Fared]:
    """The decided ones of the bids received since then, by service; a bundle counts once for each of its services."""
    actor.needs("see how its bids fared", Role.PROVIDER)
    query = (
        select(Round.lot, Bid.state, func.count(func.distinct(col(Bid.id))))
        .join(BidRound, col(BidRound.bid_id) == col(Bid.id))
        .join(Round, col(Round.id) == col(BidRound.round_id))
        .where(Bid.provider == actor.provider, col(Bid.state).in_(_OVER), col(Bid.received_at) >= since)
        .group_by(Round.lot, Bid.state)
    )
    return by_lot(session.exec(query).all())


def by_lot(rows: Iterable[tuple[str, str, int]]) -> list[Fared]:
    """Counts by service and state as one line for each service, in order of its key."""
    counts: dict[str, dict[str, int]] = {}
    for lot, state, number in rows:
        counts.setdefault(lot, {})[str(state)] = number
    return [
        Fared(lot=lot, decided=sum(found.values()), won=found.get("awarded", 0), invalid=found.get("invalid", 0))
        for lot, found in sorted(counts.items())
    ]


def offers_fared(session: Session, actor: Actor, *, since: datetime) -> list[tuple[AwardState, int]]:
    """What became of the awards offered since then, in the order of the states."""
    actor.needs("see how its offers fared", Role.PROVIDER)
    query = (
        select(Award.state, func.count())
        .where(Award.provider == actor.provider, col(Award.offered_at) >= since)
        .group_by(col(Award.state))
    )
    found = dict(session.exec(query).all())
    return [(state, found[state]) for state in AwardState if state in found]
