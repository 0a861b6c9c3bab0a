"""Closings: the rounds of one scheme that share an instant, a mode and a frozen rule hash.

Standard rounds share published closings; urgent ones close alone. A closing has one manifest, one opening, one
allocation run and one draw. An acceptance window is closed like a sealed round: an acceptance is a sealed bid at the
published price, so that it is kept, proved and refused late in the same way. The number that its lots are drawn from
is committed here, when the closing is made.
"""

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

import sqlalchemy as sa
from sqlalchemy import Index, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, select

from bidding.sealing.seal import committed_number, recipients_id
from bidding.sealing.sharing import Holder
from dps.kernel import audit
from dps.kernel.actors import CLOCK, Role
from dps.kernel.columns import (
    bytes_column,
    id_column,
    json_column,
    ref_column,
    state_column,
    utc_column,
    whole_column,
)
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.kernel.states import StateTable
from dps.schemes.model import Scheme, Stage

TENDER = "tender"
"""The mode of a closing of bids for a whole area; no stage of a ladder has it, and it has no rounds."""


class ClosingState(StrEnum):
    GATHERING = "gathering"
    CLOSED = "closed"
    OPENED = "opened"
    SCORED = "scored"
    ALLOCATED = "allocated"


class ExtensionReason(StrEnum):
    """Why everybody gets more time: a closed list, because free text may name one of the people waiting."""

    MESSAGES_UNDELIVERED = "messages_undelivered"
    SYSTEM_UNAVAILABLE = "system_unavailable"
    REFERRAL_AMENDED = "referral_amended"
    FACTS_CLARIFIED = "facts_clarified"
    PROVIDERS_ASKED = "providers_asked"


class Closing(SQLModel, table=True):
    """One instant at which rounds close together. *Due* is derived: `closes_at` has passed.

    Until `wakes_at` no sweep tries to open it: it waits for a broker (`unkept`) or for custodians (`custody`).
    """

    __tablename__ = "closing"
    __table_args__ = (
        Index(
            "uq_closing_published",
            "scheme",
            "rule_hash",
            "mode",
            "closes_at",
            unique=True,
            sqlite_where=text("published = 1"),
            postgresql_where=text("published"),
        ),
        Index("ix_closing_due", "state", "closes_at"),
    )
    STEPS: ClassVar[StateTable] = StateTable(
        "closing",
        ClosingState.GATHERING,
        (ClosingState.GATHERING, "close", ClosingState.CLOSED, (Role.CLOCK,)),
        (ClosingState.CLOSED, "open", ClosingState.OPENED, (Role.CLOCK,)),
        (ClosingState.OPENED, "score", ClosingState.SCORED, (Role.CLOCK,)),
        (ClosingState.SCORED, "allocate", ClosingState.ALLOCATED, (Role.CLOCK, Role.BROKER)),
    )

    id: int | None = id_column()
    ref: str = ref_column()
    scheme: str = Field(max_length=40)
    rule_hash: str = Field(max_length=64)
    mode: str = Field(max_length=24)
    published: bool
    closes_at: datetime = utc_column()
    state: ClosingState = state_column(ClosingState, index=False)
    recipients: Any = json_column()
    recipients_id: str = Field(max_length=16)
    custody: Any = json_column(nullable=True)
    shares_usable: int | None = whole_column(nullable=True)
    wakes_at: datetime | None = utc_column(nullable=True)
    sealed_number: bytes = bytes_column()
    number_sha256: str = Field(max_length=64)
    manifest_sha256: str | None = Field(default=None, max_length=64)
    lot_seed: str | None = Field(default=None, max_length=64)
    closed_at: datetime | None = utc_column(nullable=True)
    opened_at: datetime | None = utc_column(nullable=True)

    @property
    def stream(self) -> str:
        return self.ref

    @property
    def holders(self) -> tuple[Holder, ...]:
        """The custodians that a share of each bid is dealt to."""
        return tuple(Holder(*one) for one in self.custody["holders"]) if self.custody else ()

    @property
    def custodians_needed(self) -> int:
        return int(self.custody["needed"]) if self.custody else 0


def closing_for(
    session: Session,
    ports: Ports,
    *,
    scheme: str,
    rule_hash: str,
    mode: str,
    closes_at: datetime,
    published: bool,
    now: datetime,
    holders: Sequence[Holder] = (),
    needed: int = 0,
    recipients: Sequence[str] = (),
) -> Closing:
    """The published closing at this instant, made if it is the first round of it; or a new one of its own.

    Where `needed` of `holders` must help to open it, they are its custodians to its end. It is sealed to the worker of
    this day unless `recipients` are those of bids that are handed over to it.
    """
    if published:
        shared = session.exec(
            select(Closing)
            .where(
                Closing.scheme == scheme,
                Closing.rule_hash == rule_hash,
                Closing.mode == mode,
                Closing.closes_at == closes_at,
                col(Closing.published).is_(True),
            )
            .with_for_update(key_share=True)
        ).first()
        if shared:
            return shared
    ref = new_reference(Kind.CLOSING, ports.entropy)
    number, number_sha256 = committed_number(ports.entropy, ports.keyring, ref)
    recipients = tuple(recipients) or ports.keyring.recipients
    closing = Closing(
        ref=ref,
        scheme=scheme,
        rule_hash=rule_hash,
        mode=mode,
        published=published,
        closes_at=closes_at,
        state=ClosingState.GATHERING,
        recipients=list(recipients),
        recipients_id=recipients_id(recipients),
        custody={"needed": needed, "holders": [[one.ref, one.recipient] for one in holders]} if holders else None,
        sealed_number=number,
        number_sha256=number_sha256,
    )
    try:
        with session.begin_nested():
            session.add(closing)
    except IntegrityError:
        # Another publication made the same published closing a moment ago: this round joins it.
        return closing_for(
            session,
            ports,
            scheme=scheme,
            rule_hash=rule_hash,
            mode=mode,
            closes_at=closes_at,
            published=published,
            now=now,
            holders=holders,
            needed=needed,
            recipients=recipients,
        )
    audit.append(
        session,
        closing.stream,
        "closing.published",
        CLOCK,
        now,
        {
            "closes_at": closes_at.isoformat(),
            "mode": str(mode),
            "published": published,
            "number_sha256": number_sha256,
            "sealed_number_sha256": hashlib.sha256(number).hexdigest(),
            "recipients_id": closing.recipients_id,
            "rule_hash": rule_hash,
            **({"custody": closing.custody} if closing.custody else {}),
        },
    )
    return closing


def least_end(stage: Stage, scheme: Scheme, now: datetime) -> datetime:
    """The earliest end of a stage that providers are to answer anew from now on.

    Published closings leave the scheme's minimum; a round that closes alone has its own window again.
    """
    return (scheme.closings.minimum if stage.closing == "published" else stage.window).end(now, scheme.calendar())


def due_closings(session: Session, now: datetime, *states: ClosingState) -> list[int]:
    """Ids of the closings in one of `states` whose instant has passed, in order of that instant."""
    return list(session.execute(_DUE, {"states": states, "now": now}).scalars())


_HAS_COME = col(Closing.closes_at) <= sa.bindparam("now")

# Built once: every sweep asks it.
_DUE = (
    sa.select(col(Closing.id))
    .where(col(Closing.state).in_(sa.bindparam("states", expanding=True)), _HAS_COME)
    .order_by(col(Closing.closes_at), col(Closing.id))
)


def undecided_closings(session: Session, now: datetime, patience: timedelta) -> list[int]:
    """Ids of the closings that are on their way to be decided, in order of their instant.

    One whose bids are still shut is left alone for `patience` after it was closed, and while it waits.
    """
    return list(session.execute(_UNDECIDED, {"now": now, "closed_by": now - patience}).scalars())


_UNDECIDED = (
    sa.select(col(Closing.id))
    .where(
        col(Closing.state).in_((ClosingState.CLOSED, ClosingState.OPENED, ClosingState.SCORED)),
        _HAS_COME,
        (col(Closing.state) != ClosingState.CLOSED)
        | (
            (col(Closing.closed_at) <= sa.bindparam("closed_by"))
            & (col(Closing.wakes_at).is_(None) | (col(Closing.wakes_at) <= sa.bindparam("now")))
        ),
    )
    .order_by(col(Closing.closes_at), col(Closing.id))
)
