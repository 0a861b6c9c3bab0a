"""The two-level knapsack: the best set of bids for one provider at given values, exactly, by dynamic programming.

Inside each locality a 0/1 knapsack over its bids (cap and smallest block), of bids that share a package one at most
(`clusters`); over localities a multiple choice of how many minutes to win there, with the price of working there at
all. Minutes are in units of their common divisor. Both levels together cost time of order (bids x locality cells +
localities x cells x cells). Works in float64 for searching and in int64 for the published bound; the same code,
compiled twice.

Source: Pisinger 1995 on multiple-choice knapsacks; rules 2 and 3 of problem.md.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from matching.allocation.compiled import compiled
from matching.allocation.groups import Groups
from matching.allocation.problem import Ints

FORBIDDEN = -(10**11)
"""A value at or below this is never taken."""
IMPOSSIBLE = -(10**17)


class Table(NamedTuple):
    """Working space for one thread: a row for each group; of the group in hand one for each cluster, then a set's."""

    outer: NDArray[Any]
    inner: NDArray[Any]


def table(groups: Groups, kind: type[float] | type[int]) -> Table:
    """Working space; `kind` is float or int."""
    cells = int(groups.provider_cells.max(initial=0)) + 2
    most_groups = int(np.diff(groups.provider_start).max(initial=0)) + 1
    # Below the clusters' rows one for a cluster's result, and a set's of its own.
    most_rows = int(np.diff(groups.group_cluster).max(initial=0)) + int(np.diff(groups.set_start).max(initial=0)) + 3
    dtype = np.float64 if kind is float else np.int64
    return Table(outer=np.zeros((most_groups + 1, cells), dtype=dtype), inner=np.zeros((most_rows, cells), dtype=dtype))


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
            block = groups.group_block[group]
            for cluster in range(groups.group_cluster[group + 1] - 1, groups.group_cluster[group] - 1, -1):
                if not _any_counts(groups, cluster, values, block):
                    continue
                rows -= 1
                if inner[rows + 1, used] == inner[rows, used]:
                    continue
                of_set, row = _reached_by(groups, cluster, values, block, inner, rows, used)
                for position in range(groups.set_start[of_set + 1] - 1, groups.set_start[of_set] - 1, -1):
                    item = groups.set_item[position]
                    if _counts(values[item], block):
                        below = row - 1 if row > rows + 2 else rows
                        if inner[row, used] > inner[below, used]:
                            chosen[base + number] = item
                            number += 1
                            used -= groups.item_cells[item]
                        row = below
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
    """The knapsack inside one group: row r holds the worth of filling exactly so many cells by its first r clusters."""
    inner[0, 0] = 0
    inner[0, 1 : limit + 1] = IMPOSSIBLE
    block = groups.group_block[group]
    rows = 0
    for cluster in range(groups.group_cluster[group], groups.group_cluster[group + 1]):
        item = groups.cluster_item[cluster]
        if groups.cluster_item[cluster + 1] - item > 1:
            rows += _add_sets(groups, cluster, values, block, limit, inner, rows)
        elif _counts(values[item], block):
            _add_item(inner, rows, rows + 1, groups.item_cells[item], values[item], limit)
            rows += 1
    return rows


@compiled
def _add_sets(
    groups: Groups, cluster: int, values: NDArray[Any], block: int, limit: int, inner: NDArray[Any], rows: int
) -> int:
    """Extend row `rows` by the best of the cluster's sets at each cell; the rows added: 1, or 0 if no item counts."""
    if not _any_counts(groups, cluster, values, block):
        return 0
    inner[rows + 1, : limit + 1] = inner[rows, : limit + 1]
    for of_set in range(groups.cluster_set[cluster], groups.cluster_set[cluster + 1]):
        best, filled = inner[rows + 1, :], inner[_fill(groups, of_set, values, block, limit, inner, rows), :]
        for cell in range(limit + 1):
            best[cell] = filled[cell] if filled[cell] > best[cell] else best[cell]
    return 1


@compiled
def _any_counts(groups: Groups, cluster: int, values: NDArray[Any], block: int) -> bool:
    """Some item of the cluster is looked at."""
    for item in range(groups.cluster_item[cluster], groups.cluster_item[cluster + 1]):
        if _counts(values[item], block):
            return True
    return False


@compiled
def _add_item(inner: NDArray[Any], row: int, after: int, cells: int, value: Any, limit: int) -> None:
    """Extend the worths of `row` by one item, into the row `after`."""
    # Whole rows, from one into the next: the compiler turns such loops into vector instructions.
    weight = min(cells, limit + 1)
    inner[after, :weight] = inner[row, :weight]
    without, beneath, above = inner[row, weight : limit + 1], inner[row, :], inner[after, weight : limit + 1]
    for cell in range(len(without)):
        taken = beneath[cell] + value
        above[cell] = taken if taken > without[cell] else without[cell]


@compiled
def _fill(
    groups: Groups, of_set: int, values: NDArray[Any], block: int, limit: int, inner: NDArray[Any], rows: int
) -> int:
    """Extend row `rows` by a set's items, in the rows below its cluster's own; the row that holds them all."""
    row = rows
    for position in range(groups.set_start[of_set], groups.set_start[of_set + 1]):
        item = groups.set_item[position]
        if _counts(values[item], block):
            after = row + 1 if row > rows else rows + 2
            _add_item(inner, row, after, groups.item_cells[item], values[item], limit)
            row = after
    return row


@compiled
def _reached_by(
    groups: Groups,
    cluster: int,
    values: NDArray[Any],
    block: int,
    inner: NDArray[Any],
    rows: int,
    used: int,
) -> tuple[int, int]:
    """The set by which the cluster reached its worth at `used` cells, and the row that holds all its items."""
    first, last = groups.cluster_set[cluster], groups.cluster_set[cluster + 1]
    if last - first == 1:
        return first, rows + 1
    for of_set in range(first, last):
        row = _fill(groups, of_set, values, block, used, inner, rows)
        if inner[row, used] == inner[rows + 1, used]:
            return of_set, row
    return first, rows


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
