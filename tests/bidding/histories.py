"""Any history of a competition, for stateful tests: an empty council for each example, and what must hold after it."""

import copy
import shutil
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import settings

from bidding.awards.records import Award
from bidding.bids.records import Bid
from bidding.closings import Closing
from bidding.offers import OpenOffer
from bidding.otherwise.records import Placement
from bidding.referrals import Referral
from bidding.rounds import Invitation, Round
from dps.contracts.contracts import Contract
from dps.kernel.audit import AuditEvent
from dps.kernel.clock import SteppedClock
from dps.kernel.database import Database
from dps.kernel.entropy import SeededEntropy
from dps.register.holds import Hold
from tests.support.world import World

TABLES: tuple[type[Any], ...] = (
    Referral, Round, Invitation, Closing, Bid, Award, OpenOffer, Placement, Hold, Contract,
)  # fmt: skip
Begin = TypeVar("Begin")
Begun = TypeVar("Begun")
BORN = {"waiting", "reserved"}
"""A ranked offer's invitations wait for their turn from the beginning."""


def few_of_many(database_kind: str) -> settings:
    """A story takes many commands, so its examples are few: one for each so many of the profile's."""
    share = {"sqlite": 16, "postgresql": 50}[database_kind]
    return settings(max_examples=max(settings().max_examples // share, 1), stateful_step_count=12)


class Worlds:
    """The same council again and again, each time as it stood when it was begun; the one before is closed."""

    def __init__(self, empty: Callable[[Path], Database], folder: Path, *, copies: bool) -> None:
        self._empty, self._folder, self._copies, self._numbers = empty, folder, copies, count()
        self._begun: dict[Any, tuple[Path, World, Any]] = {}
        self._open: list[Database] = []

    def begin(self, how: Callable[[World, Begin], Begun], what: Begin) -> tuple[World, Begun]:
        """A council in which `how` was done with `what`. A file is copied; a server's database is begun anew."""
        self.close()
        if not self._copies:
            folder = self._another_file().parent
            world = World(self._opened(folder), folder)
            return world, how(world, what)
        if (how, what) not in self._begun:
            file = self._another_file()
            first = World(self._opened(file), file.parent)
            self._begun[how, what] = file, first, how(first, what)
            self.close()
        file, first, begun = self._begun[how, what]
        return self._copied(file, first), begun

    def close(self) -> None:
        while self._open:
            self._open.pop().dispose()

    def _copied(self, file: Path, first: World) -> World:
        copied, another = copy.copy(first), self._another_file()
        copied.database = self._opened(another)
        copied.database.dispose()
        shutil.copy(file, another)
        copied.clock = SteppedClock(first.clock.instant)
        copied.ports = replace(first.ports, clock=copied.clock, entropy=SeededEntropy("copied"))
        copied.timetable = replace(first.timetable, database=copied.database, ports=copied.ports)
        return copied

    def _opened(self, file: Path) -> Database:
        self._open.append(self._empty(file))
        return self._open[-1]

    def _another_file(self) -> Path:
        folder = self._folder / f"{next(self._numbers)}"
        folder.mkdir()
        return folder / "test.sqlite3"


def off_the_tables(world: World) -> list[str]:
    """Steps in the trail that no table of steps has, and rows that are not in the state where their steps led."""
    moves: dict[tuple[str, str], list[tuple[str, str, str]]] = {}
    for event in world.rows(AuditEvent):
        if {"ref", "from", "to"} <= event.body.keys():
            kind, _, step = event.kind.partition(".")
            moves.setdefault((kind, event.body["ref"]), []).append((event.body["from"], step, event.body["to"]))
    return [
        f"{row.ref}: {told}, and it is {row.state}"
        for table in TABLES
        for row in world.rows(table)
        if not _follows(row, told := moves.get((table.STEPS.kind, row.ref), []))
    ]


def _follows(row: Any, moves: list[tuple[str, str, str]]) -> bool:
    arrows = {(str(step.source), step.name, str(step.target)) for step in row.STEPS.steps}
    begun = moves[0][0] if moves else str(row.state)
    states = [begun, *(target for _, _, target in moves)]
    return (
        begun in {str(row.STEPS.start), *BORN}
        and states[-1] == str(row.state)
        and [source for source, _, _ in moves] == states[:-1]
        and arrows >= set(moves)
    )
