"""A first visit is asked for, and offered, on a day that is still to come."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from bidding.awards import moving
from bidding.first_visit import days_left
from bidding.looking.invited import opportunities
from bidding.looking.previewing import preview
from bidding.publishing import restart_unfilled
from dps.contracts.contracts import Contract
from dps.kernel.calendar import LONDON
from dps.kernel.database import Database
from dps.kernel.errors import InvalidBid
from dps.packages.packages import Package
from tests.support.world import World

EARLIEST, LATEST = date(2019, 3, 4), date(2019, 3, 11)


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


@pytest.mark.parametrize(
    ("day", "left"),
    [
        (date(2019, 3, 1), (EARLIEST, LATEST)),
        (EARLIEST, (EARLIEST, LATEST)),
        (date(2019, 3, 6), (date(2019, 3, 6), LATEST)),
        (LATEST, (LATEST, LATEST)),
        (date(2019, 3, 20), (date(2019, 3, 20), date(2019, 3, 27))),
    ],
)
def test_no_day_that_is_over_can_be_offered(day: date, left: tuple[date, date]) -> None:
    assert days_left(EARLIEST, LATEST, day) == left


def test_without_a_latest_day_the_first_is_today_at_the_soonest_and_without_a_first_there_is_none() -> None:
    assert days_left(EARLIEST, None, date(2019, 5, 1)) == (date(2019, 5, 1), None)
    assert days_left(None, LATEST, EARLIEST) == (None, LATEST)


def test_a_search_that_outlasts_the_wanted_days_asks_for_a_week_from_today(world: World) -> None:
    for name in ("Oak", "Elm"):
        world.provider(name)
    referral = world.referral()
    before = world.rows(Package)[0]
    for _ in range(20):
        if world.state(referral) == "unfilled":
            break
        world.close(referral)
    assert before.latest_start is not None
    assert world.state(referral) == "unfilled"
    world.publish_lists()
    world.clock.move_to(world.now + timedelta(days=20))
    today = world.now.date()
    assert before.latest_start < today

    world.run(restart_unfilled, referral_ref=referral, actor=world.broker)

    (after,) = world.rows(Package)
    assert (after.earliest_start, after.latest_start) == (today, today + timedelta(days=7))
    part = world.round(referral).published_part
    assert (part["earliest_start"], part["latest_start"]) == (str(today), str(today + timedelta(days=7)))
    assert world.round(referral).version == after.version == before.version + 1
    assert world.faults() == []


def test_a_first_visit_on_a_day_that_is_over_by_the_closing_is_refused_in_words(world: World) -> None:
    oak = world.provider("Oak")
    today = world.now.date()
    referral = world.referral(earliest_start=today - timedelta(days=3), latest_start=today + timedelta(days=4))
    closes_on = world.closes_at(referral).date()

    with pytest.raises(InvalidBid) as refused:
        world.bid(oak, referral, pence=1800, starts_on=closes_on - timedelta(days=1))

    assert f"The start can't be before {closes_on:%-d %B %Y}." in str(refused.value)
    world.bid(oak, referral, pence=1800, starts_on=closes_on)
    with world.database.reading() as session:
        (told,) = opportunities(session, oak, world.now)
    assert (told.first_visit_from, told.first_visit_until) == (closes_on, today + timedelta(days=4))


def test_a_reserve_that_is_asked_after_its_day_begins_today_and_so_does_who_confirms_later_still(world: World) -> None:
    oak, elm = world.provider("Oak"), world.provider("Elm")
    today = world.now.date()
    referral = world.referral(earliest_start=today, latest_start=today + timedelta(days=1))
    world.bid(oak, referral, pence=1500)
    world.bid(elm, referral, pence=1700)
    world.close(referral)
    first = world.award(referral)
    bid_for = first.starts_on
    world.move_to(world.now + timedelta(days=3))

    reserve = world.award(referral)
    offered_on = world.now.date()
    world.run(moving.accept, award_ref=reserve.ref, actor=elm)
    world.clock.move_to(world.now + timedelta(days=1))
    world.run(moving.confirm, award_ref=reserve.ref, actor=elm)

    (contract,) = world.rows(Contract)
    assert (reserve.provider, bid_for <= today + timedelta(days=1) < offered_on) == (elm.provider, True)
    assert reserve.starts_on == offered_on
    assert contract.starts_on == contract.first_agreed_start == world.now.date() > offered_on
    assert world.faults() == []


def test_a_first_round_that_closes_after_the_wanted_days_asks_for_others_in_a_version_that_everybody_reads(
    world: World,
) -> None:
    world.provider("Oak")
    world.clock.move_to(world.now + timedelta(hours=9))
    today = world.now.date()
    referral = world.referral(publish_it=False, earliest_start=today, latest_start=today)
    with world.database.reading() as session:
        told = preview(session, world.ports, referral_ref=referral, scheme=world.scheme, actor=world.broker)
    world.publish(referral)

    round_, (package,) = world.round(referral), world.rows(Package)
    assert round_.closes_at is not None
    closes_on = round_.closes_at.astimezone(LONDON).date()
    week = (closes_on, closes_on + timedelta(days=7))
    part = round_.published_part
    assert closes_on > today
    assert told.closes_at == round_.closes_at
    assert told.start_moves_to == (package.earliest_start, package.latest_start) == week
    assert (part["earliest_start"], part["latest_start"]) == tuple(map(str, week))
    assert round_.version == package.version == 2
    assert world.faults() == []
