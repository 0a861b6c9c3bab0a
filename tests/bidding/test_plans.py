"""What every stage, bid and evaluation asks is answered by index: it costs what is due, not what there ever was.

Which one is asserted of SQLite alone: to an empty PostgreSQL each costs the same, and it takes any.
"""

import re
from pathlib import Path

import pytest

from bidding.bids.handed import Handed
from bidding.bids.handing_in import hand_in_all
from bidding.closings import ClosingState, due_closings
from bidding.in_play import usage
from dps.contracts.answers import reviews_to_answer
from dps.contracts.standing import minutes_won
from dps.kernel.actors import Actor
from dps.kernel.database import Database
from dps.packages.crowd import crowd_of
from dps.packages.packages import Package
from tests.support.plans import plans_of, plans_while, reads_whole_tables, whole_tables_read
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


def test_reviews_to_answer_are_those_of_the_days_that_a_provider_has(database: Database, tmp_path: Path) -> None:
    world = World(database, tmp_path, "cornwall")
    actor, today = world.provider("Synthetic Oak"), world.now.date()

    (plan,) = plans_of(
        world.database, lambda session: reviews_to_answer(session, [world.scheme], actor=actor, today=today)
    )

    assert not reads_whole_tables(plan)
    assert "ix_outcome_review_reviewed_at" in plan or not world.database.is_sqlite
    assert "ix_contract_provider" not in plan or not world.database.is_sqlite


def test_closings_that_are_due_are_found_by_state_and_instant(world: World) -> None:
    (plan,) = plans_of(world.database, lambda session: due_closings(session, world.now, ClosingState.GATHERING))

    assert not reads_whole_tables(plan)
    assert "ix_closing_due" in plan or not world.database.is_sqlite


def test_bids_handed_in_together_read_what_they_are_about_and_no_table_from_end_to_end(world: World) -> None:
    oak, elm, referral, other = world.provider("Oak"), world.provider("Elm"), world.referral(), world.referral()

    def handed(bidder: Actor, package: str, key: str) -> Handed:
        rounds, content = [world.round(package).ref], world.content(package, 1500)
        return Handed(rounds=rounds, content=content, actor=bidder, idempotency_key=key)

    requests = [handed(oak, referral, "1"), handed(elm, referral, "2"), handed(elm, other, "3")]
    plans = plans_while(
        world.database, lambda: world.database.run(lambda session: hand_in_all(session, world.ports, requests))
    )

    if world.database.is_sqlite:
        assert [asked for asked, plan in plans if whole_tables_read(plan)] == []
        found = "\n".join(plan for _, plan in plans)
        assert "ix_bid_state_provider_rounds (state=? AND provider=? AND rounds_key=?)" in found
        assert re.search(r"SEARCH invitation .*\(round_id=\? AND provider=\?\)", found)
    assert {"round", "invitation", "bid"} <= {word for asked, _ in plans for word in re.findall(r"FROM (\w+)", asked)}
