"""Localities: named sets of postcode districts and sectors, and the one locality that a postcode belongs to.

A sector named by one locality is taken out of its district named by another: that is how a district which a border
cuts is shared. The same district, or the same sector, in two localities is an error.
"""

from collections.abc import Collection, Iterable
from typing import Protocol

from dps.kernel.errors import LocalitiesOverlap
from dps.places.postcodes import Postcode


class Locality(Protocol):
    """What a locality is here, whoever defines it: canonical districts (`L6`) and sectors (`L24 1`) under a key."""

    @property
    def key(self) -> str: ...

    @property
    def districts(self) -> Collection[str]: ...

    @property
    def sectors(self) -> Collection[str]: ...


class LocalityMap:
    """Looks up the locality of a postcode or sector; made once for many questions.

    Errors: `LocalitiesOverlap` with `place` and the two `localities`.
    """

    def __init__(self, localities: Iterable[Locality]) -> None:
        self._by_place: dict[str, str] = {}
        for locality in localities:
            for place in (*locality.districts, *locality.sectors):
                holder = self._by_place.setdefault(place, locality.key)
                if holder != locality.key:
                    both = f"{holder} and {locality.key}"
                    raise LocalitiesOverlap(
                        f"{place} stands in both {both}", place=place, localities=(holder, locality.key)
                    )

    def of(self, place: Postcode | str) -> str | None:
        """The key of the locality that holds this postcode or sector; a sector beats its district."""
        sector = place.sector if isinstance(place, Postcode) else place
        return self._by_place.get(sector) or self._by_place.get(sector.partition(" ")[0])


def lies_in(place: Postcode, locality: Locality, localities: Iterable[Locality]) -> bool:
    """Whether this locality, one of `localities`, holds the postcode: a sector beats its district."""
    if place.sector in locality.sectors:
        return True
    return place.district in locality.districts and not any(place.sector in other.sectors for other in localities)


def districts_of(localities: Iterable[Locality]) -> frozenset[str]:
    """Every district that the localities name or have a sector in: what must be loaded for them."""
    return frozenset(
        place.partition(" ")[0] for locality in localities for place in (*locality.districts, *locality.sectors)
    )
