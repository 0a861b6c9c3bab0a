"""`make bench-bids`: durable bids per second, the complete command, beside what the machine and its peers can do.

    python -m tests.benchmarks.bids --seconds 8 --databases sqlite postgresql

A bid here is all of it: the signed-in session (or the API key), the form, eligibility, sealing, chain, idempotency,
receipt, commit, over HTTP. Goals: 3 times the path with one transaction for each request; p99 at most 15 times the
median; p95 at most 300 ms at 100 bids a second on PostgreSQL and 50 on SQLite; and, at the end, the web process is
killed under load: every receipt that was given must be in the database. Exit 1 where a goal is missed.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from dps.kernel.database import Database
from dps.kernel.logs import configure
from dps.migrations import history
from tests.benchmarks.bids import peers
from tests.benchmarks.bids.council import Council
from tests.benchmarks.bids.load import Asked, Load, send
from tests.benchmarks.bids.serving import Web
from tests.faults import checker
from tests.faults.killing import address_of
from tests.faults.server import Server
from tests.support.keeper import SUPERUSER
from web.tables import metadata

CONNECTIONS = (32, 128)
PACE = {"postgresql": 100.0, "sqlite": 50.0}
TIMES_ORM, WORST_P99, P95_MS, STRETCH = 3.0, 15.0, 300.0, 0.4
PROVIDERS = 64
HEAD = (
    "| database | what | connections | a second | × one transaction each | of pgbench | p50 ms | p95 ms | p99 ms |",
    "|---|---|---|---|---|---|---|---|---|",
)


@dataclass
class Bench:
    """One database's rows, and the goals that were missed."""

    kind: str
    seconds: float
    folder: Path
    missed: list[str] = field(default_factory=list)
    best_possible: float | None = None

    def row(
        self, what: str, connections: int, rate: float, load: Load | None = None, times: float | None = None
    ) -> None:
        share = f"{rate / self.best_possible:.2f}" if self.best_possible else "–"
        latencies = [f"{load.quantile(share):.0f}" for share in (0.5, 0.95, 0.99)] if load else ["–"] * 3
        cells = (self.kind, what, connections, f"{rate:,.0f}", f"{times:.1f}" if times else "–", share, *latencies)
        print(f"| {' | '.join(map(str, cells))} |", flush=True)

    def goal(self, words: str, *, met: bool) -> None:
        if not met:
            self.missed.append(f"{self.kind}: {words}")

    def plain(self, address: str | Path, server: Server | None) -> None:
        """The peers that know nothing of bids."""
        peers.make_plain_tables(address)
        if server is not None:
            self.best_possible = peers.pgbench(server.folder, "bids", SUPERUSER, clients=32, seconds=self.seconds)
            if self.best_possible:
                self.row("pgbench, two inserts a commit", 32, self.best_possible)
        connections = 32 if server else 1
        rate = peers.bare_driver(address, connections=connections, seconds=self.seconds)
        self.row("bare driver, two inserts a commit", connections, rate)

    def bids(self, council: Council, url: str) -> None:
        """Ours and the one with a transaction for each request, by the form, then by the API."""
        for way, requests in (("form", council.forms()), ("API", council.posts())):
            self._compared(way, requests, url)
        self._paced(council, url)

    def _compared(self, name: str, requests: Iterator[Asked], url: str) -> None:
        rates: dict[tuple[str, int], float] = {}
        for way, what in (("alone", "one transaction each"), ("together", "together")):
            with Web(way, url, self.folder) as web:
                send(web.port, requests, connections=8, seconds=1)
                for connections in CONNECTIONS:
                    load = send(web.port, requests, connections=connections, seconds=self.seconds)
                    rates[way, connections] = load.per_second
                    times = load.per_second / rates["alone", connections]
                    self.row(f"{name}, {what}", connections, load.per_second, load, times)
                    self.goal(f"{name}: answers {dict(load.statuses)}", met=load.done == sum(load.statuses.values()))
                    if way == "together":
                        self.goal(f"{name}, {connections}: {times:.1f} of {TIMES_ORM} times", met=times >= TIMES_ORM)
                        worst = load.quantile(0.99) / load.quantile(0.5)
                        self.goal(f"{name}, {connections}: p99 is {worst:.0f} × p50", met=worst <= WORST_P99)

    def _paced(self, council: Council, url: str) -> None:
        """At the promised pace; then as many as go, and the process is killed meanwhile."""
        pace = PACE[self.kind]
        requests = council.forms(price="16.40")
        with Web("together", url, self.folder) as web:
            load = send(web.port, requests, connections=32, seconds=self.seconds, per_second=pace)
            self.row(f"form at {pace:.0f} a second", 32, load.per_second, load)
            self.goal(f"at {pace:.0f} a second p95 is {load.quantile(0.95):.0f} ms", met=load.quantile(0.95) <= P95_MS)
            killer = threading.Timer(self.seconds / 2, web.kill)
            killer.start()
            load = send(web.port, requests, connections=32, seconds=self.seconds)
            killer.join()
        kept = {row["ref"]: row for row in checker.gathered(address_of(council.world))["bid"]}
        lost = [place for _, place, _ in load.answers if place.rpartition("/")[2] not in kept]
        said = f"killed −9 under load: {load.done} acknowledged, {len(lost)} lost"
        print(f"| {self.kind} | {said} | 32 | | | | | | |", flush=True)
        self.goal(said, met=not lost and load.done > 0)
        self.goal(f"the proof finds {council.world.faults()[:3]}", met=not council.world.faults())


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.bids", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--seconds", type=float, default=8.0, help="how long each row is measured (8)")
    parser.add_argument("--databases", nargs="+", choices=("sqlite", "postgresql"), default=["sqlite", "postgresql"])
    parser.add_argument("--packages", type=int, default=150, help=f"so many, with {PROVIDERS} providers asked for each")
    asked = parser.parse_args(arguments)
    configure("error")
    print(f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
          f"Python {platform.python_version()}\n")  # fmt: skip
    print("\n".join(HEAD), flush=True)
    missed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="dps-bids-") as made:
        with Web("empty", "sqlite:///unused", Path(made)) as web:
            load = send(web.port, _empties(), connections=32, seconds=asked.seconds)
            Bench("–", asked.seconds, Path(made)).row("the framework's empty handler", 32, load.per_second, load)
        for kind in asked.databases:
            missed += _measured(kind, asked.seconds, asked.packages, Path(made) / kind)
    for words in missed:
        print(f"missed: {words}", file=sys.stderr)
    return 1 if missed else 0


def _measured(kind: str, seconds: float, packages: int, folder: Path) -> list[str]:
    folder.mkdir()
    with ExitStack() as ends:
        server = ends.enter_context(Server()) if kind == "postgresql" else None
        if server is None:
            address: str | Path = folder / "bids.sqlite3"
            database = Database(f"sqlite:///{address}")
        else:
            database = Database(server.create("bids"))
            address = server.address("bids")
        ends.callback(database.dispose)
        history.migrate(database, metadata)
        bench = Bench(kind, seconds, folder)
        council = Council(database, folder, providers=PROVIDERS, packages=packages)
        bench.plain(address, server)
        bench.bids(council, database.url.render_as_string(hide_password=False))
        return bench.missed


def _empties() -> Iterator[Asked]:
    while True:
        yield Asked("/empty", json.dumps({}).encode(), {"Content-Type": "application/json"})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
