"""Messages that leave with the transaction that caused them, or not at all (law 3).

A command calls `post`; a worker later claims what is due, hands it to a `Postman`, and notes what happened. A
message carries references and a link, never personal data and never a price.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from sqlalchemy import Index, Table, insert, text
from sqlmodel import Field, Session, SQLModel, col, select

from dps.kernel.columns import id_column, json_column, ref_column, state_column, utc_column, whole_column
from dps.kernel.ending import say
from dps.kernel.entropy import Entropy
from dps.kernel.references import Kind, new_reference

_FIRST_RETRY = timedelta(minutes=1)
_LONGEST_RETRY = timedelta(hours=1)
# At those distances a message is tried for two days before it is given up: longer than a mail server's bad night.
ATTEMPTS = 53


class Delivery(StrEnum):
    QUEUED = "queued"
    SENT = "sent"
    GIVEN_UP = "given_up"


class OutboxMessage(SQLModel, table=True):
    """One message to one recipient (`provider:PRV-…`, `authority:liverpool`). Its reference is its Message-ID."""

    __tablename__ = "outbox_message"
    __table_args__ = (
        Index(
            "ix_outbox_message_due",
            "not_before",
            "id",
            sqlite_where=text("delivery = 'queued'"),
            postgresql_where=text("delivery = 'queued'"),
        ),
    )

    id: int | None = id_column()
    ref: str = ref_column()
    recipient: str = Field(max_length=64, index=True)
    kind: str = Field(max_length=60)
    about: str = Field(max_length=40, index=True)
    facts: Any = json_column()
    posted_at: datetime = utc_column()
    not_before: datetime = utc_column()
    delivery: Delivery = state_column(Delivery, index=False)
    attempts: int = whole_column(default=0)
    delivered_at: datetime | None = utc_column(nullable=True)
    last_error: str | None = Field(default=None)


_MESSAGES: Table = OutboxMessage.__table__  # type: ignore[attr-defined]


class Postman(Protocol):
    """Whatever carries a message out of the house; raises when it can't, `OSError` when it can't now.

    It is called inside a transaction, which on SQLite keeps all others from writing: it hands over and returns.
    """

    def carry(self, message: OutboxMessage) -> None: ...


def post(
    session: Session,
    entropy: Entropy,
    *,
    recipient: str,
    kind: str,
    about: str,
    now: datetime,
    facts: Mapping[str, Any] | None = None,
    not_before: datetime | None = None,
) -> str:
    """Queue a message with this transaction, and return its reference. `about` is the reference it speaks of.

    It leaves now, or at `not_before`.
    """
    ref = new_reference(Kind.MESSAGE, entropy)
    message = {"ref": ref, "recipient": recipient, "kind": kind, "about": about, "facts": dict(facts or {})}
    times = {"posted_at": now, "not_before": not_before or now, "attempts": 0}
    say(session, _queue, {**message, **times, "delivery": Delivery.QUEUED})
    return ref


def _queue(session: Session, messages: list[dict[str, Any]]) -> None:
    session.connection().execute(insert(_MESSAGES), messages)


def due(session: Session, now: datetime, limit: int) -> list[OutboxMessage]:
    """Claim what is due, until this transaction ends; other workers skip it."""
    query = (
        select(OutboxMessage)
        .where(col(OutboxMessage.delivery) == Delivery.QUEUED, col(OutboxMessage.not_before) <= now)
        .order_by(col(OutboxMessage.not_before), col(OutboxMessage.id))
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(session.exec(query).all())


def deliver(session: Session, postman: Postman, now: datetime, *, limit: int = 50, attempts: int = ATTEMPTS) -> int:
    """Carry what is due; a failure is retried later, at growing distance, `attempts` times. Returns how many left."""
    carried = 0
    for message in due(session, now, limit):
        message.attempts += 1
        try:
            postman.carry(message)
        except Exception as fault:
            # Whatever it is, it is this message's own: raised, it would hold up all that are due after it, and carry
            # those before it again at each ring.
            message.last_error = type(fault).__name__
            message.not_before = now + wait_after(message.attempts)
            if message.attempts >= attempts:
                message.delivery = Delivery.GIVEN_UP
        else:
            message.delivery, message.delivered_at, message.last_error = Delivery.SENT, now, None
            carried += 1
        session.add(message)
    session.flush()
    return carried


def wait_after(attempts: int) -> timedelta:
    """How long after so many failures the next try comes: a minute, twice as long each time, at most an hour."""
    doublings = 1 << min(attempts - 1, 6)
    return min(_FIRST_RETRY * doublings, _LONGEST_RETRY)
