"""One provider of a synthetic market."""

from dataclasses import dataclass

from dps.schemes.model import Rating


@dataclass(frozen=True, slots=True)
class SyntheticProvider:
    """One made-up provider: where it is, which lists it stands on, its free hours and its usual rate.

    `places` are its localities on each of its `lists`, `localities` those where it works.
    """

    name: str
    home: str
    sector: str
    lad: str
    lists: tuple[str, ...]
    localities: tuple[str, ...]
    lots: tuple[str, ...]
    rating: Rating
    flags: tuple[str, ...]
    most_carers: int
    minutes: int
    max_packages: int | None
    rate_pence_per_hour: int
    places: tuple[tuple[str, tuple[str, ...]], ...] = ()
