"""Auctions like those of the Combinatorial Auction Test Suite: single-minded bidders for regions of a grid.

Drawn, not taken: a bidder likes a good, grows a region from it over neighbouring goods, and values the region more
than its goods one by one. As an allocation: goods are packages, leaving one costs its usual value, a bid asks what the
goods usually cost less what its bidder would gain; the least cost is the greatest value.

Source: Leyton-Brown, Pearson and Shoham 2000, distribution "regions".
"""

import numpy as np

from matching.allocation import Bid, Instance, Package, Provider

SIDE, BIDS = 8, 100
LEFT_PENCE = 20_000
GROWS = 0.75
EXPONENT = 1.2


def auction(seed: int) -> Instance:
    """An auction of 64 goods and 100 bids, most of them bundles."""
    chance = np.random.default_rng([seed, SIDE, BIDS])
    packages = tuple(Package(f"P{good}", "L", 60, 4, LEFT_PENCE) for good in range(SIDE * SIDE))
    worth = chance.uniform(1_000, 5_000, SIDE * SIDE)
    bids = []
    for number in range(BIDS):
        region = [int(chance.integers(SIDE * SIDE))]
        while chance.random() < GROWS and len(region) < 12:
            region.append(int(chance.choice(sorted(_around(region)))))
        liked = sum(worth[good] * chance.uniform(0.5, 1.5) for good in region)
        value = round(liked * len(region) ** (EXPONENT - 1))
        refs = tuple(f"P{good}" for good in region)
        bids.append(Bid(f"B{number}", f"V{number}", refs, max(1, LEFT_PENCE * len(region) - value)))
    providers = tuple(Provider(f"V{number}") for number in range(BIDS))
    return Instance(packages, providers, tuple(bids))


def _around(region: list[int]) -> set[int]:
    near = set()
    for good in region:
        row, column = divmod(good, SIDE)
        near |= {
            SIDE * (row + down) + column + along
            for down, along in ((0, 1), (1, 0), (0, -1), (-1, 0))
            if 0 <= row + down < SIDE and 0 <= column + along < SIDE
        }
    return near - set(region)


def with_bundles(instance: Instance, share: float, seed: int) -> Instance:
    """The market with bundle bids more, `share` of its bids: two packages of one locality, 3 to 10% cheaper together.

    Both must be bid for by that provider alone as well, and fit into its hours and its locality's.
    """
    chance = np.random.default_rng([seed, len(instance.bids)])
    package = {one.ref: one for one in instance.packages}
    room = {one.ref: one.capacity_minutes for one in instance.providers}
    terms = {(one.provider, one.locality): one.capacity_minutes for one in instance.localities}
    own: dict[tuple[str, str], list[Bid]] = {}
    for bid in instance.bids:
        own.setdefault((bid.provider, package[bid.packages[0]].locality), []).append(bid)
    several = [key for key, bids in own.items() if len(bids) > 1]
    bundles: dict[tuple[str, ...], Bid] = {}
    while len(bundles) < share * len(instance.bids):
        provider, locality = several[int(chance.integers(len(several)))]
        first, second = (
            own[provider, locality][int(place)]
            for place in chance.choice(len(own[provider, locality]), 2, replace=False)
        )
        refs = (*first.packages, *second.packages)
        minutes = sum(package[ref].weekly_minutes for ref in refs)
        if minutes > min(room[provider] or minutes, terms[provider, locality] or minutes):
            several.remove((provider, locality))
            continue
        pence = round((first.weekly_pence + second.weekly_pence) * float(chance.uniform(0.90, 0.97)))
        bundles.setdefault((provider, *sorted(refs)), Bid(f"S{len(bundles)}", provider, refs, pence))
    return Instance(
        instance.packages,
        instance.providers,
        (*instance.bids, *bundles.values()),
        instance.localities,
        instance.policy,
    )
