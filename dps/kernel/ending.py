"""What a command says at its end: rows that only ever follow from it, written together when it commits, or never.

Events and messages are many and small; written one by one they are a third of all statements. A savepoint that is
taken back takes back what was said within it.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy.event import listens_for
from sqlalchemy.orm import SessionTransaction
from sqlmodel import Session

from dps.kernel.database import is_away, is_passing

Command = TypeVar("Command")
Writer = Callable[[Session, list[dict[str, Any]]], None]
"""Writes what was said, in the order in which it was said; a function of a module, which names the kind of row."""

_SAID = "dps_said"
_MARKS = "dps_said_before"


def say(session: Session, writer: Writer, row: dict[str, Any]) -> None:
    """Have `writer` write this row when the transaction commits."""
    _said(session).setdefault(writer, []).append(row)


def write(session: Session) -> None:
    """Write what was said so far. A commit calls this; so does whoever reads what he has just said."""
    said = _said(session)
    # What a savepoint might still undo waits for the whole transaction's end.
    if any(said.values()) and not session.in_nested_transaction():
        _write(session)


def _write(session: Session) -> None:
    said = _said(session)
    if any(said.values()):
        session.flush()
        for writer, rows in said.items():
            if rows:
                writer(session, rows)
        said.clear()


def each_alone(
    session: Session, commands: Sequence[Command], store: Callable[[Sequence[Command]], None]
) -> list[Exception | None]:
    """Have `store` keep what these commands come to; of each, None or the fault that undid it and no other (law 3).

    All are tried behind one savepoint, with what they say, because next to nothing ever fails; where that does, each is
    stored behind a savepoint of its own. Raised is what the database undid by itself or can't keep, which is nobody's
    own.
    """
    if not commands:
        return []
    # What was said before is not theirs, and is not undone with them.
    write(session)
    fault = _undone_by(session, commands, store)
    if fault is None or len(commands) == 1:
        return [fault] * len(commands)
    return [_undone_by(session, [command], store) for command in commands]


def _undone_by(
    session: Session, commands: Sequence[Command], store: Callable[[Sequence[Command]], None]
) -> Exception | None:
    try:
        with session.begin_nested():
            store(commands)
            _write(session)
    except Exception as fault:
        if is_away(fault) or is_passing(fault):
            raise
        return fault
    return None


def _said(session: Session) -> dict[Writer, list[dict[str, Any]]]:
    said: dict[Writer, list[dict[str, Any]]] = session.info.setdefault(_SAID, {})
    return said


@listens_for(Session, "before_commit")
def _write_at_commit(session: Session) -> None:
    write(session)


@listens_for(Session, "after_transaction_create")
def _mark_savepoint(session: Session, begun: SessionTransaction) -> None:
    if begun.nested:
        marks = {writer: len(rows) for writer, rows in _said(session).items()}
        session.info.setdefault(_MARKS, {})[begun] = marks


@listens_for(Session, "after_soft_rollback")
def _forget_what_was_undone(session: Session, ended: SessionTransaction) -> None:
    if ended.nested:
        marks = session.info[_MARKS].pop(ended)
        for writer, rows in _said(session).items():
            del rows[marks.get(writer, 0) :]
    elif ended.parent is None:
        _said(session).clear()
