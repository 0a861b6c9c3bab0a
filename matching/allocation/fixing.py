"""What prices settle before a proof: bids that no award as good as the one in hand holds, packages it must place.

At any prices an award that holds a certain bid costs at least the bound and what that bid's provider loses by having
to take it; an award that leaves a package, the bound and what leaving costs above the package's price. Where that is
more than an award already found, neither can be in any award as good: the best ones, all that are equal to them, and
so the ties and lots between them stay. Everything is in integers.

Source: Dantzig, Fulkerson and Johnson 1954; for Lagrangian prices Beasley 1993.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matching.allocation.bound import Oracle, Prices
from matching.allocation.compiled import compiled
from matching.allocation.groups import Groups
from matching.allocation.knapsack import Table, best_sets, table
from matching.allocation.problem import Ints

LIFT = 1 << 40
"""Added to a bid's value so that every best set holds it."""


class Settled(NamedTuple):
    """By bid of the market: it may win; by package: it must be placed."""

    may_win: NDArray[np.bool_]
    placed: NDArray[np.bool_]


def settle(oracle: Oracle, prices: Prices, objective: int) -> Settled:
    """What holds for every award of the market that costs no more than `objective`."""
    whole = prices.rounded()
    slack = objective - oracle.published(whole)
    losses = forcing_losses(oracle, whole, np.arange(len(oracle.market.cost)))
    leaving = oracle.market.unplaced - whole.package.astype(np.int64)
    return Settled(losses <= slack, leaving > slack)


def forcing_losses(oracle: Oracle, prices: Prices, bids: Ints) -> Ints:
    """For each of `bids`: how much less its provider could make of whole `prices` if it had to take the bid."""
    values, fixed = oracle.valued(prices, None)
    item = np.empty(len(values), dtype=np.int64)
    item[oracle.groups.item_bid] = np.arange(len(values))
    losses = np.zeros(len(bids), dtype=np.int64)
    _force(
        oracle.groups,
        values.astype(np.int64),
        fixed.astype(np.int64),
        table(oracle.groups, int),
        item[bids],
        oracle.market.provider[bids],
        oracle.choose(prices, None, kind=int).worth.astype(np.int64),
        losses,
    )
    return losses


@compiled
def _force(
    groups: Groups, values: Ints, fixed: Ints, space: Table, items: Ints, providers: Ints, free: Ints, losses: Ints
) -> None:
    worth = np.zeros(len(free), dtype=np.int64)
    chosen = np.zeros(len(values), dtype=np.int64)
    count = np.zeros(len(free), dtype=np.int64)
    nobody = np.zeros(len(free), dtype=np.bool_)
    for place in range(len(items)):
        item, provider = items[place], providers[place]
        values[item] += LIFT
        best_sets(provider, provider + 1, groups, values, fixed, nobody, space, worth, chosen, count)
        values[item] -= LIFT
        losses[place] = free[provider] - (worth[provider] - LIFT)
