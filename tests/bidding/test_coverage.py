"""How an area is covered: whose packages, which bids, which providers are counted, and in which order areas stand."""

from pathlib import Path

import pytest

from bidding.looking.coverage import Coverage, Served, coverage, in_order
from dps.kernel.actors import Actor, Role
from dps.kernel.database import Database
from dps.kernel.errors import Forbidden, NotFound
from dps.places.localities import LocalityMap
from tests.support.world import World

HERE, THERE = 0, 1


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


def looked(world: World, **asked: str) -> Coverage:
    with world.database.reading() as session:
        return coverage(session, world.scheme, world.broker, world.now, **asked)


def test_what_waits_and_what_was_bid_is_counted_by_sector(world: World) -> None:
    here = world.scheme.localities[HERE].key
    first, second = world.provider("First"), world.provider("Second")
    decided = world.referral(locality=here)
    for provider, pence in ((first, 1600), (second, 1650)):
        world.bid(provider, decided, pence=pence)
    world.close(decided)
    world.accept_and_confirm(world.award(decided), first)
    world.step(minutes=1)
    world.referral(locality=here)

    found = looked(world).sectors[world.sector(here)]

    assert (found.waiting, found.waiting_minutes) == (1, 210)
    assert (found.asked, found.bids, found.bids_tenths) == (1, 2, 20)


def test_nothing_is_told_of_bids_before_their_round_is_decided(world: World) -> None:
    sector = world.sector(world.scheme.localities[HERE].key)
    provider, referral = world.provider("First"), world.referral()
    world.bid(provider, referral, pence=1600)

    sealed = looked(world).sectors[sector]
    world.close(referral)
    offered = looked(world).sectors[sector]
    world.accept_and_confirm(world.award(referral), provider)

    assert (sealed.asked, sealed.bids, sealed.bids_tenths) == (0, 0, None)
    assert (offered.asked, offered.bids) == (0, 0)
    assert looked(world).sectors[sector].bids_tenths == 10


def test_another_lot_and_another_council_are_not_counted(world: World) -> None:
    world.referral(lot=world.scheme.lots[0].key)

    assert looked(world, lot=world.scheme.lots[1].key).sectors == {}
    with pytest.raises(NotFound), world.database.reading() as session:
        coverage(session, world.scheme, Actor("b", Role.BROKER, authority="another"), world.now)
    with pytest.raises(Forbidden), world.database.reading() as session:
        coverage(session, world.scheme, Actor("p", Role.PROVIDER, provider="PRV"), world.now)


def test_a_provider_counts_where_it_holds_a_place_until_a_document_ends(world: World) -> None:
    here, there = (world.scheme.localities[number].key for number in (HERE, THERE))
    everywhere = world.provider("Everywhere").provider
    local = world.provider("Local", localities=[here]).provider

    before = looked(world).providers
    world.step(days=366)

    assert before[here] == {everywhere, local}
    assert before[there] == {everywhere}
    assert looked(world).providers == {}


def test_several_sectors_together_count_each_provider_once(world: World) -> None:
    here, there = world.scheme.localities[HERE], world.scheme.localities[THERE]
    found = Coverage(
        sectors={here.sectors[0]: Served(waiting=1, waiting_minutes=60), there.sectors[0]: Served(asked=2, bids=5)},
        providers={here.key: {"A", "B"}, there.key: {"B"}},
    )

    both = found.of([here.sectors[0], there.sectors[0]], LocalityMap(world.scheme.localities))

    assert both == Served(providers={"A", "B"}, waiting=1, waiting_minutes=60, asked=2, bids=5)
    assert both.bids_tenths == 25


def test_areas_stand_as_people_look_for_them() -> None:
    assert in_order(["L11", "L2", "WA9 1", "L2 10", "L2 9", "CH41"]) == ["CH41", "L2", "L2 9", "L2 10", "L11", "WA9 1"]
