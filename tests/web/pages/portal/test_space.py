"""What fits into free space, and in which order. Pure."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from dps.kernel.errors import BadInput
from dps.places.travel import Travel
from web.pages.forms import Form, faults_of
from web.pages.portal.space import Space, Waiting, nearest_first, space_in

NOON = datetime(2019, 3, 4, 12, tzinfo=UTC)
SPACE = Space(sector="WA10 1", minutes=600, starts_from=date(2019, 3, 10))


def waiting(name: str, *, locality: str = "there", hour: int = 12, **part: Any) -> Waiting:
    facts = {"weekly_minutes": 600, "latest_start": "2019-03-10"} | part
    return Waiting(name, "any", "care", locality, facts, NOON.replace(hour=hour), is_on_open_list=False)


@pytest.mark.parametrize("typed", ["WA10 1", "wa10  1", "wa10 1ab", "WA101AB"])
def test_a_sector_is_typed_or_a_whole_postcode_of_it(typed: str) -> None:
    assert space_in(Form({"sector": typed, "hours": "10", "from": "10/3/2019"})) == SPACE


def test_all_that_is_wrong_with_it_is_said_at_once() -> None:
    with pytest.raises(BadInput) as refused:
        space_in(Form({"sector": "here", "hours": "many", "from": "soon"}))

    assert set(faults_of(refused.value)) == {"sector", "hours", "from"}


@pytest.mark.parametrize(
    ("part", "fits"),
    [
        ({}, True),
        ({"weekly_minutes": 601}, False),
        ({"latest_start": "2019-03-09"}, False),
        ({"latest_start": None}, True),
    ],
)
def test_a_package_fits_to_the_minute_and_to_the_day(part: dict[str, Any], fits: bool) -> None:
    assert [one.href for one in nearest_first([waiting("one", **part)], SPACE, homes={}, near={})] == ["one"] * fits


def test_the_nearest_stand_first_and_an_unpublished_sector_by_its_area() -> None:
    found = [
        waiting("far"),
        waiting("unknown"),
        waiting("same area", locality="here"),
        waiting("drive"),
        waiting("near, later", hour=15),
        waiting("near"),
    ]
    near = {"far": Travel.FAR, "drive": Travel.A_DRIVE, "near": Travel.NEARBY, "near, later": Travel.NEARBY}

    ordered = [one.href for one in nearest_first(found, SPACE, homes={"any": "here"}, near=near)]

    assert ordered == ["near", "near, later", "drive", "same area", "far", "unknown"]
