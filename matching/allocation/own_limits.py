"""Which of a provider's own limits keep a package from it: what its debrief says where nobody else stood before it.

Pure; by the instance alone and what it won there, so that nothing is solved again.
"""

from collections.abc import Collection

from matching.allocation.records import Instance, TakeLimit


def own_limit(instance: Instance, provider: str, package: str, *, won: Collection[str]) -> str | None:
    """`take limit` or `capacity`, by the codes of `reasons.WORDS`, where one leaves no room; None where neither does.

    `won` are the packages of this instance that the provider holds. A bid's own minutes count where it says other ones
    than its package.
    """
    terms = next((one for one in instance.providers if one.ref == provider), None)
    wanted = {*won, package}
    minutes = _minutes(instance, provider, wanted)
    if terms is None or package not in minutes:
        return None
    if any(_is_broken(limit, minutes) for limit in terms.take_limits if package in limit.packages):
        return "take limit"
    if terms.max_packages is not None and len(wanted) > terms.max_packages:
        return "take limit"
    if terms.capacity_minutes is not None and sum(minutes.values()) > terms.capacity_minutes:
        return "capacity"
    return None


def _minutes(instance: Instance, provider: str, wanted: Collection[str]) -> dict[str, int]:
    """What each of these packages takes of the provider in a week."""
    found = {one.ref: one.weekly_minutes for one in instance.packages if one.ref in wanted}
    for bid in instance.bids:
        if bid.provider == provider and bid.weekly_minutes is not None and len(bid.packages) == 1:
            (name,) = bid.packages
            if name in found:
                found[name] = bid.weekly_minutes
    return found


def _is_broken(limit: TakeLimit, minutes: dict[str, int]) -> bool:
    taken = {name: each for name, each in minutes.items() if name in limit.packages}
    if limit.max_packages is not None and len(taken) > limit.max_packages:
        return True
    return limit.max_minutes is not None and sum(taken.values()) > limit.max_minutes
