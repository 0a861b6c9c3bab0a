"""The two-level knapsack: the best set of bids for one provider at given values, exactly, by dynamic programming.

Inside each locality a 0/1 knapsack over its bids (cap and smallest block); over localities a multiple choice of how
many minutes to win there, with the price of working there at all. Minutes are in units of their common divisor. Both
levels together cost time of order (bids x locality cells + localities x cells x cells). Works in float64 for
searching and in int64 for the published bound; the same code, compiled twice.

Source: Pisinger 1995 on multiple-choice knapsacks; rules 2 and 3 of problem.md.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from matching.allocation.compiled import compiled
from matching.allocation.market import Market
from matching.allocation.problem import Ints

MOST_CELLS = 2_400
"""Beyond so many units of capacity, minutes are counted in coarser units, rounded so that the bound stays valid."""
FORBIDDEN = -(10**11)
"""A value at or below this is never taken."""
IMPOSSIBLE = -(10**17)


class Groups(NamedTuple):
    """Items by group, groups by provider. A group is a pair, or a bundle that spans localities, on its own."""

    provider_start: Ints
    group_start: Ints
    group_cells: Ints
    group_block: Ints
    group_pair: Ints
    item_bid: Ints
    item_cells: Ints
    provider_cells: Ints
    provider_item: Ints
    unit: int


class Table(NamedTuple):
    """Working space for one thread: a row for each group, and a row for each item of the group in hand."""

    outer: NDArray[Any]
    inner: NDArray[Any]


def grouped(market: Market) -> Groups:
    """Arrange the market's bids for the knapsack; every rounding widens what is allowed, so that bounds stay valid."""
    bids = len(market.cost)
    providers = len(market.provider_new)
    pairs = len(market.pair_provider)
    low = np.minimum.reduceat(market.part_pair, market.part_start[:-1]) if bids else market.part_pair
    high = np.maximum.reduceat(market.part_pair, market.part_start[:-1]) if bids else market.part_pair
    spans = low != high
    unit = _unit(market)
    owner = np.concatenate((market.pair_provider, market.provider[spans]))
    order = np.lexsort((np.arange(len(owner)), owner))
    renumber = np.empty(len(owner), dtype=np.int64)
    renumber[order] = np.arange(len(owner))
    item_group = renumber[np.where(spans, pairs - 1 + np.cumsum(spans), low)]
    items = np.lexsort((np.arange(bids), item_group))
    item_cells = market.minutes[items] // unit
    # What coarser units round to nothing takes one cell of room made for it.
    tiny = item_cells == 0
    item_cells[tiny] = 1
    room = np.bincount(item_group[items], tiny, len(owner)).astype(np.int64)
    free = market.row_capacity[market.provider[spans]]
    group_cells = np.concatenate((market.row_capacity[providers : providers + pairs], free))[order] // unit + room
    group_start = np.searchsorted(item_group[items], np.arange(len(owner) + 1)).astype(np.int64)
    provider_start = np.searchsorted(owner[order], np.arange(providers + 1)).astype(np.int64)
    group_pair = np.concatenate((np.arange(pairs), np.full(int(spans.sum()), -1)))[order].astype(np.int64)
    provider_room = np.bincount(market.provider[items], tiny, providers).astype(np.int64)
    return Groups(
        provider_start=provider_start,
        group_start=group_start,
        group_cells=group_cells,
        group_block=_blocks(market, spans, group_pair, group_start, item_cells, unit),
        group_pair=group_pair,
        item_bid=items.astype(np.int64),
        item_cells=item_cells.astype(np.int64),
        provider_cells=(market.row_capacity[:providers] // unit + provider_room).astype(np.int64),
        provider_item=group_start[provider_start],
        unit=unit,
    )


def _blocks(
    market: Market, spans: NDArray[np.bool_], group_pair: Ints, group_start: Ints, item_cells: Ints, unit: int
) -> Ints:
    """A newcomer's block in cells, at least its smallest bid (coverage is not bought with no work behind it).

    Where a bundle that spans localities could help to reach the block, or coarser units have rounded the minutes, the
    block can't be demanded and the smallest bid is all that is.
    """
    pairs = len(market.pair_provider)
    demanded = np.ones(pairs, dtype=np.bool_)
    for bid in np.flatnonzero(spans).tolist():
        demanded[market.part_pair[market.part_start[bid] : market.part_start[bid + 1]]] = False
    exact = bool((market.minutes % unit == 0).all())
    stated = np.where(demanded & exact, -(-market.pair_block // unit), 0)
    blocks = np.zeros(len(group_pair), dtype=np.int64)
    for group, pair in enumerate(group_pair.tolist()):
        items = item_cells[group_start[group] : group_start[group + 1]]
        if len(items) and (pair < 0 or market.pair_new[pair]):
            blocks[group] = max(int(items.min()), int(stated[pair]) if pair >= 0 else 0)
    return blocks


def _unit(market: Market) -> int:
    if not len(market.minutes):
        return 1
    common = int(np.gcd.reduce(market.minutes))
    most = int(market.row_capacity[: len(market.provider_new)].max())
    return common * max(1, -(-most // (common * MOST_CELLS)))


def table(groups: Groups, kind: type[float] | type[int]) -> Table:
    """Working space; `kind` is float or int."""
    cells = int(groups.provider_cells.max(initial=0)) + 2
    most_groups = int(np.diff(groups.provider_start).max(initial=0)) + 1
    most_items = int(np.diff(groups.group_start).max(initial=0)) + 1
    dtype = np.float64 if kind is float else np.int64
    return Table(
        outer=np.zeros((most_groups + 1, cells), dtype=dtype), inner=np.zeros((most_items + 1, cells), dtype=dtype)
    )


@compiled
def best_sets(
    first: int,
    last: int,
    groups: Groups,
    values: NDArray[Any],
    fixed: NDArray[Any],
    skip: NDArray[np.bool_],
    space: Table,
    worth: NDArray[Any],
    chosen: Ints,
    chosen_count: Ints,
) -> None:
    """For providers `first` to `last`: the worth of the best set of bids and the set itself.

    `values` and `fixed` are by item and by group (what a bid is worth, what working in a group costs). The items
    chosen for a provider stand in `chosen` from its first item on. Only worths are kept on the way up; on the way
    back the few groups that were used are worked out once more, which is several times faster than noting choices.
    """
    outer, inner = space.outer, space.inner
    for provider in range(first, last):
        chosen_count[provider] = 0
        worth[provider] = 0
        if skip[provider]:
            continue
        capacity = groups.provider_cells[provider]
        group0 = groups.provider_start[provider]
        count = groups.provider_start[provider + 1] - group0
        base = groups.provider_item[provider]
        outer[0, : capacity + 1] = 0
        for place in range(count):
            _add_group(groups, group0 + place, outer[place], outer[place + 1], capacity, values, fixed, inner)
        worth[provider] = outer[count, capacity]
        cell = capacity
        number = 0
        for place in range(count - 1, -1, -1):
            if outer[place + 1, cell] == outer[place, cell]:
                continue
            group = group0 + place
            rows, used = _used(
                groups, group, outer[place], outer[place + 1, cell], cell, capacity, values, fixed, inner
            )
            cell -= used
            for item in range(groups.group_start[group + 1] - 1, groups.group_start[group] - 1, -1):
                if _counts(values[item], groups.group_block[group]):
                    rows -= 1
                    if inner[rows + 1, used] > inner[rows, used]:
                        chosen[base + number] = item
                        number += 1
                        used -= groups.item_cells[item]
        chosen_count[provider] = number


@compiled
def _counts(value: Any, block: int) -> bool:
    """An item is looked at: it is worth something, or may help to fill a block."""
    return bool(value > 0 or (block > 0 and value > FORBIDDEN))


@compiled
def _reach(groups: Groups, group: int, values: NDArray[Any], fixed: Any) -> int:
    """Cells that the group's items could fill; 0 if they are not worth the price of working there."""
    hoped = fixed - fixed
    reach = 0
    for item in range(groups.group_start[group], groups.group_start[group + 1]):
        if _counts(values[item], groups.group_block[group]):
            reach += groups.item_cells[item]
            if values[item] > 0:
                hoped += values[item]
    return reach if hoped > fixed else 0


@compiled
def _inside(groups: Groups, group: int, limit: int, values: NDArray[Any], inner: NDArray[Any]) -> int:
    """The knapsack inside one group: row r holds the worth of filling exactly so many cells with its first r items."""
    inner[0, 0] = 0
    inner[0, 1 : limit + 1] = IMPOSSIBLE
    rows = 0
    for item in range(groups.group_start[group], groups.group_start[group + 1]):
        value = values[item]
        if not _counts(value, groups.group_block[group]):
            continue
        # Whole rows, from one into the next: the compiler turns such loops into vector instructions.
        weight = min(groups.item_cells[item], limit + 1)
        inner[rows + 1, :weight] = inner[rows, :weight]
        without, beneath, after = inner[rows, weight : limit + 1], inner[rows, :], inner[rows + 1, weight : limit + 1]
        for cell in range(len(without)):
            taken = beneath[cell] + value
            after[cell] = taken if taken > without[cell] else without[cell]
        rows += 1
    return rows


@compiled
def _add_group(
    groups: Groups,
    group: int,
    before: NDArray[Any],
    after: NDArray[Any],
    capacity: int,
    values: NDArray[Any],
    fixed: NDArray[Any],
    inner: NDArray[Any],
) -> None:
    """Extend the worths `before` by one group; a group that is used takes at least one cell and its block."""
    after[: capacity + 1] = before[: capacity + 1]
    limit = min(groups.group_cells[group], capacity, _reach(groups, group, values, fixed[group]))
    if limit == 0:
        return
    filled = inner[_inside(groups, group, limit, values, inner)]
    best = fixed[group]
    for used in range(max(1, groups.group_block[group]), limit + 1):
        if filled[used] > best:
            best = filled[used]
            gain = best - fixed[group]
            above = after[used : capacity + 1]
            for cell in range(len(above)):
                worth = before[cell] + gain
                above[cell] = worth if worth > above[cell] else above[cell]


@compiled
def _used(
    groups: Groups,
    group: int,
    before: NDArray[Any],
    reached: Any,
    cell: int,
    capacity: int,
    values: NDArray[Any],
    fixed: NDArray[Any],
    inner: NDArray[Any],
) -> tuple[int, int]:
    """How many rows the group's knapsack has, and how many cells it used where the worth `reached` came from it."""
    limit = min(groups.group_cells[group], capacity, _reach(groups, group, values, fixed[group]))
    rows = _inside(groups, group, limit, values, inner)
    best = fixed[group]
    for used in range(max(1, groups.group_block[group]), min(limit, cell) + 1):
        if inner[rows, used] > best:
            best = inner[rows, used]
            if before[cell - used] + (best - fixed[group]) == reached:
                return rows, used
    return rows, 0
