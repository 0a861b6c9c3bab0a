"""Where areas end, worked out from their postcodes: whole, without overlaps, and as published maps have it."""

import csv
import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from dps.kernel.database import Database
from dps.kernel.errors import NotComparable
from dps.places import boundaries as drawing
from dps.places import packaged
from dps.places.boundaries import Boundary, By, boundaries, loaded_boundaries
from dps.places.editions import positions_by_sector
from dps.places.loading import load
from dps.places.positions import Grid, Position
from tests.dps.places.test_loading import ADMINISTRATOR, NOON, a_unit, an_edition
from tests.dps.places.test_localities import REGIONS, Area, a_square

HALVES = {"L1 1": a_square(0, 0), "L2 1": a_square(2000, 0)}


def district(sector: str) -> str:
    return sector.partition(" ")[0]


def as_shape(boundary: Boundary) -> Any:
    """Filled by the even-odd rule, as a browser fills it."""
    shape = shapely.Polygon()
    for ring in boundary.rings:
        shape = shape.symmetric_difference(shapely.make_valid(shapely.Polygon(ring)))
    return shape


def test_two_areas_side_by_side_share_their_border_and_nothing_else() -> None:
    drawn = boundaries(HALVES, district)

    west, east = as_shape(drawn["L1"]), as_shape(drawn["L2"])
    assert list(drawn) == ["L1", "L2"]
    assert west.intersection(east).area == 0
    assert 1900 < west.intersection(east).length < 3100
    assert abs(west.area - east.area) < 0.02 * west.area
    assert west.contains(shapely.Point(1900, 1000))
    assert east.contains(shapely.Point(2100, 1000))


def test_land_ends_half_a_kilometre_behind_the_last_postcode() -> None:
    drawn = as_shape(boundaries(HALVES, district)["L1"])

    assert drawn.contains(shapely.Point(-250, 1000))
    assert not drawn.contains(shapely.Point(-900, 1000))


def test_land_of_others_makes_a_border_and_is_not_drawn() -> None:
    drawn = boundaries(HALVES, lambda sector: "ours" if sector == "L1 1" else None)

    assert list(drawn) == ["ours"]
    assert as_shape(drawn["ours"]).bounds[2] < 2100


def test_the_point_inside_is_inside() -> None:
    for boundary in boundaries(HALVES, district).values():
        assert as_shape(boundary).contains(shapely.Point(boundary.inside))


def test_boundaries_do_not_depend_on_the_order_of_anything() -> None:
    places = positions_by_sector(packaged.read(["L6", "L7", "L8"]).units)
    shuffled = {sector: random.Random(7).sample(found, len(found)) for sector, found in reversed(places.items())}

    assert boundaries(shuffled, district) == boundaries(places, district)


def test_a_large_users_codes_among_those_of_another_area_are_not_drawn() -> None:
    boxes = [Position(east, north) for east in (900, 1000) for north in (900, 1000)]

    assert list(boundaries(HALVES | {"L70 1": boxes}, district)) == ["L1", "L2"]


def test_two_grids_cannot_be_drawn_on_one_map() -> None:
    with pytest.raises(NotComparable):
        boundaries({"L1 1": [Position(0, 0)], "BT1 1": [Position(10, 0, Grid.IRISH)]}, district)


def test_nothing_has_no_boundaries() -> None:
    assert boundaries({}, district) == {}
    assert boundaries(HALVES, lambda _: None) == {}


@settings(max_examples=30)
@given(st.dictionaries(st.sampled_from(["L1 1", "L1 2", "L2 1", "L3 1"]), st.lists(st.builds(
    Position, st.integers(0, 5000), st.integers(0, 5000), st.just(Grid.BRITISH)), max_size=4)))  # fmt: skip
def test_whatever_the_positions_areas_do_not_overlap(positions: dict[str, list[Position]]) -> None:
    drawn = boundaries(positions, district)

    shapes = [as_shape(boundary) for boundary in drawn.values()]
    assert set(drawn) <= {district(sector) for sector, found in positions.items() if found}
    assert bool(drawn) is any(positions.values())
    whole = shapely.union_all(shapes).area
    assert abs(sum(shape.area for shape in shapes) - whole) <= 0.001 * whole


@pytest.mark.database
def test_the_loaded_directory_is_drawn_until_it_changes(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    localities = [Area("town", ("L6",), ("L7 1",))]
    dead = a_unit("L6 1AZ", live=False, at=(900_000, 391_000))
    before = [a_unit("L6 1AB"), a_unit("L7 1AB", at=(336_500, 391_000)), a_unit("L7 9AB", at=(337_000, 391_000)), dead]
    after = [*before, a_unit("L6 2AB", at=(335_000, 391_000))]
    work_out, worked_out = drawing.boundaries, []

    def counted(*given: Any) -> dict[str, Boundary]:
        worked_out.append(given)
        return work_out(*given)

    monkeypatch.setattr(drawing, "boundaries", counted)
    monkeypatch.setattr(drawing, "_DRAWN", {})

    def drawn(by: By) -> list[str]:
        with database.reading() as session:
            return list(loaded_boundaries(session, localities, by))

    with database.transaction() as session:
        load(session, an_edition(before), ADMINISTRATOR, NOON)
    first = [drawn(By.SECTOR), drawn(By.DISTRICT), drawn(By.LOCALITY), drawn(By.SECTOR)]
    with database.transaction() as session:
        load(session, an_edition(after), ADMINISTRATOR, NOON)

    assert first == [["L6 1", "L7 1"], ["L6", "L7"], ["town"], ["L6 1", "L7 1"]]
    assert len(worked_out) == 3
    assert drawn(By.SECTOR) == ["L6 1", "L6 2", "L7 1"]


@pytest.mark.slow
def test_districts_lie_where_published_maps_of_five_areas_have_them(shared_data: Path) -> None:
    """Half of the districts share more than 85% of their land with the published ones, postcodes lie in their own.

    Published ones end at the coast, and at the districts of neighbours that are not loaded here.
    """
    alike: list[float] = []
    at_home = everywhere = 0
    for region, names in REGIONS.items():
        files = [f"units_lcr_{name}.csv" if len(names) > 1 else f"units_{name}.csv" for name in names]
        units = [row for name in files for row in rows_of(shared_data / "postcodes" / name)]
        in_metres = projection(units)
        drawn = {name: as_shape(found) for name, found in boundaries(positions_of(units), district).items()}
        published = json.loads((shared_data / "polygons" / f"districts_{region}.geojson").read_text(encoding="utf-8"))
        for feature in published["features"]:
            name = feature["properties"]["outcode"]
            if name in drawn:
                real = shapely.make_valid(shapely.transform(shapely.geometry.shape(feature["geometry"]), in_metres))
                alike.append(drawn[name].intersection(real).area / drawn[name].union(real).area)
        for name, shape in drawn.items():
            mine = np.array(
                [(row["easting"], row["northing"]) for row in units if row["district"] == name], dtype=float
            )
            at_home += int(shapely.contains_xy(shape, mine).sum())
            everywhere += len(mine)

    assert float(np.median(alike)) > 0.85
    assert at_home > 0.98 * everywhere


def rows_of(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8", newline="") as file:
        return [row | {"district": row["postcode"].rpartition(" ")[0]} for row in csv.DictReader(file)]


def positions_of(units: Sequence[dict[str, Any]]) -> dict[str, list[Position]]:
    found: dict[str, list[Position]] = {}
    for row in units:
        found.setdefault(row["postcode"][:-2], []).append(Position(int(row["easting"]), int(row["northing"])))
    return found


def projection(units: Sequence[dict[str, Any]]) -> Any:
    """Degrees to metres, fitted to postcodes of which both are known: right to a metre within a county."""
    degrees = np.array([(row["lon"], row["lat"]) for row in units], dtype=float)
    metres = np.array([(row["easting"], row["northing"]) for row in units], dtype=float)
    middle = degrees.mean(axis=0)

    def cubic(points: NDArray[np.float64]) -> NDArray[np.float64]:
        east, north = (10 * (points - middle)).T
        powers = [east**i * north**j for i in range(4) for j in range(4 - i)]
        return np.stack(powers, axis=1)

    fitted = np.linalg.lstsq(cubic(degrees), metres, rcond=None)[0]
    return lambda points: cubic(points) @ fitted
