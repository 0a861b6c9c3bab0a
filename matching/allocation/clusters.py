"""Bids of one provider in one locality that share packages: which of them could win together.

A bundle and a bid for one of its packages never win both, so a best set that held both would promise too much. Bids
that hang together by shared packages form a cluster; its *sets* are the largest choices among them in which no two
share a package. Any choice that could win lies within one of them.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from matching.allocation.market import Market
from matching.allocation.problem import Ints

MOST_SETS = 24
"""Sets of one cluster looked at; a bid that would make more stands alone, which keeps every bound valid."""


class Clusters(NamedTuple):
    """`of_bid`: by bid of the market the lowest bid of its cluster; `sets`: by that bid the sets of its cluster."""

    of_bid: Ints
    sets: dict[int, list[list[int]]]


def clustered(market: Market, group: Ints) -> Clusters:
    """The clusters of the market's bids; only bids of the same `group` hang together."""
    bids = len(market.cost)
    part_bid = np.repeat(np.arange(bids), np.diff(market.part_start))
    key = group[part_bid] * (len(market.unplaced) + 1) + market.part_package
    order = np.argsort(key, kind="stable")
    ends = np.flatnonzero(np.diff(key[order], append=-1)) + 1
    shares: dict[int, set[int]] = {}
    for first, last in zip([0, *ends[:-1].tolist()], ends.tolist(), strict=False):
        if last - first > 1:
            together = part_bid[order[first:last]].tolist()
            for bid in together:
                shares.setdefault(bid, set()).update(other for other in together if other != bid)
    of_bid = np.arange(bids, dtype=np.int64)
    sets = {}
    for cluster in _connected(shares, set(shares)):
        for part, chosen in _within_reason(shares, cluster):
            of_bid[part] = part[0]
            sets[part[0]] = chosen
    return Clusters(of_bid, sets)


def _connected(shares: dict[int, set[int]], among: set[int]) -> list[list[int]]:
    """The parts into which `among` falls, each in order."""
    parts = []
    left = set(among)
    for start in sorted(among):
        if start not in left:
            continue
        part, edge = {start}, [start]
        while edge:
            more = (shares[edge.pop()] & among) - part
            part |= more
            edge.extend(more)
        left -= part
        parts.append(sorted(part))
    return parts


def _within_reason(shares: dict[int, set[int]], cluster: list[int]) -> Iterator[tuple[list[int], list[list[int]]]]:
    """The cluster with its sets; where they are too many, without the bids that share most, until they are not."""
    if len(cluster) == 1:
        return
    place = {bid: number for number, bid in enumerate(cluster)}
    everything = (1 << len(cluster)) - 1
    apart = [everything & ~(1 << place[bid]) for bid in cluster]
    for bid in cluster:
        for other in shares[bid]:
            if other in place:
                apart[place[bid]] &= ~(1 << place[other])
    found = []
    for chosen in _largest(apart, 0, everything, 0):
        found.append([bid for bid in cluster if chosen >> place[bid] & 1])
        if len(found) > MOST_SETS:
            worst = max(cluster, key=lambda bid: (len(shares[bid] & place.keys()), -bid))
            for part in _connected(shares, place.keys() - {worst}):
                yield from _within_reason(shares, part)
            return
    yield cluster, found


def _largest(apart: list[int], chosen: int, open_to: int, passed: int) -> Iterator[int]:
    """Every largest set as bits; `apart[b]` are those that share nothing with b.

    Source: Bron and Kerbosch 1973, with a pivot.
    """
    if not open_to:
        if not passed:
            yield chosen
        return
    pivot = max(_bits(open_to | passed), key=lambda bid: (open_to & apart[bid]).bit_count())
    for bid in _bits(open_to & ~apart[pivot]):
        yield from _largest(apart, chosen | 1 << bid, open_to & apart[bid], passed & apart[bid])
        open_to &= ~(1 << bid)
        passed |= 1 << bid


def _bits(word: int) -> Iterator[int]:
    while word:
        yield (word & -word).bit_length() - 1
        word &= word - 1
