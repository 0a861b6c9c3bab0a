"""The synthetic market of a demonstration, at its usual size and many times that."""

import pytest

from dps.places.localities import lies_in
from dps.places.postcodes import parse
from dps.schemes.loader import preset
from web.demo.market import scaled


@pytest.mark.parametrize("key", ["liverpool", "st-helens"])
def test_a_scaled_scheme_has_so_many_twins_of_each_locality_on_the_same_ground(key: str) -> None:
    scheme = preset(key)
    larger = scaled(scheme, 3)

    assert len(larger.localities) == 3 * len(scheme.localities)
    for locality in larger.localities:
        for district in locality.districts:
            assert lies_in(parse(f"{district} 9AA"), locality, larger.localities)
        assert all(larger.locality(neighbour) for neighbour in locality.neighbours)


def test_a_demonstration_of_the_usual_size_plays_the_scheme_as_it_is_published() -> None:
    scheme = preset("liverpool")

    assert scaled(scheme, 1) is scheme
