"""Many at once: the same command begun by several threads at the same moment."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import TypeVar

Answer = TypeVar("Answer")


def race(runners: Sequence[Callable[[], Answer]]) -> list[Answer | Exception]:
    """What each runner answered or raised, in their order; all of them start together."""
    start = Barrier(len(runners))

    def run(runner: Callable[[], Answer]) -> Answer | Exception:
        start.wait()
        try:
            return runner()
        except Exception as refused:
            return refused

    with ThreadPoolExecutor(len(runners)) as pool:
        return list(pool.map(run, runners))
