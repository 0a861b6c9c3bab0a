"""Synthetic home-care markets of a day, a caseload, a week and a county, seeded; capacity is a share of demand.

Drawn, not observed: hours of a package (2 to 80 a week, most between 7 and 20), prices around £24.50 an hour rising
with distance and rurality, providers of uneven size with a home patch, newcomers with entry prices and blocks.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from matching.allocation import Bid, Instance, LocalityTerms, Package, Policy, Provider


@dataclass(frozen=True, slots=True)
class Size:
    """How large a market is, and between how many bids each package gets."""

    packages: int
    providers: int
    localities: int
    fewest_bids: int
    most_bids: int


SIZES = {
    "day": Size(50, 40, 15, 20, 20),
    "caseload": Size(200, 60, 12, 5, 20),
    "week": Size(300, 80, 30, 5, 20),
    "county": Size(2_700, 200, 45, 5, 25),
}
PRIORITY_SHARES = {4: 0.55, 2: 0.30, 1: 0.15}
UNPLACED_TIMES = {4: 1, 2: 2, 1: 4}
REACH_KM, NEAR_KM = 22.0, 12.0
QUARTER = 15


def market(size: str, seed: int, capacity: float, *, share: float = 0.5, target: int = 3) -> Instance:
    """A market whose providers' free hours are about `capacity` times the hours wanted."""
    of = SIZES[size]
    chance = np.random.default_rng([seed, of.packages, of.providers])
    place = chance.uniform(0, 100, (of.localities, 2))
    rural = chance.beta(2, 2, of.localities)
    people = chance.dirichlet(np.full(of.localities, 2.0))
    home = chance.choice(of.localities, of.packages, p=people)
    minutes = _minutes(chance, of.packages)
    priority = chance.choice(list(PRIORITY_SHARES), of.packages, p=list(PRIORITY_SHARES.values()))
    base = chance.normal(2_450, 140, of.providers)
    depot = place[chance.choice(of.localities, of.providers, p=people)] + chance.normal(0, 4, (of.providers, 2))
    distance = np.linalg.norm(depot[:, None, :] - place[None], axis=2)
    free = chance.lognormal(0, 0.8, of.providers)
    free_minutes = np.maximum(600, QUARTER * np.round(free / free.sum() * capacity * minutes.sum() / QUARTER)).astype(
        int
    )
    packages = tuple(
        Package(
            f"P{number}",
            f"L{home[number]}",
            int(minutes[number]),
            int(priority[number]),
            UNPLACED_TIMES[int(priority[number])] * (int(minutes[number]) * 100 + 20_000),
        )
        for number in range(of.packages)
    )
    providers = tuple(Provider(f"V{number}", int(free_minutes[number])) for number in range(of.providers))
    bids: list[Bid] = []
    bidding: dict[tuple[int, int], list[int]] = {}
    for number in range(of.packages):
        locality = int(home[number])
        liking = chance.gumbel(size=of.providers) - distance[:, locality] / REACH_KM
        for seller in np.argsort(-liking)[: chance.integers(of.fewest_bids, of.most_bids + 1)].tolist():
            rate = base[seller] * (1 + 0.18 * rural[locality] + 0.0022 * distance[seller, locality])
            rate *= chance.normal(1, 0.03) * (1.05 if minutes[number] < 300 else 1.0)
            pence = round(float(np.clip(rate, 1_900, 4_200))) * int(minutes[number]) // 60
            bids.append(Bid(f"B{len(bids)}", f"V{seller}", (f"P{number}",), pence))
            bidding.setdefault((seller, locality), []).append(int(minutes[number]))
    terms = tuple(
        _terms(chance, seller, locality, wanted, int(free_minutes[seller]), bool(distance[seller, locality] < NEAR_KM))
        for (seller, locality), wanted in sorted(bidding.items())
    )
    whole = {f"L{number}": int(minutes[home == number].sum()) for number in range(of.localities)}
    for stated in terms:
        whole[stated.locality] += stated.committed_minutes
    capped = tuple(_capped(stated, whole[stated.locality], share) for stated in terms)
    return Instance(packages, providers, tuple(bids), capped, Policy(coverage_pence=25_000, default_target=target))


def _minutes(chance: np.random.Generator, count: int) -> NDArray[np.int64]:
    kind = chance.random(count)
    small, usual = chance.uniform(2.5, 7, count), chance.uniform(7, 20, count)
    large = 20 + chance.gamma(2, 6, count)
    hours = np.where(kind < 0.4, small, np.where(kind < 0.9, usual, large))
    minutes: NDArray[np.int64] = np.clip(30 * np.round(hours * 2), 30, 60 * 84).astype(np.int64)
    return minutes


def _terms(
    chance: np.random.Generator, seller: int, locality: int, wanted: list[int], free: int, is_near: bool
) -> LocalityTerms:
    committed = QUARTER * int(chance.integers(20, 400)) if is_near else 0
    capacity = max(1_200, QUARTER * round(free * float(chance.uniform(0.4, 1.0)) / QUARTER))
    entry = 0 if is_near else round(float(chance.uniform(3_000, 9_000)))
    block = 0 if is_near else max(min(wanted), min(600, sum(wanted), capacity))
    return LocalityTerms(f"V{seller}", f"L{locality}", capacity, committed, block, entry)


def _capped(terms: LocalityTerms, whole: int, share: float) -> LocalityTerms:
    """A share cap as part of the stated capacity, so that every solver compared sees the same hard limit."""
    room = max(1_200, int(share * whole) - terms.committed_minutes)
    capacity = min(terms.capacity_minutes or room, room)
    return LocalityTerms(
        terms.provider,
        terms.locality,
        capacity,
        terms.committed_minutes,
        min(terms.block_minutes, capacity),
        terms.entry_pence,
    )
