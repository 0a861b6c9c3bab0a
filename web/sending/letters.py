"""Letters: one message to one person by one channel, or to one system; queued, tried, sent or given up.

A message of the outbox is sorted once, in the transaction that takes it from there. What then leaves is tried outside
any transaction, so that a slow mail server holds up nobody's bid. A letter that fails is tried again at the outbox's
distances under the same Message-ID; what is given up, and whom nobody could be found for, is shown as undelivered.
Receipts of bids that one reader is due at the same time share one mail: thirty bids are handed in on one page.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, func, text, update
from sqlmodel import Field, Session, SQLModel, col, select

from dps.kernel.columns import id_column, link_column, ref_column, state_column, utc_column, whole_column
from dps.kernel.database import Database
from dps.kernel.outbox import ATTEMPTS, Delivery, OutboxMessage, wait_after
from dps.kernel.ports import Ports
from web.security.accounts import Account
from web.sending.webhooks import WebhookEndpoint

LEASE = timedelta(minutes=5)
"""How long a letter that somebody is sending is left alone. Who died over it has it sent again afterwards."""

NOBODY = "NobodyToWriteTo"

SHARED = "bid_received"
"""Of what kind the letters are that share a mail; each remains a letter of its own, noted with the others."""

GATHERED = timedelta(minutes=1)
"""How long such a letter waits for the others of its kind."""

_MOST_SHARED = 500


class Channel(StrEnum):
    MAIL = "mail"
    TEXT = "text"
    WEBHOOK = "webhook"


class Change(SQLModel, table=True):
    """A line of the feed: its number is its place, and whoever has read up to one misses none below it."""

    __tablename__ = "change"
    __table_args__ = (Index("ix_change_recipient", "recipient", "id"),)

    id: int | None = id_column()
    message_id: int = link_column("outbox_message.id", unique=True, index=False)
    recipient: str | None = Field(default=None, max_length=64)


class Letter(SQLModel, table=True):
    """One message on its way to one reader. `ref` is its Message-ID; the address is looked up when it is sent."""

    __tablename__ = "letter"
    __table_args__ = (
        UniqueConstraint("message_id", "channel", "account_id", name="uq_letter_reader"),
        UniqueConstraint("message_id", "endpoint_id", name="uq_letter_endpoint"),
        CheckConstraint("(endpoint_id IS NOT NULL) = (channel = 'webhook')", name="endpoint_of_webhook"),
        CheckConstraint("account_id IS NULL OR endpoint_id IS NULL", name="one_reader"),
        Index(
            "ix_letter_due",
            "not_before",
            "id",
            sqlite_where=text("delivery = 'queued'"),
            postgresql_where=text("delivery = 'queued'"),
        ),
    )

    id: int | None = id_column()
    ref: str = ref_column()
    message_id: int = link_column("outbox_message.id")
    channel: Channel = state_column(Channel, index=False)
    account_id: int | None = link_column("account.id", nullable=True)
    endpoint_id: int | None = link_column("webhook_endpoint.id", nullable=True)
    not_before: datetime = utc_column()
    delivery: Delivery = state_column(Delivery)
    attempts: int = whole_column(default=0)
    delivered_at: datetime | None = utc_column(nullable=True)
    last_error: str | None = Field(default=None, max_length=80)


@dataclass(frozen=True, slots=True)
class Parcel:
    """A letter that is this process's to send now, with what it says and who reads it.

    `more` says the same of other references to the same reader, and leaves in the same mail.
    """

    letter: Letter
    message: OutboxMessage
    claimed_at: datetime
    account: Account | None = None
    endpoint: WebhookEndpoint | None = None
    more: Sequence["Parcel"] = ()

    @property
    def letters(self) -> Sequence[Letter]:
        """Every letter that leaves with this parcel."""
        return [self.letter, *(one.letter for one in self.more)]

    @property
    def message_id(self) -> str:
        """The same whenever the same letters leave together, so that a repeat is known as one; and no other's.

        A receipt that joins those of a mail that failed makes another mail of it, which no mailbox may take for the
        first.
        """
        if not self.more:
            return self.letter.ref
        refs = "\n".join(sorted(letter.ref for letter in self.letters))
        return f"{self.letter.ref}.{hashlib.sha256(refs.encode()).hexdigest()[:16]}"


class Undeliverable(Exception):
    """It was refused for good: trying again would be refused again."""


def claim(database: Database, ports: Ports, *channels: Channel, limit: int = 50) -> list[Parcel]:
    """Take what is due; nobody else takes it for five minutes. Each claim counts as an attempt."""

    def take(session: Session) -> list[Parcel]:
        now = ports.clock.read(session)
        rows = session.exec(
            select(Letter)
            .where(
                col(Letter.delivery) == Delivery.QUEUED,
                col(Letter.not_before) <= now,
                col(Letter.channel).in_(channels),
            )
            .order_by(col(Letter.not_before), col(Letter.id))
            .limit(limit)
            .with_for_update(skip_locked=True)
        ).all()
        messages = _by_id(session, OutboxMessage, [row.message_id for row in rows])
        sharing = [row for row in rows if row.account_id and messages[row.message_id].kind == SHARED]
        if sharing:
            others = _others(session, sharing, now)
            rows = [*rows, *others]
            messages |= _by_id(session, OutboxMessage, [row.message_id for row in others])
        for row in rows:
            row.attempts, row.not_before = row.attempts + 1, now + LEASE
            session.add(row)
        session.flush()
        accounts = _by_id(session, Account, [row.account_id for row in rows if row.account_id])
        endpoints = _by_id(session, WebhookEndpoint, [row.endpoint_id for row in rows if row.endpoint_id])
        return _shared(
            [
                Parcel(
                    letter=row,
                    message=messages[row.message_id],
                    claimed_at=now,
                    account=accounts.get(row.account_id or 0),
                    endpoint=endpoints.get(row.endpoint_id or 0),
                )
                for row in rows
            ]
        )

    return database.run(take)


def _others(session: Session, sharing: Sequence[Letter], now: datetime) -> Sequence[Letter]:
    """What else these readers are due within the minute, so that a mail is not parted where a batch ends."""
    query = (
        select(Letter)
        .join(OutboxMessage, col(OutboxMessage.id) == col(Letter.message_id))
        .where(
            OutboxMessage.kind == SHARED,
            col(Letter.delivery) == Delivery.QUEUED,
            col(Letter.not_before) <= now + GATHERED,
            col(Letter.channel).in_({row.channel for row in sharing}),
            col(Letter.account_id).in_({row.account_id for row in sharing}),
            col(Letter.id).not_in({row.id for row in sharing}),
        )
        .order_by(col(Letter.not_before), col(Letter.id))
        .limit(_MOST_SHARED)
        .with_for_update(skip_locked=True, of=Letter)
    )
    return session.exec(query).all()


def _shared(parcels: Sequence[Parcel]) -> list[Parcel]:
    """Those of one reader and channel that share a mail put together; the letter that was written first leads."""
    alone = [one for one in parcels if one.account is None or one.message.kind != SHARED]
    sharing: dict[tuple[int | None, Channel], list[Parcel]] = {}
    for one in parcels:
        if one.account is not None and one.message.kind == SHARED:
            sharing.setdefault((one.letter.account_id, one.letter.channel), []).append(one)
    for members in sharing.values():
        first, *others = sorted(members, key=lambda one: one.letter.id or 0)
        alone.append(replace(first, more=tuple(others)))
    return alone


def _by_id(session: Session, table: type[Any], ids: Sequence[int]) -> dict[int, Any]:
    return {row.id: row for row in session.exec(select(table).where(table.id.in_(set(ids)))).all()} if ids else {}


def note(database: Database, ports: Ports, parcel: Parcel, fault: Exception | None) -> None:
    """Write down what became of one attempt, for all that it carried; who was overtaken meanwhile writes nothing."""

    def write(session: Session) -> None:
        now = ports.clock.read(session)
        for letter in parcel.letters:
            session.execute(
                update(Letter)
                .where(
                    col(Letter.id) == letter.id,
                    col(Letter.attempts) == letter.attempts,
                    col(Letter.delivery) == Delivery.QUEUED,
                )
                .values(**_became(letter, fault, now))
            )

    database.run(write)


def _became(letter: Letter, fault: Exception | None, now: datetime) -> dict[str, Any]:
    if fault is None:
        return {"delivery": Delivery.SENT, "delivered_at": now, "last_error": None}
    is_final = isinstance(fault, Undeliverable) or letter.attempts >= ATTEMPTS
    return {
        "delivery": Delivery.GIVEN_UP if is_final else Delivery.QUEUED,
        "not_before": now + wait_after(letter.attempts),
        "last_error": (str(fault) if isinstance(fault, Undeliverable) else type(fault).__name__)[:80],
    }


@dataclass(frozen=True, slots=True)
class Undelivered:
    """One letter that did not arrive, without the reader's address."""

    ref: str
    recipient: str
    account: str | None
    channel: Channel
    kind: str
    about: str
    posted_at: datetime
    delivery: Delivery
    attempts: int
    error: str | None


def undelivered(session: Session, *, about: Sequence[str] | None = None, limit: int = 100) -> list[Undelivered]:
    """What failed at least once and has not arrived, or was given up; the newest first.

    `about` narrows it to messages about these references, which the caller has looked up as its own.
    """
    query = (
        select(Letter, OutboxMessage, Account.ref)
        .join(OutboxMessage, col(OutboxMessage.id) == col(Letter.message_id))
        .outerjoin(Account, col(Account.id) == col(Letter.account_id))
        .where(
            col(Letter.delivery) != Delivery.SENT,
            (col(Letter.delivery) == Delivery.GIVEN_UP) | col(Letter.last_error).is_not(None),
        )
        .order_by(col(Letter.id).desc())
        .limit(limit)
    )
    if about is not None:
        query = query.where(col(OutboxMessage.about).in_(about))
    return [
        Undelivered(
            ref=letter.ref,
            recipient=message.recipient,
            account=account,
            channel=letter.channel,
            kind=message.kind,
            about=message.about,
            posted_at=message.posted_at,
            delivery=letter.delivery,
            attempts=letter.attempts,
            error=letter.last_error,
        )
        for letter, message, account in session.exec(query).all()
    ]


def send_again(session: Session, *, ref: str, now: datetime) -> bool:
    """Queue a letter anew, sent or given up, under its own Message-ID; False where there is none."""
    again = (
        update(Letter)
        .where(col(Letter.ref) == ref, col(Letter.delivery) != Delivery.QUEUED)
        .values(delivery=Delivery.QUEUED, attempts=0, not_before=now, last_error=None, delivered_at=None)
    )
    return session.execute(again).rowcount == 1  # type: ignore[attr-defined, no-any-return]


def waiting(session: Session) -> dict[tuple[str, str], int]:
    """How many letters stand where, for whoever watches the installation."""
    query = select(Letter.channel, Letter.delivery, func.count()).group_by(col(Letter.channel), col(Letter.delivery))
    return {(str(channel), str(delivery)): number for channel, delivery, number in session.exec(query).all()}
