"""The market's bids arranged for the knapsack: items in clusters, clusters in groups, groups by provider.

Every rounding widens what is allowed, so that bounds stay valid.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matching.allocation.clusters import Clusters, clustered
from matching.allocation.market import Market
from matching.allocation.problem import Ints

MOST_CELLS = 4_800
"""A provider with more units of capacity counts its minutes in coarser ones, rounded so that the bound stays valid."""


class Groups(NamedTuple):
    """Items by cluster, clusters by group, groups by provider.

    A group is a pair, or a bundle that spans localities, on its own. A cluster is an item that shares no package, its
    own only set, or several that do with their sets: those from `cluster_set[c]` on, of items from `set_start[s]` on.
    Each provider counts minutes in units of its own.
    """

    provider_start: Ints
    group_start: Ints
    group_cells: Ints
    group_block: Ints
    group_pair: Ints
    group_cluster: Ints
    cluster_item: Ints
    cluster_set: Ints
    set_start: Ints
    set_item: Ints
    item_bid: Ints
    item_cells: Ints
    provider_cells: Ints
    provider_item: Ints
    unit: Ints


def grouped(market: Market) -> Groups:
    """Arrange the market's bids for the knapsack; every rounding widens what is allowed, so that bounds stay valid."""
    bids = len(market.cost)
    providers = len(market.provider_new)
    pairs = len(market.pair_provider)
    low = np.minimum.reduceat(market.part_pair, market.part_start[:-1]) if bids else market.part_pair
    high = np.maximum.reduceat(market.part_pair, market.part_start[:-1]) if bids else market.part_pair
    spans = low != high
    unit = _units(market)
    owner = np.concatenate((market.pair_provider, market.provider[spans]))
    order = np.lexsort((np.arange(len(owner)), owner))
    renumber = np.empty(len(owner), dtype=np.int64)
    renumber[order] = np.arange(len(owner))
    item_group = renumber[np.where(spans, pairs - 1 + np.cumsum(spans), low)]
    clusters = clustered(market, item_group)
    items = np.lexsort((np.arange(bids), clusters.of_bid, item_group))
    cluster_item = np.append(np.flatnonzero(np.diff(clusters.of_bid[items], prepend=-1)), bids).astype(np.int64)
    sets = _sets(clusters, items, cluster_item)
    item_cells = market.minutes[items] // unit[market.provider[items]]
    # What coarser units round to nothing takes one cell of room made for it.
    tiny = item_cells == 0
    item_cells[tiny] = 1
    room = np.bincount(item_group[items], tiny, len(owner)).astype(np.int64)
    free = market.row_capacity[market.provider[spans]]
    limit = np.concatenate((market.row_capacity[providers : providers + pairs], free))[order]
    group_start = np.searchsorted(item_group[items], np.arange(len(owner) + 1)).astype(np.int64)
    provider_start = np.searchsorted(owner[order], np.arange(providers + 1)).astype(np.int64)
    group_pair = np.concatenate((np.arange(pairs), np.full(int(spans.sum()), -1)))[order].astype(np.int64)
    provider_room = np.bincount(market.provider[items], tiny, providers).astype(np.int64)
    return Groups(
        provider_start=provider_start,
        group_start=group_start,
        group_cells=limit // unit[owner[order]] + room,
        group_block=_blocks(market, spans, group_pair, group_start, item_cells, unit),
        group_pair=group_pair,
        group_cluster=np.searchsorted(cluster_item[:-1], group_start).astype(np.int64),
        cluster_item=cluster_item,
        cluster_set=sets.cluster_set,
        set_start=sets.start,
        set_item=sets.item,
        item_bid=items.astype(np.int64),
        item_cells=item_cells.astype(np.int64),
        provider_cells=(market.row_capacity[:providers] // unit + provider_room).astype(np.int64),
        provider_item=group_start[provider_start],
        unit=unit,
    )


class _Sets(NamedTuple):
    cluster_set: Ints
    start: Ints
    item: Ints


def _sets(clusters: Clusters, items: Ints, cluster_item: Ints) -> _Sets:
    """The sets of each cluster as items; an item that shares nothing is the only set of its own."""
    place = np.empty(len(items), dtype=np.int64)
    place[items] = np.arange(len(items))
    first = items[cluster_item[:-1]]
    shared = [
        (number, clusters.sets[int(first[number])]) for number in np.flatnonzero(np.diff(cluster_item) > 1).tolist()
    ]
    count = np.ones(len(first), dtype=np.int64)
    for number, sets in shared:
        count[number] = len(sets)
    cluster_set = np.concatenate(([0], np.cumsum(count)))
    size = np.ones(cluster_set[-1], dtype=np.int64)
    for number, sets in shared:
        size[cluster_set[number] : cluster_set[number + 1]] = [len(chosen) for chosen in sets]
    start = np.concatenate(([0], np.cumsum(size)))
    item = np.zeros(start[-1], dtype=np.int64)
    item[start[cluster_set[:-1]]] = cluster_item[:-1]
    for number, sets in shared:
        item[start[cluster_set[number]] : start[cluster_set[number + 1]]] = place[np.concatenate(sets)]
    return _Sets(cluster_set, start, item)


def _blocks(
    market: Market, spans: NDArray[np.bool_], group_pair: Ints, group_start: Ints, item_cells: Ints, unit: Ints
) -> Ints:
    """A newcomer's block in cells, at least its smallest bid (coverage is not bought with no work behind it).

    Where a bundle that spans localities could help to reach the block, or coarser units have rounded the minutes, the
    block can't be demanded and the smallest bid is all that is.
    """
    pairs = len(market.pair_provider)
    demanded = np.ones(pairs, dtype=np.bool_)
    for bid in np.flatnonzero(spans).tolist():
        demanded[market.part_pair[market.part_start[bid] : market.part_start[bid + 1]]] = False
    rounded = np.zeros(len(unit), dtype=np.bool_)
    rounded[market.provider[market.minutes % unit[market.provider] != 0]] = True
    demanded &= ~rounded[market.pair_provider]
    stated = np.where(demanded, -(-market.pair_block // unit[market.pair_provider]), 0)
    blocks = np.zeros(len(group_pair), dtype=np.int64)
    for group, pair in enumerate(group_pair.tolist()):
        items = item_cells[group_start[group] : group_start[group + 1]]
        if len(items) and (pair < 0 or market.pair_new[pair]):
            blocks[group] = max(int(items.min()), int(stated[pair]) if pair >= 0 else 0)
    return blocks


def _units(market: Market) -> Ints:
    """By provider: the common divisor of its bids' minutes, or so many times that as keep its cells few enough."""
    providers = len(market.provider_new)
    common = np.zeros(providers, dtype=np.int64)
    np.gcd.at(common, market.provider, market.minutes)
    common = np.maximum(common, 1)
    times: Ints = np.maximum(1, -(-market.row_capacity[:providers] // (common * MOST_CELLS)))
    return common * times
