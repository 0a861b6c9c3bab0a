"""The problem as the guided engine wants it: flat arrays of the bids that can win, every upper limit a packing row.

A row is a limit of one provider over its own bids: minutes, minutes in a locality, packages, a set, an either-or. A
bid weighs something in some rows. Packages that nobody can hold are priced at once and left out (`offset`), and so is
the coverage that nobody could give.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from matching.allocation.problem import UNLIMITED, Ints, Problem


class Market(NamedTuple):
    """Arrays for compiled code. Rows: first each provider's minutes, then each pair's, then the rest."""

    option_start: Ints
    options: Ints
    part_start: Ints
    part_package: Ints
    part_minutes: Ints
    part_pair: Ints
    provider: Ints
    provider_start: Ints
    cost: Ints
    minutes: Ints
    unplaced: Ints
    row_start: Ints
    row: Ints
    row_weight: Ints
    row_capacity: Ints
    row_provider: Ints
    pair_provider: Ints
    pair_locality: Ints
    pair_entry: Ints
    pair_block: Ints
    pair_new: Ints
    provider_new: Ints
    wanted: Ints
    coverage: int


class Numbering(NamedTuple):
    """The way back: canonical numbers of the market's bids and packages, and what was priced beforehand."""

    market: Market
    bids: Ints
    packages: Ints
    offset: int

    def to_problem(self, holder: Ints) -> list[int]:
        """Canonical bid numbers won, from the bid that holds each package of the market (-1: nobody)."""
        won: list[int] = np.unique(self.bids[holder[holder >= 0]]).tolist()
        return won

    def from_problem(self, won: list[int]) -> Ints:
        """The holder of each package of the market under the award `won`."""
        holder = np.full(len(self.packages), -1, dtype=np.int64)
        for bid in np.searchsorted(self.bids, np.array(won, dtype=np.int64)).tolist():
            parts = slice(self.market.part_start[bid], self.market.part_start[bid + 1])
            holder[self.market.part_package[parts]] = bid
        return holder


def as_market(problem: Problem) -> Numbering:
    """Number the usable bids and the packages somebody could hold; both caps are kept as hard limits here."""
    bids = np.flatnonzero(problem.is_usable)
    sizes = np.diff(problem.part_start)[bids]
    part_start = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
    parts = np.flatnonzero(np.repeat(problem.is_usable, np.diff(problem.part_start)))
    packages, part_package = np.unique(problem.part_package[parts], return_inverse=True)
    left = np.ones(len(problem.packages), dtype=np.bool_)
    left[packages] = False
    pairs, part_pair = np.unique(problem.part_pair[parts], return_inverse=True)
    part_bid = np.repeat(np.arange(len(bids)), sizes)
    # Stable, so that the options of a package stay in canonical order.
    by_package = np.argsort(part_package, kind="stable")
    new = problem.pair_is_new[pairs]
    possible = np.bincount(problem.pair_locality[pairs[new]], minlength=len(problem.localities))
    wanted = np.minimum(problem.locality_wanted, possible)
    hopeless = int((problem.locality_wanted - wanted).sum())
    provider = problem.bid_provider[bids]
    rows = _rows(problem, bids, provider, part_bid, problem.part_minutes[parts], part_pair, pairs)
    market = Market(
        option_start=np.searchsorted(part_package[by_package], np.arange(len(packages) + 1)).astype(np.int64),
        options=part_bid[by_package].astype(np.int64),
        part_start=part_start,
        part_package=part_package.astype(np.int64),
        part_minutes=problem.part_minutes[parts],
        part_pair=part_pair.astype(np.int64),
        provider=provider,
        provider_start=np.concatenate(([0], np.cumsum(np.bincount(provider, minlength=len(problem.providers))))).astype(
            np.int64
        ),
        cost=problem.bid_cost[bids],
        minutes=problem.bid_minutes[bids],
        unplaced=problem.unplaced_cost[packages],
        row_start=rows.start,
        row=rows.row,
        row_weight=rows.weight,
        row_capacity=rows.capacity,
        row_provider=rows.provider,
        pair_provider=problem.pair_provider[pairs],
        pair_locality=problem.pair_locality[pairs],
        pair_entry=problem.pair_entry[pairs],
        pair_block=problem.pair_block[pairs],
        pair_new=new.astype(np.int64),
        provider_new=problem.provider_new,
        wanted=wanted,
        coverage=problem.coverage_pence,
    )
    offset = int(problem.unplaced_cost[left].sum()) + problem.coverage_pence * hopeless
    return Numbering(market, bids, packages, offset)


class _Rows(NamedTuple):
    start: Ints
    row: Ints
    weight: Ints
    capacity: Ints
    provider: Ints


def _rows(
    problem: Problem, bids: Ints, provider: Ints, part_bid: Ints, part_minutes: Ints, part_pair: Ints, pairs: Ints
) -> _Rows:
    """Every upper limit that could bind, as (row, bid, weight) triples sorted by bid."""
    place = np.full(len(problem.bids), -1, dtype=np.int64)
    place[bids] = np.arange(len(bids))
    count = len(problem.providers)
    pair_provider = problem.pair_provider[pairs]
    triples: list[tuple[Ints, Ints, Ints]] = [(provider, np.arange(len(bids)), problem.bid_minutes[bids])]
    owners = [np.arange(count), pair_provider]
    capacities = [problem.provider_capacity, np.minimum(problem.pair_capacity[pairs], problem.pair_share[pairs])]
    triples.append((count + part_pair, part_bid, part_minutes))
    rows = count + len(pairs)

    def add(owner: Ints, number: Ints, bid: Ints, weight: Ints, capacity: Ints) -> None:
        nonlocal rows
        whole = np.bincount(number, weight, len(owner))
        binds = (capacity < UNLIMITED) & (whole > capacity)
        fresh = np.cumsum(binds) - 1 + rows
        inside = binds[number]
        triples.append((fresh[number[inside]], bid[inside], weight[inside]))
        owners.append(owner[binds])
        capacities.append(capacity[binds])
        rows += int(binds.sum())

    everybody = np.arange(count)
    most = np.minimum(problem.provider_packages, problem.provider_awards)
    add(everybody, provider, np.arange(len(bids)), problem.bid_packages[bids], most)
    add(pair_provider, part_pair, part_bid, np.ones(len(part_bid), dtype=np.int64), problem.pair_packages[pairs])
    for limit in problem.set_limits:
        inside = place[limit.bids] >= 0
        chosen = place[limit.bids[inside]]
        if not len(chosen):
            continue
        owner, zeros = provider[chosen[:1]], np.zeros(len(chosen), dtype=np.int64)
        for weight, capacity in ((limit.packages, limit.max_packages), (limit.minutes, limit.max_minutes)):
            add(owner, zeros, chosen, weight[inside], np.array([capacity]))
    for low, high in problem.exclusions:
        if place[low] >= 0 and place[high] >= 0:
            both, ones = np.array([place[low], place[high]]), np.ones(2, dtype=np.int64)
            add(provider[both[:1]], np.zeros(2, dtype=np.int64), both, ones, np.array([1]))
    row, bid, weight = (np.concatenate(column) for column in zip(*triples, strict=True))
    order = np.lexsort((row, bid))
    start = np.searchsorted(bid[order], np.arange(len(bids) + 1))
    merged = _merge(row[order], weight[order], start, len(bids))
    whole = np.bincount(merged[1], merged[2], rows).astype(np.int64)
    capacity = np.minimum(np.concatenate(capacities), whole)
    return _Rows(merged[0], merged[1], merged[2], capacity, np.concatenate(owners).astype(np.int64))


def _merge(row: Ints, weight: Ints, start: NDArray[np.intp], bids: int) -> tuple[Ints, Ints, Ints]:
    """Add up the weights of one bid in one row (a bundle's parts in one locality)."""
    bid = np.repeat(np.arange(bids), np.diff(start))
    first = np.ones(len(row), dtype=np.bool_)
    first[1:] = (row[1:] != row[:-1]) | (bid[1:] != bid[:-1])
    total = np.add.reduceat(weight, np.flatnonzero(first)) if len(row) else weight
    kept = np.searchsorted(bid[first], np.arange(bids + 1))
    return kept.astype(np.int64), row[first].astype(np.int64), total.astype(np.int64)


def unplaced_total(numbering: Numbering) -> int:
    """The objective of placing nobody."""
    market = numbering.market
    return numbering.offset + int(market.unplaced.sum()) + market.coverage * int(market.wanted.sum())
