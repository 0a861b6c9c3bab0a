"""The audit trail: append-only, hash-chained per stream, signed at checkpoints (law 3).

A stream is one aggregate, named by its reference. Event n of a stream hashes event n-1, so that an edit, a deletion
or a reorder breaks the chain; a truncated tail no longer reaches the head that the worker signed. Events hold
references, hashes and ciphertext, never personal data and never a sealed price.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Table, UniqueConstraint, bindparam, insert, select, update
from sqlmodel import Field, Session, SQLModel, col
from sqlmodel import select as select_rows

from dps.kernel.actors import Actor
from dps.kernel.columns import canonical_json, id_column, json_column, utc_column, whole_column
from dps.kernel.keys import SigningKey

ZERO_HASH = "0" * 64


class AuditEvent(SQLModel, table=True):
    """One thing that happened. `hash` covers every other column but `id`."""

    __tablename__ = "audit_event"
    __table_args__ = (UniqueConstraint("stream", "seq"),)

    id: int | None = id_column()
    stream: str = Field(max_length=40)
    seq: int = whole_column()
    at: datetime = utc_column()
    actor: str
    role: str = Field(max_length=24)
    kind: str = Field(max_length=60)
    body: Any = json_column()
    previous_hash: str = Field(max_length=64)
    hash: str = Field(max_length=64)


class AuditHead(SQLModel, table=True):
    """Where a stream ends, and how much of it the last checkpoint signed."""

    __tablename__ = "audit_head"

    stream: str = Field(primary_key=True, max_length=40)
    seq: int = whole_column()
    hash: str = Field(max_length=64)
    signed_seq: int = whole_column(default=0)


class Checkpoint(SQLModel, table=True):
    """The worker's signature over every head that moved since the checkpoint before."""

    __tablename__ = "audit_checkpoint"

    seq: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    at: datetime = utc_column()
    heads: int = whole_column()
    previous_hash: str = Field(max_length=64)
    hash: str = Field(max_length=64)
    key_id: str = Field(max_length=16)
    signature: str


class CheckpointHead(SQLModel, table=True):
    """One head as a checkpoint signed it."""

    __tablename__ = "audit_checkpoint_head"

    checkpoint_seq: int = Field(primary_key=True, foreign_key="audit_checkpoint.seq")
    stream: str = Field(primary_key=True, max_length=40)
    seq: int = whole_column()
    hash: str = Field(max_length=64)


def event_hash(
    *, stream: str, seq: int, at: datetime, actor: str, role: str, kind: str, body: Any, previous_hash: str
) -> str:
    """SHA-256 over the canonical JSON of an event, its predecessor's hash included."""
    text = canonical_json([stream, seq, at.isoformat(timespec="microseconds"), actor, role, kind, body, previous_hash])
    return hashlib.sha256(text.encode()).hexdigest()


_EVENTS: Table = AuditEvent.__table__  # type: ignore[attr-defined]
_HEADS: Table = AuditHead.__table__  # type: ignore[attr-defined]
_HEAD_OF = select(_HEADS.c.seq, _HEADS.c.hash).where(_HEADS.c.stream == bindparam("of")).with_for_update()
_MOVE_HEAD = (
    update(_HEADS).where(_HEADS.c.stream == bindparam("of")).values(seq=bindparam("to"), hash=bindparam("now_hash"))
)


def append(
    session: Session, stream: str, kind: str, actor: Actor, now: datetime, body: Mapping[str, Any] | None = None
) -> None:
    """Write the next event of `stream`. Writers of one stream wait for each other.

    Plain statements, not mapped rows: this runs several times in every command.
    """
    connection = session.connection()
    head = connection.execute(_HEAD_OF, {"of": stream}).first()
    seq, previous = (head.seq + 1, head.hash) if head else (1, ZERO_HASH)
    event: dict[str, Any] = {
        "stream": stream,
        "seq": seq,
        "at": now,
        "actor": actor.ref,
        "role": str(actor.role),
        "kind": kind,
        "body": dict(body or {}),
        "previous_hash": previous,
    }
    digest = event_hash(**event)
    connection.execute(insert(_EVENTS), {**event, "hash": digest})
    if head:
        connection.execute(_MOVE_HEAD, {"of": stream, "to": seq, "now_hash": digest})
    else:
        connection.execute(insert(_HEADS), {"stream": stream, "seq": seq, "hash": digest, "signed_seq": 0})


def sign_checkpoint(session: Session, key: SigningKey, now: datetime) -> Checkpoint | None:
    """Sign every head that moved since the last checkpoint; None where nothing moved."""
    moved = session.exec(
        select_rows(AuditHead)
        .where(col(AuditHead.seq) > col(AuditHead.signed_seq))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()
    if not moved:
        return None
    last = session.exec(select_rows(Checkpoint).order_by(col(Checkpoint.seq).desc()).limit(1)).first()
    seq, previous = (last.seq + 1, last.hash) if last else (1, ZERO_HASH)
    heads = sorted((head.stream, head.seq, head.hash) for head in moved)
    digest = checkpoint_hash(seq=seq, at=now, heads=heads, previous_hash=previous)
    checkpoint = Checkpoint(
        seq=seq,
        at=now,
        heads=len(heads),
        previous_hash=previous,
        hash=digest,
        key_id=key.key_id,
        signature=key.sign(digest.encode()),
    )
    session.add(checkpoint)
    session.flush()
    session.add_all(
        CheckpointHead(checkpoint_seq=seq, stream=stream, seq=at, hash=hash_) for stream, at, hash_ in heads
    )
    for head in moved:
        head.signed_seq = head.seq
    session.flush()
    return checkpoint


def checkpoint_hash(*, seq: int, at: datetime, heads: list[tuple[str, int, str]], previous_hash: str) -> str:
    """SHA-256 over a checkpoint: its number, time, sorted heads and predecessor."""
    text = canonical_json([seq, at.isoformat(timespec="microseconds"), heads, previous_hash])
    return hashlib.sha256(text.encode()).hexdigest()
