"""What room each bidder has: free hours from the ledger, and what is left of what it said it would take at most.

Frozen when the run is claimed. The ledger is asked again, under its locks, when an award is offered (law 5).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlmodel import Session

from bidding.asking import visit_hours
from bidding.in_play import usage
from bidding.standing import candidates
from dps.kernel.calendar import LONDON
from dps.packages.packages import Package
from dps.packages.schedule import Schedule
from dps.register.providers import ids_of
from dps.schemes.model import Scheme
from matching import allocation as solver
from matching.eligibility import Candidate, DaySpan, TakeLimit


@dataclass(frozen=True, slots=True)
class Standing:
    """The bidders as eligibility sees them: by authority, because each is told of its own free hours, and by week.

    `by_week` is for limits on starts: by the Monday of the week in which a package starts at the latest.
    """

    by_authority: Mapping[str, tuple[Candidate, ...]]
    by_week: Mapping[date, tuple[Candidate, ...]]
    starts: Mapping[str, date]


def standing_of(
    session: Session, scheme: Scheme, packages: Mapping[str, Package], bidders: set[str], now: datetime
) -> Standing:
    """Everything that limits these bidders, looked up once. `packages` are named by their rounds."""
    named = ids_of(session, bidders)
    in_play = usage(session, scheme.key)

    def at(authority: str, week: date) -> tuple[Candidate, ...]:
        return candidates(
            session, scheme, authority=authority, at=now, providers=named, in_play=in_play, start_week=week
        )

    return standing_seen(packages, now, at)


def standing_seen(
    packages: Mapping[str, Package], now: datetime, at: Callable[[str, date], tuple[Candidate, ...]]
) -> Standing:
    """The same, whoever looks: `at` gives the bidders towards one authority in the week of that day."""
    today = now.astimezone(LONDON).date()
    starts = {ref: _monday(package.latest_start or today) for ref, package in packages.items()}
    authorities = sorted({package.authority for package in packages.values()})
    by_authority = {authority: at(authority, today) for authority in authorities}
    limited = any(
        limit.starts_left is not None
        for found in by_authority.values()
        for candidate in found
        for limit in candidate.take_limits
    )
    weeks = sorted(set(starts.values())) if limited else []
    return Standing(by_authority, {week: at(authorities[0], week) for week in weeks}, starts)


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def providers_of(packages: Mapping[str, Package], standing: Standing) -> dict[str, solver.Provider]:
    """Free hours (by authority, where a closing spans several) and what is left of the take limits."""
    limits: dict[str, list[solver.TakeLimit]] = {}
    whole: dict[str, int | None] = {}
    for authority, found in standing.by_authority.items():
        theirs = frozenset(ref for ref, package in packages.items() if package.authority == authority)
        for candidate in found:
            mine = limits.setdefault(candidate.provider, _take_limits(candidate, packages))
            if len(standing.by_authority) == 1:
                whole[candidate.provider] = candidate.free_minutes
            elif candidate.free_minutes is not None:
                hours = f"hours for {authority}"
                mine.append(solver.TakeLimit(name=hours, packages=theirs, max_minutes=candidate.free_minutes))
    for week, found in standing.by_week.items():
        starting = {ref: packages[ref] for ref, monday in standing.starts.items() if monday == week}
        for candidate in found:
            limits[candidate.provider] += _start_limits(candidate, starting, week)
    return {
        ref: solver.Provider(ref=ref, capacity_minutes=whole.get(ref), take_limits=tuple(mine))
        for ref, mine in limits.items()
    }


def _take_limits(candidate: Candidate, packages: Mapping[str, Package]) -> list[solver.TakeLimit]:
    """What is left of each part of the provider's take limit, over the packages that it counts."""
    return [
        solver.TakeLimit(
            name=f"take limit {number}",
            packages=_counted(limit, packages),
            max_packages=limit.packages_left,
            max_minutes=limit.minutes_left,
        )
        for number, limit in enumerate(candidate.take_limits, start=1)
        if (limit.packages_left is not None or limit.minutes_left is not None) and _counted(limit, packages)
    ]


def _start_limits(candidate: Candidate, starting: Mapping[str, Package], week: date) -> list[solver.TakeLimit]:
    """What is left of its limits on starts, over the packages that start in this week."""
    return [
        solver.TakeLimit(
            name=f"take limit {number}, starts of the week of {week:%-d %B}",
            packages=_counted(limit, starting),
            max_packages=limit.starts_left,
        )
        for number, limit in enumerate(candidate.take_limits, start=1)
        if limit.starts_left is not None and _counted(limit, starting)
    ]


def _counted(limit: TakeLimit, packages: Mapping[str, Package]) -> frozenset[str]:
    return frozenset(
        ref for ref, package in packages.items() if limit.applies_to(package.locality, _visit_hours(package))
    )


def _visit_hours(package: Package) -> DaySpan:
    return visit_hours(Schedule.from_dict(package.schedule))


def localities_of(
    scheme: Scheme,
    places: set[str],
    providers: Sequence[str],
    serving: Mapping[tuple[str, str], int],
    standing: Standing,
) -> tuple[solver.LocalityTerms, ...]:
    """Per provider and locality: what is free there, what it serves already, and the newcomer's entry price."""
    entry = scheme.allocation.terms.entry_pence or 0
    free: dict[tuple[str, str], int] = {}
    for found in standing.by_authority.values():
        for candidate in found:
            for locality, minutes in candidate.free_minutes_by_locality.items():
                key = candidate.provider, locality
                free[key] = max(free.get(key, 0), minutes)
    return tuple(
        solver.LocalityTerms(
            provider=provider,
            locality=locality,
            capacity_minutes=free.get((provider, locality)),
            committed_minutes=serving.get((provider, locality), 0),
            entry_pence=entry,
        )
        for provider in providers
        for locality in sorted(places)
    )
