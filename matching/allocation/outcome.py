"""What an engine answers with, before the referee has seen it."""

from collections.abc import Callable
from dataclasses import dataclass, field

from matching.allocation.results import Draw, Guide, LevelBound

SEARCH_SEED = 1
"""Fixed: chance inside the search is no part of the award's lots."""
Progress = Callable[[int, int | None], None]
"""Told the incumbent's objective and the bound, in pence, whenever either gets better."""


@dataclass(frozen=True, slots=True)
class Incumbent:
    """The best award so far in canonical bid numbers, its objective and the bound (None: none yet)."""

    won: list[int]
    objective: int
    bound: int | None


Heard = Callable[[Incumbent], None]
"""Told each better incumbent or bound, so that a run that is ended loses nothing but its last step."""


@dataclass(slots=True)
class Outcome:
    """An award in canonical bid numbers, with what is known about it."""

    won: list[int]
    proven: bool
    bound: int | None
    draws: tuple[Draw, ...] = ()
    notes: list[str] = field(default_factory=list)
    guide: Guide | None = None
    levels: tuple[LevelBound, ...] = ()
