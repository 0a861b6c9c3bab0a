"""What custodians look at: the closings that wait for shares, who has given theirs, and who is missing."""

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from bidding.closings import Closing, ClosingState
from bidding.custody import Custodian, CustodyRelease, keeps, sought_in
from bidding.unkept import waits_until
from dps.kernel.actors import Actor
from dps.kernel.database import find_all
from dps.kernel.errors import NotFound


@dataclass(frozen=True, slots=True)
class Holding:
    """One custodian of a closing: whether its shares were handed in, and whether the reader may carry them."""

    custodian: str
    holder: str
    given_at: datetime | None
    is_own: bool


@dataclass(frozen=True, slots=True)
class HeldClosing:
    """A closing whose bids open with the help of custodians.

    `usable` shares held at the last try, if any was made; `is_tried`, with all that were handed in.
    """

    closing: str
    scheme: str
    closes_at: datetime
    state: ClosingState
    needed: int
    usable: int | None
    is_tried: bool
    sought: tuple[str, ...]
    holders: tuple[Holding, ...]

    @property
    def given(self) -> int:
        return sum(1 for one in self.holders if one.given_at is not None)


def held_closings(session: Session, actor: Actor, *, ref: str | None = None) -> list[HeldClosing]:
    """Those that are still shut, to an administrator of their council and to each of their custodians, the first first.

    `ref` looks for one, whatever its state.
    """
    query = select(Closing).where(col(Closing.custody).is_not(None))
    if ref is not None:
        query = query.where(Closing.ref == ref)
    else:
        query = query.where(col(Closing.state).in_((ClosingState.GATHERING, ClosingState.CLOSED)))
    closings = session.exec(query.order_by(col(Closing.closes_at), col(Closing.id))).all()
    held = {one.ref for closing in closings for one in closing.holders}
    custodians = {one.ref: one for one in find_all(session, Custodian, ref=held)} if held else {}
    ids = [closing.id for closing in closings]
    given = {
        (row.closing_id, row.custodian): row.handed_in_at
        for row in (find_all(session, CustodyRelease, closing_id=ids) if ids else ())
    }
    found = []
    for closing in closings:
        sought = sought_in(session, closing.id)
        is_keeper = keeps(actor, sought)
        holders = tuple(
            Holding(
                custodian=one.ref,
                holder=custodians[one.ref].holder,
                given_at=given.get((closing.id or 0, one.ref)),
                is_own=is_keeper or custodians[one.ref].account == actor.ref,
            )
            for one in closing.holders
        )
        if any(one.is_own for one in holders):
            found.append(
                HeldClosing(
                    closing=closing.ref,
                    scheme=closing.scheme,
                    closes_at=closing.closes_at,
                    state=closing.state,
                    needed=closing.custodians_needed,
                    usable=closing.shares_usable,
                    # What waits for a broker is not tried with the shares.
                    is_tried=closing.wakes_at is not None and waits_until(session, closing) is None,
                    sought=tuple(about for _, about in sought),
                    holders=holders,
                )
            )
    return found


def held_closing(session: Session, actor: Actor, ref: str) -> HeldClosing:
    """One of them; NotFound to everybody who carries no share of it."""
    found = held_closings(session, actor, ref=ref)
    if not found:
        raise NotFound(kind="closing", ref=ref)
    return found[0]
