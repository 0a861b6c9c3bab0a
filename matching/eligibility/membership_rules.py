"""Rules about being asked at all: the provider named, the person's exclusions, membership of the lists.

Each returns None, or the reason it bites. What a removal or a suspension bars is wider than the key it stands on: at
the person's own locality it can't be walked round by way of a neighbour's list, and by an off-list spot not at all.
"""

from collections.abc import Iterable
from datetime import datetime

from matching.eligibility.candidate import Candidate
from matching.eligibility.need import Need
from matching.eligibility.reason import Reason, no_because


def is_not_the_provider_asked(need: Need, candidate: Candidate) -> Reason | None:
    """A direct route asks one provider alone."""
    if need.direct_route is None or candidate.provider == need.direct_to:
        return None
    return no_because("not_the_provider_asked", ("route", need.direct_route.value))


def is_excluded_for_this_person(need: Need, candidate: Candidate) -> Reason | None:
    """The person's exclusions: safeguarding, a relative employed, the person's wish. Source: design.md law 7.

    Carries no facts: why is kept with the referral, for brokers only.
    """
    if candidate.provider not in need.excluded_providers:
        return None
    return no_because("confidential_exclusion")


def was_asked_before(need: Need, candidate: Candidate) -> Reason | None:
    """An earlier stage of this ladder asked it, and this stage leaves those out."""
    return no_because("asked_before") if candidate.provider in need.asked_before else None


def has_been_removed(need: Need, candidate: Candidate) -> Reason | None:
    """Removed in this locality and back on no list asked there; or from all that would have brought it in."""
    removed, held = candidate.removed, candidate.held
    if not removed.keys:
        return None
    is_removed_here = need.place in removed.places
    if need.asks_membership:
        is_barred = (is_removed_here and need.home_keys.isdisjoint(held.keys)) or (
            not need.keys.isdisjoint(removed.keys) and need.keys.isdisjoint(held.keys)
        )
    else:
        is_barred = (is_removed_here and need.place not in held.places) or need.lot in removed.lots - held.lots
    if not is_barred and removed.keys != candidate.known.keys:
        return None
    return no_because("removed", ("localities", _localities(removed.keys)))


def is_suspended(need: Need, candidate: Candidate) -> Reason | None:
    """Suspended in this locality, whatever the list; or on every membership that would have brought it in.

    Restarts and increases are stopped by the wider scopes alone. Without a list to ask (off-list spot, restart,
    increase) a suspension anywhere in the lot bites.
    """
    stopped = candidate.suspended_from_changes if need.is_for_a_person_already_served else candidate.suspended
    if need.lot not in stopped.lots:
        return None
    if not need.asks_membership:
        biting = frozenset(key for key in stopped.keys if key[1] == need.lot)
    elif need.place in stopped.places:
        biting = frozenset(key for key in stopped.keys if key[1:] == need.place)
    elif need.keys.isdisjoint(candidate.active.keys):
        biting = need.keys & stopped.keys
    else:
        return None
    if not biting:
        return None
    ends = [one.suspension.ends_at for one in candidate.memberships if one.suspension and one.key in biting]
    return no_because("suspended", ("localities", _localities(biting)), ("until", _last(ends)))


def is_not_a_member(need: Need, candidate: Candidate) -> Reason | None:
    """Has never stood on a list asked, for this lot, in a locality within reach."""
    if not need.asks_membership or not need.keys.isdisjoint(candidate.known.keys):
        return None
    return no_because("not_a_member", ("lists", need.lists_in_order), ("lot", need.lot))


def has_not_begun_membership(need: Need, candidate: Candidate) -> Reason | None:
    """Admitted, but the membership begins later."""
    if not need.asks_membership or need.keys.isdisjoint(candidate.not_begun.keys):
        return None
    if not need.keys.isdisjoint(candidate.held.keys):
        return None
    waited_for = need.keys & candidate.not_begun.keys
    starts = [one.starts_at for one in candidate.memberships if one.starts_at and one.key in waited_for]
    return no_because("membership_not_begun", ("starts_at", min(starts)))


def has_ended_membership(need: Need, candidate: Candidate) -> Reason | None:
    """Was a member, until a day that is past."""
    if not need.asks_membership or need.keys.isdisjoint(candidate.ended.keys):
        return None
    if not need.keys.isdisjoint(candidate.held.keys):
        return None
    over = need.keys & candidate.ended.keys
    ends = [one.ends_at for one in candidate.memberships if one.ends_at and one.key in over]
    return no_because("membership_ended", ("ended_at", max(ends)))


def scores_too_low(need: Need, candidate: Candidate) -> Reason | None:
    """Each list that would bring it in asks for a higher quality score."""
    score = candidate.quality_score
    if not need.least_scores or score is None or not need.asks_membership:
        return None
    # Whoever stands on none of the lists reads what the easiest of them would ask.
    counting = need.keys & candidate.active.keys or need.keys
    least = [need.least_scores.get(key[0], 0) for key in counting]
    if score >= min(least):
        return None
    return no_because("quality_score_too_low", ("score", score), ("least", min(least)))


def _localities(keys: Iterable[tuple[str, str, str]]) -> tuple[str, ...]:
    return tuple(sorted({locality for _, _, locality in keys}))


def _last(ends: Iterable[datetime | None]) -> datetime | None:
    """The last of the ends; None when one of them is open."""
    known = []
    for end in ends:
        if end is None:
            return None
        known.append(end)
    return max(known)
