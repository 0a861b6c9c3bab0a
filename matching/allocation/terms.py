"""What the published rules mean in numbers: one small function for each, in integers.

The referee and the engines both stand on these definitions and on nothing else of each other's.
Source: problem.md; units as in `records`.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from matching.allocation.records import BASIS_POINTS, Bid, Instance, LocalityTerms, Package, Policy

Pair = tuple[str, str]
"""(provider, locality)"""


def apportion(total: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Split `total` by `weights` in whole numbers; what rounding leaves goes to the largest remainders."""
    whole = sum(weights)
    shares = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda place: (-(total * weights[place] % whole), place))
    for place in by_remainder[: total - sum(shares)]:
        shares[place] += 1
    return tuple(shares)


def bid_minutes(bid: Bid, packages: Mapping[str, Package]) -> tuple[int, ...]:
    """Carer-minutes the bid takes for each of its packages, in their order."""
    own = tuple(packages[ref].weekly_minutes for ref in bid.packages)
    return own if bid.weekly_minutes is None else apportion(bid.weekly_minutes, own)


def bid_pence(bid: Bid, packages: Mapping[str, Package]) -> tuple[int, ...]:
    """The bid's price for each of its packages; the parts add up to the bid."""
    return apportion(bid.weekly_pence, tuple(packages[ref].weekly_minutes for ref in bid.packages))


def quality_pence(bid: Bid, minutes: int, policy: Policy) -> int:
    """The published price of the quality points a bid lacks of 100, by the hour, rounded half up once."""
    return (policy.quality_pence_per_point_hour * (100 - bid.quality) * minutes + 30) // 60


def delay_pence(bid: Bid, packages: Mapping[str, Package], policy: Policy) -> int:
    """The published price of a later start, by each person's priority."""
    return sum(policy.delay_pence_per_day[packages[ref].priority - 1] * bid.start_delay_days for ref in bid.packages)


def unplaced_pence(package: Package, policy: Policy) -> int:
    """The price of leaving the package unplaced, with that of the days already waited."""
    return package.price_unplaced + policy.waiting_pence_per_day[package.priority - 1] * package.days_waited


def terms_by_pair(instance: Instance) -> dict[Pair, LocalityTerms]:
    """The stated terms; a pair that states none has no limit, no committed minutes, no block and no entry price."""
    return {(terms.provider, terms.locality): terms for terms in instance.localities}


def locality_minutes(instance: Instance) -> dict[str, int]:
    """All minutes of each locality: those of its packages and those committed there."""
    whole: defaultdict[str, int] = defaultdict(int)
    for package in instance.packages:
        whole[package.locality] += package.weekly_minutes
    for stated in instance.localities:
        whole[stated.locality] += stated.committed_minutes
    return whole


def spared_minutes(instance: Instance) -> dict[Pair, int]:
    """By pair that bids what no share cap takes from it.

    Where the policy spares a first package, a provider with nothing there may always hold the largest package that it
    bids for; otherwise nothing is spared.
    """
    packages = {package.ref: package for package in instance.packages}
    stated = terms_by_pair(instance)
    spared: dict[Pair, int] = {}
    for bid in instance.bids:
        for ref, minutes in zip(bid.packages, bid_minutes(bid, packages), strict=True):
            pair = (bid.provider, packages[ref].locality)
            is_spared = instance.policy.share_spares_first_package and not (
                pair in stated and stated[pair].committed_minutes
            )
            spared[pair] = max(spared.get(pair, 0), minutes if is_spared else 0)
    return spared


def share_caps(instance: Instance) -> dict[Pair, int] | None:
    """New minutes each bid-for pair may win under the share cap; None where no cap is published.

    The share is of all minutes of the locality, committed ones counted.
    """
    share = instance.policy.locality_share_bp
    if share is None:
        return None
    whole, stated = locality_minutes(instance), terms_by_pair(instance)
    caps = {}
    for pair, spared in spared_minutes(instance).items():
        committed = stated[pair].committed_minutes if pair in stated else 0
        caps[pair] = max(spared, 0, whole[pair[1]] * share // BASIS_POINTS - committed)
    return caps


def newcomers_wanted(instance: Instance) -> dict[str, int]:
    """Newcomers each locality still wants: its target, never above the providers that bid there, less incumbents."""
    policy = instance.policy
    home = {package.ref: package.locality for package in instance.packages}
    bidding: defaultdict[str, set[str]] = defaultdict(set)
    for bid in instance.bids:
        for ref in bid.packages:
            bidding[home[ref]].add(bid.provider)
    incumbents: defaultdict[str, int] = defaultdict(int)
    for terms in instance.localities:
        incumbents[terms.locality] += terms.is_incumbent
    return {
        locality: wanted
        for locality, providers in bidding.items()
        if (wanted := min(policy.targets.get(locality, policy.default_target), len(providers)) - incumbents[locality])
        > 0
    }
