"""What stands around an award, timed on synthetic markets: each job in a process of its own, one at a time.

A decline solved again, explanations, the frontier, a failing provider's caseload, orders of rows and numbers of
workers, a nation's councils with one process and with two.
"""

import os
import statistics
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context

from matching.allocation import Instance, Result, Status, solve
from matching.allocation.again import solve_again, without_bids
from matching.allocation.compile import compile_everything
from matching.allocation.explaining import explain
from matching.allocation.frontier import frontier
from matching.allocation.many import Job, solve_many
from matching.allocation.rebrokering import rebroker
from matching.allocation.trades import TRADES, Against
from tests.benchmarks.allocation.from_files import allocate_county
from tests.benchmarks.allocation.market import market
from tests.benchmarks.allocation.own_process import alone
from tests.matching.allocation.markets import shuffled

SEED = b"around"
PATIENCE_S = 600.0
HEAD = ("| what | s | processor s | MiB | load | outcome |", "|---|---|---|---|---|---|")
Timed = tuple[float, float, str]
"""Seconds, processor seconds of the process itself, and the outcome in words."""


def _timed(work: Callable[[], str]) -> Timed:
    began, used = time.monotonic(), time.process_time()
    words = work()
    return time.monotonic() - began, time.process_time() - used, words


def _gap(result: Result) -> str:
    return "no gap" if result.gap is None else f"{result.gap:.2%}"


def _first(instance: Instance, limit_s: float) -> Result:
    compile_everything()
    return solve(instance, lot_seed=SEED, time_limit_s=limit_s, workers=2, in_process=True)


def decline(size: str, first_s: float, limit_s: float) -> Timed:
    """One award of a market is declined; the seconds are the steady answer's."""
    instance = market(size, 2101, 0.95)
    first = _first(instance, first_s)
    gone = first.awards[len(first.awards) // 2]
    second = solve_again(
        without_bids(instance, {gone.bid}),
        first.awards,
        lot_seed=SEED,
        guide=first.guide,
        time_limit_s=limit_s,
        in_process=True,
    )
    others = len(first.awards) - 1
    moved = sum(change.before != "" and change.package != gone.package for change in second.changes)
    steady, cold = second.steady, second.cold
    return (
        steady.seconds,
        0.0,
        f"{1 - moved / others:.1%} of {others:,} other awards unchanged, gap {_gap(steady)}; the cold answer in "
        f"{cold.seconds:.1f} s: gap {_gap(cold)}",
    )


def explanation(upper_ends: bool) -> Timed:
    """Every package and provider of a week explained."""
    instance = market("week", 2101, 0.95)
    first = _first(instance, 8.0)

    def work() -> str:
        told = explain(instance, first, upper_ends=upper_ends)
        ends = Counter(story.at_most_pence is not None for story in told.packages)
        return f"{len(told.packages)} packages, {ends[True]} with an upper end"

    return _timed(work)


def points(against: str, limit_s: float | None) -> Timed:
    """Cost of a week against coverage (patches want eight providers), share caps, or priority (hours are short)."""
    compile_everything()
    capacity = 0.8 if against == Against.PRIORITY else 1.1
    instance = market("week", 2101, capacity, target=8, share=1.0 if against == Against.SHARE else 0.5)
    policy = replace(instance.policy, share_spares_first_package=True)

    def work() -> str:
        shown = frontier(
            replace(instance, policy=policy),
            lot_seed=SEED,
            against=Against(against),
            time_limit_s=limit_s,
            in_process=True,
        )
        trade, ends = TRADES[shown.against], (shown.points[0], shown.points[-1])
        return (
            f"{len(shown.points)} points that no other beats in {shown.runs} searches: {trade.amount(ends[0])} at "
            f"£{ends[0].cost_pence / 100:,.0f} to {trade.amount(ends[1])} at £{ends[1].cost_pence / 100:,.0f}"
        )

    return _timed(work)


def caseload(limit_s: float) -> Timed:
    """A failing provider's 200 packages, a third of which know somebody else."""
    compile_everything()
    instance = market("caseload", 2101, 1.1)
    leaving = instance.providers[0].ref
    known = {
        bid.packages[0]: bid.provider
        for bid in instance.bids
        if bid.provider != leaving and int(bid.packages[0][1:]) % 3 == 0
    }

    def work() -> str:
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

    return _timed(work)


def days(seeds: int) -> Timed:
    """A day's batch of 50 packages and 20 bids, proven, ties drawn: one after another, counted."""
    compile_everything()
    seconds: list[float] = []

    def work() -> str:
        proven = 0
        for capacity in (0.8, 0.95, 1.1, 1.3):
            for seed in range(2101, 2101 + seeds):
                result = solve(market("day", seed, capacity), lot_seed=SEED, in_process=True)
                seconds.append(result.seconds)
                proven += result.status is Status.OPTIMAL
        return (
            f"{proven} of {len(seconds)} proven with ties drawn, median {statistics.median(seconds):.2f} s, "
            f"longest {max(seconds):.2f} s"
        )

    return _timed(work)


def orders(seeds: int, count: int) -> Timed:
    """One award of each day, whatever the order of rows and the number of workers."""
    compile_everything()

    def work() -> str:
        awards, solved = set(), 0
        for seed in range(2101, 2101 + seeds):
            instance = market("day", seed, 1.1)
            for order in range(count):
                rows = shuffled(instance, order)
                for workers in (1, 2, 8):
                    awards.add((seed, solve(rows, lot_seed=SEED, workers=workers, in_process=True).awards))
                    solved += 1
        return f"{len(awards)} awards of {seeds} days in {solved} runs"

    return _timed(work)


def nation(councils: int, processes: int) -> Timed:
    """So many councils of a day each, on a pool of so many processes."""
    jobs = {f"council {seed}": Job(market("day", 2_200 + seed, 1.1), SEED) for seed in range(councils)}

    def pool() -> Executor:
        return ProcessPoolExecutor(processes, mp_context=get_context("spawn"))

    def work() -> str:
        results = solve_many(jobs, pool)
        proven = sum(result.status is Status.OPTIMAL for result in results.values())
        return f"{len(results)} councils of a day answered, {proven} proven"

    return _timed(work)


@dataclass(frozen=True, slots=True)
class Around:
    """A job by name."""

    what: str
    job: Callable[..., Timed]
    asked: tuple[object, ...]


JOBS = (
    Around("days, 5 seeds at 80, 95, 110, 130%", days, (5,)),
    Around("days in other orders of rows, with 1, 2, 8 workers", orders, (5, 5)),
    Around("week, one provider declines, 5 s", decline, ("week", 8.0, 5.0)),
    Around("county, one provider declines, 5 s", decline, ("county", 60.0, 5.0)),
    Around("county from files, `dps allocate`, 60 s", allocate_county, (60.0,)),
    Around("week, explanations, lower ends", explanation, (False,)),
    Around("week, explanations, both ends", explanation, (True,)),
    Around("week, frontier against coverage, 28 s", points, ("coverage", 28.0)),
    Around("week, frontier against share caps, 28 s", points, ("share", 28.0)),
    Around("week, frontier against priority, 28 s", points, ("priority", 28.0)),
    Around("caseload of 200, 8 s", caseload, (8.0,)),
    Around("30 councils, one process", nation, (30, 1)),
    Around("60 councils, two processes", nation, (60, 2)),
    Around("150 councils, two processes", nation, (150, 2)),
)


def run(around: Around) -> str:
    """A row of the table."""
    answer, peak = alone(PATIENCE_S, around.job, *around.asked)
    load = os.getloadavg()[0]
    if answer is None:
        return f"| {around.what} | – | – | – | {load:.1f} | gave nothing |"
    seconds, processor_s, words = answer
    used = f"{processor_s:.1f}" if processor_s else "–"
    return f"| {around.what} | {seconds:.1f} | {used} | {peak} | {load:.1f} | {words} |"
