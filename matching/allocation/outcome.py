"""What an engine answers with, before the referee has seen it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from matching.allocation.results import Draw

Progress = Callable[[int, int | None], None]
"""Told the incumbent's objective and the bound, in pence, whenever either gets better."""


@dataclass(slots=True)
class Outcome:
    """An award in canonical bid numbers, with what is known about it."""

    won: list[int]
    proven: bool
    bound: int | None
    draws: tuple[Draw, ...] = ()
    notes: list[str] = field(default_factory=list)
