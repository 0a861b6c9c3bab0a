"""`make bench-allocation`: every peer on the same instances, one at a time, the same limit and referee; half an hour.

    python -m tests.benchmarks.allocation --sizes day,week,county,gap,bundles,around --write

The true gap is against the best valid bound any of our runs published for that market; no bound is read from a file,
but for the published sets, whose best known value stands beside. With `--write` the tables and a picture of the gap
over time replace those in matching/README.md.
"""

import argparse
import os
import platform
import re
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from matching.allocation import Instance
from tests.benchmarks.allocation import around, published
from tests.benchmarks.allocation.auctions import auction, with_bundles
from tests.benchmarks.allocation.goals import HEAD as HEAD_OF_GOALS
from tests.benchmarks.allocation.goals import Row, goals
from tests.benchmarks.allocation.market import market
from tests.benchmarks.allocation.peers import PEERS, Run, run
from tests.benchmarks.allocation.picture import gap_over_time

README = Path(__file__).parents[3] / "matching" / "README.md"
PICTURE = README.parent / "gap_over_time.svg"
BEGIN, END = "<!-- bench-allocation: begin -->", "<!-- bench-allocation: end -->"
LIMITS_S = {"day": 5.0, "week": 8.0, "county": 60.0, "gap": 12.0, "auction": 5.0}
CAPACITIES = {"day": (0.95,), "week": (0.8, 0.95, 1.1, 1.3), "county": (0.95, 1.1)}
OURS = ("ours", "ours counted")
PICTURED = GROWING = 0.95
NEAR = 0.02
HARD = ("d10100", "d20100", "e10200")
"""Published sets that every solver gets; all others that are at hand are ours alone."""
HEAD = (
    "| instance | peer | objective £ | unplaced h | true gap | first s | s | processor s | MiB | load |",
    "|---|---|---|---|---|---|---|---|---|---|",
)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="day,week,county,gap,bundles,around")
    parser.add_argument("--seed", type=int, default=2101, help="of the markets that every peer gets")
    parser.add_argument("--more-seeds", default="2102,2103", help="of weeks that only ours gets")
    parser.add_argument("--capacity", help="free hours over hours wanted, for every size; usually by size")
    parser.add_argument("--limit", type=float, help="seconds for each run; usually by size")
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--write", action="store_true", help="keep tables and picture in matching/README.md")
    return parser.parse_args()


@dataclass(frozen=True, slots=True)
class _Grown:
    """How ours did on one size, for the table of growth."""

    size: str
    packages: int
    bids: int
    run: Run
    bound: int


class _Bench:
    def __init__(self, asked: argparse.Namespace) -> None:
        self.asked = asked
        self.peers: tuple[str, ...] = tuple(asked.peers.split(","))
        self.lines: list[str] = []
        self.gaps: dict[tuple[str, str], list[float]] = {}
        self.rows: list[Row] = []
        self.done: list[around.Done] = []
        self.grown: list[_Grown] = []
        self.picture = ""

    def say(self, *lines: str) -> None:
        for line in lines:
            print(line, flush=True)
            self.lines.append(line)

    def run(self) -> None:
        began = datetime.now(UTC)
        self.say(
            f"{began:%Y-%m-%d %H:%M} UTC, OR-Tools {version('ortools')}, numba {version('numba')}, "
            f"numpy {version('numpy')}, Python {platform.python_version()}, {os.cpu_count()} processors: "
            f"`{' '.join(('python -m tests.benchmarks.allocation', *sys.argv[1:]))}`\n",
            *HEAD,
        )
        for size in self.asked.sizes.split(","):
            if size in CAPACITIES:
                self._markets(size)
            elif size == "gap":
                self._published()
            elif size == "bundles":
                self._bundles()
        self._medians()
        self._growth()
        if "around" in self.asked.sizes.split(","):
            self._around()
        self.say("\nWanted and seen:\n", *HEAD_OF_GOALS, *(goal.line for goal in goals(self.rows, self.done)))
        minutes = (datetime.now(UTC) - began).total_seconds() / 60
        self.say(f"\nIn all {minutes:.0f} minutes.")

    def _markets(self, size: str) -> None:
        stated = self.asked.capacity
        for capacity in map(float, stated.split(",")) if stated else CAPACITIES[size]:
            # A county takes every peer a minute: one capacity is compared, the other is ours and its nearest rival's.
            is_short = size == "county" and capacity != PICTURED
            peers = [peer for peer in self.peers if not is_short or peer in ("ours", "CP-SAT + hint")]
            self._market(size, capacity, self.asked.seed, peers)
            if size == "week":
                for seed in self._more_seeds():
                    self._market(size, capacity, seed, [peer for peer in self.peers if peer in OURS])

    def _market(self, size: str, capacity: float, seed: int, peers: Sequence[str]) -> None:
        limit = self.asked.limit or LIMITS_S[size]
        group = f"{size} {capacity:.0%}, {limit:g} s"
        instance = market(size, seed, capacity)
        rows = self._compared(instance, limit, peers)
        bound = _best_bound(rows)
        self._tell(group, f"{group}, {seed}", rows, bound)
        if capacity == GROWING and seed == self.asked.seed and rows[0].peer == "ours":
            self.grown.append(_Grown(size, len(instance.packages), len(instance.bids), rows[0], bound))
        if (size, capacity) == ("county", PICTURED) and bound:
            lines = {row.peer: row.met for row in rows if row.met and row.peer != "ours counted"}
            title = f"True gap over time: {group}, 2,700 packages, load {os.getloadavg()[0]:.1f}"
            self.picture = gap_over_time(title, limit, bound, lines)

    def _published(self) -> None:
        limit = self.asked.limit or LIMITS_S["gap"]
        present = published.names()
        solvers = [peer for peer in self.peers if peer in ("ours", "CP-SAT", "HiGHS", "SCIP")]
        if not present:
            self.say("| published sets | left out: they are not at hand | | | | | | | | |")
        for name in sorted(present, key=lambda name: (name not in HARD, name)):
            rows = self._compared(published.published(name), limit, solvers if name in HARD else ["ours"])
            self._tell(f"published {name}, {limit:g} s", f"published {name}", rows, published.best_known(name))

    def _bundles(self) -> None:
        limit = self.asked.limit or LIMITS_S["auction"]
        for seed in range(self.asked.seed, self.asked.seed + 3):
            rows = self._compared(auction(seed), limit, [peer for peer in self.peers if peer in ("ours", "CP-SAT")])
            self._tell(f"auction of 100 bids, {limit:g} s", f"auction, {seed}", rows, _best_bound(rows))
        limit = self.asked.limit or LIMITS_S["week"]
        group = f"week 95% and 10% bundles, {limit:g} s"
        for seed in (self.asked.seed, *self._more_seeds()):
            peers = [peer for peer in self.peers if peer in (*OURS, "CP-SAT + hint")]
            if seed != self.asked.seed:
                peers = [peer for peer in peers if peer == "ours"]
            rows = self._compared(with_bundles(market("week", seed, 0.95), 0.1, seed), limit, peers)
            self._tell(group, f"{group}, {seed}", rows, _best_bound(rows))

    def _more_seeds(self) -> list[int]:
        return [int(seed) for seed in filter(None, self.asked.more_seeds.split(","))]

    def _compared(self, instance: Instance, limit_s: float, peers: Sequence[str]) -> list[Run]:
        return [run(peer, instance, limit_s) for peer in peers]

    def _tell(self, group: str, name: str, rows: list[Run], bound: int) -> None:
        for row in rows:
            gap = (row.objective - bound) / row.objective
            self.gaps.setdefault((group, row.peer), []).append(gap)
            self.rows.append(Row(group, row, gap))
            first = f"{row.met[0][0]:.1f}" if row.met else "–"
            self.say(
                f"| {name} | {row.peer} | {_pounds(row.objective)}{' (gave nothing)' if row.gave_nothing else ''} | "
                f"{row.unplaced_hours:,.0f} | {gap:.2%} | {first} | {row.seconds:.1f} | {row.processor_s:.1f} | "
                f"{row.peak_mib} | {row.load:.1f} |"
            )
        self._keep()

    def _medians(self) -> None:
        groups = list(dict.fromkeys(name for name, _ in self.gaps))
        if not groups:
            return
        columns = "|---" * (len(self.peers) + 1) + "|"
        self.say("\nMedian true gaps:\n", f"| instances | {' | '.join(self.peers)} |", columns)
        for group in groups:
            known = (self.gaps.get((group, peer)) for peer in self.peers)
            medians = (f"{statistics.median(gaps):.2%}" if gaps else "" for gaps in known)
            self.say(f"| {group} | {' | '.join(medians)} |")

    def _growth(self) -> None:
        """How the engine grows with the size: seconds to a first award, to a first bound's quality, memory."""
        if not self.grown:
            return
        self.say(
            "\nOurs, by size, at 95%:\n",
            f"| size | packages | bids | first s | within {NEAR:.0%} at s | gap at the limit | MiB |",
            "|---|---|---|---|---|---|---|",
        )
        for one in self.grown:
            run = one.run
            near = next((f"{at:.1f}" for at, value in run.met if value - one.bound <= NEAR * value), "–")
            gap = (run.objective - one.bound) / run.objective
            self.say(
                f"| {one.size} | {one.packages:,} | {one.bids:,} | {run.met[0][0]:.1f} | {near} | {gap:.2%} | "
                f"{run.peak_mib} |"
            )

    def _around(self) -> None:
        self.say("\nAround an award:\n", *around.HEAD)
        for job in around.JOBS:
            self.done.append(around.run(job))
            self.say(self.done[-1].row)
            self._keep()

    def _keep(self) -> None:
        """After each row, lest a long run be cut off."""
        if self.asked.write:
            self.write()

    def write(self) -> None:
        """Keep the tables and the picture in the README's folder."""
        kept = README.read_text()
        block = "\n".join((BEGIN, *self.lines, END))
        README.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: block, kept, flags=re.DOTALL))
        if self.picture:
            PICTURE.write_text(self.picture)


def _best_bound(rows: list[Run]) -> int:
    return max((row.bound for row in rows if row.bound is not None and row.peer.startswith("ours")), default=0)


def _pounds(pence: int) -> str:
    return f"{pence / 100:,.0f}" if pence > 1_000_000 else f"{pence / 100:,.2f}"


def main() -> None:
    """Run and print, market by market, then the medians."""
    asked = _arguments()
    bench = _Bench(asked)
    bench.run()
    if asked.write:
        bench.write()


if __name__ == "__main__":
    main()
