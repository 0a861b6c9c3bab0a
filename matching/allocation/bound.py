"""The published bound: Lagrangian relaxation of rules 1, 4 and the lesser limits, each provider solved exactly.

Every package has a price (what placing it is worth), every locality that wants newcomers one, and every lesser row
one. At any prices the sum of what the prices promise, less what each provider could make of them, is a lower bound of
every award's objective. Prices are moved by subgradient steps in floats; the bound that is published is recomputed
from prices rounded to whole pence, in integers.

Source: Held and Karp 1971; Fisher 1981; deflected steps after Camerini, Fratta and Maffioli 1975.
"""

from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matching.allocation.groups import Groups, grouped
from matching.allocation.knapsack import FORBIDDEN, best_sets, table
from matching.allocation.market import Market
from matching.allocation.problem import Ints

Floats = NDArray[np.float64]
STALLED = 8
"""Steps without a better bound before the step is shortened."""


@dataclass(slots=True)
class Prices:
    """What a package, a missing newcomer and a unit of a lesser row are worth, in pence."""

    package: Floats
    newcomer: Floats
    row: Floats

    def copy(self) -> "Prices":
        """Prices of their own."""
        return Prices(self.package.copy(), self.newcomer.copy(), self.row.copy())

    def rounded(self) -> "Prices":
        """Whole pence, each rounded to where the bound stays valid."""
        return Prices(np.floor(self.package), np.floor(self.newcomer), np.ceil(self.row))


@dataclass(frozen=True, slots=True)
class Choice:
    """What every provider would take at some prices: items in provider order, how many each, and the worth of each."""

    bids: Ints
    count: Ints
    worth: NDArray[np.float64] | Ints


class Oracle:
    """Answers what each provider would take at given prices; two lanes share the work, whatever runs them."""

    def __init__(self, market: Market, groups: Groups | None = None) -> None:
        """`groups` are those of another oracle of the same market, which need not be arranged twice."""
        self.market = market
        self.groups = grouped(market) if groups is None else groups
        self.providers = len(market.provider_new)
        self.lesser = self.providers + len(market.pair_provider)
        self.localities = np.flatnonzero(market.wanted > 0)
        self._place = np.full(len(market.wanted), -1, dtype=np.int64)
        self._place[self.localities] = np.arange(len(self.localities))
        self._tables = {kind: [table(self.groups, kind) for _ in range(2)] for kind in (float, int)}
        size = np.diff(self.groups.provider_item) * self.groups.provider_cells
        self._middle = int(np.searchsorted(np.cumsum(size), size.sum() / 2))
        self._part_bid = np.repeat(np.arange(len(market.cost)), np.diff(market.part_start))
        self._row_bid = np.repeat(np.arange(len(market.cost)), np.diff(market.row_start))
        self._is_lesser = market.row >= self.lesser
        pair = self.groups.group_pair
        self._pair_of_group = pair
        self._own_new = (pair >= 0) & (market.pair_new[np.maximum(pair, 0)] == 1)
        self._spanning = [self._spanning_group(group) for group in np.flatnonzero(pair < 0).tolist()]

    def _spanning_group(self, group: int) -> tuple[int, Ints]:
        """A bundle's own group and the places of the localities it would bring a newcomer to."""
        bid = self.groups.item_bid[self.groups.group_start[group]]
        parts = slice(self.market.part_start[bid], self.market.part_start[bid + 1])
        pairs = np.unique(self.market.part_pair[parts])
        places = self._place[self.market.pair_locality[pairs[self.market.pair_new[pairs] == 1]]]
        return group, places[places >= 0]

    def start(self) -> Prices:
        """No price at all."""
        lesser = len(self.market.row_capacity) - self.lesser
        return Prices(np.zeros(len(self.market.unplaced)), np.zeros(len(self.localities)), np.zeros(lesser))

    def choose(
        self,
        prices: Prices,
        executor: Executor | None,
        covered: NDArray[np.bool_] | None = None,
        done: NDArray[np.bool_] | None = None,
        kind: type[float] | type[int] = float,
    ) -> Choice:
        """Every provider's best set at `prices`, leaving out `covered` packages and `done` providers."""
        groups = self.groups
        values, fixed = self.valued(prices, covered)
        if kind is int:
            values, fixed = values.astype(np.int64), fixed.astype(np.int64)
        worth = np.zeros(self.providers, dtype=values.dtype)
        chosen, count = np.zeros(len(values), dtype=np.int64), np.zeros(self.providers, dtype=np.int64)
        skip = np.zeros(self.providers, dtype=np.bool_) if done is None else done
        first, second = self._tables[kind]
        arguments = (groups, values, fixed, skip)
        if executor is None:
            best_sets(0, self.providers, *arguments, first, worth, chosen, count)
        else:
            other = executor.submit(best_sets, 0, self._middle, *arguments, first, worth, chosen, count)
            best_sets(self._middle, self.providers, *arguments, second, worth, chosen, count)
            other.result()
        starts = np.repeat(groups.provider_item[:-1] - np.concatenate(([0], np.cumsum(count)[:-1])), count)
        items = chosen[starts + np.arange(int(count.sum()))]
        return Choice(groups.item_bid[items], count, worth)

    def valued(self, prices: Prices, covered: NDArray[np.bool_] | None) -> tuple[Floats, Floats]:
        """At `prices`: what each item is worth, and what working in each group costs."""
        market, groups = self.market, self.groups
        worth_of = prices.package[market.part_package]
        value = np.bincount(self._part_bid, worth_of, len(market.cost)) - market.cost
        weight = market.row_weight[self._is_lesser]
        charged = prices.row[market.row[self._is_lesser] - self.lesser] * weight
        value -= np.bincount(self._row_bid[self._is_lesser], charged, len(market.cost))
        if covered is not None:
            value[self._part_bid[covered[market.part_package]]] = FORBIDDEN
        fixed = np.where(self._pair_of_group >= 0, market.pair_entry[np.maximum(self._pair_of_group, 0)], 0).astype(
            float
        )
        place = self._place[market.pair_locality[np.maximum(self._pair_of_group, 0)]]
        credited = self._own_new & (place >= 0)
        fixed[credited] -= prices.newcomer[place[credited]]
        for group, places in self._spanning:
            fixed[group] -= prices.newcomer[places].sum()
        return value[groups.item_bid].astype(np.float64), fixed.astype(np.float64)

    def value(self, prices: Prices, choice: Choice) -> float:
        """The bound at `prices`."""
        wanted = self.market.wanted[self.localities]
        capacity = self.market.row_capacity[self.lesser :]
        promised = prices.package.sum() + wanted @ prices.newcomer - capacity @ prices.row
        return float(promised - choice.worth.sum())

    def slope(self, prices: Prices, choice: Choice) -> Prices:
        """The subgradient: packages not taken, newcomers missing, rows overfull; zero where a price is at its end."""
        market = self.market
        taken = np.zeros(len(market.cost), dtype=np.int64)
        np.add.at(taken, choice.bids, 1)
        times = np.bincount(market.part_package, taken[self._part_bid], len(market.unplaced))
        package = np.asarray(1 - times, dtype=np.float64)
        pairs = np.zeros(len(market.pair_provider), dtype=np.bool_)
        pairs[market.part_pair[taken[self._part_bid] > 0]] = True
        places = self._place[market.pair_locality[pairs & (market.pair_new == 1)]]
        here = np.bincount(places[places >= 0], minlength=len(self.localities))
        newcomer = (market.wanted[self.localities] - here).astype(np.float64)
        used = np.bincount(market.row, market.row_weight * taken[self._row_bid], len(market.row_capacity))
        row = (used - market.row_capacity)[self.lesser :].astype(np.float64)
        package[(prices.package >= market.unplaced - 1e-9) & (package > 0)] = 0
        newcomer[(prices.newcomer >= market.coverage) & (newcomer > 0)] = 0
        newcomer[(prices.newcomer <= 0) & (newcomer < 0)] = 0
        row[(prices.row <= 0) & (row < 0)] = 0
        return Prices(package, newcomer, row)

    def clip(self, prices: Prices) -> None:
        """Keep each price where the bound is valid: a package below its unplaced price, the others above nothing."""
        np.minimum(prices.package, self.market.unplaced, out=prices.package)
        np.clip(prices.newcomer, 0, self.market.coverage, out=prices.newcomer)
        np.maximum(prices.row, 0, out=prices.row)

    def published(self, prices: Prices) -> int:
        """The bound in integers: prices rounded to whole pence, then every step in whole numbers."""
        whole = prices.rounded()
        choice = self.choose(whole, None, kind=int)
        wanted = self.market.wanted[self.localities]
        promised = int(whole.package.astype(np.int64).sum()) + int(wanted @ whole.newcomer.astype(np.int64))
        charged = int(self.market.row_capacity[self.lesser :] @ whole.row.astype(np.int64))
        return promised - charged - int(choice.worth.sum())


def raise_bound(
    oracle: Oracle,
    prices: Prices,
    target: float,
    steps: int,
    executor: Executor | None,
    may_go_on: Callable[[], bool],
    length: float = 1.0,
) -> tuple[Prices, float]:
    """Move `prices` by at most `steps` deflected subgradient steps towards `target`; the best found and their bound."""
    prices = prices.copy()
    oracle.clip(prices)
    best, best_prices = -np.inf, prices.copy()
    direction = oracle.start()
    stalled = 0
    for _ in range(steps):
        choice = oracle.choose(prices, executor)
        bound = oracle.value(prices, choice)
        if bound > best + 1e-6 * abs(best) or not np.isfinite(best):
            best, best_prices, stalled = bound, prices.copy(), 0
        else:
            stalled += 1
            if stalled >= STALLED:
                length, stalled = length * 0.6, 0
                prices, direction = best_prices.copy(), oracle.start()
                if length < 1e-3:
                    break
                continue
        slope = oracle.slope(prices, choice)
        for name in ("package", "newcomer", "row"):
            setattr(direction, name, 0.6 * getattr(direction, name) + 0.4 * getattr(slope, name))
        norm = sum(float((part * part).sum()) for part in (direction.package, direction.newcomer, direction.row))
        goal = min(target, best * 1.15) if best > 0 else target
        step = length * max(goal - bound, 1e-4 * abs(goal)) / (norm + 1e-9)
        prices.package += step * direction.package
        prices.newcomer += step * direction.newcomer
        prices.row += step * direction.row
        oracle.clip(prices)
        if not may_go_on():
            break
    return best_prices, best
