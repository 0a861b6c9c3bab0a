"""One effect each, a clear conflict for the others, nothing oversold (acceptance lines 6, 7 and 8): samples."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dps.kernel.database import Database
from tests.faults import racing
from tests.support.world import World
from tests.web.served import Served


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


@pytest.fixture
def served(database: Database, tmp_path: Path) -> Iterator[Served]:
    with Served(database, tmp_path) as council:
        yield council


def test_of_sixteen_brokers_one_offers_an_award_and_the_others_are_told_so(served: Served) -> None:
    found = racing.brokers_on_one_award(served, times=2)

    assert found.faults == []
    assert found.counted == {"awards": 2, "one effect": 2, "conflicts": 30}


def test_no_approval_is_overwritten_by_another(world: World) -> None:
    assert racing.approvers_of_one_award(world, times=2).faults == []


def test_four_workers_do_each_deadline_once(world: World, tmp_path: Path) -> None:
    found = racing.sweeps(world, tmp_path, deadlines=8, workers=4)

    assert found.faults == []


def test_parallel_awards_never_promise_more_hours_than_there_are(world: World) -> None:
    found = racing.hours(world, providers=3, threads=16, each=2)

    assert found.faults == []
    assert found.counted == {"providers": 3, "reserved": 6, "refused": 26, "over their ceiling": 0}


def test_who_was_suspended_a_moment_before_is_offered_nothing(world: World) -> None:
    assert racing.suspended_a_moment_before(world, times=4).faults == []


def test_ten_identical_posts_to_two_processes_are_one_bid(served: Served) -> None:
    assert racing.identical_posts(served, times=2).faults == []
