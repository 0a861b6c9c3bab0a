"""What a rule says when it bites: a stable code, and the facts from which the words are made."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import TypeAlias

Fact: TypeAlias = bool | int | str | date | datetime | tuple[str, ...] | None
"""A plain value; several keys stand sorted, so that the same pair gives the same reason."""

Facts: TypeAlias = tuple[tuple[str, Fact], ...]
"""(name, value) pairs in the rule's own order."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One "no"; it can be hashed and compared."""

    code: str
    facts: Facts = ()

    def fact(self, name: str) -> Fact:
        """The fact called `name`; KeyError if the rule states none of that name."""
        return dict(self.facts)[name]


@lru_cache(maxsize=1 << 15)
def no_because(code: str, *facts: tuple[str, Fact]) -> Reason:
    """The reason with this code and these facts, one object for all that are equal.

    A market of half a million reasons holds some thousand different ones; made once each, they neither cost their
    making nor keep the garbage collector busy.
    """
    return Reason(code, facts)
