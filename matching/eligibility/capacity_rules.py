"""Rules about having room now: they pass by themselves when the provider has hours again.

None of them is asked for a restart or an increase, where the ledger raises ceiling and commitment together (law 5);
`rules.judges_asked` sees to that.
"""

from matching.eligibility.candidate import Candidate, TakeLimit
from matching.eligibility.need import Need
from matching.eligibility.reason import Reason, no_because


def is_full(_need: Need, candidate: Candidate) -> Reason | None:
    """The provider has said "I'm full", which caps everything at once."""
    return no_because("full") if candidate.is_full else None


def has_an_expired_declaration(_need: Need, candidate: Candidate) -> Reason | None:
    """Free hours count until the declaration's end, not after."""
    if not candidate.is_declaration_expired:
        return None
    return no_because("declaration_expired", ("expired_at", candidate.declaration_expires_at))


def has_too_few_free_minutes(need: Need, candidate: Candidate) -> Reason | None:
    """The package is larger than the free hours declared; an expired declaration is another rule's."""
    free = candidate.free_minutes
    if free is None or need.weekly_minutes <= free or candidate.is_declaration_expired:
        return None
    return no_because("too_few_free_minutes", ("needed", need.weekly_minutes), ("free", max(free, 0)))


def has_too_few_free_minutes_in_locality(need: Need, candidate: Candidate) -> Reason | None:
    """The package is larger than the free hours declared for its locality."""
    free = candidate.free_minutes_by_locality.get(need.locality)
    if free is None or need.weekly_minutes <= free or candidate.is_declaration_expired:
        return None
    facts = (("locality", need.locality), ("needed", need.weekly_minutes), ("free", max(free, 0)))
    return no_because("too_few_free_minutes_in_locality", *facts)


def has_reached_its_package_limit(need: Need, candidate: Candidate) -> Reason | None:
    """Open bids and offers already fill the number of packages the provider would take."""
    return no_because("package_limit_reached") if _any_applies(candidate.full_package_limits, need) else None


def has_reached_its_minutes_limit(need: Need, candidate: Candidate) -> Reason | None:
    """The package is larger than what is left of the hours the provider would take."""
    left = None
    for limit in candidate.minutes_limits:
        if limit.minutes_left is not None and limit.applies_to(need.locality, need.visit_hours):
            left = limit.minutes_left if left is None else min(left, limit.minutes_left)
    if left is None or need.weekly_minutes <= left:
        return None
    return no_because("minutes_limit_reached", ("needed", need.weekly_minutes), ("left", max(left, 0)))


def has_reached_its_starts_limit(need: Need, candidate: Candidate) -> Reason | None:
    """The provider starts no more packages in that week."""
    return no_because("starts_limit_reached") if _any_applies(candidate.full_starts_limits, need) else None


def can_not_start_in_time(need: Need, candidate: Candidate) -> Reason | None:
    """The provider's hours come free after the latest start."""
    if need.start_by is None or candidate.free_from is None or candidate.free_from <= need.start_by:
        return None
    return no_because("can_not_start_in_time", ("start_by", need.start_by), ("free_from", candidate.free_from))


def _any_applies(limits: tuple[TakeLimit, ...], need: Need) -> bool:
    # Not any(): most providers have no such limit, and the generator would cost more than the answer.
    for limit in limits:  # noqa: SIM110
        if limit.applies_to(need.locality, need.visit_hours):
            return True
    return False
