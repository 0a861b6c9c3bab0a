"""What a postcode directory says, whoever published it: its units and where they come from."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from dps.kernel.errors import BadDirectory
from dps.places.positions import Grid, Position


class Unit(NamedTuple):
    """One postcode as a directory lists it.

    `live` is None where the directory does not say; `terminated` is the month (`2019-06`) of a dead one. `easting` and
    `northing` are metres on `grid`, None without a position.
    """

    postcode: str
    lad_code: str | None
    easting: int | None
    northing: int | None
    grid: Grid
    live: bool | None
    terminated: str | None

    @property
    def district(self) -> str:
        return self.postcode[:-4]

    @property
    def sector(self) -> str:
        return self.postcode[:-2]


@dataclass(frozen=True, slots=True)
class Edition:
    """Some districts of one published directory, read and checked. `left_out` counts abolished districts' codes."""

    source: str
    vintage: str
    sha256: str
    knows_liveness: bool
    units: Sequence[Unit]
    left_out: int = 0


def positions_by_sector(units: Iterable[Unit]) -> dict[str, list[Position]]:
    """Where the units of each sector are; the dead and those without a position are left out."""
    found: dict[str, list[Position]] = {}
    for unit in units:
        if unit.easting is not None and unit.northing is not None and unit.live is not False:
            found.setdefault(unit.sector, []).append(Position(unit.easting, unit.northing, unit.grid))
    return found


def councils_by_district(units: Iterable[Unit]) -> dict[str, dict[str, int]]:
    """For each district its councils (codes), that of most postcodes first, and their numbers of postcodes.

    Council borders cross districts (WR15 lies in three counties, and some of TR21's large users are in Penzance): such
    a district wants sectors in a scheme, or a look at each postcode's own `lad_code`. The dead are left out.
    """
    counts: dict[str, Counter[str]] = {}
    for unit in units:
        if unit.lad_code and unit.live is not False:
            counts.setdefault(unit.district, Counter())[unit.lad_code] += 1
    return {
        district: dict(sorted(councils.items(), key=lambda item: (-item[1], item[0])))
        for district, councils in sorted(counts.items())
    }


def require_districts(wanted: Iterable[str], found: Iterable[str], file: str) -> None:
    """Refuse a directory that lacks a district it was asked for."""
    missing = sorted(set(wanted) - set(found))
    if missing:
        raise BadDirectory(f"knows no postcode of {', '.join(missing)}", file=file)
