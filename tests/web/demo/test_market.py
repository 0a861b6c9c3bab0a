"""The synthetic market of a demonstration, at its usual size and many times that."""

import pytest

from dps.schemes.loader import canonical, from_canonical, preset
from web.demo.market import Market, Place, draw, twins


@pytest.mark.parametrize("key", ["liverpool", "st-helens", "knowsley-sefton"])
def test_twins_are_councils_of_their_own_under_the_same_rules(key: str) -> None:
    scheme = preset(key)

    councils = twins(scheme, 3)

    assert councils[0] is scheme
    assert len({council.key for council in councils}) == 3
    assert len({authority.key for council in councils for authority in council.authorities}) == 3 * len(
        scheme.authorities
    )
    for council in councils:
        assert council.localities == scheme.localities
        assert council.ladders == scheme.ladders
        assert from_canonical(canonical(council)).authorities == council.authorities


def test_a_demonstration_of_the_usual_size_plays_the_scheme_as_it_is_published() -> None:
    scheme = preset("liverpool")

    assert twins(scheme, 1) == (scheme,)


def drawn(scheme_number: int) -> Market:
    scheme = twins(preset("liverpool"), scheme_number)[-1]
    homes = {
        locality.key: [Place(f"L{number} 1AA", f"L{number} 1", locality.key, None)]
        for number, locality in enumerate(scheme.localities)
    }
    return draw(scheme, homes, dict.fromkeys(homes, (0.0, 0.0)), seed=7, number=scheme_number)


def test_no_two_people_or_providers_of_twins_bear_the_same_name_and_each_twin_has_a_market_of_its_own() -> None:
    first, second = drawn(1), drawn(2)

    assert not {need.number for need in first.needs} & {need.number for need in second.needs}
    assert not {one.name for one in first.providers} & {one.name for one in second.providers}
    assert len(first.needs) == len(second.needs)
    assert [need.arrives_at for need in first.needs] != [need.arrives_at for need in second.needs]
