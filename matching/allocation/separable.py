"""The exact argument for packages that don't compete: no solver is needed where every best choice fits.

Each package takes its best option (price, then the published tie order, then the lot). Any award costs at least the
sum of these minima plus the coverage that nobody can give; if the choice keeps every limit and costs no more, it is
the best award, and the best in the order of ties and lots as well, because both add up over packages.
"""

from dataclasses import dataclass

import numpy as np

from matching.allocation.book import Book
from matching.allocation.problem import Problem
from matching.allocation.results import Draw

Option = tuple[int, int, tuple[int, ...], int, int]
"""(price, 0 placed or 1 left, tie order, lot, bid or -1): the least one is the best"""


@dataclass(frozen=True, slots=True)
class Proof:
    """An award proven best without a solver."""

    won: list[int]
    draws: tuple[Draw, ...]


def prove_separable(problem: Problem) -> Proof | None:
    """The best award if no limit, entry price, block, bundle or coverage stands between packages; else None."""
    if (problem.bid_packages[problem.is_usable] > 1).any():
        return None
    options = [_options(problem, package, bids) for package, bids in enumerate(problem.bids_of_package())]
    book = Book(problem)
    for best in (ranked[0] for ranked in options):
        if best[4] >= 0:
            if book.breach(best[4]):
                return None
            book.add(best[4])
    won = sorted(book.won)
    opened = [pair for pair, minutes in enumerate(book.pair_minutes) if minutes]
    if book.below_block() or problem.pair_entry[opened].any() or _missing(problem, opened) > _least_missing(problem):
        return None
    return Proof(won, _draws(problem, options))


def _options(problem: Problem, package: int, bids: tuple[int, ...]) -> list[Option]:
    ranked: list[Option] = [
        (int(problem.bid_cost[bid]), 0, problem.bids[bid].tie, int(problem.bid_lot[bid]), bid) for bid in bids
    ]
    if not bids or not problem.instance.policy.levels:
        ranked.append((int(problem.unplaced_cost[package]), 1, (), 0, -1))
    return sorted(ranked)


def _least_missing(problem: Problem) -> int:
    """The newcomers that not even all usable bids together could bring."""
    parts_usable = np.repeat(problem.is_usable, np.diff(problem.part_start))
    return _missing(problem, np.unique(problem.part_pair[parts_usable]).tolist())


def _missing(problem: Problem, opened: list[int]) -> int:
    new = [pair for pair in opened if problem.pair_is_new[pair]]
    here = np.bincount(problem.pair_locality[new], minlength=len(problem.localities))
    return int(np.maximum(0, problem.locality_wanted - here).sum())


def _draws(problem: Problem, options: list[list[Option]]) -> tuple[Draw, ...]:
    """Packages whose winner was drawn from bids equal in price and tie order."""
    draws = []
    for package, ranked in enumerate(options):
        best = ranked[0]
        equal = [option[4] for option in ranked if option[:3] == best[:3]]
        if best[4] >= 0 and len(equal) > 1:
            refs = tuple(sorted(problem.bids[bid].ref for bid in equal))
            draws.append(Draw(problem.packages[package].ref, refs, problem.bids[best[4]].ref))
    return tuple(draws)
