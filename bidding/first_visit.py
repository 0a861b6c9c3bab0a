"""The days on which the first visit is wanted: once they are over, no provider could offer one of them.

A search that outlasts them goes on for the week that begins today, or on the day of the closing that outlasts them, as
a new version of its package. A bid for a day that is over by the closing is none; an award that reaches its winner
after its day begins on the day that is left.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlmodel import Session

from bidding.referrals import Referral
from dps.kernel.actors import CLOCK, Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.ports import Ports
from dps.packages import amendments
from dps.packages.packages import Package
from dps.schemes.stored import rules_by_hash

WEEK = timedelta(days=7)


def move_passed_start(
    session: Session, ports: Ports, referral: Referral, now: datetime, *, by: datetime | None = None
) -> None:
    """Ask for a first visit within a week from the day of `by` (now), where the days asked for are over then."""
    package = session.get_one(Package, referral.package_id)
    day = (by or now).astimezone(LONDON).date()
    if is_over(package.latest_start, day):
        move_start(session, ports, referral, package, now, day)


def is_over(latest: date | None, day: date) -> bool:
    """Whether no day that was asked for is left on `day`. Pure."""
    return latest is not None and latest < day


def move_start(
    session: Session, ports: Ports, referral: Referral, package: Package, now: datetime, earliest: date
) -> None:
    """Ask for a first visit within a week from this day on; nothing is written where that is asked already."""
    assert referral.rule_hash is not None
    moved = replace(package.facts, earliest_start=earliest, latest_start=earliest + WEEK)
    if moved == package.facts:
        return
    amended = amendments.amend(
        session,
        ports.keyring,
        package,
        facts=moved,
        scheme=rules_by_hash(session, referral.rule_hash),
        actor=Actor(ref=CLOCK.ref, role=Role.BROKER, authority=referral.authority),
        now=now,
        is_checked=False,
    )
    referral.version = amended.version
    session.add(referral)


def days_left(earliest: date | None, latest: date | None, day: date) -> tuple[date | None, date | None]:
    """Of the days asked for those that can be offered from `day` on; a week from there where they are over. Pure."""
    if is_over(latest, day):
        return day, day + WEEK
    return (max(earliest, day) if earliest else None), latest


def days_offered(part: Mapping[str, Any], at: datetime) -> tuple[date | None, date | None]:
    """Of the days in what was published of a package, those that a bid may offer which counts at this instant. Pure."""
    first, last = (day and date.fromisoformat(day) for day in (part["earliest_start"], part["latest_start"]))
    return days_left(first, last, at.astimezone(LONDON).date())


def first_left(agreed: date, day: date) -> date:
    """The day of the first visit that stands on `day`: the one agreed, or, where it is over, that day itself. Pure."""
    return max(agreed, day)
