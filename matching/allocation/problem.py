"""The instance as arrays, in an order that comes from what rows say and never from where they stand.

Everything is numbered canonically: by content first (priority, minutes, prices), by lot where contents are equal.
Both engines read these arrays; the referee never does. Rules are numbered as in problem.md.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matching.allocation import terms
from matching.allocation.lots import lot
from matching.allocation.records import MOST_CAPACITY, Bid, Instance, LocalityTerms, Package, Provider
from matching.allocation.results import Award

Ints = NDArray[np.int64]
UNLIMITED = MOST_CAPACITY * 1_000
MOST_EXACT_BIDS = 1_600
"""Usable bids up to which CP-SAT proves optimality soon enough: a day's batch of 50 packages and 20 bids has 1,000."""
MOST_PLAIN_BIDS = 200
"""Usable bids up to which CP-SAT alone proves so quickly that no prices are worth their time."""


@dataclass(frozen=True, slots=True)
class SetLimit:
    """Rule 5 over a set of bids of one provider: their packages and minutes inside the set."""

    bids: Ints
    packages: Ints
    minutes: Ints
    max_packages: int
    max_minutes: int


@dataclass(frozen=True, slots=True)
class Problem:
    """The numbered problem. A bid has one part for each of its packages: parts `part_start[b]` to `part_start[b + 1]`.

    A pair is a provider in a locality where it bids. `bid_cost` and `unplaced_cost` hold every published price,
    stability included, so that the objective is their sum with entry and coverage. Limits that are not set are
    UNLIMITED; `pair_share` and `provider_awards` are the two caps that may give way. `is_usable` is False for a bid
    that its provider could not hold even alone.
    """

    instance: Instance
    packages: tuple[Package, ...]
    providers: tuple[Provider, ...]
    localities: tuple[str, ...]
    bids: tuple[Bid, ...]
    bid_provider: Ints
    bid_minutes: Ints
    bid_packages: Ints
    bid_cost: Ints
    bid_lot: Ints
    is_usable: NDArray[np.bool_]
    part_start: Ints
    part_package: Ints
    part_minutes: Ints
    part_pair: Ints
    package_minutes: Ints
    package_locality: Ints
    package_priority: Ints
    unplaced_cost: Ints
    pair_provider: Ints
    pair_locality: Ints
    pair_capacity: Ints
    pair_share: Ints
    pair_packages: Ints
    pair_block: Ints
    pair_entry: Ints
    pair_is_new: NDArray[np.bool_]
    provider_capacity: Ints
    provider_packages: Ints
    provider_awards: Ints
    provider_new: Ints
    locality_wanted: Ints
    coverage_pence: int
    set_limits: tuple[SetLimit, ...]
    exclusions: tuple[tuple[int, int], ...]

    def bids_of_package(self) -> tuple[tuple[int, ...], ...]:
        """Usable bids by package, in canonical order."""
        by_package: list[list[int]] = [[] for _ in self.packages]
        for bid in np.flatnonzero(self.is_usable).tolist():
            for part in range(self.part_start[bid], self.part_start[bid + 1]):
                by_package[self.part_package[part]].append(bid)
        return tuple(map(tuple, by_package))

    def awards(self, won: list[int], reason: str) -> tuple[Award, ...]:
        """The awards of the bids `won`, in the order of package references."""
        by_ref = {package.ref: package for package in self.packages}
        made = [
            Award(ref, bid.provider, bid.ref, pence, reason)
            for bid in (self.bids[number] for number in won)
            for ref, pence in zip(bid.packages, terms.bid_pence(bid, by_ref), strict=True)
        ]
        return tuple(sorted(made, key=lambda award: award.package))


def is_large(problem: Problem) -> bool:
    """Too large for a proof: work for the guided engine."""
    return int(problem.is_usable.sum()) > MOST_EXACT_BIDS


def needs_prices(problem: Problem) -> bool:
    """Large enough for prices to lead: to narrow the problem before its proof, or to search where there is none."""
    return int(problem.is_usable.sum()) > MOST_PLAIN_BIDS


def number(instance: Instance, lot_seed: bytes) -> Problem:
    """Number the instance canonically; two instances that differ in row order alone become the same arrays."""
    by_ref = {package.ref: package for package in instance.packages}
    packages = _ordered_packages(instance, lot_seed)
    providers = _ordered_providers(instance, lot_seed)
    package_number = {package.ref: place for place, package in enumerate(packages)}
    provider_number = {provider.ref: place for place, provider in enumerate(providers)}
    # In the order in which the canonical packages first name them, so that names decide nothing.
    localities = tuple(dict.fromkeys(package.locality for package in packages))
    locality_number = {locality: place for place, locality in enumerate(localities)}
    bid_lots = {bid.ref: lot(lot_seed, "bid", bid.lot_key) for bid in instance.bids}
    bids = tuple(
        sorted(
            instance.bids,
            key=lambda bid: (
                sorted(package_number[ref] for ref in bid.packages),
                bid.weekly_pence,
                bid.weekly_minutes or 0,
                -bid.quality,
                bid.start_delay_days,
                bid.tie,
                provider_number[bid.provider],
                bid_lots[bid.ref],
            ),
        )
    )
    parts = [
        (place, package_number[ref], minutes, locality_number[by_ref[ref].locality], provider_number[bid.provider])
        for place, bid in enumerate(bids)
        for ref, minutes in zip(bid.packages, terms.bid_minutes(bid, by_ref), strict=True)
    ]
    part = np.array(parts, dtype=np.int64).reshape(len(parts), 5)
    keys, part_pair = np.unique(part[:, 4] * max(1, len(localities)) + part[:, 3], return_inverse=True)
    pair_provider, pair_locality = np.divmod(keys, max(1, len(localities)))
    part_start = np.searchsorted(part[:, 0], np.arange(len(bids) + 1)).astype(np.int64)
    minutes = np.bincount(part[:, 0], part[:, 2], len(bids)).astype(np.int64)
    stated = terms.terms_by_pair(instance)
    pair_terms = [
        stated.get((providers[j].ref, localities[place]), LocalityTerms(providers[j].ref, localities[place]))
        for j, place in zip(pair_provider.tolist(), pair_locality.tolist(), strict=True)
    ]
    shares = terms.share_caps(instance)
    wanted = terms.newcomers_wanted(instance)
    holder = {old.package: old.provider for old in instance.previous}
    policy = instance.policy
    bid_provider = _ints([provider_number[bid.provider] for bid in bids])
    capacity = _ints([_limit(provider.capacity_minutes) for provider in providers])
    pair_capacity = np.minimum(_ints([_limit(row.capacity_minutes) for row in pair_terms]), capacity[pair_provider])
    pair_packages = _ints([_limit(row.max_packages) for row in pair_terms])
    pair_new = np.array([not row.is_incumbent for row in pair_terms], dtype=np.bool_)
    costs = []
    for bid, total in zip(bids, minutes.tolist(), strict=True):
        moved = sum(ref in holder and holder[ref] != bid.provider for ref in bid.packages)
        priced = terms.quality_pence(bid, total, policy) + terms.delay_pence(bid, by_ref, policy)
        costs.append(bid.weekly_pence + priced + moved * policy.stability_pence)
    problem = Problem(
        instance=instance,
        packages=packages,
        providers=providers,
        localities=localities,
        bids=bids,
        bid_provider=bid_provider,
        bid_minutes=minutes,
        bid_packages=np.diff(part_start),
        bid_cost=_ints(costs),
        bid_lot=_ints([bid_lots[bid.ref] for bid in bids]),
        is_usable=np.ones(len(bids), dtype=np.bool_),
        part_start=part_start,
        part_package=part[:, 1].copy(),
        part_minutes=part[:, 2].copy(),
        part_pair=part_pair.astype(np.int64).reshape(-1),
        package_minutes=_ints([package.weekly_minutes for package in packages]),
        package_locality=_ints([locality_number[package.locality] for package in packages]),
        package_priority=_ints([package.priority for package in packages]),
        unplaced_cost=_ints(
            [
                terms.unplaced_pence(package, policy) + (package.ref in holder) * policy.stability_pence
                for package in packages
            ]
        ),
        pair_provider=pair_provider,
        pair_locality=pair_locality,
        pair_capacity=pair_capacity,
        pair_share=_ints([UNLIMITED if shares is None else shares[row.provider, row.locality] for row in pair_terms]),
        pair_packages=pair_packages,
        pair_block=np.where(pair_new, _ints([row.block_minutes for row in pair_terms]), 0),
        pair_entry=np.where(pair_new, _ints([row.entry_pence for row in pair_terms]), 0),
        pair_is_new=pair_new,
        provider_capacity=capacity,
        provider_packages=_ints([_limit(provider.max_packages) for provider in providers]),
        provider_awards=_ints([_limit(policy.awards_per_provider)] * len(providers)),
        provider_new=_ints([_limit(provider.max_new_localities) for provider in providers]),
        locality_wanted=_ints([wanted.get(locality, 0) for locality in localities]),
        coverage_pence=policy.coverage_pence,
        set_limits=_set_limits(providers, bids, part_start, part),
        exclusions=_exclusions(bids),
    )
    _mark_unusable(problem)
    return problem


def _ints(values: list[int]) -> Ints:
    return np.array(values, dtype=np.int64)


def _limit(value: int | None) -> int:
    return UNLIMITED if value is None else value


def _ordered_packages(instance: Instance, lot_seed: bytes) -> tuple[Package, ...]:
    offers: dict[str, list[tuple[int, int]]] = {package.ref: [] for package in instance.packages}
    for bid in instance.bids:
        for ref in bid.packages:
            offers[ref].append((bid.weekly_pence, len(bid.packages)))
    return tuple(
        sorted(
            instance.packages,
            key=lambda package: (
                package.priority,
                -package.weekly_minutes,
                -package.price_unplaced,
                -package.days_waited,
                sorted(offers[package.ref]),
                lot(lot_seed, "package", package.ref),
            ),
        )
    )


def _ordered_providers(instance: Instance, lot_seed: bytes) -> tuple[Provider, ...]:
    offers: dict[str, list[int]] = {provider.ref: [] for provider in instance.providers}
    for bid in instance.bids:
        offers[bid.provider].append(bid.weekly_pence)
    return tuple(
        sorted(
            instance.providers,
            key=lambda provider: (
                -_limit(provider.capacity_minutes),
                -_limit(provider.max_packages),
                sorted(offers[provider.ref]),
                lot(lot_seed, "provider", provider.ref),
            ),
        )
    )


def _set_limits(
    providers: tuple[Provider, ...], bids: tuple[Bid, ...], part_start: Ints, part: Ints
) -> tuple[SetLimit, ...]:
    by_provider: dict[str, list[int]] = {provider.ref: [] for provider in providers}
    for place, bid in enumerate(bids):
        by_provider[bid.provider].append(place)
    limits = []
    for provider in providers:
        for limit in sorted(provider.take_limits, key=lambda limit: (sorted(limit.packages), limit.name)):
            rows = []
            for place in by_provider[provider.ref]:
                inside = [ref in limit.packages for ref in bids[place].packages]
                if any(inside):
                    minutes = part[part_start[place] : part_start[place + 1], 2]
                    rows.append((place, sum(inside), int(minutes[np.array(inside)].sum())))
            table = np.array(rows, dtype=np.int64).reshape(len(rows), 3)
            limits.append(
                SetLimit(table[:, 0], table[:, 1], table[:, 2], _limit(limit.max_packages), _limit(limit.max_minutes))
            )
    return tuple(limits)


def _exclusions(bids: tuple[Bid, ...]) -> tuple[tuple[int, int], ...]:
    place = {bid.ref: number for number, bid in enumerate(bids)}
    pairs = {tuple(sorted((place[bid.ref], place[other]))) for bid in bids for other in bid.excludes}
    return tuple(sorted((low, high) for low, high in pairs))


def _mark_unusable(problem: Problem) -> None:
    """Rules 2, 3, 5 for a bid standing alone; a bid whose provider can't reach the smallest block is hopeless too."""
    usable = problem.is_usable
    provider = problem.bid_provider
    usable &= problem.bid_minutes <= problem.provider_capacity[provider]
    usable &= problem.bid_packages <= problem.provider_packages[provider]
    for bid in np.flatnonzero(np.diff(problem.part_start) >= 1).tolist():
        for part in range(problem.part_start[bid], problem.part_start[bid + 1]):
            pair = problem.part_pair[part]
            if problem.part_minutes[part] > problem.pair_capacity[pair] or problem.pair_packages[pair] < 1:
                usable[bid] = False
    for limit in problem.set_limits:
        usable[limit.bids[(limit.packages > limit.max_packages) | (limit.minutes > limit.max_minutes)]] = False
    reachable = np.zeros(len(problem.pair_block), dtype=np.int64)
    parts_usable = np.repeat(usable, np.diff(problem.part_start))
    np.add.at(reachable, problem.part_pair[parts_usable], problem.part_minutes[parts_usable])
    reachable = np.minimum(reachable, problem.pair_capacity)
    hopeless = problem.pair_block > reachable
    usable[np.repeat(np.arange(len(usable)), np.diff(problem.part_start))[hopeless[problem.part_pair]]] = False
