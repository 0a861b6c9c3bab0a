"""What a provider may choose from, on a map: its schemes' areas, and where open packages are.

Nothing is shown that was not published: a package is counted in its locality, and marked at the centre of its sector
where the sector was published.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from markupsafe import Markup
from sqlmodel import Session

from bidding.looking.invited import Opportunity
from dps.places.boundaries import By, loaded_boundaries
from dps.places.directory import sector_centres
from dps.schemes.model import Scheme
from web.maps import Area, Mark, map_of, shade_of
from web.pages.wording import count

STEPS = (1, 2, 5, 10)
SHADES = ("None", "1", "2 to 4", "5 to 9", "10 or more")


@dataclass(slots=True)
class Asked:
    """The open packages of one locality."""

    key: str
    name: str
    packages: int = 0
    weekly_minutes: int = 0
    closes_at: datetime | None = None

    def add(self, one: Opportunity) -> None:
        self.packages += 1
        self.weekly_minutes += one.published_part["weekly_minutes"]
        if one.closes_at is not None:
            self.closes_at = min(self.closes_at or one.closes_at, one.closes_at)


@dataclass(slots=True)
class SchemeMap:
    """One scheme's map, and the table that says the same; `map` is empty where no postcodes are loaded."""

    name: str
    map: Markup
    areas: list[Asked] = field(default_factory=list)


def on_maps(
    session: Session, schemes: Iterable[Scheme], found: Collection[Opportunity], href: Callable[[str], str]
) -> list[SchemeMap]:
    """A map for each scheme that has localities; `href` is where an area leads."""
    return [_on_map(session, scheme, [one for one in found if one.scheme == scheme.key], href) for scheme in schemes]


def _on_map(session: Session, scheme: Scheme, found: Collection[Opportunity], href: Callable[[str], str]) -> SchemeMap:
    areas = {one.key: Asked(one.key, one.name) for one in scheme.localities}
    for one in found:
        areas[one.locality].add(one)
    drawn = loaded_boundaries(session, scheme.localities, By.LOCALITY)
    shapes = [
        Area(
            one.name,
            drawn[one.key],
            count(one.packages, "package"),
            shade_of(one.packages, STEPS),
            href(one.key),
            label=str(number),
        )
        for number, one in enumerate(areas.values(), start=1)
        if one.key in drawn
    ]
    title = f"Map of open packages, {scheme.name}"
    return SchemeMap(scheme.name, map_of(title, shapes, _marks(session, found)), list(areas.values()))


def _marks(session: Session, found: Iterable[Opportunity]) -> list[Mark]:
    counted = Counter(one.published_part["sector"] for one in found if one.published_part.get("sector"))
    centres = sector_centres(session, counted)
    return [
        Mark(centres[sector][:2], str(number), f"{sector}: {count(number, 'package')}")
        for sector, number in sorted(counted.items())
        if sector in centres
    ]


def choosing_map(session: Session, scheme: Scheme, chosen: Mapping[str, Any], prefix: str) -> Markup:
    """A scheme's areas for a form: a click ticks the box of an area, or without a script leads to it."""
    drawn = loaded_boundaries(session, scheme.localities, By.LOCALITY)
    return map_of(
        f"Map of the areas of {scheme.name}",
        [
            Area(
                one.name,
                drawn[one.key],
                ", ".join((*one.districts, *one.sectors)),
                shade=3 if chosen.get(f"{prefix}{one.key}") == "on" else 0,
                href=f"#{prefix}{one.key}",
                key=f"{prefix}{one.key}",
                label=str(number),
            )
            for number, one in enumerate(scheme.localities, start=1)
            if one.key in drawn
        ],
    )
