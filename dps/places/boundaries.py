"""Where districts, sectors and localities end, worked out from where their postcodes are: maps without a map.

Each postcode owns the land that is nearer to it than to any other (Voronoi cells); the cells of one area are dissolved
into one, and what is far from every postcode – the sea, the land of others – is cut away. Held against published
boundaries of five areas in the tests. A picture, never a rule: a postcode's locality comes from `localities.py` alone.

Integer metres; the same positions give the same boundaries in every order.
"""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from sqlmodel import Session, col, select

from dps.kernel.errors import NotComparable
from dps.places.directory import DirectoryEntry, state_of_directory
from dps.places.localities import Locality, LocalityMap, districts_of
from dps.places.positions import Position, grid_of
from dps.places.strays import are_alone, metres_of, near

# Land reaches half a kilometre beyond the outermost postcodes; gaps of less than five kilometres are land too.
_REACH_M = 2500
_BACK_M = 2000
_THINNED_M = 250
# A boundary is drawn with the thousandth part of the longer side of the whole, which no eye sees on a page.
_FINENESS = 1000

Ring = tuple[tuple[int, int], ...]


class By(StrEnum):
    """What is drawn as one area."""

    LOCALITY = "locality"
    DISTRICT = "district"
    SECTOR = "sector"


@dataclass(frozen=True, slots=True)
class Boundary:
    """An area's outlines and holes as rings of (east, north), filled by the even-odd rule; and a point inside it."""

    rings: tuple[Ring, ...]
    inside: tuple[int, int]


def boundaries(
    positions: Mapping[str, Sequence[Position]], area_of: Callable[[str], str | None]
) -> dict[str, Boundary]:
    """The boundaries of each area that has postcodes of its own, in alphabetical order.

    `positions` are those of the postcodes, by sector. Sectors in no area are land of others: they make a border. Areas
    whose postcodes all lie among those of another have none. Errors: `NotComparable` where there are two grids.
    """
    metres, names, area = _owners(positions, area_of)
    if not names:
        return {}
    cells = _cells(metres)
    land = _land(metres)
    whole = [shapely.coverage_union_all(cells[area == number]) for number in range(len(names))]
    tolerance = max(np.ptp(metres, axis=0).max(), _REACH_M) / _FINENESS
    clipped = [_polygons(shape) for shape in shapely.intersection(np.array(whole), land)]
    drawn = [_polygons(shape) for shape in shapely.coverage_simplify(np.array(clipped), tolerance)]
    return {name: _boundary(shape) for name, shape in zip(names, drawn, strict=True) if not shape.is_empty}


def _owners(
    positions: Mapping[str, Sequence[Position]], area_of: Callable[[str], str | None]
) -> tuple[NDArray[np.float64], list[str], NDArray[np.int64]]:
    """Each place once, the areas' names, and each place's area by number: −1 for the land of others.

    Where postcodes of several areas stand at one place, the first by name owns it.
    """
    owner: dict[Position, str] = {}
    for sector, found in positions.items():
        name = area_of(sector) or ""
        for place in near(found):
            owner[place] = min(owner.get(place, name), name)
    places = sorted(owner)
    for place in places:
        if place.grid is not places[0].grid:
            raise NotComparable(one=places[0].grid, other=place.grid)
    if not any(owner.values()):
        return metres_of(()), [], np.array([], dtype=np.int64)
    metres = metres_of(places)
    every = ["", *sorted(set(owner.values()) - {""})]
    area = np.searchsorted(every, [owner[place] for place in places])
    at_home = ~are_alone(metres, area)
    metres, area = metres[at_home], area[at_home]
    kept = [number for number in range(1, len(every)) if (area == number).any()]
    renamed = np.full(len(every), -1, dtype=np.int64)
    renamed[kept] = range(len(kept))
    return metres, [every[number] for number in kept], renamed[area]


def _cells(metres: NDArray[np.float64]) -> NDArray[Any]:
    """What is nearest to each place, in the order of the places."""
    beyond = shapely.box(*(metres.min(axis=0) - 2 * _REACH_M), *(metres.max(axis=0) + 2 * _REACH_M))
    if len(metres) == 1:
        return np.array([beyond])
    cells: NDArray[Any] = shapely.get_parts(
        shapely.voronoi_polygons(shapely.multipoints(metres), extend_to=beyond, ordered=True)
    )
    return cells


def _land(metres: NDArray[np.float64]) -> Any:
    """Where people live: within reach of a postcode, with the gaps between them closed."""
    thinned = (np.unique(metres // _THINNED_M, axis=0) + 0.5) * _THINNED_M
    reached = shapely.union_all(shapely.buffer(shapely.points(thinned), _REACH_M, quad_segs=4))
    return shapely.buffer(reached, -_BACK_M)


def _polygons(shape: Any) -> Any:
    """The polygons of a shape: where two areas meet in a line or a point there is nothing to draw."""
    parts = [part for part in shapely.get_parts(shapely.make_valid(shape)) if part.geom_type == "Polygon"]
    return shapely.multipolygons(parts)


def _boundary(shape: Any) -> Boundary:
    inside = shapely.point_on_surface(shape)
    rings = shapely.get_rings(shapely.get_parts(shape))
    return Boundary(
        rings=tuple(
            tuple((round(east), round(north)) for east, north in shapely.get_coordinates(ring)[:-1]) for ring in rings
        ),
        inside=(round(inside.x), round(inside.y)),
    )


def loaded_boundaries(session: Session, localities: Collection[Locality], by: By) -> dict[str, Boundary]:
    """The boundaries of what these localities hold, from the loaded directory; empty while it is not loaded.

    Worked out once in a process, until the next load. Postcodes known to have ended are left out.
    """
    districts = districts_of(localities)
    held = tuple((one.key, tuple(one.districts), tuple(one.sectors)) for one in localities)
    key = (state_of_directory(session), held, by)
    with _LOCK:
        found = _DRAWN.get(key)
    if found is None:
        found = boundaries(_positions(session, districts), _naming(localities, by))
        with _LOCK:
            while len(_DRAWN) >= _MOST_KEPT:
                _DRAWN.pop(next(iter(_DRAWN)))
            _DRAWN[key] = found
    return found


_DRAWN: dict[Any, dict[str, Boundary]] = {}
_LOCK = threading.Lock()
_MOST_KEPT = 32


def _naming(localities: Collection[Locality], by: By) -> Callable[[str], str | None]:
    """The area that a sector is drawn in; none outside the localities."""
    held = LocalityMap(localities)

    def name(sector: str) -> str | None:
        locality = held.of(sector)
        match by:
            case By.LOCALITY:
                return locality
            case By.DISTRICT:
                return sector.partition(" ")[0] if locality else None
            case By.SECTOR:
                return sector if locality else None

    return name


def _positions(session: Session, districts: Collection[str]) -> dict[str, list[Position]]:
    query = select(DirectoryEntry.sector, DirectoryEntry.easting, DirectoryEntry.northing).where(
        col(DirectoryEntry.district).in_(districts),
        col(DirectoryEntry.easting).is_not(None),
        col(DirectoryEntry.live).is_distinct_from(False),
    )
    found: dict[str, list[Position]] = {}
    for sector, easting, northing in session.exec(query):
        if easting is not None and northing is not None:
            found.setdefault(sector, []).append(Position(easting, northing, grid_of(sector)))
    return found
