"""Localities: real places, each in one locality only, with neighbours that agree."""

from collections.abc import Callable, Iterator

from dps.kernel.errors import NotAPostcode, meant
from dps.places.packaged import known_districts, known_sectors
from dps.places.postcodes import parse_district, parse_sector
from dps.schemes.faults import Fault, Location, fault, repeated
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
    """No district and no sector stands in two localities, nor a sector beside its own whole district.

    A sector may be taken out of a district that another locality names: that is how a split district is shared.
    """
    holders: dict[str, str] = {}
    for place, locality in enumerate(localities):
        for kind, names in (("districts", locality.districts), ("sectors", locality.sectors)):
            for nth, name in enumerate(names):
                where = ("localities", place, kind, nth)
                if name in holders:
                    yield fault(where, f"{name} is in locality {holders[name]!r} already")
                elif name.partition(" ")[0] in locality.districts and kind == "sectors":
                    yield fault(where, f"the whole of {name.partition(' ')[0]} is in this locality already")
                holders.setdefault(name, locality.key)


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
