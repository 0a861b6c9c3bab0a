"""What is wrong with a scheme file: one fault names one key and says why, in plain words."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

Location = tuple[str | int, ...]
"""The way to a key, as pydantic and the checks write it: `("ladders", 1, "stages", 0, "window")`."""


class Fault(NamedTuple):
    """`key` is dotted, with indexes counted from 0 as in the file: `ladders[1].stages[0].window`."""

    key: str
    reason: str

    def __str__(self) -> str:
        return f"{self.key}: {self.reason}" if self.key else self.reason


def fault(where: Location, reason: str) -> Fault:
    return Fault(dotted(where), reason)


def dotted(where: Location) -> str:
    """`ladders[1].stages[0].window` for `("ladders", 1, "stages", 0, "window")`."""
    text = ""
    for part in where:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def repeated(keys: Sequence[str]) -> Iterator[tuple[int, str]]:
    """The places at which a key stands that stood before, with the key."""
    seen: set[str] = set()
    for place, key in enumerate(keys):
        if key in seen:
            yield place, key
        seen.add(key)


def listed(words: Iterable[str]) -> str:
    """`a, b and c`."""
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
