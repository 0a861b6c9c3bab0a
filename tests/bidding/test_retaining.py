"""How long people are kept: the rule by itself, and the schedule on both databases."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bidding.erasing import erase_person
from bidding.publishing import withdraw
from bidding.referrals import OPEN, ReferralState
from bidding.retaining import Due, Held, due_for_erasure, kept_until
from dps.contracts.contracts import IN_FORCE, ContractState
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import months_later
from dps.kernel.database import Database
from dps.kernel.errors import Forbidden
from dps.packages.erasure import ErasureReason
from dps.packages.persons import Person
from dps.schemes.model import Retention
from tests.support.world import World

RULES = {"one": Retention(served_months=96, unserved_months=24), "two": Retention(served_months=72, unserved_months=12)}
NOON = datetime(2019, 3, 4, 12, tzinfo=UTC)
OFFICE = Actor(ref="administrator-1", role=Role.ADMINISTRATOR)


# The rule


def test_who_was_served_is_kept_from_the_last_day_of_care() -> None:
    held = [Held("one", NOON, ReferralState.PLACED, ContractState.ENDED, date(2020, 2, 29))]

    assert kept_until(NOON, held, RULES) == date(2028, 2, 29)


def test_who_was_never_served_is_kept_from_the_last_step() -> None:
    assert kept_until(NOON, [Held("one", NOON, ReferralState.WITHDRAWN)], RULES) == date(2021, 3, 4)


def test_of_several_packages_the_longest_holds() -> None:
    served = Held("two", NOON, ReferralState.PLACED, ContractState.ENDED, date(2019, 6, 30))
    later = Held("one", NOON + timedelta(days=365), ReferralState.WITHDRAWN)

    assert kept_until(NOON, [served, later], RULES) == date(2025, 6, 30)


def test_who_has_no_package_is_kept_by_the_shortest_rule() -> None:
    assert kept_until(NOON, [], RULES) == date(2020, 3, 4)


@pytest.mark.parametrize("state", IN_FORCE)
def test_who_is_served_is_kept(state: ContractState) -> None:
    assert kept_until(NOON, [Held("one", NOON, ReferralState.PLACED, state)], RULES) is None


@pytest.mark.parametrize("state", OPEN)
def test_who_is_sought_for_is_kept(state: ReferralState) -> None:
    assert kept_until(NOON, [Held("one", NOON, state)], RULES) is None


def test_a_month_too_short_ends_on_its_last_day() -> None:
    assert months_later(date(2019, 8, 31), 6) == date(2020, 2, 29)
    assert months_later(date(2019, 12, 1), 12) == date(2020, 12, 1)


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(0, 600))
def test_months_are_counted_as_people_count_them(day: date, months: int) -> None:
    later = months_later(day, months)

    assert (later.year - day.year) * 12 + later.month - day.month == months
    assert later.day == day.day or (later + timedelta(days=1)).day == 1


# The schedule


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


def due(world: World, actor: Actor = OFFICE) -> list[Due]:
    rules = {world.scheme.key: world.scheme.retention}
    with world.database.reading() as session:
        return due_for_erasure(session, rules=rules, actor=actor, now=world.now)


def test_the_schedule_names_who_is_due_and_nobody_a_day_too_early(world: World) -> None:
    withdrawn, sought = world.referral(), world.referral()
    world.run(withdraw, referral_ref=withdrawn, reason="No longer needed.", actor=world.broker)
    until = months_later(world.now.date(), world.scheme.retention.unserved_months)

    world.clock.move_to(datetime(until.year, until.month, until.day, tzinfo=UTC) - timedelta(hours=2))
    early = due(world)
    world.clock.move_to(datetime(until.year, until.month, until.day, 12, tzinfo=UTC))

    assert early == []
    assert [(one.was_served, one.since) for one in due(world)] == [(False, until)]
    assert world.state(sought) != "withdrawn"


def test_who_was_erased_is_not_due_again_and_the_trail_is_whole(world: World) -> None:
    referral = world.referral()
    world.run(withdraw, referral_ref=referral, reason="No longer needed.", actor=world.broker)
    world.clock.move_to(world.now + timedelta(days=800))
    (one,) = due(world)

    world.run(erase_person, person_ref=one.person, reason=ErasureReason.RETENTION_ENDED, actor=OFFICE)

    assert due(world) == []
    assert world.rows(Person)[0].identity is None
    assert world.faults() == []


def test_an_authority_sees_its_own_people_and_brokers_see_none(world: World) -> None:
    referral = world.referral()
    world.run(withdraw, referral_ref=referral, reason="No longer needed.", actor=world.broker)
    world.clock.move_to(world.now + timedelta(days=800))

    assert due(world, Actor(ref="a", role=Role.APPROVER, authority="another")) == []
    assert len(due(world, world.second)) == 1
    with pytest.raises(Forbidden):
        due(world, world.broker)
