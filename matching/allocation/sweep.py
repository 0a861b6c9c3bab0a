"""One market asked many times for a frontier: each search begins from the awards and prices of the others.

Between two awards, one with more providers in the patches and one with fewer, lie those of targets between theirs.
Caps give way to urgent people here as they do when packages are awarded.
"""

from dataclasses import replace

import numpy as np

from matching.allocation.book import Book
from matching.allocation.bound import Prices
from matching.allocation.frontier import Award
from matching.allocation.greedy import greedy, let_caps_give_way
from matching.allocation.guided import LANES, MOST_MOVES, Plan, guided
from matching.allocation.large import keeps_caps
from matching.allocation.market import as_market
from matching.allocation.outcome import SEARCH_SEED
from matching.allocation.problem import UNLIMITED, Ints, Problem
from matching.allocation.trades import Against, Trade
from matching.allocation.work import Work

FIRST_SHARE = 3.0
"""By the clock: the first search knows nothing and gets so many times the seconds of the others."""
MOST_KEPT = 40


class Sweep:
    """Awards of `problem` whatever `trade` asks; `runs` searches are expected to share `work`."""

    def __init__(self, problem: Problem, trade: Trade, work: Work, runs: int) -> None:
        self.problem, self.trade, self.work = problem, trade, work
        self.each_s = None if work.time_limit_s is None else work.time_limit_s / (runs + FIRST_SHARE)
        self.prices: dict[int, Prices] = {}
        start = greedy(problem)
        self.known: list[tuple[int, ...]] = [tuple(start)] if keeps_caps(problem, start) else []

    def at(self, asked: int) -> list[Award]:
        """Every award met that was the best there for a time, the best one last."""
        return self._search(self.trade.problem_at(self.problem, asked), asked, self.known)

    def between(self, asked: int, ends: tuple[Award, Award]) -> list[Award]:
        """The same where each locality wants what lies half way between what two ends give it, at twice the price."""
        if self.trade.against is not Against.COVERAGE:
            return []
        fewer, more = (self._newcomers(won) for won in ends)
        # Halves go up in every other locality that has one.
        odd = (fewer + more) % 2
        half = (fewer + more + odd * (np.cumsum(odd) % 2)) // 2
        wanted = np.minimum(self.problem.locality_wanted, np.maximum(fewer, half))
        dearer = self.trade.problem_at(self.problem, 2 * asked)
        return self._search(replace(dearer, locality_wanted=wanted), 2 * asked, list(ends))

    def _newcomers(self, won: Award) -> Ints:
        """The newcomers that an award brings to each locality."""
        minutes = np.array(Book(self.problem, list(won)).pair_minutes)
        opened = self.problem.pair_locality[(minutes > 0) & self.problem.pair_is_new]
        return np.bincount(opened, minlength=len(self.problem.localities)).astype(np.int64)

    def _search(self, problem: Problem, asked: int, known: list[Award]) -> list[Award]:
        numbering = as_market(problem)
        wants = numbering.market.wanted > 0
        met: list[Award] = []

        def told(holder: Ints, value: int, bound: int | None) -> None:
            met.append(tuple(numbering.to_problem(holder)))

        starts = [numbering.from_problem(_fitting(problem, won)) for won in known]
        nearest = min(self.prices, key=lambda other: abs(other - asked), default=None)
        warm = None if nearest is None else self.prices[nearest]
        if warm is not None:
            warm = replace(warm, newcomer=warm.newcomer[wants])
        found = guided(numbering, starts, self._plan(is_first=warm is None), SEARCH_SEED, told, warm)
        if found.prices is not None:
            newcomer = np.zeros(len(wants))
            newcomer[wants] = found.prices.newcomer
            self.prices[asked] = replace(found.prices, newcomer=newcomer)
        met.append(tuple(numbering.to_problem(found.holder)))
        self.known = list(dict.fromkeys([met[-1], *self.known]))[:MOST_KEPT]
        return list(dict.fromkeys(_given_way(problem, won) for won in dict.fromkeys(met)))

    def _plan(self, *, is_first: bool) -> Plan:
        """The first search knows no prices and makes more starts of its own."""
        share = self.work.effort / 5_000
        starts = max(1, round(2 * share)) if is_first else 1
        limit_s = None if self.each_s is None else self.each_s * (FIRST_SHARE if is_first else 1.0)
        return Plan(
            bound_steps=200 if is_first else 40,
            starts=starts,
            rounds=max(1, round(2 * share)) if limit_s is None else 1_000,
            moves=MOST_MOVES // LANES,
            neighbourhoods=4,
            deterministic_s=0.05 if limit_s is None else None,
            limit_s=limit_s,
        )


def _fitting(problem: Problem, won: Award) -> list[int]:
    """What of an award keeps the share caps of `problem`, which may be tighter than those it was found under."""
    book = Book(problem)
    for bid in won:
        if not book.breach(bid):
            book.add(bid)
    return sorted(book.won)


def _given_way(problem: Problem, won: Award) -> Award:
    """The award with caps given way where an urgent person would else be left."""
    if (problem.pair_share >= UNLIMITED).all() and (problem.provider_awards >= UNLIMITED).all():
        return won
    book = Book(problem, list(won))
    let_caps_give_way(book, problem.bids_of_package(), set())
    return tuple(sorted(book.won))
