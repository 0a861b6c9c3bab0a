"""What every stage, bid and evaluation asks is answered by index: it costs what is due, not what there ever was.

Which one is asserted of SQLite alone: to an empty PostgreSQL each costs the same, and it takes any.
"""

from pathlib import Path

import pytest

from bidding.closings import ClosingState, due_closings
from bidding.in_play import usage
from dps.contracts.standing import minutes_won
from dps.kernel.database import Database
from dps.packages.crowd import crowd_of
from dps.packages.packages import Package
from tests.support.plans import plans_of, reads_whole_tables
from tests.support.world import World


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


def test_the_crowd_is_counted_over_a_year_and_not_over_all_that_was_ever_referred(world: World) -> None:
    world.referral()
    (package,) = world.rows(Package)

    (plan,) = plans_of(world.database, lambda session: crowd_of(session, package, now=world.now))

    assert not reads_whole_tables(plan)
    assert "ix_package_crowd" in plan or not world.database.is_sqlite
    assert "referred_at" in plan


@pytest.mark.parametrize(
    ("provider", "index"), [(None, "ix_award_running"), ("PRV-7K3M-9QXR-4TDC", "ix_award_provider")]
)
def test_take_limits_count_what_runs_or_what_one_provider_ever_had(
    world: World, provider: str | None, index: str
) -> None:
    (plan,) = plans_of(world.database, lambda session: usage(session, world.scheme.key, provider=provider))

    assert not reads_whole_tables(plan)
    assert index in plan or not world.database.is_sqlite


def test_minutes_won_are_those_of_28_days(world: World) -> None:
    (plan,) = plans_of(world.database, lambda session: minutes_won(session, scheme=world.scheme.key, until=world.now))

    assert not reads_whole_tables(plan)
    assert "ix_contract_scheme_agreed" in plan or not world.database.is_sqlite
    assert "agreed_at" in plan


def test_closings_that_are_due_are_found_by_state_and_instant(world: World) -> None:
    (plan,) = plans_of(world.database, lambda session: due_closings(session, world.now, ClosingState.GATHERING))

    assert not reads_whole_tables(plan)
    assert "ix_closing_due" in plan or not world.database.is_sqlite
