"""Who of a synthetic market stands on which list, and where: as drawn, but within the shape of each list.

A list with seats is given to the largest providers that may be invited, at home there first. Whoever holds a contract
area serves everybody in it: every lot, and no limit of its own. Whoever is left without any place works for the single
provider, under its lead, and its hours are counted there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dps.schemes.model import ProviderList, Scheme
from web.demo.provider import SyntheticProvider

Held = dict[int, dict[str, tuple[str, ...]]]
"""Localities by list, by the number of the provider."""


@dataclass(frozen=True, slots=True)
class Seating:
    """The providers with their places, and the lead whose subcontractors those without one are; None has none."""

    providers: tuple[SyntheticProvider, ...]
    lead: int | None


def seated(scheme: Scheme, drawn: Sequence[SyntheticProvider], flags: Sequence[str]) -> Seating:
    """The drawn providers, each with the places that the shapes leave it. `flags` are all there are."""
    lists = {one.key: one for one in scheme.lists}
    held: Held = {number: {} for number in range(len(drawn))}
    holders: set[int] = set()
    for key in dict.fromkeys(key for one in drawn for key in one.lists):
        one = lists[key]
        if one.seats is None:
            for number, provider in enumerate(drawn):
                if key in provider.lists:
                    held[number][key] = _extent(scheme, one, provider)
        else:
            for number, localities in _seats(scheme, one, one.seats, drawn).items():
                held[number][key] = localities
                holders.add(number)
    spare = next((one for one in scheme.lists if one.seats is None), None)
    if spare is not None:
        for number, provider in enumerate(drawn):
            if not held[number]:
                held[number][spare.key] = _extent(scheme, spare, provider)
    without = [number for number in held if not held[number]]
    lead = min(holders) if without and "lead" in scheme.admission.arrangements else None
    shared = sum(drawn[number].minutes for number in without)
    providers = [
        _placed(scheme, provider, held[number], flags if number in holders else None, shared if number == lead else 0)
        for number, provider in enumerate(drawn)
    ]
    return Seating(tuple(providers), lead)


def _placed(
    scheme: Scheme,
    provider: SyntheticProvider,
    places: Mapping[str, tuple[str, ...]],
    flags: Sequence[str] | None,
    more_minutes: int,
) -> SyntheticProvider:
    placed = replace(provider, places=tuple(places.items()), lists=tuple(places))
    if flags is None:
        return placed
    return replace(
        placed,
        lots=tuple(lot.key for lot in scheme.lots),
        flags=tuple(flags),
        most_carers=2,
        minutes=provider.minutes + more_minutes,
        max_packages=None,
    )


def _extent(scheme: Scheme, one: ProviderList, provider: SyntheticProvider) -> tuple[str, ...]:
    return _everywhere(scheme) if one.is_for_the_whole else provider.localities


def _everywhere(scheme: Scheme) -> tuple[str, ...]:
    return tuple(locality.key for locality in scheme.localities)


def _seats(
    scheme: Scheme, one: ProviderList, seats: int, drawn: Sequence[SyntheticProvider]
) -> dict[int, tuple[str, ...]]:
    """Who is given the seats of a list: nobody a second area while another has none."""

    def order(number: int, locality: str | None) -> tuple[bool, int, bool, bool, int, int]:
        who = drawn[number]
        return (
            who.rating not in scheme.quality.accepted,
            len(found.get(number, ())),
            locality is not None and who.home != locality,
            locality is not None and locality not in who.localities,
            -who.minutes,
            number,
        )

    found: dict[int, tuple[str, ...]] = {}
    if one.is_for_the_whole:
        first = sorted(range(len(drawn)), key=lambda number: order(number, None))[:seats]
        return dict.fromkeys(first, _everywhere(scheme))
    for locality in _everywhere(scheme):
        for number in sorted(range(len(drawn)), key=lambda number: order(number, locality))[:seats]:
            found[number] = (*found.get(number, ()), locality)
    return found
