"""Where something is, to the metre, on which grid, and how far apart two places are.

Northern Ireland's positions are on the Irish Grid: numbers that look like British ones and lie elsewhere. They are
never mixed: a distance across grids is refused.
"""

import math
from collections.abc import Sequence
from enum import StrEnum
from statistics import median_low
from typing import NamedTuple

from dps.kernel.errors import NotComparable


class Grid(StrEnum):
    """The grid of a position; `none` where the directory knows no position."""

    BRITISH = "british"
    IRISH = "irish"
    NONE = "none"


class Position(NamedTuple):
    """Metres east and north of a grid's origin."""

    easting: int
    northing: int
    grid: Grid = Grid.BRITISH


def grid_of(place: str) -> Grid:
    """The grid on which the ONS writes positions of this postcode or sector: the Irish one for Northern Ireland."""
    return Grid.IRISH if place.startswith("BT") else Grid.BRITISH


def distance_km(one: Position, other: Position) -> float:
    """Straight-line kilometres; raises `NotComparable` across grids."""
    if one.grid is not other.grid:
        raise NotComparable(one=one.grid, other=other.grid)
    return math.hypot(one.easting - other.easting, one.northing - other.northing) / 1000


def centre(positions: Sequence[Position]) -> Position:
    """The median position: unmoved by a few far outliers and the same for every order. At least one is needed."""
    grid = positions[0].grid
    for position in positions:
        if position.grid is not grid:
            raise NotComparable(one=grid, other=position.grid)
    return Position(
        median_low(position.easting for position in positions),
        median_low(position.northing for position in positions),
        grid,
    )
