"""`make bench-allocation`: one table of every peer on the same markets, one at a time, the same limit and referee.

    python -m tests.benchmarks.allocation --sizes day,week,county,gap --seeds 2001,2002 --capacity 0.95,1.1

The true gap is against the best valid bound any of our runs published for that market; no bound is read from a file,
but for the published sets, whose best known value stands beside. With `--write` the table and a picture of the gap
over time replace those in matching/README.md.
"""

import argparse
import os
import platform
import re
import statistics
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from matching.allocation import Instance
from tests.benchmarks.allocation import published
from tests.benchmarks.allocation.market import market
from tests.benchmarks.allocation.peers import PEERS, Run, run
from tests.benchmarks.allocation.picture import gap_over_time

README = Path(__file__).parents[3] / "matching" / "README.md"
PICTURE = README.parent / "gap_over_time.svg"
BEGIN, END = "<!-- bench-allocation: begin -->", "<!-- bench-allocation: end -->"
USUAL_LIMITS_S = {"day": 5.0, "week": 8.0, "county": 60.0, "gap": 12.0}
PICTURED = ("county", 0.95)
HEAD = (
    "| instance | peer | objective £ | unplaced h | true gap | first s | s | processor s | MiB | load |",
    "|---|---|---|---|---|---|---|---|---|---|",
)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="day,week,county,gap")
    parser.add_argument("--seeds", default="2101,2102", help="of weeks")
    parser.add_argument("--capacity", default="0.8,0.95,1.1,1.3", help="of weeks: free hours over hours wanted")
    parser.add_argument("--other-seeds", default="2101", help="of days and counties")
    parser.add_argument("--other-capacity", default="0.95,1.1")
    parser.add_argument("--limit", type=float, help="seconds for each run; usually by size")
    parser.add_argument("--published", default="c20100,d10100,d20100,e10200")
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--write", action="store_true", help="keep table and picture in matching/README.md")
    return parser.parse_args()


class _Bench:
    def __init__(self, asked: argparse.Namespace) -> None:
        self.asked = asked
        self.lines: list[str] = []
        self.gaps: dict[tuple[str, str], list[float]] = {}
        self.picture = ""

    def say(self, line: str) -> None:
        print(line, flush=True)
        self.lines.append(line)

    def run(self) -> None:
        self.say(
            f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, OR-Tools {version('ortools')}, numba {version('numba')}, "
            f"numpy {version('numpy')}, Python {platform.python_version()}, {os.cpu_count()} processors: "
            f"`python -m tests.benchmarks.allocation {' '.join(sys.argv[1:])}`\n"
        )
        for line in HEAD:
            self.say(line)
        for size in self.asked.sizes.split(","):
            if size == "gap":
                self._published()
                continue
            is_week = size == "week"
            for capacity in (self.asked.capacity if is_week else self.asked.other_capacity).split(","):
                for seed in (self.asked.seeds if is_week else self.asked.other_seeds).split(","):
                    self._market(size, float(capacity), int(seed))
        self.say("\nMedian true gaps:\n")
        self.say("| instances | " + " | ".join(self.asked.peers.split(",")) + " |")
        self.say("|---|" + "---|" * len(self.asked.peers.split(",")))
        for name in dict.fromkeys(name for name, _ in self.gaps):
            medians = (f"{statistics.median(self.gaps[name, peer]):.2%}" for peer in self.asked.peers.split(","))
            self.say(f"| {name} | " + " | ".join(medians) + " |")

    def _market(self, size: str, capacity: float, seed: int) -> None:
        limit = self.asked.limit or USUAL_LIMITS_S[size]
        group = f"{size} {capacity:.0%}, {limit:g} s"
        rows = self._compared(market(size, seed, capacity), limit)
        bound = max((row.bound for row in rows if row.bound is not None and row.peer.startswith("ours")), default=0)
        self._tell(group, f"{group}, {seed}", rows, bound)
        if (size, capacity) == PICTURED and bound:
            lines = {row.peer: row.met for row in rows if row.met and row.peer != "ours counted"}
            title = f"True gap over time: {group}, 2,700 packages, load {os.getloadavg()[0]:.1f}"
            self.picture = gap_over_time(title, limit, bound, lines)

    def _published(self) -> None:
        limit = self.asked.limit or USUAL_LIMITS_S["gap"]
        present = set(published.names())
        for name in self.asked.published.split(","):
            if name not in present:
                self.say(f"| {name} | left out: the published sets are not at hand | | | | | | | | |")
                continue
            rows = self._compared(published.published(name), limit)
            self._tell(f"published {name}, {limit:g} s", name, rows, published.best_known(name))

    def _compared(self, instance: Instance, limit_s: float) -> list[Run]:
        return [run(peer, instance, limit_s) for peer in self.asked.peers.split(",")]

    def _tell(self, group: str, name: str, rows: list[Run], bound: int) -> None:
        for row in rows:
            gap = (row.objective - bound) / row.objective
            self.gaps.setdefault((group, row.peer), []).append(gap)
            first = f"{row.met[0][0]:.1f}" if row.met else "–"
            self.say(
                f"| {name} | {row.peer} | {_pounds(row.objective)}{' (gave nothing)' if row.gave_nothing else ''} | "
                f"{row.unplaced_hours:,.0f} | {gap:.2%} | {first} | {row.seconds:.1f} | {row.processor_s:.1f} | "
                f"{row.peak_mib} | {row.load:.1f} |"
            )
        if self.asked.write:
            self.write()

    def write(self) -> None:
        """Keep the table and the picture in the README's folder; after each market, lest a long run be cut off."""
        kept = README.read_text()
        block = "\n".join((BEGIN, *self.lines, END))
        README.write_text(re.sub(f"{BEGIN}.*{END}", lambda _: block, kept, flags=re.DOTALL))
        if self.picture:
            PICTURE.write_text(self.picture)


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
