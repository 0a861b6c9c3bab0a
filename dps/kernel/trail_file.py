"""The whole trail as one file for an auditor: every stream and every checkpoint, a line each (law 3).

`trail_check.py` reads it on any machine. Source: dps/kernel/README.md, *The trail as a file*.
"""

from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import Table, func, select
from sqlmodel import Session

from dps.kernel.audit import AuditEvent, Checkpoint, CheckpointHead
from dps.kernel.columns import canonical_json

FORMAT = "dps-trail-1"

_EVENTS: Table = AuditEvent.__table__  # type: ignore[attr-defined]
_CHECKPOINTS: Table = Checkpoint.__table__  # type: ignore[attr-defined]
_SIGNED_HEADS: Table = CheckpointHead.__table__  # type: ignore[attr-defined]
_AT_ONCE = 5_000


def trail_lines(session: Session) -> Iterator[str]:
    """The file's lines: what it holds, the checkpoints in order, the events in the order they were written.

    `session` comes from `Database.reading`, so that one instant is told while others write.
    """
    connection = session.connection()
    counts = {
        "events": connection.execute(select(func.count()).select_from(_EVENTS)).scalar_one(),
        "checkpoints": connection.execute(select(func.count()).select_from(_CHECKPOINTS)).scalar_one(),
    }
    yield canonical_json({"format": FORMAT, **counts})
    yield from (canonical_json({"checkpoint": one}) for one in _checkpoints(session))
    of = _EVENTS.c
    columns = (of.stream, of.seq, of.at, of.actor, of.role, of.kind, of.body, of.previous_hash, of.hash)
    query = select(*columns).order_by(of.id)
    for rows in connection.execute(query, execution_options={"yield_per": _AT_ONCE}).partitions():
        for stream, seq, at, *rest in rows:
            yield canonical_json({"event": [stream, seq, at.isoformat(timespec="microseconds"), *rest]})


def _checkpoints(session: Session) -> Iterator[dict[str, Any]]:
    of, head = _CHECKPOINTS.c, _SIGNED_HEADS.c
    query = (
        select(of.seq, of.at, of.previous_hash, of.hash, of.key_id, of.signature, head.stream, head.seq, head.hash)
        .select_from(_CHECKPOINTS.outerjoin(_SIGNED_HEADS, head.checkpoint_seq == of.seq))
        .order_by(of.seq, head.stream)
    )
    rows = session.connection().execute(query, execution_options={"yield_per": _AT_ONCE})
    for (seq, at, previous_hash, hash_, key_id, signature), heads in groupby(rows, key=itemgetter(slice(6))):
        yield {
            "seq": seq,
            "at": at.isoformat(timespec="microseconds"),
            # Sorted here: a database may order texts by another alphabet.
            "heads": sorted(list(row[6:]) for row in heads if row[6] is not None),
            "previous_hash": previous_hash,
            "hash": hash_,
            "key_id": key_id,
            "signature": signature,
        }
