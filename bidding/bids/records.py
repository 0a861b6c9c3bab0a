"""How bids are kept: sealed on receipt, opened by the worker, scored with their workings.

A bid's events go to its first invitation's stream; the closing's event carries the manifest of all of them.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import Index, Text, UniqueConstraint, inspect, text, type_coerce
from sqlmodel import Field, Session, SQLModel, col, select

from dps.kernel.actors import Role
from dps.kernel.columns import (
    Json,
    bytes_column,
    canonical_json,
    id_column,
    json_column,
    link_column,
    ref_column,
    state_column,
    utc_column,
    whole_column,
)
from dps.kernel.database import find_all
from dps.kernel.states import StateTable


class BidState(StrEnum):
    SEALED = "sealed"
    REPLACED = "replaced"
    WITHDRAWN = "withdrawn"
    LAPSED = "lapsed"
    OPENED = "opened"
    INVALID = "invalid"
    AWARDED = "awarded"
    UNSUCCESSFUL = "unsuccessful"


class LapseCause(StrEnum):
    """Why a sealed bid lapsed unopened, as the trail says it."""

    ANOTHER_VERSION = "the referral was amended or withdrawn"
    BARRED = "the provider may no longer take part"
    NOT_CONFIRMED = "its provider did not confirm what was typed"
    ROUND_CANCELLED = "the round was cancelled"
    ASKED_AGAIN = "we lost a bid that was here in time"
    TENDER_CANCELLED = "the tender was cancelled"


_S = BidState
_CLOCK = (Role.CLOCK,)
_LIVE = "state = 'sealed' AND (typed_by IS NULL OR confirmed_at IS NOT NULL)"
_PROVISIONAL = "state = 'sealed' AND typed_by IS NOT NULL AND confirmed_at IS NULL"


class Bid(SQLModel, table=True):
    """One sealed bid for one round, or for a bundle of rounds of one closing (all or nothing).

    `rounds_key` names the exact set of rounds; a provider has one live bid per set. What a broker has typed
    (`typed_by`) is provisional until its provider confirms it: it lies beside the provider's own live bid, and takes
    its place at the confirmation or lapses at the closing. `handed_over_from` is the bid of a closing that was asked
    again (`second_chance`), whose ciphertext this is.
    """

    __tablename__ = "bid"
    __table_args__ = (
        Index(
            "uq_bid_live",
            "provider",
            "rounds_key",
            unique=True,
            sqlite_where=text(_LIVE),
            postgresql_where=text(_LIVE),
        ),
        Index(
            "uq_bid_provisional",
            "provider",
            "rounds_key",
            unique=True,
            sqlite_where=text(_PROVISIONAL),
            postgresql_where=text(_PROVISIONAL),
        ),
        # In order of id: what one provider has sealed.
        Index("ix_bid_state_provider", "state", "provider"),
        Index("ix_bid_state_provider_rounds", "state", "provider", "rounds_key"),
    )
    STEPS: ClassVar[StateTable] = StateTable(
        "bid",
        _S.SEALED,
        (_S.SEALED, "replace", _S.REPLACED, (Role.PROVIDER, Role.BROKER)),
        (_S.SEALED, "withdraw", _S.WITHDRAWN, (Role.PROVIDER,)),
        (_S.SEALED, "lapse", _S.LAPSED, _CLOCK),
        (_S.SEALED, "open", _S.OPENED, _CLOCK),
        (_S.SEALED, "reject", _S.INVALID, _CLOCK),
        (_S.OPENED, "invalidate", _S.INVALID, _CLOCK),
        (_S.OPENED, "win", _S.AWARDED, _CLOCK),
        (_S.OPENED, "lose", _S.UNSUCCESSFUL, _CLOCK),
        (_S.AWARDED, "lose", _S.UNSUCCESSFUL, _CLOCK),
    )

    id: int | None = id_column()
    ref: str = ref_column()
    provider: str = Field(max_length=24, index=True)
    closing_id: int = link_column("closing.id")
    rounds_key: str = Field(max_length=64)
    invitation_ref: str = Field(max_length=24)
    state: BidState = state_column(BidState, index=False)
    received_at: datetime = utc_column()
    ciphertext: bytes = bytes_column()
    ciphertext_sha256: str = Field(max_length=64)
    commitment: str = Field(max_length=64)
    receipt: Any = json_column()
    valid_until: datetime = utc_column()
    typed_by: str | None = Field(default=None)
    confirmed_at: datetime | None = utc_column(nullable=True)
    handed_over_from: str | None = Field(default=None, max_length=24)

    @property
    def stream(self) -> str:
        return self.invitation_ref

    @property
    def is_provisional(self) -> bool:
        """Typed by a broker, and not confirmed by its provider."""
        return self.typed_by is not None and self.confirmed_at is None


class BidRound(SQLModel, table=True):
    """A round that a bid is for, and the version of the referral it answers."""

    __tablename__ = "bid_round"
    __table_args__ = (UniqueConstraint("bid_id", "round_id"),)

    id: int | None = id_column()
    bid_id: int = link_column("bid.id", index=False)
    round_id: int = link_column("round.id")
    version: int = whole_column()


class OpenedBid(SQLModel, table=True):
    """What a sealed bid said, written once, by the worker, after the closing.

    `content` with `nonce` is what was committed on receipt, so that a later change of it shows (`bidding.proof`).
    """

    __tablename__ = "opened_bid"

    id: int | None = id_column()
    bid_id: int = link_column("bid.id", unique=True)
    opened_at: datetime = utc_column()
    content: Any = json_column()
    nonce: str = Field(max_length=32)


class ScoredBid(SQLModel, table=True):
    """One opened bid's evaluation for one round, with the workings; points are thousandths of 100.

    `rank` counts from 1 among the valid bids of the round; equal bids share a rank and are parted by the ties.
    """

    __tablename__ = "scored_bid"
    __table_args__ = (UniqueConstraint("bid_id", "round_id"),)

    id: int | None = id_column()
    bid_id: int = link_column("bid.id", index=False)
    round_id: int = link_column("round.id")
    provider: str = Field(max_length=24)
    is_valid: bool
    reasons: Any = json_column()
    flags: Any = json_column()
    weekly_pence: int = whole_column()
    weekly_minutes: int = whole_column()
    price_points: int = whole_column()
    quality_points: int = whole_column()
    total_points: int = whole_column()
    rank: int | None = whole_column(nullable=True)
    ties: Any = json_column()
    workings: Any = json_column()


def bids_of_closing(session: Session, closing_id: int | None, *states: BidState) -> list[Bid]:
    """The bids of a closing in these states, in the order they were received."""
    return list(find_all(session, Bid, closing_id=closing_id, state=states, order=("received_at", "id")))


def rounds_of_bids(session: Session, bid_ids: list[int | None]) -> dict[int, list[BidRound]]:
    """The rounds that each of these bids is for, in order of the round's id."""
    found: dict[int, list[BidRound]] = {id_: [] for id_ in bid_ids if id_ is not None}
    for link in find_all(session, BidRound, bid_id=list(found), order=("round_id",)) if found else ():
        found[link.bid_id].append(link)
    return found


def scores_sha256(session: Session, closing_id: int | None) -> str:
    """The fingerprint of a closing's scores as they are stored, which the closing's event keeps (law 3).

    With each score goes the nonce that its bid committed to, so that nobody can find a price by trying prices.
    """
    columns: Iterable[Any] = (one for one in inspect(ScoredBid).columns if one.name not in ("id", "bid_id"))
    # JSON as it is written: a byte that reads the same is a changed byte.
    written = [type_coerce(one, Text) if isinstance(one.type, Json) else one for one in columns]
    query = (
        select(Bid.ref, OpenedBid.nonce, *written)
        .join(Bid, col(Bid.id) == col(ScoredBid.bid_id))
        .join(OpenedBid, col(OpenedBid.bid_id) == col(ScoredBid.bid_id))
        .where(Bid.closing_id == closing_id)
        .order_by(col(Bid.ref), col(ScoredBid.round_id))
    )
    rows = [list(row) for row in session.exec(query)]
    return hashlib.sha256(canonical_json(rows).encode()).hexdigest()
