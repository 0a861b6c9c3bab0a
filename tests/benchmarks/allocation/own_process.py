"""One job at a time, each in a process of its own, so that none leaves anything in another's memory."""

import contextlib
import resource
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from typing import Any, ParamSpec, TypeVar

Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")


def alone(
    patience_s: float, job: Callable[Asked, Answer], *asked: Asked.args, **named: Asked.kwargs
) -> tuple[Answer | None, int]:
    """What `job` answers and its peak memory in MiB; None if it died or had to be ended after `patience_s`."""
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve, args=(there, job, asked, named))
    process.start()
    there.close()
    answer, peak = None, 0
    if wait([here, process.sentinel], patience_s) and here.poll():
        # A closed pipe is ready too, and holds nothing.
        with contextlib.suppress(EOFError):
            answer, peak = here.recv()
    if answer is None:
        process.kill()
    process.join()
    return answer, peak


def _serve(there: Connection, job: Callable[..., Any], asked: tuple[Any, ...], named: dict[str, Any]) -> None:
    there.send((job(*asked, **named), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024))
