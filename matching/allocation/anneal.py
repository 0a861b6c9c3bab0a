"""Annealing with ejection chains: the best step per second once prices have shown the way.

A move gives one package to another bid. What then exceeds a limit of that provider is ejected, bid by bid, and each
ejected package goes to its cheapest place that fits, or pushes on down the chain. Blocks may be short on the way, at a
price that stiffens while the temperature falls; only awards with nothing short are kept.

Source: Kirkpatrick, Gelatt and Vecchi 1983; Glover 1996 on ejection chains; Yagiura, Ibaraki and Glover 2004.
"""

from typing import NamedTuple

import numpy as np

from matching.allocation.compiled import compiled
from matching.allocation.holdings import Records, best_fit, drop, shortage, take, total
from matching.allocation.market import Market
from matching.allocation.problem import Ints
from matching.allocation.repair import held_by, repaired

LOOK = 128
"""Moves between looks at the award and the time: cooling, and keeping the best."""
NEVER = np.zeros(1, dtype=np.int64)


class Cooling(NamedTuple):
    """A schedule: temperatures in pence, the price of a short minute in pence, the longest chain."""

    hot: float
    cold: float
    short_soft: float
    short_stiff: float
    chain: int


def anneal(
    market: Market, holder: Ints, seed: int, moves: int, cooling: Cooling, over: Ints | None = None
) -> tuple[Ints, int]:
    """The best feasible award met in `moves` moves from `holder`, and its objective without the market's offset.

    It ends early once `over[0]` is set.
    """
    held = held_by(market, holder)
    best = holder.copy()
    parts = int(np.diff(market.part_start).max())
    journal = np.zeros((cooling.chain + 2) * (parts + 2) + 1, dtype=np.int64)
    _cool(*held, seed, moves, *cooling, best, journal, NEVER if over is None else over)
    return min((repaired(market, candidate) for candidate in (best, held.holder)), key=lambda award: award[1])


@compiled
def _cool(
    bids: Records,
    parts: Records,
    weights: Records,
    rows: Records,
    pairs: Records,
    packages: Records,
    options: Ints,
    localities: Records,
    providers: Records,
    members: Ints,
    left: Ints,
    seed: int,
    moves: int,
    hot: float,
    cold: float,
    short_soft: float,
    short_stiff: float,
    longest: int,
    best: Ints,
    journal: Ints,
    over: Ints,
) -> None:
    np.random.seed(seed)
    count = len(packages) - 1
    least = 1 << 60
    temperature, short_price = hot, short_soft
    for move in range(moves + 1):
        if move % LOOK == 0 or move == moves:
            passed = move / moves
            temperature = hot * (cold / hot) ** passed
            short_price = short_soft * (short_stiff / short_soft) ** passed
            if shortage(pairs) == 0:
                now = total(bids, parts, pairs, packages, localities)
                if now < least:
                    least = now
                    for package in range(count):
                        best[package] = packages[package].holder
            if over[0]:
                break
        package = np.random.randint(count)
        if left[-1] > 0 and np.random.random() < 0.3:
            package = left[np.random.randint(left[-1])]
        first = packages[package].first_option
        pick = first + np.random.randint(packages[package + 1].first_option - first + 1)
        bid = -1
        if pick < packages[package + 1].first_option:
            bid = options[pick]
        elif np.random.random() > 0.05:
            continue
        if bid == packages[package].holder:
            continue
        change = _chain(
            bids,
            parts,
            weights,
            rows,
            pairs,
            packages,
            options,
            localities,
            providers,
            members,
            left,
            package,
            bid,
            short_price,
            longest,
            journal,
        )
        # NaN, a chain that found no end, is neither.
        if not (change <= 0.0 or np.random.random() < np.exp(-change / temperature)):
            for entry in range(journal[0], 0, -1):
                if journal[entry] > 0:
                    bid = journal[entry] - 1
                    drop(bids, parts, weights, rows, pairs, packages, localities, providers, members, left, bid, 0.0)
                else:
                    bid = -journal[entry] - 1
                    take(bids, parts, weights, rows, pairs, packages, localities, providers, members, left, bid, 0.0)


@compiled
def _chain(
    bids: Records,
    parts: Records,
    weights: Records,
    rows: Records,
    pairs: Records,
    packages: Records,
    options: Ints,
    localities: Records,
    providers: Records,
    members: Ints,
    left: Ints,
    package: int,
    bid: int,
    short: float,
    longest: int,
    journal: Ints,
) -> float:
    """Give `package` to `bid` and push on what must go; the change of the objective, NaN if a limit stays exceeded.

    The journal holds what was done: its length, then bid + 1 for a bid taken and -(bid + 1) for one dropped.
    """
    steps = 0
    change = 0.0
    before = packages[package].holder
    if before >= 0:
        change += drop(bids, parts, weights, rows, pairs, packages, localities, providers, members, left, before, short)
        steps += 1
        journal[steps] = -(before + 1)
    pushed = bid
    if bid >= 0:
        for place in range(bids[bid].first_part, bids[bid + 1].first_part):
            other = packages[parts[place].package].holder
            if other >= 0:
                change += drop(
                    bids, parts, weights, rows, pairs, packages, localities, providers, members, left, other, short
                )
                steps += 1
                journal[steps] = -(other + 1)
        change += take(bids, parts, weights, rows, pairs, packages, localities, providers, members, left, bid, short)
        steps += 1
        journal[steps] = bid + 1
    links = 0
    while pushed >= 0:
        provider = providers[bids[pushed].provider]
        over = _is_over(bids, weights, rows, providers, pushed)
        if not over and not (links == 0 and provider.members > 1 and np.random.random() < 0.15):
            break
        if links >= longest or provider.members < 2:
            if over:
                change = np.nan
            break
        victim = _victim(bids, weights, rows, providers, members, pushed)
        if victim < 0:
            change = np.nan
            break
        change += drop(bids, parts, weights, rows, pairs, packages, localities, providers, members, left, victim, short)
        steps += 1
        journal[steps] = -(victim + 1)
        if _is_over(bids, weights, rows, providers, pushed):
            change = np.nan
            break
        links += 1
        pushed = -1
        for place in range(bids[victim].first_part, bids[victim + 1].first_part):
            freed = parts[place].package
            if packages[freed].holder >= 0:
                continue
            new = best_fit(
                bids,
                parts,
                weights,
                rows,
                pairs,
                packages,
                options,
                localities,
                providers,
                freed,
                victim,
                short,
                False,
            )
            if new < 0 and pushed < 0 and links < longest and np.random.random() < 0.8:
                first = packages[freed].first_option
                other = options[first + np.random.randint(packages[freed + 1].first_option - first)]
                if other != victim and bids[other + 1].first_part - bids[other].first_part == 1:
                    new = other
                    pushed = other
            if new >= 0:
                change += take(
                    bids, parts, weights, rows, pairs, packages, localities, providers, members, left, new, short
                )
                steps += 1
                journal[steps] = new + 1
    journal[0] = steps
    return change


@compiled
def _is_over(bids: Records, weights: Records, rows: Records, providers: Records, bid: int) -> bool:
    """The bid stands in a row that is overfull, or its provider has opened too many localities."""
    for place in range(bids[bid].first_weight, bids[bid + 1].first_weight):
        row = rows[weights[place].row]
        if row.load > row.capacity:
            return True
    provider = providers[bids[bid].provider]
    return bool(provider.opened > provider.most_new)


@compiled
def _victim(bids: Records, weights: Records, rows: Records, providers: Records, members: Ints, pushed: int) -> int:
    """A bid of the same provider whose leaving ends what `pushed` exceeds, in four tries; -1 if none was met."""
    provider = providers[bids[pushed].provider]
    for _ in range(4):
        victim = members[provider.first_member + np.random.randint(provider.members)]
        if victim == pushed:
            continue
        helps = True
        for place in range(bids[pushed].first_weight, bids[pushed + 1].first_weight):
            number = weights[place].row
            over = rows[number].load - rows[number].capacity
            if over > 0:
                for other in range(bids[victim].first_weight, bids[victim + 1].first_weight):
                    if weights[other].row == number:
                        over -= weights[other].weight
                if over > 0:
                    helps = False
                    break
        if helps:
            return int(victim)
    return -1
