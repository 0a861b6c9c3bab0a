"""From a list of holders to holdings: whole blocks, nothing exceeded, nothing left that still fits."""

import numpy as np

from matching.allocation.compiled import compiled
from matching.allocation.holdings import Holdings, Records, best_fit, drop, nobody, shortage, take, total
from matching.allocation.market import Market
from matching.allocation.problem import Ints

NO_AWARD = 1 << 60
"""More than any award's objective."""


def held_by(market: Market, holder: Ints) -> Holdings:
    """Holdings in which `holder[p]` holds package p (bundles whole)."""
    held = nobody(market)
    changed = held.bids, held.parts, held.weights, held.rows, held.pairs, held.packages
    _hold(*changed, held.localities, held.providers, held.members, held.left, holder)
    return held


def objective_of(market: Market, holder: Ints) -> int:
    """The objective without the market's offset; NO_AWARD for one that breaks a limit or a bundle."""
    won = np.unique(holder[holder >= 0])
    if int((market.part_start[won + 1] - market.part_start[won]).sum()) != int((holder >= 0).sum()):
        return NO_AWARD
    held = held_by(market, holder)
    overfull = (held.rows["load"] > held.rows["capacity"]).any()
    if overfull or (held.providers["opened"] > held.providers["most_new"])[:-1].any() or shortage(held.pairs) > 0:
        return NO_AWARD
    return total_of(held)


def total_of(held: Holdings) -> int:
    """The objective of the holdings without the market's offset."""
    return int(total(held.bids, held.parts, held.pairs, held.packages, held.localities))


def repaired(market: Market, holder: Ints) -> tuple[Ints, int]:
    """The award `holder` with unreached blocks given up and what is left placed where it fits; its objective."""
    held = held_by(market, holder)
    _repair(*held)
    # A bundle given up for one block may leave another short: once more until nothing is.
    while shortage(held.pairs) > 0:
        _repair(*held)
    return held.holder, total_of(held)


@compiled
def _hold(
    bids: Records,
    parts: Records,
    weights: Records,
    rows: Records,
    pairs: Records,
    packages: Records,
    localities: Records,
    providers: Records,
    members: Ints,
    left: Ints,
    holder: Ints,
) -> None:
    for package in range(len(holder)):
        number = holder[package]
        if number >= 0 and parts[bids[number].first_part].package == package:
            take(bids, parts, weights, rows, pairs, packages, localities, providers, members, left, number, 0.0)


@compiled
def _repair(
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
) -> None:
    for number in range(len(pairs)):
        pair = pairs[number]
        if not 0 < pair.minutes < pair.block:
            continue
        provider = providers[pair.provider]
        for place in range(provider.members - 1, -1, -1):
            bid = members[provider.first_member + place]
            for part in range(bids[bid].first_part, bids[bid + 1].first_part):
                if parts[part].pair == number:
                    drop(bids, parts, weights, rows, pairs, packages, localities, providers, members, left, bid, 0.0)
                    break
    for package in range(len(packages) - 1):
        if packages[package].holder < 0:
            bid = best_fit(
                bids,
                parts,
                weights,
                rows,
                pairs,
                packages,
                options,
                localities,
                providers,
                package,
                -1,
                0.0,
                True,
            )
            if bid >= 0:
                take(bids, parts, weights, rows, pairs, packages, localities, providers, members, left, bid, 0.0)
