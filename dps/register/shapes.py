"""How many may stand on a list, and where: the rules of a list's shape, pure.

A list with seats holds so many providers for one lot in one locality; a list for the whole is held in every locality
of the scheme or in none. A seat belongs to whoever is not removed: a suspended provider keeps its own.

Source: Kingston's options paper, the four geographic shapes of a contract.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import groupby

from dps.schemes.model import ProviderList, Scheme

Place = tuple[str, str, str]
"""(list, lot, locality)"""

_SAID = 3
"""So many places are named in one reason; the others are counted."""


def against_admission(
    scheme: Scheme, *, asked: Collection[Place], own: Collection[Place], taken: Mapping[Place, Collection[str]]
) -> list[str]:
    """Every reason, in words, why a provider that holds `own` can't be given the `asked` places too.

    `taken` says which other providers hold a place. What is held already is never a reason.
    """
    new = [place for place in asked if place not in own]
    reasons = []
    for one in scheme.lists:
        full = [place for place in new if place[0] == one.key and _is_full(one, taken.get(place, ()))]
        reasons += [_full(scheme, one, full, taken)] if full else []
        reasons += _gaps(scheme, one, {*own, *asked}) if any(place[0] == one.key for place in new) else []
    return reasons


def against_removal(scheme: Scheme, *, going: Collection[Place], own: Collection[Place]) -> list[str]:
    """Every reason why a provider that holds `own` can't lose the `going` ones alone."""
    touched = {place[0] for place in going}
    left = set(own) - set(going)
    return [reason for one in scheme.lists if one.key in touched for reason in _gaps(scheme, one, left)]


def seats_for(
    scheme: Scheme, places: Iterable[Place], seated: Mapping[Place, Collection[int]]
) -> dict[Place, int | None]:
    """The lowest free seat of each place; None where the list has any number. `seated` are the seats that are taken."""
    seats = {one.key: one.seats for one in scheme.lists}
    return {place: _lowest_free(seats[place[0]], seated.get(place, ())) for place in places}


def limited(scheme: Scheme, lists: Iterable[str]) -> list[str]:
    """Of these lists those that have seats."""
    return sorted({*lists} & {one.key for one in scheme.lists if one.seats is not None})


def _lowest_free(seats: int | None, taken: Collection[int]) -> int | None:
    return None if seats is None else next(seat for seat in range(1, seats + len(taken) + 1) if seat not in taken)


def _is_full(one: ProviderList, holders: Collection[str]) -> bool:
    return one.seats is not None and len(holders) >= one.seats


def _full(scheme: Scheme, one: ProviderList, full: list[Place], taken: Mapping[Place, Collection[str]]) -> str:
    held = list(dict.fromkeys(_held(scheme, one, place, taken[place]) for place in full))
    more = f", and {len(held) - _SAID} more" if len(held) > _SAID else ""
    seats = "one provider" if one.seats == 1 else f"{one.seats} providers"
    reach = "for the whole of the scheme" if one.is_for_the_whole else "in each locality"
    return (
        f"{one.name} has {seats} {reach}, and is held already: {'; '.join(held[:_SAID])}{more}. "
        "Remove the holder first, or leave this out."
    )


def _held(scheme: Scheme, one: ProviderList, place: Place, holders: Collection[str]) -> str:
    _, lot, where = place
    area = "" if one.is_for_the_whole else f" in {scheme.locality(where).name}"
    return f"{scheme.lot(lot).name}{area} by {', '.join(sorted(holders))}"


def _gaps(scheme: Scheme, one: ProviderList, held: Collection[Place]) -> Iterator[str]:
    if not one.is_for_the_whole:
        return
    mine = sorted((lot, where) for key, lot, where in held if key == one.key)
    for lot, places in groupby(mine, key=lambda place: place[0]):
        there = {where for _, where in places}
        missing = [place.name for place in scheme.localities if place.key not in there]
        if missing:
            yield (
                f"{one.name} is held for the whole of the scheme or not at all; {scheme.lot(lot).name} would lack "
                f"{', '.join(missing)}."
            )
