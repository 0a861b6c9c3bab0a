"""Two transactions, one of which must wait for the other: seen in the database, without guessing how long it takes."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import repeat
from typing import TypeVar

from sqlalchemy import text

from dps.kernel.database import Database

Answer = TypeVar("Answer")

_BLOCKED = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


def begun_and_waiting(pool: ThreadPoolExecutor, database: Database, runner: Callable[[], Answer]) -> Future[Answer]:
    """Start `runner`; returns once it waits for a lock, or is done because it did not have to. PostgreSQL only."""
    begun = pool.submit(runner)
    for _ in repeat(None):
        with database.reading() as session:
            if begun.done() or session.execute(_BLOCKED).scalar_one():
                return begun
    raise AssertionError("unreachable: the loop above ends by returning")
