"""The audit trail: append-only, hash-chained per stream, signed at checkpoints (law 3).

A stream is one aggregate, named by its reference. Event n of a stream hashes event n-1, so that an edit, a deletion
or a reorder breaks the chain; a truncated tail no longer reaches the head that the worker signed. Events hold
references, hashes and ciphertext, never personal data and never a sealed price.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Index, Table, UniqueConstraint, bindparam, insert, select, text, update
from sqlmodel import Field, Session, SQLModel, col
from sqlmodel import select as select_rows

from dps.kernel import ending
from dps.kernel.actors import Actor
from dps.kernel.append_only import append_only
from dps.kernel.columns import canonical_json, id_column, json_column, utc_column, whole_column
from dps.kernel.ending import say
from dps.kernel.keys import SigningKey

ZERO_HASH = "0" * 64

# The canonical text of what holds neither floats nor keys, without looking for them: a million events are hashed.
_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_quoted = json.encoder.encode_basestring


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


_UNSIGNED = "seq > signed_seq"


class AuditHead(SQLModel, table=True):
    """Where a stream ends, and how much of it the last checkpoint signed."""

    __tablename__ = "audit_head"
    __table_args__ = (
        # What the next checkpoint signs: it is looked for every minute, past every stream that ever was.
        Index("ix_audit_head_unsigned", "stream", sqlite_where=text(_UNSIGNED), postgresql_where=text(_UNSIGNED)),
    )

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
    return stored_event_hash(stream, seq, at, actor, role, kind, canonical_json(body), previous_hash)


def stored_event_hash(
    stream: str, seq: int, at: datetime, actor: str, role: str, kind: str, body_text: str, previous_hash: str
) -> str:
    """`event_hash` of an event whose body is given as the canonical text that its column holds."""
    text = (
        f'[{_quoted(stream)},{seq},"{_instant(at)}",{_quoted(actor)},{_quoted(role)},{_quoted(kind)},{body_text},'
        f"{_quoted(previous_hash)}]"
    )
    return hashlib.sha256(text.encode()).hexdigest()


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


for _name in (AuditEvent.__tablename__, Checkpoint.__tablename__, CheckpointHead.__tablename__):
    append_only(SQLModel.metadata.tables[str(_name)])

_EVENTS: Table = AuditEvent.__table__  # type: ignore[attr-defined]
_HEADS: Table = AuditHead.__table__  # type: ignore[attr-defined]
_HEADS_OF = (
    select(_HEADS.c.stream, _HEADS.c.seq, _HEADS.c.hash)
    .where(_HEADS.c.stream.in_(bindparam("of", expanding=True)))
    .order_by(_HEADS.c.stream)
    .with_for_update()
)
_MOVE_HEAD = (
    update(_HEADS).where(_HEADS.c.stream == bindparam("of")).values(seq=bindparam("to"), hash=bindparam("now_hash"))
)
# Of two writers who begin a stream at once the later waits here until the earlier has committed, and begins nothing.
_BEGIN_HEAD = text(
    "INSERT INTO audit_head (stream, seq, hash, signed_seq) VALUES (:of, 0, :zero, 0) ON CONFLICT DO NOTHING"
)
_ONE_SIGNER = text("LOCK TABLE audit_checkpoint IN SHARE ROW EXCLUSIVE MODE")


def append(
    session: Session, stream: str, kind: str, actor: Actor, now: datetime, body: Mapping[str, Any] | None = None
) -> None:
    """Make this the next event of `stream`, written when the transaction commits, or never.

    A command's events are chained and written together, at its end (`ending.write`): whoever writes to the same streams
    waits for the end of a command, not for the whole of it.
    """
    event = {"stream": stream, "at": now, "actor": actor.ref, "role": str(actor.role), "kind": kind}
    say(session, _chain, {**event, "body": dict(body or {})})


def _chain(session: Session, events: list[dict[str, Any]]) -> None:
    """Chain and write events. Heads are locked in the order of their streams: no two writers wait in a ring."""
    connection = session.connection()
    streams = sorted({event["stream"] for event in events})
    heads = {head.stream: (head.seq, head.hash) for head in connection.execute(_HEADS_OF, {"of": streams})}
    begun = [stream for stream in streams if stream not in heads]
    if begun:
        made = connection.execute(_BEGIN_HEAD, [{"of": stream, "zero": ZERO_HASH} for stream in begun]).rowcount
        heads |= dict.fromkeys(begun, (0, ZERO_HASH))
        if made != len(begun):
            heads |= {head.stream: (head.seq, head.hash) for head in connection.execute(_HEADS_OF, {"of": begun})}
    for event in events:
        seq, previous = heads[event["stream"]]
        event |= {"seq": seq + 1, "previous_hash": previous}
        event["hash"] = event_hash(**event)
        heads[event["stream"]] = (event["seq"], event["hash"])
    connection.execute(_MOVE_HEAD, [{"of": of, "to": seq, "now_hash": end} for of, (seq, end) in heads.items()])
    connection.execute(insert(_EVENTS), events)


def sign_checkpoint(session: Session, key: SigningKey, now: datetime) -> Checkpoint | None:
    """Sign every head that moved since the last checkpoint; None where nothing moved.

    A stream that somebody writes to at this moment is left to the next checkpoint: whoever signs waits for no writer,
    because a writer of several streams may wait for him. Of two who sign at once the later waits and signs the rest.
    """
    ending.write(session)
    if session.get_bind().dialect.name == "postgresql":
        session.connection().execute(_ONE_SIGNER)
    moved = session.exec(
        select_rows(AuditHead)
        .where(col(AuditHead.seq) > col(AuditHead.signed_seq))
        .with_for_update(skip_locked=True)
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
    return hashlib.sha256(_encoded([seq, _instant(at), heads, previous_hash]).encode()).hexdigest()
