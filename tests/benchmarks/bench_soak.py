"""A county's accelerated year, 40,000 referrals: what memory and the hot pages take at the end of each quarter.

    python -m tests.benchmarks.bench_soak [--referrals 40000] [--live 150] [--database sqlite] [--pages 25]

Each quarter so many referrals (`--live`) go the whole way in this process: published, bid for, closed, opened, scored,
allocated, accepted, confirmed, their messages carried, the trail signed, the clock moved to the quarter's end; the rest
of the quarter is copied from what is over (tests/support/filling.py). `--live 10000` copies nothing, and takes hours.
After each quarter the hot pages and sweeps are asked: milliseconds of the processor, statements, and what SQLite steps
through for each; and what memory this process holds. Exit 1 where the last quarter takes more than `MOST` times the
first, or more than `MOST_MEMORY` times its memory.
"""

import argparse
import gc
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from dps.kernel.database import Database
from dps.kernel.logs import configure
from dps.register.capacity import declare
from dps.schemes.model import Urgency
from tests.support.plans import statements_while
from tests.support.postgres import Cluster, find_binaries
from tests.support.schema import PostgresqlSchema, SqliteSchema
from tests.web.test_plans_of_pages import Filled, steps

QUARTERS = 4
QUARTER = timedelta(days=91)
MOST = 1.3
MOST_MEMORY = 1.15


@dataclass(frozen=True, slots=True)
class Took:
    """What one hot page or sweep took."""

    processor_ms: float
    statements: int
    steps: int


@dataclass(frozen=True, slots=True)
class Quarter:
    """How it stood at the end of a quarter."""

    referrals: int
    events: int
    seconds: float
    held_mib: float
    took: dict[str, Took]


class Year:
    """One council's, played on."""

    def __init__(self, council: Filled, *, live: int, whole: int) -> None:
        self.council, self.live, self.each = council, live, whole // QUARTERS
        self.began = self.said = council.world.now
        self.quarters: list[Quarter] = []

    def play(self, pages: int) -> None:
        for _ in range(QUARTERS):
            began = time.perf_counter()
            self._quarter()
            self.quarters.append(self._asked(pages, time.perf_counter() - began))
            told(self.quarters[-1], len(self.quarters))

    def _quarter(self) -> None:
        """Live first, the clock on its way to the quarter's end; then the copies, so that they are of the past."""
        world = self.council.world
        began = self.began + QUARTER * len(self.quarters)
        for number in range(self.live):
            referral = world.referral(urgency=Urgency.CRISIS)
            world.bid(self.council.oak, referral, pence=1600)
            world.close(referral)
            world.accept_and_confirm(world.award(referral), self.council.oak)
            world.timetable.carry_messages()
            world.timetable.sign_checkpoint()
            world.postman.messages.clear()
            self._stay_in_business()
            world.move_to(max(began + QUARTER * (number + 1) / self.live, world.now))
        self.council.past.copy(self.each - self.live)

    def _stay_in_business(self) -> None:
        """What a provider says of its free hours ends: it is said again each month."""
        world, oak = self.council.world, self.council.oak
        if world.now - self.said >= timedelta(days=30):
            self.said = world.now
            world.run(
                declare, provider_id=world.row_of(oak).id or 0, authority=world.authority, minutes=600_000,
                expires_at=world.now + timedelta(days=60), actor=oak,
            )  # fmt: skip

    def _asked(self, pages: int, seconds: float) -> Quarter:
        council = self.council
        council.give_keys()
        took = {name: _took(council.world.database, act, pages) for name, act in council.hot.items()}
        gc.collect()
        with council.world.database.engine.connect() as connection:
            referrals, events = (
                connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()
                for table in ("referral", "audit_event")
            )
        return Quarter(referrals, events, seconds, _held_mib(), took)


def _took(database: Database, act: Callable[[], Any], pages: int) -> Took:
    act()
    spent = []
    for _ in range(pages):
        began = time.process_time()
        act()
        spent.append((time.process_time() - began) * 1000)
    return Took(
        statistics.median(spent), statements_while(database, act), steps(database, act) if database.is_sqlite else 0
    )


def _held_mib() -> float:
    held = re.search(r"VmRSS:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert held is not None
    return int(held[1]) / 1024


def told(quarter: Quarter, number: int) -> None:
    print(
        f"\nquarter {number}: {quarter.referrals:,} referrals, {quarter.events:,} events, {quarter.seconds:.0f} s, "
        f"{quarter.held_mib:.0f} MiB held",
        flush=True,
    )
    for name, took in quarter.took.items():
        print(
            f"  {name:32}{took.processor_ms:8.1f} ms{took.statements:6} statements{took.steps:8} hundred steps",
            flush=True,
        )


def judged(first: Quarter, last: Quarter) -> list[str]:
    """What grew, in words. Small times are left out: a tenth of a millisecond is the clock's own."""
    print(f"\n{'last quarter over first':34}{'processor':>12}{'statements':>12}{'steps':>12}")
    grown = []
    for name, before in first.took.items():
        after = last.took[name]
        ratios = (
            after.processor_ms / max(before.processor_ms, 1.0),
            after.statements / before.statements,
            (after.steps + 20) / (before.steps + 20),
        )
        print(f"  {name:32}" + "".join(f"{ratio:12.2f}" for ratio in ratios))
        if max(ratios) > MOST:
            grown.append(f"{name} takes {max(ratios):.2f} times as much at the end of the year")
    memory = last.held_mib / first.held_mib
    print(f"  {'memory':32}{memory:12.2f}")
    if memory > MOST_MEMORY:
        grown.append(f"memory held is {memory:.2f} times that of the first quarter")
    return grown


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[Database]:
    if kind == "sqlite":
        database = SqliteSchema(folder).database(folder / "soak.sqlite3")
        yield database
        database.dispose()
        return
    with Cluster(find_binaries()) as cluster:
        database = PostgresqlSchema(cluster).database()
        yield database
        database.dispose()


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--referrals", type=int, default=40_000)
    arguments.add_argument("--live", type=int, default=150, help="referrals of a quarter that are not copied")
    arguments.add_argument("--pages", type=int, default=25)
    arguments.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    asked = arguments.parse_args()
    configure("error")
    with tempfile.TemporaryDirectory(prefix="dps-soak-") as made, _database(asked.database, Path(made)) as database:
        council = Filled(database, Path(made), 1)
        with council.served:
            council.world.publish_lists()
            council.sign_in()
            year = Year(council, live=asked.live, whole=asked.referrals)
            year.play(asked.pages)
        faults = judged(year.quarters[0], year.quarters[-1])
    for fault in faults:
        print(fault, file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
