"""How much of a processor a process has taken: what a loaded machine changes less than the time by the wall."""

import os
from collections.abc import Collection
from pathlib import Path

_TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def processor_s(pid: int) -> float:
    """Seconds that this process has taken; 0 where Linux does not say."""
    return sum(_fields(pid)[11:13]) / _TICKS_A_SECOND


def children(pid: int) -> Collection[int]:
    """The processes that this one has begun and that still run."""
    numbers = [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]
    return [number for number in numbers if _fields(number)[1] == pid]


def _fields(pid: int) -> list[int]:
    """Of proc(5) `stat` what follows the command's name and the state, the parent's number first."""
    try:
        said = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return [0] * 15
    return [0, *(int(word) for word in said[1:15])]
