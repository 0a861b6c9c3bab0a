"""Maps: what a browser draws of boundaries, and what it lets nobody inject."""

import re

import pytest

from dps.places.boundaries import Boundary
from web.maps import WIDTH, Area, Mark, map_of, shade_of

SQUARE = ((0, 0), (0, 1000), (1000, 1000), (1000, 0))
HOLE = ((400, 400), (400, 600), (600, 600), (600, 400))


def an_area(name: str = "L6", *, east: int = 0, shade: int | None = 2, href: str | None = None) -> Area:
    ring = tuple((x + east, y) for x, y in SQUARE)
    return Area(name, Boundary((ring,), (500 + east, 500)), "12 hours", shade, href)


def test_a_map_is_drawn_to_the_width_with_north_at_the_top() -> None:
    drawn = map_of("Hours", [an_area(), an_area("L7", east=1000)])

    assert f'viewBox="0 0 {WIDTH} 328"' in drawn
    assert 'd="M8 320l0 -312 312 0 0 312z"' in drawn
    assert 'role="img" aria-label="Hours"' in drawn
    assert "<title>L6: 12 hours</title>" in drawn


def test_holes_are_part_of_their_areas_path() -> None:
    area = Area("L6", Boundary((SQUARE, HOLE), (100, 100)), "", 0)

    assert len(re.findall("M", re.findall(r'd="([^"]*)"', map_of("", [area]))[0])) == 2


def test_what_a_map_is_told_is_escaped() -> None:
    drawn = map_of('"<b>', [an_area("<script>", href='"><script>')], [Mark((0, 0), "<i>", '"<u>')])

    assert not re.search("<(script|b|i|u)>", drawn)


def test_a_map_to_press_is_passed_over_by_keyboards_and_screen_readers() -> None:
    drawn = map_of("Hours", [an_area(href="/here")])

    assert 'aria-hidden="true"' in drawn
    assert '<a href="/here" tabindex="-1">' in drawn


def test_no_label_is_written_over_another() -> None:
    crowded = [an_area("L6"), an_area("L7", east=5), an_area("L8", east=1000)]

    assert re.findall("dps-map__label[^>]*>([^<]*)<", map_of("", crowded)) == ["L6", "L8"]


def test_a_map_of_nothing_is_nothing() -> None:
    assert map_of("Hours", []) == ""


@pytest.mark.parametrize(("value", "shade"), [(None, None), (0, 0), (1, 1), (9, 1), (10, 2), (40, 4), (400, 4)])
def test_an_area_is_as_dark_as_the_steps_that_it_reaches(value: int | None, shade: int | None) -> None:
    assert shade_of(value, (1, 10, 20, 40)) == shade
