"""`python -m tests.benchmarks.allocation.around`: seconds of what stands around an award, on synthetic markets.

A decline solved again, explanations, the frontier, a failing provider's caseload, many councils with one process and
with two. Beside each figure stand the processor seconds of this process and the load, for the machine may be shared.
"""

import argparse
import os
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context

from matching.allocation import Instance, Result, solve
from matching.allocation.again import solve_again, without_bids
from matching.allocation.compile import compile_everything
from matching.allocation.explaining import explain
from matching.allocation.frontier import frontier
from matching.allocation.many import Job, solve_many
from matching.allocation.rebrokering import rebroker
from tests.benchmarks.allocation.market import market

SEED = b"around"
COUNCILS = 6


def _told(what: str, work: Callable[[], str]) -> None:
    began, used = time.monotonic(), time.process_time()
    words = work()
    print(
        f"| {what} | {time.monotonic() - began:.1f} | {time.process_time() - used:.1f} | {os.getloadavg()[0]:.1f} | "
        f"{words} |",
        flush=True,
    )


def _gap(result: Result) -> str:
    return "no gap" if result.gap is None else f"{result.gap:.2%}"


def _first(instance: Instance, limit_s: float) -> Result:
    return solve(instance, lot_seed=SEED, time_limit_s=limit_s, workers=2, in_process=True)


def _decline(instance: Instance, first: Result, limit_s: float) -> str:
    gone = first.awards[len(first.awards) // 2]
    second = solve_again(
        without_bids(instance, {gone.bid}), first.awards, lot_seed=SEED, time_limit_s=limit_s, in_process=True
    )
    others = len(first.awards) - 1
    kept = others - sum(change.before != "" and change.package != gone.package for change in second.changes)
    return (
        f"{kept / others:.1%} of {others} other awards unchanged, gap {_gap(second.steady)}; "
        f"cold: {second.cold.report.placed} placed, gap {_gap(second.cold)}"
    )


def _explained(instance: Instance, first: Result, upper_ends: bool) -> str:
    told = explain(instance, first, upper_ends=upper_ends)
    ends = Counter(story.at_most_pence is not None for story in told.packages)
    return f"{len(told.packages)} packages, {ends[True]} with an upper end"


def _frontier(instance: Instance) -> str:
    shown = frontier(instance, lot_seed=SEED, time_limit_s=28.0, in_process=True)
    return f"{shown.runs} runs, {len(shown.points)} points that no other beats"


def _caseload(limit_s: float | None) -> str:
    instance = market("caseload", 2101, 1.1)
    leaving = instance.providers[0].ref
    known = {
        bid.packages[0]: bid.provider
        for bid in instance.bids
        if bid.provider != leaving and int(bid.packages[0][1:]) % 3 == 0
    }
    placed = rebroker(
        instance,
        leaving,
        known=known,
        continuity_pence=2_000,
        lot_seed=SEED,
        time_limit_s=limit_s,
        in_process=True,
    )
    return (
        f"{placed.result.report.placed} of {len(instance.packages)} placed, {len(placed.kept)} of {len(known)} "
        f"stay with a provider they know, gap {_gap(placed.result)}"
    )


def _councils(processes: int) -> str:
    jobs = {f"council {seed}": Job(market("day", 2_200 + seed, 1.1), SEED) for seed in range(COUNCILS)}

    def pool() -> Executor:
        return ProcessPoolExecutor(processes, mp_context=get_context("spawn"))

    results = solve_many(jobs, pool)
    return f"{len(results)} councils of a day"


def main() -> None:
    """Run one after another and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--county", action="store_true", help="solve a county after a decline, too")
    asked = parser.parse_args()
    compile_everything()
    print("| what | s | processor s | load | outcome |\n|---|---|---|---|---|")
    week = market("week", 2101, 0.95)
    first = _first(week, 8.0)
    _told("week, one provider declines, 5 s each answer", lambda: _decline(week, first, 5.0))
    _told("week, explanations, lower ends", lambda: _explained(week, first, False))
    _told("week, explanations, both ends", lambda: _explained(week, first, True))
    _told("week, frontier", lambda: _frontier(replace(week, policy=replace(week.policy, coverage_pence=0))))
    _told("caseload of 200, 8 s", lambda: _caseload(8.0))
    _told("councils, one process", lambda: _councils(1))
    _told("councils, two processes", lambda: _councils(2))
    if asked.county:
        county = market("county", 2101, 0.95)
        whole = _first(county, 60.0)
        _told("county, one provider declines, 5 s each answer", lambda: _decline(county, whole, 5.0))


if __name__ == "__main__":
    main()
