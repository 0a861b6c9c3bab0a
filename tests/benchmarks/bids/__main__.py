"""`make bench-bids`: durable bids per second, the complete command, beside what the machine and its peers can do.

    python -m tests.benchmarks.bids --seconds 6 --databases sqlite postgresql --write

A bid here is all of it: the signed-in session (or the API key), the form, eligibility, sealing, chain, idempotency,
receipt, commit, over HTTP. Goals: 3 times the path with one transaction for each request; p99 at most 15 times the
median; p95 at most 300 ms at 100 bids a second on PostgreSQL and 50 on SQLite; and, at the end, the web process is
killed under load: every receipt that was given must be in the database. Exit 1 where a goal is missed. Beside the time
by the wall stands the processor time of web process and database for one bid. `--write` keeps it in bidding/README.md.
"""

import argparse
import json
import os
import platform
import re
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
from tests.benchmarks.bids.processor import children, processor_s
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
    "| database | what | connections | a second | × one transaction each | of pgbench | p50 ms | p95 ms | p99 ms | "
    "web ms | database ms |",
    "|---|---|---|---|---|---|---|---|---|---|---|",
)
README = Path(__file__).parents[3] / "bidding" / "README.md"
BEGIN, END = "<!-- bids:begin -->", "<!-- bids:end -->"


@dataclass(frozen=True, slots=True)
class Measured:
    """A load, and milliseconds of processor time for one acknowledged bid."""

    load: Load
    web_ms: float
    database_ms: float


@dataclass
class Bench:
    """One database's rows, and the goals that were missed."""

    kind: str
    seconds: float
    folder: Path
    server: Server | None = None
    missed: list[str] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    best_possible: float | None = None

    def row(
        self, what: str, connections: int, rate: float, load: "Measured | None" = None, times: float | None = None
    ) -> None:
        share = f"{rate / self.best_possible:.2f}" if self.best_possible else "–"
        cells = [self.kind, what, connections, f"{rate:,.0f}", f"{times:.1f}" if times else "–", share]
        if load is None:
            cells += ["–"] * 5
        else:
            cells += [f"{load.load.quantile(share):.0f}" for share in (0.5, 0.95, 0.99)]
            cells += [f"{load.web_ms:.2f}", f"{load.database_ms:.2f}" if self.server else "–"]
        self.say(f"| {' | '.join(map(str, cells))} |")

    def say(self, line: str) -> None:
        """A line of the table, at once and kept."""
        self.lines.append(line)
        print(line, flush=True)

    def send(
        self, web: Web, requests: Iterator[Asked], *, connections: int, per_second: float | None = None
    ) -> "Measured":
        """A load, and what it took of the processors for each bid that was acknowledged."""
        web_s, server_s = processor_s(web.pid), self._server_s()
        load = send(web.port, requests, connections=connections, seconds=self.seconds, per_second=per_second)
        web_s = processor_s(web.pid) - web_s
        # A connection that was opened meanwhile had taken nothing before.
        database_s = sum(taken - server_s.get(pid, 0.0) for pid, taken in self._server_s().items())
        done = max(load.done, 1)
        return Measured(load, web_ms=1000 * web_s / done, database_ms=1000 * database_s / done)

    def _server_s(self) -> dict[int, float]:
        return {pid: processor_s(pid) for pid in children(self.server.pid)} if self.server is not None else {}

    def goal(self, words: str, *, met: bool) -> None:
        if not met:
            self.missed.append(f"{self.kind}: {words}")

    def plain(self, address: str | Path) -> None:
        """The peers that know nothing of bids."""
        peers.make_plain_tables(address)
        server = self.server
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
                    measured = self.send(web, requests, connections=connections)
                    load = measured.load
                    rates[way, connections] = load.per_second
                    times = load.per_second / rates["alone", connections]
                    self.row(f"{name}, {what}", connections, load.per_second, measured, times)
                    self.goal(f"{name}: answers {dict(load.statuses)}", met=load.done == sum(load.statuses.values()))
                    if way == "together":
                        self.goal(f"{name}, {connections}: {times:.1f} of {TIMES_ORM} times", met=times >= TIMES_ORM)
                        worst = load.quantile(0.99) / load.quantile(0.5)
                        self.goal(f"{name}, {connections}: p99 is {worst:.0f} × p50", met=worst <= WORST_P99)

    def _paced(self, council: Council, url: str) -> None:
        """At the promised pace; then as many as go, and the process is killed meanwhile."""
        pace = PACE[self.kind]
        forms = council.forms(price="16.40")
        with Web("together", url, self.folder) as web:
            send(web.port, forms, connections=8, seconds=1)
            for way, requests in (("form", forms), ("API", council.posts(again="paced"))):
                measured = self.send(web, requests, connections=32, per_second=pace)
                p95 = measured.load.quantile(0.95)
                self.row(f"{way} at {pace:.0f} a second", 32, measured.load.per_second, measured)
                self.goal(f"{way} at {pace:.0f} a second: p95 is {p95:.0f} ms", met=p95 <= P95_MS)
            killer = threading.Timer(self.seconds / 2, web.kill)
            killer.start()
            load = send(web.port, forms, connections=32, seconds=self.seconds)
            killer.join()
        kept = {row["ref"]: row for row in checker.gathered(address_of(council.world))["bid"]}
        lost = [place for _, place, _ in load.answers if place.rpartition("/")[2] not in kept]
        said = f"killed −9 under load: {load.done} acknowledged, {len(lost)} lost"
        self.say(f"| {self.kind} | {said} | 32 | | | | | | | | |")
        self.goal(said, met=not lost and load.done > 0)
        self.goal(f"the proof finds {council.world.faults()[:3]}", met=not council.world.faults())


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.benchmarks.bids", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--seconds", type=float, default=6.0, help="how long each row is measured (6)")
    parser.add_argument("--databases", nargs="+", choices=("sqlite", "postgresql"), default=["sqlite", "postgresql"])
    parser.add_argument("--packages", type=int, default=200, help=f"so many, with {PROVIDERS} providers asked for each")
    parser.add_argument("--write", action="store_true", help="keep the table in bidding/README.md")
    asked = parser.parse_args(arguments)
    configure("error")
    when = (
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before, "
        f"Python {platform.python_version()}; `make bench-bids`, {asked.seconds:g} s a row."
    )
    lines = [when, "", *HEAD]
    print("\n".join(lines), flush=True)
    missed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="dps-bids-") as made:
        with Web("empty", "sqlite:///unused", Path(made)) as web:
            empty = Bench("–", asked.seconds, Path(made))
            measured = empty.send(web, _empties(), connections=32)
            empty.row("the framework's empty handler", 32, measured.load.per_second, measured)
            lines += empty.lines
        for kind in asked.databases:
            bench = _measured(kind, asked.seconds, asked.packages, Path(made) / kind)
            missed += bench.missed
            lines += bench.lines
    if asked.write:
        lines += ["", *(f"- Missed: {words}." for words in missed)] if missed else ["", "Every goal was met."]
        kept, block = README.read_text(), "\n".join((BEGIN, *lines, END))
        README.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: block, kept, flags=re.DOTALL))
    for words in missed:
        print(f"missed: {words}", file=sys.stderr)
    return 1 if missed else 0


def _measured(kind: str, seconds: float, packages: int, folder: Path) -> Bench:
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
        bench = Bench(kind, seconds, folder, server)
        council = Council(database, folder, providers=PROVIDERS, packages=packages)
        bench.plain(address)
        bench.bids(council, database.url.render_as_string(hide_password=False))
        return bench


def _empties() -> Iterator[Asked]:
    while True:
        yield Asked("/empty", json.dumps({}).encode(), {"Content-Type": "application/json"})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
