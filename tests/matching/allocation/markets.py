"""Small synthetic markets, and the truth about them by trying everything."""

import random
from dataclasses import replace
from itertools import pairwise, product

from matching.allocation import (
    Award,
    Bid,
    Instance,
    LocalityTerms,
    Package,
    Policy,
    Provider,
    TakeLimit,
    check,
)
from matching.allocation.records import Mode
from matching.allocation.terms import bid_pence

SEED = b"committed before the bids were opened"


def a_market(
    seed: int,
    *,
    packages: int = 5,
    providers: int = 4,
    localities: int = 2,
    bundles: int = 0,
    steps: int = 30,
    policy: Policy | None = None,
) -> Instance:
    """A synthetic market in which hours are short; prices on a grid of `steps` so that ties occur."""
    chance = random.Random(seed)
    places = [f"L{place}" for place in range(localities)]
    made = tuple(
        Package(f"P{place}", chance.choice(places), 60 * chance.randint(2, 8), chance.randint(1, 4))
        for place in range(packages)
    )
    sellers = tuple(
        Provider(
            f"V{place}",
            60 * chance.randint(4, 14),
            chance.choice([None, None, 1, 2]),
        )
        for place in range(providers)
    )
    terms = tuple(
        LocalityTerms(
            seller.ref,
            place,
            chance.choice([None, 60 * chance.randint(4, 12)]),
            chance.choice([0, 0, 600]),
            chance.choice([0, 0, 60 * chance.randint(3, 8)]),
            chance.choice([0, 3_000, 6_000]),
        )
        for seller in sellers
        for place in places
    )
    singles = [
        _bid(chance, f"B{package.ref}{seller.ref}", seller.ref, (package,), steps)
        for package in made
        for seller in sellers
        if chance.random() < 0.75
    ]
    together = [
        _bid(chance, f"S{place}", chance.choice(sellers).ref, tuple(chance.sample(made, 2)), steps)
        for place in range(bundles)
    ]
    return Instance(made, sellers, (*singles, *together), terms, policy or Policy())


def limited(market: Instance, seed: int) -> Instance:
    """The same market with every provider's own limits: sets of packages, either-or pairs, few new localities."""
    chance = random.Random(seed)
    refs = sorted(package.ref for package in market.packages)

    def limit() -> TakeLimit:
        inside = frozenset(chance.sample(refs, max(2, len(refs) // 2)))
        by_count = chance.random() < 0.5
        return TakeLimit("mornings", inside, *((1, None) if by_count else (None, 60 * chance.randint(4, 10))))

    sellers = tuple(
        replace(seller, take_limits=(limit(),), max_new_localities=chance.choice([None, 1]))
        for seller in market.providers
    )
    own: dict[str, list[Bid]] = {}
    for bid in market.bids:
        own.setdefault(bid.provider, []).append(bid)
    either = {one.ref: other.ref for bids in own.values() for one, other in pairwise(bids) if chance.random() < 0.4}
    bids = tuple(replace(bid, excludes=(either[bid.ref],)) if bid.ref in either else bid for bid in market.bids)
    return replace(market, providers=sellers, bids=bids)


def _bid(chance: random.Random, ref: str, provider: str, packages: tuple[Package, ...], steps: int) -> Bid:
    hours = sum(package.weekly_minutes for package in packages) // 60
    rate = 2_000 + 1_000 * chance.randint(0, steps) // steps
    refs = tuple(package.ref for package in packages)
    tie = (chance.randint(0, 1), chance.randint(0, 2))
    return Bid(ref, provider, refs, rate * hours, preference=chance.choice([None, 1, 2, 3]), tie=tie)


def awards_of(instance: Instance, bids: list[Bid]) -> tuple[Award, ...]:
    """The awards that `bids` make when they win."""
    packages = {package.ref: package for package in instance.packages}
    return tuple(
        Award(ref, bid.provider, bid.ref, pence, "")
        for bid in bids
        for ref, pence in zip(bid.packages, bid_pence(bid, packages), strict=True)
    )


def every_award(instance: Instance) -> list[list[Bid]]:
    """Every choice of at most one bid for each package, bundles whole."""
    options: list[list[Bid | None]] = [
        [None, *(bid for bid in instance.bids if bid.packages[0] == package.ref)] for package in instance.packages
    ]
    choices = []
    for choice in product(*options):
        won = [bid for bid in choice if bid is not None]
        refs = [ref for bid in won for ref in bid.packages]
        if len(refs) == len(set(refs)):
            choices.append(won)
    return choices


def best_by_trying_everything(instance: Instance) -> int:
    """The least objective of any feasible award that lets no cap give way."""
    best = None
    for won in every_award(instance):
        report = check(instance, awards_of(instance, won))
        total = report.objective_pence + report.stability_pence
        if report.is_feasible and not report.gave_way and (best is None or total < best):
            best = total
    assert best is not None
    return best


def shuffled(instance: Instance, seed: int) -> Instance:
    """The same market with its rows in another order."""
    chance = random.Random(seed)
    return replace(
        instance,
        packages=tuple(chance.sample(instance.packages, len(instance.packages))),
        providers=tuple(chance.sample(instance.providers, len(instance.providers))),
        bids=tuple(chance.sample(instance.bids, len(instance.bids))),
        localities=tuple(chance.sample(instance.localities, len(instance.localities))),
    )


def per_package(instance: Instance) -> Instance:
    """The same market decided package by package, ranked by price."""
    prices = sorted({bid.weekly_pence for bid in instance.bids})
    bids = tuple(replace(bid, rank=prices.index(bid.weekly_pence) + 1) for bid in instance.bids)
    return replace(instance, bids=bids, policy=replace(instance.policy, mode=Mode.PER_PACKAGE))
