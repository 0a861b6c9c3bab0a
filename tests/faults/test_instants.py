"""In time or not, to the microsecond, by every way in and whoever is dead (acceptance lines 1 and 2): samples."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from dps.kernel.calendar import LONDON
from dps.kernel.database import Database
from tests.faults import instants
from tests.faults.instants import AUTUMN, SPRING, minutes_of
from tests.support.world import World
from tests.web.served import Served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


@pytest.fixture
def served(database: Database, tmp_path: Path) -> Iterator[Served]:
    with Served(database, tmp_path) as council:
        yield council


def walls(night: datetime) -> list[str]:
    return [f"{minute.astimezone(LONDON):%H:%M %Z}" for minute in minutes_of(night)]


def test_a_night_has_the_minutes_that_the_wall_shows() -> None:
    spring, autumn = walls(SPRING), walls(AUTUMN)

    assert (len(spring), len(autumn)) == (121, 241)
    assert (spring[0], spring[59], spring[60], spring[-1]) == ("00:00 GMT", "00:59 GMT", "02:00 BST", "03:00 BST")
    assert (autumn[60], autumn[120], autumn[-1]) == ("01:00 BST", "01:00 GMT", "03:00 GMT")


@pytest.mark.parametrize(("night", "numbers"), [(SPRING, (0, 59, 60, 120)), (AUTUMN, (60, 119, 120, 240))])
def test_no_way_in_gives_a_wrong_verdict_on_the_nights_when_the_clocks_change(
    served: Served, night: datetime, numbers: tuple[int, ...]
) -> None:
    minutes = minutes_of(night)

    found = instants.verdicts(served, night, [minutes[number] for number in numbers])

    assert found.faults == []


def test_of_many_who_race_the_instant_none_is_stored_after_it(world: World) -> None:
    found = instants.racing(world, bidders=24, threads=12, seconds=1.5)

    assert found.faults == []
    assert int(found.counted["refused"]) > 0


def test_what_came_due_while_no_worker_lived_is_made_good_in_order_and_shortens_nobodys_time(
    world: World, tmp_path: Path
) -> None:
    found = instants.overdue(world, tmp_path, closings=12)

    assert found.faults == []
    assert found.counted["closed once"] == 12
