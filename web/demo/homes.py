"""Where a market's people live: real postcodes of a directory, by locality, whoever read it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from dps.places.localities import LocalityMap
from dps.schemes.model import Scheme
from web.demo.market import Place


class Spot(NamedTuple):
    """One postcode: its sector, its council's code, and where it is in metres (None where that is not known)."""

    postcode: str
    sector: str
    lad: str | None
    easting: int | None
    northing: int | None


def homes(scheme: Scheme, spots: Iterable[Spot]) -> dict[str, list[Place]]:
    """The postcodes of each locality that have a position, in order."""
    area = LocalityMap(scheme.localities)
    found: dict[str, list[Place]] = {locality.key: [] for locality in scheme.localities}
    for spot in sorted(spots, key=lambda one: one.postcode):
        home = area.of(spot.sector) if spot.easting is not None else None
        if home is not None:
            found[home].append(Place(postcode=spot.postcode, sector=spot.sector, locality=home, lad=spot.lad))
    return found


def middles(places: Mapping[str, Sequence[Place]], spots: Iterable[Spot]) -> dict[str, tuple[float, float]]:
    """The middle of each locality in kilometres; no two are the same."""
    where = {
        one.postcode: (one.easting, one.northing)
        for one in spots
        if one.easting is not None and one.northing is not None
    }
    centres = {}
    for number, (key, here) in enumerate(places.items()):
        points = [where[place.postcode] for place in here]
        east = sum(point[0] for point in points) / max(len(points), 1) / 1000
        north = sum(point[1] for point in points) / max(len(points), 1) / 1000
        centres[key] = (east, north + 0.001 * number)
    return centres
