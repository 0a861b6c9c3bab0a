"""The same proof in several processes: each recomputes a part of the events, and the parts must fit together.

Streams run through the parts: a part tells how each of its streams begins and ends, and the next must go on from there.
A part that finds anything is no judge of what it is: the whole trail is then proved once more by this process alone,
and that report is the answer. So the two ways say the same of every trail.
"""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from dps.kernel.audit import ZERO_HASH, AuditEvent, stored_event_hash
from dps.kernel.database import Database
from dps.kernel.verify import (
    UNREADABLE,
    TrailReport,
    events_as_stored,
    name_what_is_missing,
    read_instant,
    stored,
    verify_checkpoints,
    verify_heads,
    verify_trail,
)

FEW = 100_000
"""Events for which other processes are not worth their start, of about a second."""
_PARTS_EACH = 4
_HASH_LETTERS = 64


@dataclass(frozen=True, slots=True)
class Part:
    """The events whose ids lie in `first` to `last`, and where to read them: a snapshot that PostgreSQL shares, or
    SQLite's file, in which no id up to the last one of a moment is written later."""

    url: str
    snapshot: str | None
    first: int
    last: int


@dataclass(slots=True)
class Proved:
    """What a part holds, each event of it as it was written: of each stream the number before its first event and the
    hash that this one names, the number and hash of its last event; and the hash of every event, one after another."""

    events: int = 0
    begins: dict[str, tuple[int, str]] = field(default_factory=dict)
    ends: dict[str, tuple[int, str]] = field(default_factory=dict)
    hashes: str = ""


def verify_quickly(session: Session, public_keys: Mapping[str, bytes], *, processes: int) -> TrailReport:
    """`verify_trail`, by so many processes where the trail is long."""
    first, last = _range(session)
    if processes < 2 or last - first < FEW:
        return verify_trail(session, public_keys)
    with ProcessPoolExecutor(processes, mp_context=get_context("spawn")) as pool:
        return verify_in_parts(session, public_keys, pool, parts=processes * _PARTS_EACH)


def verify_in_parts(session: Session, public_keys: Mapping[str, bytes], pool: Executor, *, parts: int) -> TrailReport:
    """`verify_trail`, its events proved by `pool`. `session` comes from `Database.reading`."""
    report = TrailReport()
    try:
        proofs = pool.map(prove, _shares(session, parts))
        signed = verify_checkpoints(session, public_keys, report)
        ends: dict[str, tuple[int, str]] = {}
        for proved in proofs:
            if proved is None or not _goes_on(ends, proved):
                return verify_trail(session, public_keys)
            report.events += proved.events
            signed.hashes.difference_update(_each(proved.hashes))
        report.streams = len(ends)
        verify_heads(session, signed, ends, report)
        name_what_is_missing(session, signed, ends, report)
    except (DBAPIError, BrokenExecutor):
        return verify_trail(session, public_keys)
    return verify_trail(session, public_keys) if report.faults else report


def prove(part: Part) -> Proved | None:
    """Recompute a part; None where anything in it is not as it was written."""
    database = Database(part.url, pool_size=1)
    try:
        with database.reading() as session:
            if part.snapshot is not None:
                session.connection().exec_driver_sql(f"SET TRANSACTION SNAPSHOT '{part.snapshot}'")
            ids = AuditEvent.__table__.c.id  # type: ignore[attr-defined]
            return _proved(stored(session, events_as_stored(session).where(ids.between(part.first, part.last))))
    except DBAPIError:
        return None
    finally:
        database.dispose()


def _proved(rows: Iterable[Any]) -> Proved | None:
    found, hashes = Proved(), []
    begins, ends = found.begins, found.ends
    for stream, seq, at, actor, role, kind, body, previous_hash, hash_ in rows:
        try:
            digest = stored_event_hash(stream, seq, read_instant(at), actor, role, kind, body, previous_hash)
        except UNREADABLE:
            return None
        if digest != hash_ or type(seq) is not int:
            return None
        if stream not in ends:
            begins[stream] = seq - 1, previous_hash
        elif ends[stream] != (seq - 1, previous_hash):
            return None
        ends[stream] = seq, hash_
        hashes.append(hash_)
    found.events, found.hashes = len(hashes), "".join(hashes)
    return found


def _goes_on(ends: dict[str, tuple[int, str]], proved: Proved) -> bool:
    """Whether each stream of a part begins where the parts before it left off; `ends` then says where it left off."""
    if any(ends.get(stream, (0, ZERO_HASH)) != begin for stream, begin in proved.begins.items()):
        return False
    ends |= proved.ends
    return True


def _each(hashes: str) -> Iterator[str]:
    return (hashes[place : place + _HASH_LETTERS] for place in range(0, len(hashes), _HASH_LETTERS))


def _range(session: Session) -> tuple[int, int]:
    ids = AuditEvent.__table__.c.id  # type: ignore[attr-defined]
    first, last = session.execute(select(func.min(ids), func.max(ids))).one()
    return (0, -1) if first is None else (first, last)


def _shares(session: Session, parts: int) -> list[Part]:
    """The ids there are, in so many stretches of one length."""
    first, last = _range(session)
    bind = session.get_bind()
    snapshot = None
    if bind.dialect.name == "postgresql":
        snapshot = session.connection().exec_driver_sql("SELECT pg_export_snapshot()").scalar_one()
    url = bind.engine.url.render_as_string(hide_password=False)
    length = max(-(-(last - first + 1) // parts), 1)
    return [Part(url, snapshot, at, min(at + length - 1, last)) for at in range(first, last + 1, length)]
