"""Proof that the trail is whole: every chain recomputed, every checkpoint's signature checked (law 3).

Reads only the four audit tables and the public keys, streaming, so that a million events fit in little memory. Values
are taken as they are stored, not as the mapped rows would read them: a byte that reads the same is still a changed one.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import BigInteger, DateTime, Select, Table, Text, select, type_coerce
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from dps.kernel.audit import (
    ZERO_HASH,
    AuditEvent,
    AuditHead,
    Checkpoint,
    CheckpointHead,
    checkpoint_hash,
    stored_event_hash,
)
from dps.kernel.keys import signature_holds

_EVENTS: Table = AuditEvent.__table__  # type: ignore[attr-defined]
_HEADS: Table = AuditHead.__table__  # type: ignore[attr-defined]
_CHECKPOINTS: Table = Checkpoint.__table__  # type: ignore[attr-defined]
_SIGNED_HEADS: Table = CheckpointHead.__table__  # type: ignore[attr-defined]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
UNREADABLE = (TypeError, ValueError, OverflowError, AttributeError)


@dataclass
class TrailReport:
    """What was checked and every fault found, in words; `ok` means none."""

    events: int = 0
    streams: int = 0
    checkpoints: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        return not self.faults


@dataclass
class Signed:
    """What the checkpoints signed: hashes of events, each of which covers its stream and number; the last by stream."""

    hashes: set[str] = field(default_factory=set)
    furthest: dict[str, int] = field(default_factory=dict)


def verify_trail(session: Session, public_keys: Mapping[str, bytes]) -> TrailReport:
    """Recompute the whole trail. Finds any edit, deletion, reorder or truncation up to the latest checkpoint.

    `session` comes from `Database.reading`, so that one instant is looked at while others write. What the database
    can't read any more is a fault, never an exception.
    """
    report = TrailReport()
    try:
        signed = verify_checkpoints(session, public_keys, report)
        ends = _verify_chains(session, signed, report)
        verify_heads(session, signed, ends, report)
        name_what_is_missing(session, signed, ends, report)
    except DBAPIError as broken:
        report.faults.append(f"the trail can't be read to its end: {broken.orig}")
    return report


def verify_checkpoints(session: Session, public_keys: Mapping[str, bytes], report: TrailReport) -> Signed:
    """Check the chain of checkpoints; returns what they signed."""
    signed = Signed()
    expected, previous = 1, ZERO_HASH
    for (seq, at, heads, previous_hash, hash_, key_id, signature), rows in groupby(
        stored(session, _signed_heads(session)), key=itemgetter(slice(7))
    ):
        report.checkpoints += 1
        listed = [tuple(row[7:]) for row in rows if row[7] is not None]
        public = public_keys.get(key_id)
        try:
            listed.sort()
            digest = checkpoint_hash(seq=seq, at=read_instant(at), heads=listed, previous_hash=previous)
        except UNREADABLE:
            digest = ""
        if seq != expected:
            report.faults.append(f"checkpoint {seq}: checkpoint {expected} is missing")
        if digest != hash_ or previous_hash != previous or len(listed) != heads:
            report.faults.append(f"checkpoint {seq}: its content does not match its hash")
        elif public is None:
            report.faults.append(f"checkpoint {seq}: signed with the unknown key {key_id}")
        elif not signature_holds(public, signature, hash_.encode()):
            report.faults.append(f"checkpoint {seq}: its signature does not hold")
        for stream, head_seq, head_hash in listed:
            signed.hashes.add(head_hash)
            signed.furthest[stream] = head_seq
        expected, previous = seq + 1, hash_
    return signed


def _verify_chains(session: Session, signed: Signed, report: TrailReport) -> dict[str, tuple[int, str]]:
    """Recompute every chain, in the order it was written; returns where each stream ends.

    Of the hashes that were signed those of no event are left.
    """
    ends: dict[str, tuple[int, str]] = {}
    for stream, seq, at, actor, role, kind, body, previous_hash, hash_ in stored(session, events_as_stored(session)):
        report.events += 1
        last, previous = ends.get(stream, (0, ZERO_HASH))
        try:
            digest = stored_event_hash(stream, seq, read_instant(at), actor, role, kind, body, previous_hash)
        except UNREADABLE:
            digest = ""
        if seq != last + 1:
            report.faults.append(f"stream {stream}, event {seq}: event {last + 1} is missing")
        if digest != hash_:
            report.faults.append(f"stream {stream}, event {seq}: it was changed after it was written")
        elif seq == last + 1 and previous_hash != previous:
            report.faults.append(f"stream {stream}, event {seq}: it does not follow the event before it")
        signed.hashes.discard(hash_)
        ends[stream] = (seq if type(seq) is int else last + 1, hash_)
    report.streams = len(ends)
    return ends


def verify_heads(session: Session, signed: Signed, ends: Mapping[str, tuple[int, str]], report: TrailReport) -> None:
    """Every stream ends where its head says, and its head knows how much of it was signed."""
    beginnings = set(ends)
    found: list[str] = []
    columns = (_HEADS.c.stream, _HEADS.c.seq, _HEADS.c.hash, _HEADS.c.signed_seq)
    for stream, seq, hash_, signed_seq in stored(session, select(*columns)):
        beginnings.discard(stream)
        end = ends.get(stream, (0, ZERO_HASH))
        if end != (seq, hash_):
            found.append(f"stream {stream}: its events end at {end[0]}, its head says {seq}")
        if signed_seq != signed.furthest.get(stream, 0):
            found.append(f"stream {stream}: checkpoints signed it to another event than its head says")
    found += [f"stream {stream}: it has events but no head" for stream in beginnings]
    # Heads are read as they lie, which is quickest; two readers of one trail are told the same.
    report.faults += sorted(found)


def name_what_is_missing(
    session: Session, signed: Signed, ends: Mapping[str, tuple[int, str]], report: TrailReport
) -> None:
    """Say where the signed hashes that no event has belong."""
    if not signed.hashes:
        return
    of = _SIGNED_HEADS.c
    in_order = select(of.stream, of.seq, of.hash).order_by(of.checkpoint_seq, of.stream)
    for stream, seq, hash_ in stored(session, in_order):
        if hash_ in signed.hashes:
            is_there = seq in range(1, ends.get(stream, (0, ""))[0] + 1)
            words = "it is not what a checkpoint signed" if is_there else "a checkpoint signed it, and it is gone"
            report.faults.append(f"stream {stream}, event {seq}: {words}")


# The tables as they are stored


def events_as_stored(session: Session) -> Select[Any]:
    """Events in the order of their ids, which within a stream is the order in which they were written."""
    of = _EVENTS.c
    at, body = _stored_instant(session, of.at), type_coerce(of.body, Text)
    columns = (of.stream, of.seq, at, of.actor, of.role, of.kind, body, of.previous_hash, of.hash)
    return select(*columns).order_by(of.id)


def _signed_heads(session: Session) -> Select[Any]:
    """Checkpoints in order, each beside the heads it signed; one that signed none stands alone."""
    of, head = _CHECKPOINTS.c, _SIGNED_HEADS.c
    at = _stored_instant(session, of.at)
    columns = (of.seq, at, of.heads, of.previous_hash, of.hash, of.key_id, of.signature)
    both = _CHECKPOINTS.outerjoin(_SIGNED_HEADS, head.checkpoint_seq == of.seq)
    return select(*columns, head.stream, head.seq, head.hash).select_from(both).order_by(of.seq)


def _stored_instant(session: Session, column: Any) -> Any:
    return type_coerce(column, BigInteger if session.get_bind().dialect.name == "sqlite" else DateTime(timezone=True))


def read_instant(stored: Any) -> datetime:
    """The instant that SQLite's microseconds or PostgreSQL's time mean; ValueError for what neither database wrote."""
    if isinstance(stored, datetime):
        return stored
    if type(stored) is not int:
        raise ValueError("an instant is stored as whole microseconds")
    return _EPOCH + timedelta(microseconds=stored)


def stored(session: Session, query: Select[Any]) -> Iterator[Any]:
    result = session.connection().execute(query, execution_options={"yield_per": 5000})
    try:
        for rows in result.partitions():
            yield from rows
    finally:
        # Who has found a fault reads no further.
        result.close()
