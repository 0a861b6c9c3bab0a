"""The dive: follow the prices down to an award, fixing the providers whose best set stays the same first."""

from collections.abc import Callable
from concurrent.futures import Executor
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matching.allocation.bound import Oracle, Prices
from matching.allocation.problem import Ints
from matching.allocation.repair import repaired


class Pace(NamedTuple):
    """Price steps between fixings, the share of providers fixed at a time, the length of a step."""

    looks: int
    share: float
    step: float


def dive(
    oracle: Oracle,
    prices: Prices,
    pace: Pace,
    chance: np.random.Generator | None,
    executor: Executor | None,
    may_go_on: Callable[[], bool],
) -> tuple[Ints, int]:
    """A feasible award in the neighbourhood of `prices` and its objective; `chance` varies the order a little."""
    market = oracle.market
    prices = prices.copy()
    covered = np.zeros(len(market.unplaced), dtype=np.bool_)
    done = np.zeros(oracle.providers, dtype=np.bool_)
    wanted = market.wanted[oracle.localities].copy()
    holder = np.full(len(market.unplaced), -1, dtype=np.int64)
    part_bid = np.repeat(np.arange(len(market.cost)), np.diff(market.part_start))
    while not done.all() and may_go_on():
        seen: dict[tuple[int, bytes], int] = {}
        direction = np.zeros(len(market.unplaced))
        for look in range(pace.looks):
            if look and not may_go_on():
                break
            asked = Prices(prices.package, np.where(wanted > 0, prices.newcomer, 0.0), prices.row)
            choice = oracle.choose(asked, executor, covered, done)
            chosen = np.zeros(len(market.cost), dtype=np.bool_)
            chosen[choice.bids] = True
            over = np.bincount(market.part_package[chosen[part_bid]], minlength=len(market.unplaced))
            ends = np.cumsum(choice.count)
            for provider in np.flatnonzero(~done).tolist():
                # The knapsack lists a set always in the same order.
                key = (provider, choice.bids[ends[provider] - choice.count[provider] : ends[provider]].tobytes())
                seen[key] = seen.get(key, 0) + 1
            slope = np.where(covered, 0.0, 1.0) - over
            slope[(prices.package >= market.unplaced - 1e-9) & (slope > 0)] = 0
            direction = 0.5 * direction + 0.5 * slope
            length = pace.step * abs(prices.package[~covered].sum()) * 0.3 / (float(direction @ direction) + 1e-9)
            prices.package = np.minimum(prices.package + length * direction, market.unplaced)
        contested = np.zeros(len(market.cost), dtype=np.bool_)
        contested[part_bid[over[market.part_package] > 1]] = True
        ranking = []
        for provider in np.flatnonzero(~done).tolist():
            bids = choice.bids[ends[provider] - choice.count[provider] : ends[provider]]
            steady = seen[provider, bids.tobytes()] / pace.looks
            minutes = int(market.minutes[bids].sum())
            disputed = int(market.minutes[bids[contested[bids]]].sum()) / minutes if minutes else 0.0
            wobble = 0.0 if chance is None else 0.1 * chance.random()
            ranking.append((1.5 * disputed - steady + wobble, -minutes, provider))
        for _, _, provider in sorted(ranking)[: max(1, int(pace.share * oracle.providers))]:
            bids = choice.bids[ends[provider] - choice.count[provider] : ends[provider]]
            if not any(covered[_packages(oracle, bid)].any() for bid in bids.tolist()):
                _fix(oracle, bids, holder, covered, wanted)
                done[provider] = True
    return repaired(market, _within_limits(oracle, holder))


def _packages(oracle: Oracle, bid: int) -> Ints:
    market = oracle.market
    return market.part_package[market.part_start[bid] : market.part_start[bid + 1]]


def _fix(oracle: Oracle, bids: Ints, holder: Ints, covered: NDArray[np.bool_], wanted: Ints) -> None:
    market = oracle.market
    opened = set()
    for bid in bids.tolist():
        packages = _packages(oracle, bid)
        # A bundle that spans localities may stand beside a bid for one of its packages: the first of them stays.
        if covered[packages].any():
            continue
        holder[packages] = bid
        covered[packages] = True
        opened.update(market.part_pair[market.part_start[bid] : market.part_start[bid + 1]].tolist())
    for pair in opened:
        place = np.searchsorted(oracle.localities, market.pair_locality[pair])
        if market.pair_new[pair] and place < len(wanted) and oracle.localities[place] == market.pair_locality[pair]:
            wanted[place] -= 1


def _within_limits(oracle: Oracle, holder: Ints) -> Ints:
    """Drop what exceeds limits the knapsacks don't know: lesser rows, and a bundle's part in each locality."""
    market = oracle.market
    load = np.zeros(len(market.row_capacity), dtype=np.int64)
    opened: dict[int, set[int]] = {}
    kept = holder.copy()
    for bid in np.unique(holder[holder >= 0]).tolist():
        rows = slice(market.row_start[bid], market.row_start[bid + 1])
        parts = slice(market.part_start[bid], market.part_start[bid + 1])
        provider = int(market.provider[bid])
        new = {pair for pair in market.part_pair[parts].tolist() if market.pair_new[pair]} | opened.get(provider, set())
        too_full = (load[market.row[rows]] + market.row_weight[rows] > market.row_capacity[market.row[rows]]).any()
        if too_full or len(new) > market.provider_new[provider]:
            kept[market.part_package[parts]] = -1
            continue
        load[market.row[rows]] += market.row_weight[rows]
        opened[provider] = new
    return kept
