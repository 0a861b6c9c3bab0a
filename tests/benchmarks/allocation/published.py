"""Published generalised assignment instances (OR-Library, Yagiura) as allocation instances, where they are at hand.

A job is a package, an agent a provider; every job must be placed, so leaving one costs more than any whole award.
"""

import csv
from pathlib import Path

from matching.allocation import Bid, Instance, Package, Provider

FOLDER = Path(__file__).parents[4] / "shared" / "data" / "benchmarks" / "gap"
LEFT_PENCE = 50_000


def names() -> list[str]:
    """The sets that are present, by name."""
    return sorted(path.stem for path in FOLDER.glob("*.txt"))


def best_known(name: str) -> int:
    """The best published value."""
    with (FOLDER / "bounds.csv").open(newline="") as rows:
        return next(int(row["min_ub"]) for row in csv.DictReader(rows) if row["name"] == name)


def published(name: str) -> Instance:
    """The instance of that name: agents and jobs, costs, minutes, capacities."""
    numbers = [int(word) for word in (FOLDER / f"{name}.txt").read_text().split()]
    agents, jobs = numbers[:2]
    cells = agents * jobs
    cost, minutes, capacity = numbers[2 : 2 + cells], numbers[2 + cells : 2 + 2 * cells], numbers[2 + 2 * cells :]
    packages = tuple(Package(f"P{job}", "L", minutes[job], 4, LEFT_PENCE) for job in range(jobs))
    providers = tuple(Provider(f"V{agent}", capacity[agent]) for agent in range(agents))
    bids = tuple(
        Bid(f"B{agent}-{job}", f"V{agent}", (f"P{job}",), cost[agent * jobs + job], minutes[agent * jobs + job])
        for agent in range(agents)
        for job in range(jobs)
    )
    return Instance(packages, providers, bids)
