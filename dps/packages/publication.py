"""The published part of a package: the only function that decides what leaves the council before an award.

Published at most: locality, sector or district, age band, needs, flags, urgency, the week, dates, budget, and words
that a broker has confirmed. How fine, the crowd decides (`crowd.py`); the least shown is locality, lot and schedule
with its dates and budget. What was published of the same package before is not forgotten by those who read it: a
change of needs or age is shown only where it fits enough people together with all that was told of the place.
Source: design.md law 7; acceptance.md line 12.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from dps.packages.crowd import Crowd, Grain, district_of, finer
from dps.packages.facts import FreeText
from dps.packages.packages import Package
from dps.schemes.model import Scheme


def published_part(
    package: Package,
    *,
    scheme: Scheme,
    crowd: Crowd,
    free_text: FreeText | None = None,
    earlier: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """What every invited provider may read, as JSON values.

    `earlier` are the parts of this package that were published before; where they showed more than this one does, it
    says so (`told_before`), for those that come after it. `free_text` is the package's own (`packages.free_text_of`);
    it is held back until it is confirmed, whatever is passed. `grain` says how much is shown. Raises ValueError for a
    package of another scheme or without a schedule.
    """
    if package.scheme != scheme.key or package.schedule is None:
        raise ValueError("only a package of this scheme with a schedule has a published part")
    told = finer(
        Grain.LEAST, *(Grain(part[key]) for part in earlier for key in ("grain", "told_before") if key in part)
    )
    grain = crowd.finest(
        full_from_referrals=scheme.publication.full_from_referrals,
        smallest_group=scheme.publication.smallest_group,
        known=told if any(_tells_another(part, package) for part in earlier) else Grain.LEAST,
    )
    shown = _least(package) | {"grain": grain.value}
    if finer(told, grain) is not grain:
        shown["told_before"] = told.value
    if grain is Grain.LEAST:
        return shown
    shown |= {"urgency": package.urgency.value, "needs": package.needs, "flags": package.flags}
    if grain is not Grain.WITHOUT_AGE:
        shown["age_band"] = package.age_band.value
    if grain is Grain.SECTOR:
        shown["sector"] = package.sector
    if grain is Grain.DISTRICT:
        shown["district"] = district_of(package.sector)
    if free_text is not None and package.free_text_confirmed_by is not None:
        shown |= {"pen_picture": free_text.pen_picture, "outcomes": list(free_text.outcomes)}
    return shown


def _tells_another(part: Mapping[str, Any], package: Package) -> bool:
    """Whether it said other needs, flags or age than stand now, or too little for anybody to know."""
    now = {"needs": package.needs, "flags": package.flags, "age_band": package.age_band.value}
    return any(name not in part or part[name] != value for name, value in now.items())


def _least(package: Package) -> dict[str, Any]:
    """What a bid can't be made without; nothing of it describes the person."""
    return {
        "version": package.version,
        "lot": package.lot,
        "locality": package.locality,
        "schedule": package.schedule,
        "weekly_minutes": package.weekly_minutes,
        "earliest_start": package.earliest_start.isoformat() if package.earliest_start else None,
        "latest_start": package.latest_start.isoformat() if package.latest_start else None,
        "budget_pence": package.budget_pence,
        "budget_weeks": package.budget_weeks,
        "other_minutes_allowed": package.other_minutes_allowed,
    }
