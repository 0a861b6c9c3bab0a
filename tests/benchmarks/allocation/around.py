"""What stands around an award, timed on synthetic markets: each job in a process of its own, one at a time.

A decline solved again, explanations, the frontier, a failing provider's caseload, orders of rows and numbers of
workers, a nation's councils with one process and with two.
"""

import os
import re
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


def weeks(seeds: int, runs: int) -> Timed:
    """One counted award of each week, rows shuffled, with another process beside it that keeps a processor busy."""
    compile_everything()

    def work() -> str:
        awards = set()
        busy = get_context("spawn").Process(target=_keep_busy, daemon=True)
        busy.start()
        for seed in range(2101, 2101 + seeds):
            instance = market("week", seed, 0.95)
            for order in range(runs):
                rows = instance if order == 0 else shuffled(instance, order)
                awards.add((seed, solve(rows, lot_seed=SEED, in_process=True).awards))
        busy.kill()
        return f"{len(awards)} awards of {seeds} weeks in {seeds * runs} runs"

    return _timed(work)


def _keep_busy() -> None:
    while True:
        pass


def published_order() -> Timed:
    """A week decided by a published order."""
    compile_everything()
    instance = market("week", 2101, 0.95)
    ordered = replace(instance, policy=replace(instance.policy, objective=("unplaced", "coverage", "cost")))

    def work() -> str:
        levels = solve(ordered, lot_seed=SEED, in_process=True).levels
        return "; ".join(f"{level.name} {level.value:,} (at least {level.bound:,})" for level in levels)

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
    """A job by name, what it is asked, and the seconds that it may take (None: no goal is set in seconds)."""

    what: str
    job: Callable[..., Timed]
    asked: tuple[object, ...]
    goal_s: float | None = None
    holds: Callable[[str], bool] = bool
    """Whether its words tell of what was wanted beside the time."""


@dataclass(frozen=True, slots=True)
class Done:
    """A job that was done: a row of the table, and whether its goal was reached (None: there is none in figures)."""

    what: str
    row: str
    seconds: float
    words: str
    reached: bool | None


def _numbers(words: str) -> list[float]:
    return [float(found.replace(",", "")) for found in re.findall(r"\d[\d,]*\.?\d*", words)]


def _all_proven(words: str) -> bool:
    proven, of, median, _ = _numbers(words)
    return proven == of and median <= 1


def _one_each(words: str) -> bool:
    awards, instances, *_ = _numbers(words)
    return awards == instances


def _steady(words: str) -> bool:
    unchanged, _, gap, *_ = _numbers(words)
    return unchanged >= 98 and gap <= 1.5


def _little_memory(words: str) -> bool:
    return float(words.partition(" MiB")[0].split()[-1]) <= 600


def _twelve(words: str) -> bool:
    return _numbers(words)[0] >= 12


JOBS = (
    Around("days, 5 seeds at 80, 95, 110, 130%: proven, ties drawn, median 1 s", days, (5,), None, _all_proven),
    Around("days in other orders of rows, with 1, 2, 8 workers: one award each", orders, (5, 5), None, _one_each),
    Around(
        "weeks counted, 5 runs each, rows shuffled, the machine loaded: one award each", weeks, (1, 5), None, _one_each
    ),
    Around("week, one provider declines: 98% unchanged, 1.5%", decline, ("week", 8.0, 5.0), 5.0, _steady),
    Around("county, one provider declines: 5 s, 98% unchanged, 1.5%", decline, ("county", 60.0, 5.0), 5.0, _steady),
    Around("county from files, `dps allocate`, 60 s: in 75 s, 600 MiB", allocate_county, (60.0,), 75.0, _little_memory),
    Around("week, explanations, lower ends: 1 s", explanation, (False,), 1.0),
    Around("week, explanations, both ends: 60 s", explanation, (True,), 60.0),
    Around("week, frontier against coverage: 12 points in 30 s", points, ("coverage", 28.0), 30.0, _twelve),
    Around("week, frontier against share caps, 28 s", points, ("share", 28.0), 30.0),
    Around("week, frontier against priority, 28 s", points, ("priority", 28.0), 30.0),
    Around("week, published order, counted: a bound on every level", published_order, ()),
    Around("caseload of 200, 8 s", caseload, (8.0,)),
    Around("30 councils, one process", nation, (30, 1)),
    Around("150 councils, two processes", nation, (150, 2)),
)


def run(around: Around) -> Done:
    """The job in a process of its own."""
    answer, peak = alone(PATIENCE_S, around.job, *around.asked)
    load = os.getloadavg()[0]
    if answer is None:
        return Done(
            around.what, f"| {around.what} | – | – | – | {load:.1f} | gave nothing |", 0.0, "gave nothing", False
        )
    seconds, processor_s, words = answer
    used = f"{processor_s:.1f}" if processor_s else "–"
    row = f"| {around.what} | {seconds:.1f} | {used} | {peak} | {load:.1f} | {words} |"
    has_goal = around.goal_s is not None or around.holds is not bool
    reached = (around.goal_s is None or seconds <= around.goal_s) and around.holds(words)
    return Done(around.what, row, seconds, words, reached if has_goal else None)
