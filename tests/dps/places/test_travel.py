"""Distances and the three bands that are published."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dps.kernel.errors import NotComparable
from dps.places.positions import Grid, Position, centre, distance_km
from dps.places.travel import Travel, travel

HERE = Position(336000, 391000)

positions = st.builds(Position, st.integers(0, 699_999), st.integers(0, 1_299_999), st.just(Grid.BRITISH))


@pytest.mark.parametrize(
    ("metres", "band"),
    [
        (0, Travel.NEARBY),
        (2999, Travel.NEARBY),
        (3000, Travel.A_DRIVE),
        (9999, Travel.A_DRIVE),
        (10000, Travel.FAR),
    ],
)
def test_the_bands_begin_where_they_are_said_to(metres: int, band: Travel) -> None:
    assert travel(HERE, Position(HERE.easting + metres, HERE.northing)) is band


def test_a_distance_is_a_straight_line() -> None:
    assert distance_km(HERE, Position(339000, 395000)) == 5.0


def test_grids_are_never_mixed() -> None:
    irish = Position(333832, 374014, Grid.IRISH)

    with pytest.raises(NotComparable, match="british"):
        distance_km(HERE, irish)
    with pytest.raises(NotComparable):
        travel(irish, HERE)
    with pytest.raises(NotComparable):
        centre([HERE, irish])


@given(positions, positions)
def test_the_way_back_is_as_far(one: Position, other: Position) -> None:
    assert distance_km(one, other) == distance_km(other, one) >= 0
    assert travel(one, other) is travel(other, one)


@given(st.lists(positions, min_size=1), st.randoms())
def test_a_centre_does_not_depend_on_the_order_and_lies_among_its_places(
    places: list[Position], shuffler: Random
) -> None:
    found = centre(places)
    shuffled = list(places)
    shuffler.shuffle(shuffled)

    assert centre(shuffled) == found
    assert found.easting in {place.easting for place in places}
    assert found.northing in {place.northing for place in places}
