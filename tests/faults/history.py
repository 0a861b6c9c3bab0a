"""What was asked of the engine and what it said: JSON lines, kept by whoever asks, so that a death leaves the question.

A line that begins an operation (`id`, `op`, `args`, `start`) is on the disk before the engine hears of it; the line
that ends it (`id`, `end`, `outcome`, `answer`) follows when it answers. Without an end the outcome is unknown.
"""

import json
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DONE, REFUSED, UNKNOWN = "done", "refused", "unknown"


@dataclass(frozen=True, slots=True)
class Operation:
    """One question and its answer, as the history holds them. `start` and `end` are the machine's monotonic seconds."""

    id: str
    op: str
    args: dict[str, Any]
    start: float
    end: float | None = None
    outcome: str = UNKNOWN
    answer: Any = None


@dataclass
class Recorder:
    """Writes a history. Several processes and threads may write to one file: a line is one write."""

    path: Path
    _begun: int = field(default=0, init=False)

    def run(self, op: str, ask: Callable[[], Any], refusals: tuple[type[Exception], ...] = (), **args: Any) -> Any:
        """`ask`, recorded. One of `refusals` is an answer and returned; any other error is raised, and is no answer."""
        self._begun += 1
        key = f"{os.getpid()}-{id(self)}-{self._begun}-{time.monotonic_ns()}"
        append(self.path, {"id": key, "op": op, "args": args, "start": time.monotonic()})
        try:
            outcome, answer = DONE, ask()
            said = answer
        except refusals as refused:
            outcome, answer, said = REFUSED, refused, type(refused).__name__
        append(self.path, {"id": key, "end": time.monotonic(), "outcome": outcome, "answer": said})
        return answer


def append(path: Path, line: dict[str, Any]) -> None:
    """Write one line through to the disk, whole or not at all."""
    opened = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(opened, f"{json.dumps(line, default=str)}\n".encode())
        os.fsync(opened)
    finally:
        os.close(opened)


def read(path: Path) -> list[Operation]:
    """Every operation in the order in which it began."""
    operations: dict[str, Operation] = {}
    for line in lines(path):
        if "op" in line:
            operations[line["id"]] = Operation(**line)
        else:
            begun = operations[line["id"]]
            operations[line["id"]] = Operation(
                begun.id, begun.op, begun.args, begun.start, line["end"], line["outcome"], line["answer"]
            )
    return list(operations.values())


def lines(path: Path) -> list[dict[str, Any]]:
    """Every line of a file of JSON lines; none where there is no file."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
