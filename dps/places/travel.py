"""How far a provider would travel, in words that can't locate a person.

Published is one of three bands, between the centres of two sectors; a referral keeps the bands of its first
publication, so that asking again from elsewhere narrows nothing down.
"""

from enum import StrEnum

from dps.places.positions import Position, distance_km

# Straight-line kilometres. Assumed: no council paper gives figures.
_NEARBY_BELOW_KM = 3
_FAR_FROM_KM = 10


class Travel(StrEnum):
    """Distance bands, lower end included: nearby below 3 km, a drive from 3 km, far from 10 km."""

    NEARBY = "nearby"
    A_DRIVE = "a_drive"
    FAR = "far"


def travel(from_centre: Position, to_centre: Position) -> Travel:
    """The band between two sector centres; raises `NotComparable` across grids."""
    km = distance_km(from_centre, to_centre)
    if km < _NEARBY_BELOW_KM:
        return Travel.NEARBY
    return Travel.A_DRIVE if km < _FAR_FROM_KM else Travel.FAR
