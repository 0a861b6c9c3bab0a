"""Which locality a postcode belongs to, and which neighbours are stated and proposed."""

import csv
import random
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dps.kernel.errors import LocalitiesOverlap, NotComparable
from dps.places import packaged
from dps.places.editions import positions_by_sector
from dps.places.localities import LocalityMap, districts_of, lies_in
from dps.places.neighbours import propose_neighbours, shared_boundaries
from dps.places.positions import Grid, Position
from dps.places.postcodes import parse


class Area(NamedTuple):
    """The least that a locality is."""

    key: str
    districts: tuple[str, ...] = ()
    sectors: tuple[str, ...] = ()


def a_square(easting: int, northing: int, *, metres: int = 2000, every: int = 100) -> list[Position]:
    """Postcodes on a lattice, south-west corner first."""
    steps = range(every // 2, metres, every)
    return [Position(easting + east, northing + north) for north in steps for east in steps]


def test_a_sector_beats_its_district() -> None:
    localities = [Area("speke", ("L24",)), Area("halton", ("WA7",), ("L24 4",))]

    area = LocalityMap(localities)
    assert area.of(parse("L24 1AA")) == "speke"
    assert area.of(parse("L24 4AA")) == "halton"
    assert area.of("L24 4") == "halton"
    assert area.of(parse("L25 1AA")) is None
    for postcode, holders in (("L24 1AA", ["speke"]), ("L24 4AA", ["halton"]), ("L25 1AA", [])):
        assert [one.key for one in localities if lies_in(parse(postcode), one, localities)] == holders


@pytest.mark.parametrize(
    "localities",
    [
        [Area("one", ("L6", "L7")), Area("other", ("L7",))],
        [Area("one", (), ("L6 1",)), Area("other", (), ("L6 1", "L6 2"))],
    ],
)
def test_a_place_in_two_localities_is_an_error(localities: list[Area]) -> None:
    with pytest.raises(LocalitiesOverlap, match="stands in both one and other") as refusal:
        LocalityMap(localities)

    assert refusal.value.localities == ("one", "other")


def test_all_districts_that_localities_touch_are_to_be_loaded() -> None:
    assert districts_of([Area("one", ("L6",), ("WA8 3",)), Area("other", (), ("L24 1",))]) == {"L6", "WA8", "L24"}


def test_areas_side_by_side_are_proposed_and_those_across_water_are_not() -> None:
    localities = [
        Area("west", ("L1",)),
        Area("east", ("L2",)),
        Area("over-the-river", ("L3",)),
        Area("nowhere", ("L4",)),
    ]
    positions = {
        "L1 1": a_square(0, 0),
        "L2 1": a_square(2000, 0),
        "L3 1": a_square(2000, 3500),
        "L9 9": a_square(500, 2500),
    }

    assert propose_neighbours(localities, positions) == {
        "west": ("east",),
        "east": ("west",),
        "over-the-river": (),
        "nowhere": (),
    }
    # The boundary goes on over the water, half-way to the other bank.
    assert 1900 < shared_boundaries(localities, positions)["east", "west"] < 2800


def test_sparse_villages_are_neighbours_where_dense_streets_as_far_apart_are_not() -> None:
    villages = {"L1 1": a_square(0, 0, metres=9000, every=1500), "L2 1": a_square(9000, 0, metres=9000, every=1500)}
    streets = {"L1 1": a_square(0, 0, metres=2000), "L2 1": a_square(3500, 0, metres=2000)}
    localities = [Area("a", ("L1",)), Area("b", ("L2",))]

    assert propose_neighbours(localities, villages)["a"] == ("b",)
    assert propose_neighbours(localities, streets)["a"] == ()


def test_proposed_neighbours_do_not_depend_on_the_order_of_anything() -> None:
    places = positions_by_sector(packaged.read(["L6", "L7", "L8", "L15"]).units)
    localities = [Area(district, (district,)) for district in ("L6", "L7", "L8", "L15")]
    shuffled = {sector: random.Random(7).sample(found, len(found)) for sector, found in reversed(places.items())}

    assert shared_boundaries(localities[::-1], shuffled) == shared_boundaries(localities, places)


def test_a_postcode_far_from_its_sector_makes_no_neighbours() -> None:
    localities = [Area("a", ("L1",)), Area("b", ("L2",))]
    positions = {"L1 1": [*a_square(0, 0), Position(8500, 10_000)], "L2 1": a_square(9000, 9000)}

    assert propose_neighbours(localities, positions)["a"] == ()


def test_a_handful_of_postcodes_among_those_of_another_locality_makes_no_neighbours() -> None:
    localities = [Area("a", ("L1",)), Area("b", ("L2",))]
    boxes = [Position(east, north) for east in (9200, 9800) for north in (9200, 9800)]
    positions = {"L1 1": a_square(0, 0), "L1 9": boxes, "L2 1": a_square(9000, 9000)}

    assert propose_neighbours(localities, positions)["a"] == ()


def test_localities_on_two_grids_cannot_be_compared() -> None:
    positions = {"L1 1": [Position(336000, 391000)], "BT1 1": [Position(333832, 374014, Grid.IRISH)]}

    with pytest.raises(NotComparable):
        propose_neighbours([Area("a", ("L1",)), Area("b", ("BT1",))], positions)


@settings(max_examples=25)
@given(st.dictionaries(st.sampled_from(["L1 1", "L1 2", "L2 1", "L3 1"]), st.lists(st.builds(
    Position, st.integers(0, 5000), st.integers(0, 5000), st.just(Grid.BRITISH)), max_size=4)))  # fmt: skip
def test_proposed_neighbours_are_other_localities_and_go_both_ways(positions: dict[str, list[Position]]) -> None:
    proposed = propose_neighbours([Area("a", ("L1",)), Area("b", ("L2",)), Area("c", (), ("L3 1",))], positions)

    assert proposed.keys() == {"a", "b", "c"}
    for key, neighbours in proposed.items():
        assert key not in neighbours
        assert all(key in proposed[neighbour] for neighbour in neighbours)


REGIONS = {
    "liverpool_city_region": ("halton", "knowsley", "liverpool", "sefton", "st_helens", "wirral"),
    "cornwall": ("cornwall",),
    "kingston": ("kingston",),
    "worcestershire": ("worcestershire",),
    "kent_thanet_dover": ("kent_thanet_dover",),
}


def boundaries(path: Path) -> tuple[dict[str, set[str]], dict[frozenset[str], int]]:
    """The sectors of each district on a map, and the boundary in metres that pairs of districts share."""
    sectors: dict[str, set[str]] = {}
    shared: dict[frozenset[str], int] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for sector in (row["sector_a"], row["sector_b"]):
                sectors.setdefault(sector.split()[0], set()).add(sector)
            pair = frozenset((row["sector_a"].split()[0], row["sector_b"].split()[0]))
            if len(pair) == 2:
                shared[pair] = shared.get(pair, 0) + int(row["shared_boundary_m"])
    return sectors, shared


def live_positions(folder: Path, names: tuple[str, ...], region: str) -> dict[str, list[Position]]:
    found: dict[str, list[Position]] = {}
    for name in names:
        file_name = f"units_lcr_{name}.csv" if region == "liverpool_city_region" else f"units_{name}.csv"
        with (folder / file_name).open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                position = Position(int(row["easting"]), int(row["northing"]))
                found.setdefault(row["postcode"][:-2], []).append(position)
    return found


def packaged_positions(districts: Iterable[str]) -> dict[str, list[Position]]:
    return positions_by_sector(packaged.read(frozenset(districts)).units)


@pytest.mark.slow
@pytest.mark.parametrize("known", ["live postcodes", "packaged directory"])
def test_proposed_neighbours_agree_with_the_maps_of_five_areas(shared_data: Path, known: str) -> None:
    proposed: set[tuple[str, frozenset[str]]] = set()
    touching: set[tuple[str, frozenset[str]]] = set()
    sharing_a_kilometre: set[tuple[str, frozenset[str]]] = set()
    for region, names in REGIONS.items():
        sectors, drawn = boundaries(shared_data / "polygons" / f"adjacency_{region}.csv")
        localities = [Area(district, (), tuple(sectors[district])) for district in sorted(sectors)]
        if known == "live postcodes":
            positions = live_positions(shared_data / "postcodes", names, region)
        else:
            positions = packaged_positions(sectors)
        found = propose_neighbours(localities, positions)
        proposed |= {(region, frozenset((one, other))) for one, others in found.items() for other in others}
        touching |= {(region, pair) for pair in drawn}
        sharing_a_kilometre |= {(region, pair) for pair, metres in drawn.items() if metres >= 1000}

    right = len(proposed & touching) / len(proposed)
    found_again = len(proposed & sharing_a_kilometre) / len(sharing_a_kilometre)

    assert right >= 0.95, sorted((region, *sorted(pair)) for region, pair in proposed - touching)
    assert found_again >= 0.95, sorted((region, *sorted(pair)) for region, pair in sharing_a_kilometre - proposed)
