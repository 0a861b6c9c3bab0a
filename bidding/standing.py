"""Eligibility's candidates, made from the register's standing and from what a provider's open offers already use.

The one place where the register's rows become the records of `matching`. A removed membership stays removed, a
suspended one suspended: nothing here makes anybody more than the register says.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from types import MappingProxyType

from sqlmodel import Session

from dps.contracts.quality.recognition import score_or_usual, scores_in_force
from dps.kernel.calendar import LONDON
from dps.register import membership as register
from dps.register.capacity import WHOLE_AUTHORITY, Ledger
from dps.register.limits import LimitPart
from dps.register.standing import MembershipStanding, ProviderStanding, standing
from dps.register.suspensions import SuspensionScope
from dps.schemes.model import Scheme
from matching import eligibility
from matching.eligibility import Candidate, DaySpan

_SCOPE = {
    SuspensionScope.NEW_WORK: eligibility.SuspensionScope.NEW_WORK,
    SuspensionScope.RESTARTS_AND_INCREASES: eligibility.SuspensionScope.CHANGES,
    SuspensionScope.ALL: eligibility.SuspensionScope.ALL,
}
_STATE = {
    register.MembershipState.ACTIVE: eligibility.MembershipState.ACTIVE,
    register.MembershipState.SUSPENDED: eligibility.MembershipState.SUSPENDED,
    register.MembershipState.REMOVED: eligibility.MembershipState.REMOVED,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """One package that counts against its provider's take limit: an open offer, an unanswered or a fresh award.

    `hours` None counts at every time of day, `starts_on` None in every week.
    """

    locality: str
    minutes: int
    hours: DaySpan | None = None
    starts_on: date | None = None


def candidates(
    session: Session,
    scheme: Scheme,
    *,
    authority: str,
    at: datetime,
    providers: Collection[int] | None = None,
    lots: Collection[str] | None = None,
    localities: Collection[str] | None = None,
    in_play: Mapping[str, Sequence[Taken]] | None = None,
    start_week: date | None = None,
) -> tuple[Candidate, ...]:
    """The scheme's providers as eligibility sees them at `at`, in order of id; narrowed as `standing` says.

    `localities`, where given, are the stage's whole reach; a direct route is asked with `providers` alone, because its
    rules look at the lot everywhere. Hours are those declared to `authority`, whose package is to be placed. `in_play`
    says by provider reference what counts against the take limits; `start_week` is any day of the week in which the
    package must start (default: the week of `at`).
    """
    taken = in_play or {}
    week = _monday(start_week or at.astimezone(LONDON).date())
    asks_scores = scheme.recognition is not None and scheme.recognition.least_scores
    scores = scores_in_force(session, scheme.key, at=at) if asks_scores else {}
    return tuple(
        candidate(one, scheme, authority=authority, taken=taken.get(one.provider, ()), week=week, scores=scores)
        for one in standing(session, scheme.key, at, providers=providers, lots=lots, localities=localities)
    )


def candidate(
    one: ProviderStanding,
    scheme: Scheme,
    *,
    authority: str,
    taken: Sequence[Taken],
    week: date,
    scores: Mapping[str, int] = MappingProxyType({}),
) -> Candidate:
    """One provider's standing as eligibility's record. `week` is a Monday, `scores` the quality scores in force."""
    rows = one.ledger.get(authority, {})
    declared = {locality: row for locality, row in rows.items() if row.declared_minutes is not None}
    whole = declared.get(WHOLE_AUTHORITY)
    return Candidate(
        provider=one.provider,
        at=one.at,
        memberships=tuple(_membership(held) for held in one.memberships),
        locations=tuple(
            eligibility.Location(ref=place.regulator_id, lad=place.lad, rating=place.rating.value)
            for place in one.locations
        ),
        skills=one.skills,
        accepted_flags=one.accepted_flags,
        service_hours=None if one.service_minutes is None else DaySpan(*one.service_minutes),
        most_carers=one.most_carers,
        documents=one.documents,
        is_full=one.is_full,
        free_minutes=_free(one, whole, has_any=bool(declared)),
        free_minutes_by_locality=_free_by_locality(one, scheme, declared),
        declaration_expires_at=whole.expires_at if whole else None,
        free_from=_free_from(whole, declared.values()),
        take_limits=tuple(_left(part, taken, week) for part in one.take_limit),
        quality_score=score_or_usual(scheme, scores, one.provider) if scheme.recognition else None,
    )


def with_unused_hours(one: Candidate, unused_minutes: int) -> Candidate:
    """The candidate with a block's unused hours instead of what it declared free: they are paid, declared or not."""
    return replace(
        one, free_minutes=unused_minutes, free_minutes_by_locality={}, declaration_expires_at=None, free_from=None
    )


def _membership(held: MembershipStanding) -> eligibility.Membership:
    list_key, lot, locality = held.place
    bites = held.suspension
    suspension = (
        eligibility.Suspension(scope=_SCOPE[bites.scope], starts_at=bites.starts_at, ends_at=bites.over_at)
        if bites
        else None
    )
    return eligibility.Membership(
        list_name=list_key,
        lot=lot,
        locality=locality,
        state=_STATE[held.state],
        starts_at=held.admitted_at,
        suspension=suspension,
    )


def _free(one: ProviderStanding, whole: Ledger | None, *, has_any: bool) -> int | None:
    """Nothing was ever declared: nothing is free. By locality alone: the localities say it."""
    if whole is not None:
        return whole.free_minutes(one.at, is_full=one.is_full)
    return None if has_any else 0


def _free_by_locality(one: ProviderStanding, scheme: Scheme, declared: Mapping[str, Ledger]) -> dict[str, int]:
    free = {
        locality: row.free_minutes(one.at, is_full=one.is_full)
        for locality, row in declared.items()
        if locality != WHOLE_AUTHORITY
    }
    if free and WHOLE_AUTHORITY not in declared:
        return {place.key: free.get(place.key, 0) for place in scheme.localities}
    return free


def _free_from(whole: Ledger | None, declared: Iterable[Ledger]) -> date | None:
    if whole is not None:
        return whole.free_from
    return max((row.free_from for row in declared if row.free_from is not None), default=None)


def _left(part: LimitPart, taken: Sequence[Taken], week: date) -> eligibility.TakeLimit:
    hours = (
        None if part.from_minute is None or part.until_minute is None else DaySpan(part.from_minute, part.until_minute)
    )
    counted = [one for one in taken if _counts(one, part.locality, hours)]
    starts = [one for one in counted if one.starts_on is None or _monday(one.starts_on) == week]
    return eligibility.TakeLimit(
        packages_left=_less(part.packages, len(counted)),
        minutes_left=_less(part.minutes, sum(one.minutes for one in counted)),
        starts_left=_less(part.starts_a_week, len(starts)),
        locality=part.locality or None,
        hours=hours,
    )


def _counts(one: Taken, locality: str, hours: DaySpan | None) -> bool:
    is_there = not locality or one.locality == locality
    return is_there and (hours is None or one.hours is None or hours.overlaps(one.hours))


def _less(limit: int | None, used: int) -> int | None:
    return None if limit is None else max(limit - used, 0)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())
