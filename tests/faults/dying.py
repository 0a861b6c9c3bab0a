"""Processes that die where they are told to: forked from one that has loaded everything, killed by SIGKILL.

Each opens the database for itself, does one thing and ends; nothing of it is cleaned up when it is killed, just as when
a machine loses power: not a lock, not a transaction, not a connection.
"""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from sqlalchemy import event

from bidding.awards import moving
from bidding.sealing.opening import Identities
from bidding.timetable import Timetable
from dps.kernel.actors import Actor
from dps.kernel.clock import SteppedClock
from dps.kernel.database import Database
from dps.kernel.entropy import SeededEntropy
from dps.kernel.keys import load_keyring
from dps.kernel.outbox import OutboxMessage
from dps.kernel.ports import Ports
from tests.faults.history import append
from tests.support.world import World
from web import tables as _every_table  # noqa: F401 - a child finds each table mapped

MOVES: dict[str, Callable[..., Any]] = {
    "accept": moving.accept,
    "decline": moving.decline,
    "confirm": moving.confirm,
}
"""What a provider does with an award, by name: a task names it."""

_FORKED = get_context("forkserver")
_FORKED.set_forkserver_preload(["tests.faults.dying"])


@dataclass(frozen=True)
class Logged:
    """A postman whose log outlives it: one line for each message, when it has been carried."""

    path: Path

    def carry(self, message: OutboxMessage) -> None:
        append(self.path, {"carried": message.ref})


@dataclass(frozen=True)
class Task:
    """What one process does, and where it dies: at the `times`-th passing of a waypoint, or before a statement."""

    url: str
    folder: Path
    instant: datetime
    seed: str
    do: str
    request: dict[str, Any] = field(default_factory=dict)
    dies_at: str | None = None
    times: int = 1
    dies_before_statement: int | None = None

    def at(self, waypoint: str, times: int = 1) -> "Task":
        return replace(self, dies_at=waypoint, times=times)

    def before_statement(self, number: int) -> "Task":
        return replace(self, dies_before_statement=number)


def task(world: World, folder: Path, do: str, **request: Any) -> Task:
    """Something to do on this world's database at this world's instant."""
    url = world.database.url.render_as_string(hide_password=False)
    return Task(url, folder, world.now, f"{do} {world.ports.entropy.token(8).hex()}", do, request)


def killed(order: Task) -> bool:
    """Do it in a process of its own. Whether it was killed; AssertionError where it failed in any other way."""
    process = _FORKED.Process(target=_perform, args=(order,), daemon=True)
    process.start()
    process.join(60)
    code = process.exitcode
    process.close()
    assert code in (0, -signal.SIGKILL), f"{order.do} ended with {code}"
    return code != 0


def _perform(order: Task) -> None:
    database = Database(order.url)
    passed = 0

    def reached(waypoint: str) -> None:
        nonlocal passed
        passed += waypoint == order.dies_at
        if passed == order.times:
            _die()

    if order.dies_before_statement is not None:
        _die_before(database, order.dies_before_statement)
    ports = Ports(
        clock=SteppedClock(order.instant),
        entropy=SeededEntropy(order.seed),
        keyring=load_keyring(order.folder / "keys"),
        reached=reached,
    )
    timetable = Timetable(
        database=database,
        ports=ports,
        opener=Identities(order.folder / "identities"),
        postman=Logged(order.folder / "carried"),
    )
    sweeps: dict[str, Callable[[], Any]] = {"sweep": timetable.sweep, "carry": timetable.carry_messages}
    if order.do in sweeps:
        sweeps[order.do]()
    else:
        request = {**order.request, "actor": Actor(**order.request["actor"])}
        database.run(lambda session: MOVES[order.do](session, ports, **request))
    database.dispose()


def _die_before(database: Database, number: int) -> None:
    """Count every statement and every commit."""
    begun = 0

    def count(*_: Any) -> None:
        nonlocal begun
        begun += 1
        if begun == number:
            _die()

    event.listen(database.engine, "before_cursor_execute", count)
    event.listen(database.engine, "commit", count)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
