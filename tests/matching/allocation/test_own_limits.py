"""Which of its own limits keeps a package from a provider."""

import pytest

from matching.allocation import Bid, Instance, Package, Provider, TakeLimit, own_limit

A, B = Package("A", "here", 300), Package("B", "here", 200)


def instance(**terms: object) -> Instance:
    provider = Provider("oak", **terms)  # type: ignore[arg-type]
    return Instance(
        packages=(A, B),
        providers=(provider, Provider("elm")),
        bids=(Bid("1", "oak", ("A",), 1_000), Bid("2", "oak", ("B",), 1_000, weekly_minutes=100)),
    )


@pytest.mark.parametrize(
    ("terms", "won", "found"),
    [
        ({}, (), None),
        ({"take_limits": (TakeLimit("l", frozenset("AB"), max_minutes=299),)}, (), "take limit"),
        ({"take_limits": (TakeLimit("l", frozenset("AB"), max_minutes=300),)}, (), None),
        ({"take_limits": (TakeLimit("l", frozenset("AB"), max_minutes=400),)}, ("B",), None),
        ({"take_limits": (TakeLimit("l", frozenset("AB"), max_minutes=399),)}, ("B",), "take limit"),
        ({"take_limits": (TakeLimit("l", frozenset("AB"), max_packages=1),)}, ("B",), "take limit"),
        ({"take_limits": (TakeLimit("l", frozenset("B"), max_packages=0),)}, (), None),
        ({"max_packages": 1}, ("B",), "take limit"),
        ({"capacity_minutes": 399}, ("B",), "capacity"),
        ({"capacity_minutes": 400}, ("B",), None),
    ],
)
def test_a_limit_stands_in_the_way_by_what_was_won_beside_it(
    terms: dict[str, object], won: tuple[str, ...], found: str | None
) -> None:
    assert own_limit(instance(**terms), "oak", "A", won=won) == found


def test_of_a_provider_or_a_package_that_is_not_there_nothing_is_said() -> None:
    assert own_limit(instance(capacity_minutes=0), "ash", "A", won=()) is None
    assert own_limit(instance(capacity_minutes=0), "oak", "C", won=()) is None
