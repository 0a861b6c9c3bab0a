"""A bidder's debrief, and the trace of a look that came too early (law 2)."""

from sqlmodel import select

from bidding.bids.records import Bid
from bidding.concluding import Debrief, debrief
from dps.kernel import audit
from dps.kernel.actors import Actor
from dps.kernel.database import Database
from dps.kernel.errors import PriceStillSealed
from dps.kernel.ports import Ports


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
