"""A published order above a day's size: steep prices to approach it, and a valid bound on every level.

A level's bound is the same relaxation as ever, with the level itself priced and each level above charged for what an
award has beyond the one in hand: whatever those charges are, no award that does as well on the levels above can be
better on this one. Where every level above is proven best, that is a bound of the best award there is. Caps are free
in it, because they would give way. Packages and newcomers that nobody could give are counted beforehand.
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from matching.allocation.book import Book
from matching.allocation.bound import Oracle, Prices, raise_bound
from matching.allocation.first_prices import first_prices
from matching.allocation.market import Market, as_market
from matching.allocation.problem import UNLIMITED, Ints, Problem
from matching.allocation.records import URGENT
from matching.allocation.results import LevelBound
from matching.allocation.work import Work

UNIT = 100_000
"""What a person or a provider counts where they are counted: fine enough for prices between them."""
STEPS = 60
CHARGES = (1, 4, 16)
"""What a unit of a level above is charged, in units of this level (a cost: in the dearest bid and entry)."""
KEPT_SHARE = 0.25
"""By the clock: the share of the limit that is kept for the bounds."""


def dominating(problem: Problem) -> Problem:
    """The published order as prices: each level's unit is worth four of the next level's; urgent people come first.

    Four are no proof: five of the next level would outweigh one. Prices that no sum could outweigh don't fit into whole
    numbers of 64 bits for thousands of packages, nor would the bound's search find its way among them.
    """
    unit = _dearest(problem)
    coverage, calm = 0, 0
    for level in reversed(problem.instance.policy.levels):
        if level == "coverage":
            unit = coverage = 4 * unit
        elif level == "unplaced":
            calm = 4 * unit
            unit = 2 * calm
    by_priority = np.array([0, 8 * unit, 4 * unit, 2 * calm, calm], dtype=np.int64)
    return replace(problem, unplaced_cost=by_priority[problem.package_priority], coverage_pence=coverage)


def _dearest(problem: Problem) -> int:
    return int(problem.bid_cost.max(initial=1)) + int(problem.pair_entry.max(initial=0))


class _Level(NamedTuple):
    """One level: what a person left counts, by priority 0 to 4, a missing newcomer, and the cost of what is won."""

    name: str
    people: tuple[int, ...]
    missing: int
    cost: int


def _levels(problem: Problem) -> list[_Level]:
    def people(priority: int) -> _Level:
        counted = tuple(int(priority == own) for own in range(5))
        return _Level(f"people of priority {priority} left", counted, 0, 0)

    named = {
        "unplaced": [people(priority) for priority in range(URGENT + 1, 5)],
        "coverage": [_Level("providers missing", (0, 0, 0, 0, 0), 1, 0)],
        "cost": [_Level("pence a week for what is won", (0, 0, 0, 0, 0), 0, 1)],
    }
    urgent = [people(priority) for priority in range(1, URGENT + 1)]
    return urgent + [level for name in problem.instance.policy.levels for level in named[name]]


def level_bounds(problem: Problem, won: list[int], work: Work) -> tuple[LevelBound, ...]:
    """Each level of the published order: what the award `won` comes to, and the least that an award could."""
    levels = _levels(problem)
    bounds = _Bounds(problem, work)
    values = [bounds.value(level, won) for level in levels]
    told: list[LevelBound] = []
    for place, (level, value) in enumerate(zip(levels, values, strict=True)):
        above = list(zip(levels[:place], values[:place], strict=True))
        least = bounds.least(level, value, above)
        told.append(LevelBound(level.name, value, least, all(one.is_proven for one in told)))
    return tuple(told)


class _Bounds:
    def __init__(self, problem: Problem, work: Work) -> None:
        self.problem, self.work = problem, work
        free = replace(
            problem,
            pair_share=np.full_like(problem.pair_share, UNLIMITED),
            provider_awards=np.full_like(problem.provider_awards, UNLIMITED),
        )
        numbering = as_market(free)
        self.market: Market = numbering.market
        self.groups = Oracle(self.market).groups
        self.priority: Ints = problem.package_priority[numbering.packages]
        hopeless = np.ones(len(problem.packages), dtype=np.bool_)
        hopeless[numbering.packages] = False
        self.hopeless: Ints = np.bincount(problem.package_priority[hopeless], minlength=5)
        self.uncovered = int(problem.locality_wanted.sum() - self.market.wanted.sum())
        self.dearest = _dearest(problem)

    def value(self, level: _Level, won: list[int]) -> int:
        """What an award comes to on a level."""
        problem, book = self.problem, Book(self.problem, won)
        left = np.array([holder < 0 for holder in book.holder], dtype=np.bool_)
        people = np.bincount(problem.package_priority[left], minlength=5)
        active = np.array(book.pair_minutes, dtype=np.int64) > 0
        here = np.bincount(problem.pair_locality[active & problem.pair_is_new], minlength=len(problem.localities))
        missing = int(np.maximum(0, problem.locality_wanted - here).sum())
        cost = int(problem.bid_cost[np.array(won, dtype=np.int64)].sum()) + int(problem.pair_entry[active].sum())
        return int(people @ np.array(level.people)) + level.missing * missing + level.cost * cost

    def least(self, level: _Level, value: int, above: list[tuple[_Level, int]]) -> int:
        """The least value on `level` of any award that comes to no more than this one on the levels `above`."""
        floor = self._beforehand(level)
        if value == floor or not len(self.market.unplaced):
            return value
        unit = 1 if level.cost else UNIT
        best, start = floor, None
        for charge in CHARGES if above else CHARGES[:1]:
            charged = charge * (self.dearest if level.cost else UNIT)
            bound, start = self._bound(level, unit, value, above, charged, start)
            best = max(best, floor - (-bound // unit))
        return min(best, value)

    def _beforehand(self, level: _Level) -> int:
        """What every award comes to, because nobody could give it."""
        return int(self.hopeless @ np.array(level.people)) + level.missing * self.uncovered

    def _bound(
        self,
        level: _Level,
        unit: int,
        value: int,
        above: list[tuple[_Level, int]],
        charged: int,
        start: Prices | None,
    ) -> tuple[int, Prices]:
        """The relaxation with `unit` for each of `level` and `charged` for each above, less what those may cost."""
        weights = [(level, unit), *((upper, charged) for upper, _ in above)]
        people: Ints = np.array([one.people for one, _ in weights], dtype=np.int64).T @ np.array(
            [weight for _, weight in weights], dtype=np.int64
        )
        cost = sum(one.cost * weight for one, weight in weights)
        market = self.market._replace(
            cost=self.market.cost * cost,
            pair_entry=self.market.pair_entry * cost,
            unplaced=people[self.priority],
            coverage=sum(one.missing * weight for one, weight in weights),
        )
        allowed = sum(charged * (most - self._beforehand(upper)) for upper, most in above)
        target = unit * (value - self._beforehand(level)) + allowed
        oracle = Oracle(market, self.groups)
        if start is None:
            start = first_prices(market, oracle, None if self.work.is_counted else max(0.1, 0.3 * self.work.left_s()))
        raised, _ = raise_bound(oracle, start, float(target), STEPS, None, lambda: self.work.left_s() > 0.5)
        return oracle.published(raised) - allowed, raised
