"""Hands that tamper with a trail: one value, a row, an order, a tail, or a whole chain computed anew.

Each takes `draw`, which chooses as Hypothesis does.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from hypothesis import assume
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select

from dps.kernel.audit import ZERO_HASH, AuditEvent, event_hash
from tests.dps.kernel.trail import CHECKPOINTS

TABLES = {
    "audit_event": (
        ("id",),
        ("stream", "seq", "at", "actor", "role", "kind", "body", "previous_hash", "hash"),
    ),
    "audit_head": (("stream",), ("stream", "seq", "hash", "signed_seq")),
    "audit_checkpoint": (("seq",), ("seq", "at", "heads", "previous_hash", "hash", "key_id", "signature")),
    "audit_checkpoint_head": (("checkpoint_seq", "stream"), ("checkpoint_seq", "stream", "seq", "hash")),
}
COLUMNS = [(table, column) for table, (_, columns) in TABLES.items() for column in columns]


def is_done(tamper: Callable[[], None]) -> bool:
    """Whether the database let it happen: a second row of one number, say, it refuses by itself."""
    try:
        tamper()
    except DBAPIError:
        return False
    return True


def edit(session: Session, draw: Any) -> None:
    table, column = draw(st.sampled_from(COLUMNS))
    number = draw(st.integers(0, len(rows(session, table)) - 1))
    change_value(session, table, column, number, draw(st.integers(0, 10_000)))


def delete(session: Session, draw: Any) -> None:
    table = draw(st.sampled_from(sorted(TABLES)))
    row = draw(st.sampled_from(rows(session, table)))
    where, which = place_of(table, row)
    session.execute(text(f"DELETE FROM {table} WHERE {where}"), which)


def reorder(session: Session, draw: Any) -> None:
    """Two events change places: their numbers in the stream, or their whole rows."""
    events = rows(session, "audit_event")
    one, other = draw(st.permutations(events))[:2]
    column = draw(st.sampled_from(["id", "seq"]))
    assume(one["stream"] == other["stream"])
    for id_, value in (
        (one["id"], -1),
        (other["id"], one[column]),
        (-1 if column == "id" else one["id"], other[column]),
    ):
        session.execute(text(f"UPDATE audit_event SET {column} = :value WHERE id = :id"), {"value": value, "id": id_})


def truncate(session: Session, draw: Any) -> None:
    """A signed tail of a stream goes, and its head is set back as if it had never been."""
    heads = [head for head in rows(session, "audit_head") if head["signed_seq"] > 0]
    head = draw(st.sampled_from(heads))
    left = draw(st.integers(0, head["signed_seq"] - 1))
    signed = draw(st.sampled_from([left, head["signed_seq"]]))
    which = {"stream": head["stream"], "left": left, "signed": signed}
    session.execute(text("DELETE FROM audit_event WHERE stream = :stream AND seq > :left"), which)
    if left:
        session.execute(
            text(
                "UPDATE audit_head SET seq = :left, signed_seq = :signed, hash ="
                " (SELECT hash FROM audit_event WHERE stream = :stream AND seq = :left) WHERE stream = :stream"
            ),
            which,
        )
    else:
        session.execute(text("DELETE FROM audit_head WHERE stream = :stream"), which)


def forget_checkpoints(session: Session, draw: Any) -> None:
    """The last few checkpoints go, or one in the middle."""
    first = draw(st.integers(1, CHECKPOINTS))
    which = {"first": first, "last": draw(st.sampled_from([first, CHECKPOINTS]))}
    for table, column in (("audit_checkpoint_head", "checkpoint_seq"), ("audit_checkpoint", "seq")):
        session.execute(text(f"DELETE FROM {table} WHERE {column} BETWEEN :first AND :last"), which)


def rewrite(session: Session, draw: Any) -> None:
    """A signed event is forged, and every hash after it computed anew."""
    signed = {head["stream"]: head["signed_seq"] for head in rows(session, "audit_head")}
    events = [event for event in rows(session, "audit_event") if event["seq"] <= signed[event["stream"]]]
    event = draw(st.sampled_from(events))
    compute_anew(session, event["stream"], event["seq"], actor="USR-FORGER")


HANDS = [edit, edit, edit, delete, reorder, truncate, forget_checkpoints, rewrite]


def rows(session: Session, table: str) -> list[dict[str, Any]]:
    """The rows as they are stored, in the order of their keys."""
    keys = ", ".join(TABLES[table][0])
    return [dict(row) for row in session.execute(text(f"SELECT * FROM {table} ORDER BY {keys}")).mappings()]


def place_of(table: str, row: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    keys = TABLES[table][0]
    return " AND ".join(f"{key} = :key_{key}" for key in keys), {f"key_{key}": row[key] for key in keys}


def change_value(session: Session, table: str, column: str, number: int, chance: int) -> None:
    """Change one value of one row by its smallest part: a letter, a unit, a microsecond."""
    row = rows(session, table)[number]
    where, which = place_of(table, row)
    changed = text(f"UPDATE {table} SET {column} = :changed WHERE {where}")
    session.execute(changed, {**which, "changed": another(row[column], chance)})


def another(value: Any, chance: int) -> Any:
    match value:
        case str():
            place = chance % len(value)
            letters = "0123456789abcdef xyzXYZ+/=–é".replace(value[place], "")
            return value[:place] + letters[chance // len(value) % len(letters)] + value[place + 1 :]
        case datetime():
            return value + timedelta(microseconds=chance % 3 + 1)
        case _:
            return value + chance % 3 + 1


def compute_anew(session: Session, stream: str, seq: int, *, actor: str) -> None:
    """Forge the actor of an event, and make the rest of its chain and its head follow from that."""
    forged = text("UPDATE audit_event SET actor = :actor WHERE stream = :stream AND seq = :seq")
    session.execute(forged, {"actor": actor, "stream": stream, "seq": seq})
    events = session.exec(select(AuditEvent).where(AuditEvent.stream == stream).order_by(col(AuditEvent.seq))).all()
    previous = ZERO_HASH
    for event in events:
        session.refresh(event)
        if event.seq >= seq:
            facts = event.model_dump(exclude={"id", "hash", "previous_hash"})
            event.previous_hash, event.hash = previous, event_hash(**facts, previous_hash=previous)
        previous = event.hash
    session.flush()
    session.execute(
        text("UPDATE audit_head SET hash = :hash WHERE stream = :stream"), {"hash": previous, "stream": stream}
    )
