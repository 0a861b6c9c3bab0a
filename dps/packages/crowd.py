"""How many people a published combination fits: what decides how much of a package may be shown.

The combination of place, age band, needs and flags must fit at least `smallest_group` people referred in the scheme
in the last 12 months, this person included. Where the finest combination fits too few, a coarser one is tried.
Source: acceptance.md line 12.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, case, distinct, func
from sqlmodel import Session, col, or_, select

from dps.packages.packages import Package

COUNTED_FOR = timedelta(days=365)


class Grain(StrEnum):
    """How much is shown, finest first. `locality` and coarser say no more of the place than the locality."""

    SECTOR = "sector"
    DISTRICT = "district"
    LOCALITY = "locality"
    WITHOUT_AGE = "without_age"
    LEAST = "least"


_ORDER = tuple(Grain)


def finer(*grains: Grain) -> Grain:
    """The one that shows most."""
    return min(grains, key=_ORDER.index)


@dataclass(frozen=True, slots=True)
class Crowd:
    """Packages referred in the scheme in the last 12 months, and how many people fit what each grain shows."""

    referrals_last_year: int
    people: Mapping[Grain, int]

    def finest(self, *, full_from_referrals: int, smallest_group: int, known: Grain = Grain.LEAST) -> Grain:
        """The finest grain that may be shown; `least` always may.

        `known` is how much readers have been told of the person before, with other needs or another age: whatever is
        shown now, they put it together with that.
        """
        if self.referrals_last_year < full_from_referrals:
            return Grain.LEAST
        return next(
            (grain for grain in Grain if self.people.get(finer(grain, known), 0) >= smallest_group), Grain.LEAST
        )


def district_of(sector: str) -> str:
    """The district of a sector: `L6` of `L6 1`."""
    return sector.rpartition(" ")[0]


def crowd_of(session: Session, package: Package, *, now: datetime) -> Crowd:
    """Count, in one query, the people referred in `(now - 365 days, now]` who fit, this package's person among them."""
    recent = and_(col(Package.referred_at) > now - COUNTED_FOR, col(Package.referred_at) <= now)
    same_needs = and_(_same(Package.needs, package.needs), _same(Package.flags, package.flags))
    same_age = col(Package.age_band) == package.age_band
    in_locality = col(Package.locality) == package.locality
    in_district = col(Package.sector).startswith(district_of(package.sector) + " ", autoescape=True)
    fits = {
        Grain.SECTOR: and_(in_locality, col(Package.sector) == package.sector, same_age, same_needs),
        Grain.DISTRICT: and_(in_locality, in_district, same_age, same_needs),
        Grain.LOCALITY: and_(in_locality, same_age, same_needs),
        Grain.WITHOUT_AGE: and_(in_locality, same_needs),
    }
    row = session.execute(
        select(func.count(case((recent, 1))), *(_people(rule) for rule in fits.values())).where(
            col(Package.scheme) == package.scheme, or_(recent, col(Package.id) == package.id)
        )
    ).one()
    return Crowd(referrals_last_year=row[0], people=dict(zip(fits, row[1:], strict=True)))


def _people(rule: ColumnElement[bool]) -> ColumnElement[int]:
    return func.count(distinct(case((rule, col(Package.person_id)))))


def _same(column: object, value: list[str] | None) -> ColumnElement[bool]:
    """Equality of lists that are stored as canonical JSON; unknown equals unknown."""
    known: ColumnElement[bool] = col(column).is_(None) if value is None else col(column) == value
    return known
