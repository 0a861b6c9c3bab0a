"""Ranks within one package for `per_package`, from price and quality by the published formula, in exact fractions.

A relative formula ranks the bids of one package and is never summed over packages (design.md section 3).
"""

from collections import defaultdict
from dataclasses import replace
from fractions import Fraction

from matching.allocation.records import Bid, Package, Policy


def ranked(packages: tuple[Package, ...], bids: tuple[Bid, ...], policy: Policy) -> tuple[Bid, ...]:
    """The bids with `rank` 1 for the best score of each package; equal scores share a rank."""
    minutes = {package.ref: package.weekly_minutes for package in packages}
    offers: defaultdict[tuple[str, ...], list[Bid]] = defaultdict(list)
    for bid in bids:
        offers[bid.packages].append(bid)
    ranks: dict[str, int] = {}
    for refs, rivals in offers.items():
        hours = Fraction(sum(minutes[ref] for ref in refs), 60)
        scores = {bid.ref: _score(bid, rivals, hours, policy) for bid in rivals}
        order = sorted(set(scores.values()), reverse=True)
        ranks.update({ref: order.index(score) + 1 for ref, score in scores.items()})
    return tuple(replace(bid, rank=ranks[bid.ref]) for bid in bids)


def _score(bid: Bid, rivals: list[Bid], hours: Fraction, policy: Policy) -> Fraction:
    weight = policy.quality_weight
    return (100 - weight) * _price_points(bid, rivals, hours, policy) + Fraction(weight * bid.quality, 100)


def _price_points(bid: Bid, rivals: list[Bid], hours: Fraction, policy: Policy) -> Fraction:
    """0 to 1: lowest price over the bid's, or linear from the envelope's ceiling (0) to its floor (1).

    Where no envelope is published, the package's own bids span it.
    """
    prices = [rival.weekly_pence for rival in rivals]
    if policy.quality_formula == "lowest_over_bid":
        return Fraction(min(prices), bid.weekly_pence) if bid.weekly_pence else Fraction(1)
    if policy.envelope_pence_per_hour is None:
        floor, ceiling = Fraction(min(prices)), Fraction(max(prices))
    else:
        floor, ceiling = (price * hours for price in policy.envelope_pence_per_hour)
    if ceiling <= floor:
        return Fraction(1)
    return min(Fraction(1), max(Fraction(0), (ceiling - bid.weekly_pence) / (ceiling - floor)))
