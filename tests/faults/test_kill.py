"""SIGKILL anywhere on the way of a closing, an award, a message: nothing lost, doubled or early (acceptance line 5)."""

import random
from pathlib import Path

import pytest

from bidding.waypoints import Waypoint
from dps.kernel.database import Database
from tests.faults.killing import Council
from tests.support.world import World

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def council(database: Database, tmp_path: Path) -> Council:
    return Council(World(database, tmp_path), tmp_path)


def test_whoever_is_killed_at_a_waypoint_leaves_nothing_lost_doubled_or_early(council: Council) -> None:
    """Every second waypoint on one database, the others on the other; `make faults-long` kills at each on both."""
    mine = list(Waypoint)[0 if council.world.database.is_sqlite else 1 :: 2]

    died = {waypoint: council.killed_at(waypoint) for waypoint in mine}

    assert [waypoint for waypoint, is_dead in died.items() if not is_dead] == []
    assert council.faults() == []


def test_whoever_is_killed_before_any_statement_leaves_nothing_lost_doubled_or_early(council: Council) -> None:
    chance = random.Random(20)

    died = [council.killed_before_some_statement(chance) for _ in range(6)]

    assert any(died)
    assert council.faults() == []
