"""One award whatever the order of rows and the number of workers; a hung solver ended; any stored run replayed."""

import json
import sys
import time

from bidding.allocation import runs
from bidding.allocation.runs import AllocationRun
from matching.allocation import Instance, Policy, SolverProcess, Status, check, result_to_json, solve
from tests.benchmarks.allocation.market import market
from tests.faults.figures import Figure
from tests.matching.allocation.markets import SEED, a_market, shuffled
from tests.support.world import World

LIMIT_S = 1.0
HANGS = (
    sys.executable,
    "-c",
    "import sys, time; sys.stdout.buffer.write(b'a' + bytes(8)); sys.stdout.flush(); time.sleep(600)",
)
"""A solver that greets and never answers."""


def orders(instances: int, orders_each: int) -> Figure:
    """Small markets, half of them with so few prices that lots decide."""
    markets = [
        a_market(seed, packages=6, providers=5, steps=1 + seed % 2 * 29, policy=_PRICED) for seed in range(instances)
    ]
    return _one_award_each(f"{orders_each} row orders x 1 and 8 workers", markets, orders_each, (1, 8))


def days_in_other_orders(instances: int, orders_each: int) -> Figure:
    """Days of 50 packages and 20 bids for each."""
    markets = [market("day", 2_101 + seed, (0.95, 1.1)[seed % 2]) for seed in range(instances)]
    return _one_award_each(f"days, {orders_each} row orders x 1, 2 and 8 workers", markets, orders_each, (1, 2, 8))


def _one_award_each(what: str, markets: list[Instance], orders_each: int, workers_of: tuple[int, ...]) -> Figure:
    """Each instance in so many row orders, with so many workers: one award and draw; the referee agrees."""
    found = Figure(10, what, {"instances": len(markets)})
    solved = 0
    for seed, one in enumerate(markets):
        first = solve(one, lot_seed=SEED, in_process=True)
        for order in range(orders_each):
            for workers in workers_of:
                other = solve(shuffled(one, order), lot_seed=SEED, in_process=True, workers=workers)
                solved += 1
                if (other.awards, other.draws) != (first.awards, first.draws):
                    found.faults.append(f"instance {seed}, order {order}, {workers} workers: another award")
                if not check(one, other.awards).is_feasible:
                    found.faults.append(f"instance {seed}, order {order}: the referee refuses")
    found.counted["solved"] = solved
    return found


_PRICED = Policy(coverage_pence=9_000, default_target=2)


def hung(times: int) -> Figure:
    """A solver that hangs is ended within its limit and two seconds, and what stands in says so and is not counted."""
    found = Figure(10, "a hung solver", {"runs": times})
    asked = a_market(4, packages=10, providers=5, policy=_PRICED)
    longest = 0.0
    for _ in range(times):
        process = SolverProcess(HANGS)
        process.warm()
        began = time.monotonic()
        result = solve(asked, lot_seed=SEED, hang_after_s=LIMIT_S, process=process)
        longest = max(longest, time.monotonic() - began)
        process.close()
        if result.counted or result.status is not Status.FALLBACK_GREEDY or "was ended" not in result.notes[0]:
            found.faults.append(f"{result.status}, counted {result.counted}: {result.notes}")
    if longest > LIMIT_S + 2:
        found.faults.append(f"ended after {longest:.1f} s")
    found.counted["s over the limit at most"] = f"{longest - LIMIT_S:.2f}"
    return found


def replayed(world: World) -> list[str]:
    """Stored runs whose stored input does not give the stored awards again."""
    faults = []
    for run in world.rows(AllocationRun):
        again = runs.answer_of(run)
        kept = run.answer["awards"]
        if run.counted and kept != json.loads(result_to_json(again))["awards"]:
            faults.append(f"{run.ref} gives another award")
    return faults
