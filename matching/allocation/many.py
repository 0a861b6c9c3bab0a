"""Many councils at once, on any executor; a process that dies takes nothing with it.

A pool whose process died is broken as a whole: what it had not answered is given to a new one. Runs are counted by
default, so the answers don't depend on which process gave them, nor on how often it was asked.
"""

import contextlib
from collections.abc import Callable, Mapping
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing import get_context

from dps.kernel.errors import Corrupted
from matching.allocation.records import Instance
from matching.allocation.results import Result
from matching.allocation.solving import solve
from matching.allocation.stored import instance_from_json, instance_to_json, result_from_json, result_to_json
from matching.allocation.work import DEFAULT_EFFORT

MOST_TRIES = 5


@dataclass(frozen=True, slots=True)
class Job:
    """One council's run."""

    instance: Instance
    lot_seed: bytes
    effort: int = DEFAULT_EFFORT
    time_limit_s: float | None = None


def process_pool() -> Executor:
    """A pool of one process for each processor, started afresh (a fork would copy locks and threads)."""
    return ProcessPoolExecutor(mp_context=get_context("spawn"))


def solve_many(
    jobs: Mapping[str, Job],
    make_executor: Callable[[], Executor] = process_pool,
    done: Callable[[str, Result], None] | None = None,
) -> dict[str, Result]:
    """Every job's result by name. Raises `Corrupted` if MOST_TRIES executors in a row lost processes."""
    results: dict[str, Result] = {}
    for _ in range(MOST_TRIES):
        waiting = {name: job for name, job in jobs.items() if name not in results}
        if not waiting:
            break
        with make_executor() as executor:
            futures: dict[Future[str], str] = {}
            # A pool that breaks while it is being filled takes no more.
            with contextlib.suppress(BrokenProcessPool):
                for name, job in waiting.items():
                    futures[executor.submit(_run, *_as_text(job))] = name
            for future in as_completed(futures):
                try:
                    answer = future.result()
                except BrokenProcessPool:
                    continue
                name = futures[future]
                results[name] = result_from_json(answer)
                if done is not None:
                    done(name, results[name])
    if len(results) < len(jobs):
        raise Corrupted(reason=f"{len(jobs) - len(results)} runs were lost with their processes {MOST_TRIES} times")
    return {name: results[name] for name in jobs}


def _as_text(job: Job) -> tuple[str, bytes, int, float | None]:
    return instance_to_json(job.instance), job.lot_seed, job.effort, job.time_limit_s


def _run(instance: str, lot_seed: bytes, effort: int, time_limit_s: float | None) -> str:
    result = solve(
        instance_from_json(instance), lot_seed=lot_seed, effort=effort, time_limit_s=time_limit_s, in_process=True
    )
    return result_to_json(result)
