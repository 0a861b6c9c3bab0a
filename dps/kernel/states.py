"""The one writer of states.

A room's file begins with its table of steps. `advance` is the only line of the engine that changes `state`: it does
the guarded UPDATE, looks at the row count, writes the audit event and brings the row up to date (laws 3 and 4).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar, Protocol

from sqlalchemy import Update, bindparam, update
from sqlalchemy.orm.attributes import set_committed_value
from sqlmodel import Session

from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.database import one_or_many
from dps.kernel.errors import Forbidden, NoSuchStep, StateChanged


@dataclass(frozen=True, slots=True)
class Step:
    """One arrow: from `source` to `target`, and who may move it."""

    source: StrEnum
    name: str
    target: StrEnum
    movers: frozenset[Role]


class StateTable:
    """All steps of one kind of row. `kind` is the glossary's word; `start` is the state it is born in."""

    def __init__(self, kind: str, start: StrEnum, *steps: tuple[StrEnum, str, StrEnum, tuple[Role, ...]]) -> None:
        self.kind = kind
        self.start = start
        self.steps = tuple(Step(source, name, target, frozenset(movers)) for source, name, target, movers in steps)
        self._by_key = {(step.source, step.name): step for step in self.steps}
        if len(self._by_key) != len(self.steps):
            raise ValueError(f"{kind}: a step is listed twice")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(step.name for step in self.steps))

    def allows(self, state: StrEnum, name: str) -> bool:
        return (state, name) in self._by_key

    def step(self, state: StrEnum, name: str, ref: str) -> Step:
        try:
            return self._by_key[state, name]
        except KeyError:
            raise NoSuchStep(kind=self.kind.capitalize(), ref=ref, state=str(state), step=name) from None

    def diagram(self) -> str:
        """The table as a Mermaid state diagram; READMEs carry it and a test compares."""
        targets = {step.target for step in self.steps}
        ends = sorted(targets - {step.source for step in self.steps})
        lines = ["stateDiagram-v2", f"    [*] --> {self.start}"]
        lines += [
            f"    {step.source} --> {step.target}: {step.name.replace('_', ' ')} "
            f"({', '.join(sorted(role.replace('_', ' ') for role in step.movers))})"
            for step in self.steps
        ]
        return "\n".join([*lines, *(f"    {end} --> [*]" for end in ends)])


class Stateful(Protocol):
    """What `advance` needs of a row: a reference, a state, a stream, and its table of steps."""

    STEPS: ClassVar[StateTable]
    id: Any
    ref: str
    state: Any

    @property
    def stream(self) -> str: ...


def advance(
    session: Session,
    row: Stateful,
    step: str,
    actor: Actor,
    now: datetime,
    *,
    facts: Mapping[str, Any] | None = None,
    **columns: Any,
) -> None:
    """Move `row` by `step`, setting `columns` with it, and write the audit event with `facts`.

    Raises `NoSuchStep` (the table has none from here), `Forbidden` (another role moves it) or `StateChanged`
    (somebody else was first: nothing was written).
    """
    advance_all(session, [row], step, actor, now, facts=facts, **columns)


def advance_all(
    session: Session,
    rows: Sequence[Stateful],
    step: str,
    actor: Actor,
    now: datetime,
    *,
    facts: Mapping[str, Any] | None = None,
    **columns: Any,
) -> None:
    """Move rows of one table by the same step, each with its own event; all of them, or none and an error.

    Raises what `advance` raises; the rows may stand in different states, as long as the table has the step from each.
    """
    arrows = [row.STEPS.step(row.state, step, row.ref) for row in rows]
    for row, arrow in zip(rows, arrows, strict=True):
        if actor.role not in arrow.movers:
            raise Forbidden(actor=actor.ref, step=f"{step} this {row.STEPS.kind}")
    session.flush()
    for arrow in dict.fromkeys(arrows):
        _move(session, [row for row, its in zip(rows, arrows, strict=True) if its is arrow], arrow, columns)
    for row, arrow in zip(rows, arrows, strict=True):
        told = {"ref": row.ref, "from": str(arrow.source), "to": str(arrow.target), **(facts or {})}
        audit.append(session, row.stream, f"{row.STEPS.kind}.{step}", actor, now, told)


def _move(session: Session, rows: Sequence[Stateful], arrow: Step, columns: Mapping[str, Any]) -> None:
    """The guarded UPDATE of all of these, which stand at the arrow's source, or so their reader believes."""
    ids = one_or_many([row.id for row in rows])
    moved = session.connection().execute(
        _guarded(type(rows[0]), tuple(sorted(columns)), isinstance(ids, list)),
        {"guarded_ids": ids, "guarded_state": arrow.source, "state": arrow.target, **columns},
    )
    if moved.rowcount != len(rows):
        raise StateChanged(kind=rows[0].STEPS.kind.capitalize(), ref=", ".join(row.ref for row in rows))
    for row in rows:
        for name, value in {"state": arrow.target, **columns}.items():
            set_committed_value(row, name, value)


@cache
def _guarded(row: type[Any], columns: tuple[str, ...], many: bool) -> Update:
    """The UPDATE of a step that sets these columns; built once, because every command moves something."""
    table = row.__table__
    those: Any = bindparam("guarded_ids", expanding=many)
    guard = (
        table.c.id.in_(those) if many else table.c.id == those,
        table.c.state == bindparam("guarded_state", type_=table.c.state.type),
    )
    return update(table).where(*guard).values({name: bindparam(name) for name in ("state", *columns)})
