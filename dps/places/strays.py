"""Postcodes that lie where they don't belong: old, rough positions, large users' codes, dead ones.

Both questions are asked of many places at once, as arrays of metres (east, north).
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from dps.places.positions import Position

SQUARE_M = 1000
"""The side of the square in which places are counted."""

_LEAST_SHARE = 0.05
_NEAR_ANYWAY_M = 1000.0
_FAR_OUT = 10.0


def metres_of(places: Iterable[Position]) -> NDArray[np.float64]:
    """Easting and northing, a row a place."""
    return np.array([place[:2] for place in places], dtype=np.float64)


def near(found: Sequence[Position]) -> list[Position]:
    """A sector's places without those ten times as far from its middle as half of them are: old, rough positions."""
    metres = metres_of(found)
    if not len(metres):
        return []
    away = np.hypot(*(metres - np.median(metres, axis=0)).T)
    is_near = away <= _NEAR_ANYWAY_M + _FAR_OUT * np.median(away)
    return [place for place, stays in zip(found, is_near, strict=True) if stays]


def are_alone(metres: NDArray[np.float64], area: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Places among which, in their square kilometre, hardly any belong to their area: large users, dead codes."""
    square = np.unique(metres // SQUARE_M, axis=0, return_inverse=True)[1].ravel()
    _, group, count = np.unique(np.stack((square, area)), axis=1, return_inverse=True, return_counts=True)
    alone: NDArray[np.bool_] = count[group.ravel()] < _LEAST_SHARE * np.bincount(square)[square]
    return alone
