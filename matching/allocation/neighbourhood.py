"""Neighbourhoods: a few providers set free around a weak spot, the rest held, solved by CP-SAT with one worker."""

from collections.abc import Callable
from concurrent.futures import Executor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model

from matching.allocation.market import Market
from matching.allocation.problem import Ints
from matching.allocation.repair import NO_AWARD, held_by, objective_of, total_of


class Effort(NamedTuple):
    """How many providers are freed, and how long one neighbourhood may take: deterministic seconds, or real ones."""

    providers: int
    deterministic_s: float | None
    limit_s: float | None


class Surroundings:
    """Which providers compete for the same packages, and so are worth freeing together."""

    def __init__(self, market: Market) -> None:
        self.market = market
        providers = len(market.provider_new)
        bidding = np.zeros((providers, len(market.unplaced)), dtype=np.float32)
        part_bid = np.repeat(np.arange(len(market.cost)), np.diff(market.part_start))
        bidding[market.provider[part_bid], market.part_package] = 1
        self.shared = (bidding @ bidding.T).astype(np.float64)
        np.fill_diagonal(self.shared, 0)
        self._bidders = [np.flatnonzero(column) for column in bidding.T]

    def pick(self, holder: Ints, number: int, chance: np.random.Generator) -> Ints:
        """Providers around a package that is left or, as often, around any provider; those with hours free first."""
        market = self.market
        providers = len(market.provider_new)
        number = min(number, providers)
        held = np.unique(holder[holder >= 0])
        load = np.bincount(market.provider[held], market.minutes[held], providers)
        slack = np.maximum(market.row_capacity[:providers] - load, 0.0) / 15 + 1
        left = np.flatnonzero(holder < 0)
        if len(left) and chance.random() < 0.5:
            bidders = self._bidders[chance.choice(left)]
            chosen = _sample(chance, bidders, slack[bidders], number)
            weight = self.shared[chosen].sum(axis=0) * slack
        else:
            chosen = chance.integers(providers, size=1)
            weight = self.shared[chosen[0]] * slack
        weight[chosen] = 0
        others = np.setdiff1d(np.arange(providers), chosen)
        more = _sample(chance, others, weight[others], number - len(chosen))
        return np.unique(np.concatenate((chosen, more))).astype(np.int64)


def _sample(chance: np.random.Generator, pool: Ints, weight: NDArray[np.float64], number: int) -> Ints:
    number = min(number, len(pool))
    weight = weight + 1e-9
    return chance.choice(pool, number, replace=False, p=weight / weight.sum()) if number > 0 else pool[:0]


def improve(market: Market, holder: Ints, freed: Ints, effort: Effort, seed: int) -> Ints | None:
    """A better award in which only the `freed` providers' work and packages left have changed; None if none is met."""
    neighbourhood = _around(market, holder, freed)
    return None if neighbourhood is None else neighbourhood.better(effort, seed)


def cheapest_with(market: Market, holder: Ints, bid: int, freed: Ints, effort: Effort) -> int | None:
    """The objective of the cheapest award met in which `bid` wins and only `freed` providers' work has changed."""
    neighbourhood = _around(market, holder, freed)
    if neighbourhood is None or bid not in neighbourhood.win:
        return None
    changed = neighbourhood.with_bid(bid, effort)
    value = NO_AWARD if changed is None else objective_of(market, changed)
    return value if value < NO_AWARD else None


def _around(market: Market, holder: Ints, freed: Ints) -> "_Neighbourhood | None":
    is_free = np.zeros(len(market.provider_new), dtype=np.bool_)
    is_free[freed] = True
    movable = holder < 0
    movable[~movable] = is_free[market.provider[holder[~movable]]]
    whole = np.logical_and.reduceat(movable[market.part_package], market.part_start[:-1])
    bids = np.flatnonzero(whole & is_free[market.provider])
    return _Neighbourhood(market, holder, movable, bids) if len(bids) else None


class _Neighbourhood:
    def __init__(self, market: Market, holder: Ints, movable: NDArray[np.bool_], bids: Ints) -> None:
        self.market, self.holder, self.bids = market, holder, bids
        self.model = cp_model.CpModel()
        self.objective: list[tuple[cp_model.IntVar, int]] = []
        self.win = {bid: self._priced(1, int(market.cost[bid])) for bid in bids.tolist()}
        self.fixed = held_by(market, np.where(movable, -1, holder))
        self.current = np.where(movable, holder, -1)
        self.baseline = total_of(self.fixed)
        self._once()
        self._rows()
        self._pairs()

    def _priced(self, most: int, price: int) -> cp_model.IntVar:
        var = self.model.new_int_var(0, most, "")
        self.objective.append((var, price))
        return var

    def _once(self) -> None:
        market = self.market
        by_package: dict[int, list[cp_model.IntVar]] = {}
        for bid, var in self.win.items():
            for package in market.part_package[market.part_start[bid] : market.part_start[bid + 1]].tolist():
                by_package.setdefault(package, []).append(var)
        for package, options in by_package.items():
            left = self._priced(1, int(market.unplaced[package]))
            self.model.add_exactly_one([*options, left])
            self.model.add_hint(left, self.current[package] < 0)
            self.baseline -= int(market.unplaced[package])
        self.packages = np.array(sorted(by_package), dtype=np.int64)
        current = set(self.current[self.packages].tolist())
        for bid, var in self.win.items():
            self.model.add_hint(var, bid in current)

    def _rows(self) -> None:
        market = self.market
        by_row: dict[int, list[tuple[cp_model.IntVar, int]]] = {}
        for bid, var in self.win.items():
            for place in range(market.row_start[bid], market.row_start[bid + 1]):
                by_row.setdefault(int(market.row[place]), []).append((var, int(market.row_weight[place])))
        for row, terms in by_row.items():
            room = int(market.row_capacity[row] - self.fixed.rows["load"][row])
            if sum(weight for _, weight in terms) > room:
                self.model.add(_sum(terms) <= room)

    def _pairs(self) -> None:
        """Blocks, entry, new localities and coverage of the pairs the freed bids touch."""
        market, fixed = self.market, self.fixed
        by_pair: dict[int, list[tuple[cp_model.IntVar, int]]] = {}
        for bid, var in self.win.items():
            for part in range(market.part_start[bid], market.part_start[bid + 1]):
                by_pair.setdefault(int(market.part_pair[part]), []).append((var, int(market.part_minutes[part])))
        opened: dict[int, list[cp_model.IntVar]] = {}
        arriving: dict[int, list[cp_model.IntVar]] = {}
        for pair, terms in by_pair.items():
            # A freed provider's work is all freed, but for a bundle held together with somebody else's package.
            if not market.pair_new[pair] or fixed.pairs["minutes"][pair] > 0:
                continue
            works = self._priced(1, int(market.pair_entry[pair]))
            for var, _ in terms:
                self.model.add_implication(var, works)
            self.model.add_bool_or([*(var for var, _ in terms), ~works])
            if market.pair_block[pair] > min(weight for _, weight in terms):
                self.model.add(_sum(terms) >= int(market.pair_block[pair]) * works)
            opened.setdefault(int(market.pair_provider[pair]), []).append(works)
            arriving.setdefault(int(market.pair_locality[pair]), []).append(works)
        for provider, pairs in opened.items():
            room = int(market.provider_new[provider] - fixed.providers["opened"][provider])
            if room < len(pairs):
                self.model.add(sum(pairs) <= room)
        for locality, pairs in arriving.items():
            wanted = int(market.wanted[locality] - fixed.localities["newcomers"][locality])
            if wanted > 0 and market.coverage:
                missing = self._priced(wanted, market.coverage)
                self.baseline -= market.coverage * wanted
                self.model.add(sum(pairs) + missing >= wanted)

    def better(self, effort: Effort, seed: int) -> Ints | None:
        """An award that costs less than the current one; None if none is met."""
        now = objective_of(self.market, self.holder)
        self.model.add(_sum(self.objective) <= now - self.baseline - 1)
        changed = self._solve(effort, seed)
        return None if changed is None or objective_of(self.market, changed) >= now else changed

    def with_bid(self, bid: int, effort: Effort) -> Ints | None:
        """The cheapest award met in which `bid` wins; None if none is met."""
        self.model.add(self.win[bid] == 1)
        return self._solve(effort, 1)

    def _solve(self, effort: Effort, seed: int) -> Ints | None:
        solver = cp_model.CpSolver()
        parameters = solver.parameters
        parameters.num_workers = 1
        parameters.random_seed = seed % (1 << 30)
        parameters.linearization_level = 2
        if effort.deterministic_s is not None:
            parameters.max_deterministic_time = effort.deterministic_s
        if effort.limit_s is not None:
            parameters.max_time_in_seconds = max(0.01, effort.limit_s)
        self.model.minimize(_sum(self.objective))
        if solver.solve(self.model) not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return None
        changed = self.holder.copy()
        changed[self.packages] = -1
        for bid, var in self.win.items():
            if solver.value(var):
                parts = slice(self.market.part_start[bid], self.market.part_start[bid + 1])
                changed[self.market.part_package[parts]] = bid
        return changed


def _sum(terms: list[tuple[cp_model.IntVar, int]]) -> cp_model.LinearExpr:
    return cp_model.LinearExpr.weighted_sum([var for var, _ in terms], [weight for _, weight in terms])


def search(
    market: Market,
    surroundings: Surroundings,
    holder: Ints,
    effort: Effort,
    rounds: int,
    seed: int,
    executor: Executor,
    left_s: Callable[[], float | None],
) -> Ints:
    """`rounds` pairs of neighbourhoods, both of a pair from one award; each improvement that still fits is kept.

    By the clock it ends when `left_s` is used up, and no neighbourhood is given more than that.
    """
    chance = np.random.default_rng(seed)
    best = objective_of(market, holder)
    for turn in range(rounds):
        left = left_s()
        if left is not None:
            if left <= 0:
                break
            effort = effort._replace(limit_s=min(left, effort.limit_s or left))
        picks = [surroundings.pick(holder, effort.providers, chance) for _ in range(2)]
        found = [
            executor.submit(improve, market, holder, freed, effort, seed + 2 * turn + lane)
            for lane, freed in enumerate(picks)
        ]
        before = holder
        for future in found:
            better = future.result()
            if better is None:
                continue
            merged = np.where(better != before, better, holder)
            value = objective_of(market, merged)
            if value < best:
                holder, best = merged, value
    return holder
