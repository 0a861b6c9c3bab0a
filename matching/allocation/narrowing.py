"""A day's problem made smaller before its proof: a short guided search, then what its prices settle.

The award that the search finds is the proof's first hint. What is left out can't be in any award as good, so that the
proof, the ties and the lots come out as they would on the whole problem, only sooner.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matching.allocation.bound import Oracle, Prices
from matching.allocation.exact import Model
from matching.allocation.fixing import settle
from matching.allocation.guided import Plan, guided
from matching.allocation.market import Numbering, as_market
from matching.allocation.outcome import SEARCH_SEED
from matching.allocation.problem import Problem
from matching.allocation.work import Work

BOUND_STEPS, MOVES = 100, 30_000
NEIGHBOURHOODS, NEIGHBOURHOOD_S = 4, 0.02
"""Pairs of neighbourhoods around each of the two best awards, and deterministic seconds for one."""
CLOCK_SHARE = 0.25
"""By the clock: the most that the short search may take of the limit."""


@dataclass(frozen=True, slots=True)
class Sketch:
    """What the short search came to: an award, its objective, a bound, and the prices that gave the bound."""

    problem: Problem
    numbering: Numbering
    won: list[int]
    objective: int
    bound: int
    prices: Prices | None

    def narrow(self, model: Model, objective: int) -> None:
        """Leave out of `model` what no award of `objective` or less could hold."""
        if self.prices is None:
            return
        settled = settle(Oracle(self.numbering.market), self.prices, objective - self.numbering.offset)
        may_win = np.zeros_like(self.problem.is_usable)
        may_win[self.numbering.bids[settled.may_win]] = True
        placed: NDArray[np.bool_] = np.zeros(len(self.problem.packages), dtype=np.bool_)
        placed[self.numbering.packages[settled.placed]] = True
        model.keep(may_win, placed)


def sketch(problem: Problem, start: list[int], work: Work) -> Sketch:
    """A short guided search from the award `start`."""
    numbering = as_market(problem)
    limit_s = None if work.is_counted else CLOCK_SHARE * max(0.1, work.left_s())
    plan = Plan(BOUND_STEPS, 1, 0, MOVES, NEIGHBOURHOODS, NEIGHBOURHOOD_S, limit_s)
    found = guided(numbering, [numbering.from_problem(start)], plan, SEARCH_SEED, None)
    won = numbering.to_problem(found.holder)
    return Sketch(problem, numbering, won, found.objective, found.bound, found.prices)
