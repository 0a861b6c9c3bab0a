"""A bidder's own copy of a sealed bid, readable in the browser that handed it in and nowhere else (law 2).

The copy is encrypted under 256 random bits that live in that browser's cookie alone; here lies the ciphertext, padded
like the bid itself. Another browser, a dump, an administrator, the worker: none of them can read it. It is a comfort
and no record: lost with the cookie, forgotten after 90 days.
"""

import json
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert
from sqlmodel import Field, Session, SQLModel, col, select

from bidding.bids.content import BidContent
from bidding.bids.records import Bid
from bidding.sealing.seal import pad, unpad
from bidding.tenders.content import AreaBid
from dps.kernel.columns import bytes_column, canonical_json, id_column, utc_column
from dps.kernel.ending import say
from dps.kernel.entropy import SystemEntropy
from dps.kernel.errors import Corrupted
from dps.kernel.keys import SecretBox
from web.api.guards import Connection
from web.pages.cookies import copies_key

KEPT = timedelta(days=90)


class OwnCopy(SQLModel, table=True):
    """The ciphertext of one bid's copy."""

    __tablename__ = "own_copy"

    id: int | None = id_column()
    bid: str = Field(unique=True, max_length=24)
    sealed: bytes = bytes_column()
    kept_at: datetime = utc_column(index=True)


def browser_key(connection: Connection) -> bytes:
    """The key that this browser brought along, or 256 random bits for one that has none yet."""
    return copies_key(connection) or SystemEntropy().token(32)


def keep(session: Session, key: bytes, *, bid: str, content: BidContent | AreaBid, now: datetime) -> None:
    """Keep what is bid for this browser alone, in the transaction that takes the bid in."""
    plain = pad(canonical_json(content.to_dict()).encode())
    say(session, _store, {"bid": bid, "sealed": SecretBox(key).seal(plain, about=_about(bid)), "kept_at": now})


def _store(session: Session, copies: list[dict[str, Any]]) -> None:
    """Old copies are forgotten by the way."""
    oldest = min(copy["kept_at"] for copy in copies) - KEPT
    session.execute(delete(OwnCopy).where(col(OwnCopy.kept_at) < oldest))
    session.connection().execute(insert(OwnCopy), copies)


def copy_of(session: Session, key: bytes | None, bid: str) -> BidContent | None:
    """What this browser bid for packages; None where it has no key, another one, or there is no copy.

    A bid that was handed over to a closing that is asked again says what it said.
    """
    said = _read(session, key, bid)
    if said is None and key is not None:
        before = session.exec(select(Bid.handed_over_from).where(Bid.ref == bid)).first()
        said = _read(session, key, before) if before else None
    return None if said is None else BidContent.from_dict(said)


def area_copy_of(session: Session, key: bytes | None, bid: str) -> AreaBid | None:
    """The same of a bid for an area."""
    said = _read(session, key, bid)
    return None if said is None else AreaBid.from_dict(said)


def is_kept(session: Session, bid: str) -> bool:
    """Whether there is a copy: a form that is sent twice is answered twice, and kept once."""
    return session.exec(select(OwnCopy.id).where(OwnCopy.bid == bid)).first() is not None


def _read(session: Session, key: bytes | None, bid: str) -> Any:
    row = None if key is None else session.exec(select(OwnCopy).where(OwnCopy.bid == bid)).first()
    if row is None or key is None:
        return None
    try:
        return json.loads(unpad(SecretBox(key).open(row.sealed, about=_about(bid))))
    except Corrupted:
        # Handed in from another browser, whose key this one is not.
        return None


def _about(bid: str) -> str:
    return f"own copy {bid}"
