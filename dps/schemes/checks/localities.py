"""Localities: real places, each in one locality only, with neighbours that agree."""

from collections.abc import Callable, Iterator

from dps.kernel.errors import NotAPostcode
from dps.places.packaged import known_districts, known_sectors
from dps.places.postcodes import parse_district, parse_sector
from dps.schemes.faults import Fault, Location, fault, meant, repeated
from dps.schemes.model import Locality


def are_of_known_places(localities: tuple[Locality, ...]) -> Iterator[Fault]:
    """A locality names postcode districts or sectors, each one that exists."""
    for place, locality in enumerate(localities):
        where = ("localities", place)
        if not locality.districts and not locality.sectors:
            yield fault((*where, "districts"), f"locality {locality.key!r} names no district and no sector")
        for nth, district in enumerate(locality.districts):
            yield from _unknown((*where, "districts", nth), district, "district", parse_district, _district_exists)
        for nth, sector in enumerate(locality.sectors):
            yield from _unknown((*where, "sectors", nth), sector, "sector", parse_sector, _sector_exists)


def do_not_overlap(localities: tuple[Locality, ...]) -> Iterator[Fault]:
    """No district or sector stands in two localities, nor a sector beside its whole district."""
    districts: dict[str, str] = {}
    for place, locality in enumerate(localities):
        for nth, district in enumerate(locality.districts):
            if district in districts:
                where = ("localities", place, "districts", nth)
                yield fault(where, f"{district} is in locality {districts[district]!r} already")
            districts[district] = locality.key
    sectors: dict[str, str] = {}
    for place, locality in enumerate(localities):
        for nth, sector in enumerate(locality.sectors):
            where = ("localities", place, "sectors", nth)
            district = sector.partition(" ")[0]
            if sector in sectors:
                yield fault(where, f"{sector} is in locality {sectors[sector]!r} already")
            elif district in districts:
                yield fault(where, f"the whole of {district} is in locality {districts[district]!r} already")
            sectors[sector] = locality.key


def have_mutual_neighbours(localities: tuple[Locality, ...]) -> Iterator[Fault]:
    """Neighbours are other localities of the scheme, and each names the other."""
    by_key = {locality.key: locality for locality in localities}
    for place, locality in enumerate(localities):
        for nth, key in repeated(locality.neighbours):
            yield fault(("localities", place, "neighbours", nth), f"{key!r} is named twice")
        for nth, key in enumerate(locality.neighbours):
            where = ("localities", place, "neighbours", nth)
            if key == locality.key:
                yield fault(where, f"locality {key!r} is no neighbour of its own")
            elif key not in by_key:
                yield fault(where, f"{key!r} is no locality of this scheme{meant(key, by_key)}")
            elif locality.key not in by_key[key].neighbours:
                yield fault(where, f"locality {key!r} does not name {locality.key!r} as its neighbour")


def _unknown(
    where: Location, text: str, kind: str, parse: Callable[[str], str], exists: Callable[[str], bool]
) -> Iterator[Fault]:
    try:
        canonical = parse(text)
    except NotAPostcode as refused:
        yield fault(where, f"{text!r} is {refused.facts['reason']}")
        return
    if canonical != text:
        yield fault(where, f"{text!r} is written {canonical!r}")
    elif not exists(text):
        yield fault(where, f"{text!r} is no known postcode {kind}")


def _district_exists(district: str) -> bool:
    return district in known_districts(district[0])


def _sector_exists(sector: str) -> bool:
    return sector in known_sectors(sector.partition(" ")[0])
