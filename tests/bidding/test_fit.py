"""How near a package lies: measured once, when a provider is asked, to a published sector alone; kept from then on."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from bidding.amending import amend
from bidding.fit import bands_from
from bidding.looking.invited import opportunities
from bidding.looking.placing import open_packages
from dps.kernel.actors import Actor
from dps.kernel.database import Database
from dps.packages.facts import Confidential
from dps.packages.packages import Package
from dps.places.loading import load
from dps.places.travel import Travel
from dps.register.providers import add_location, close_location
from dps.schemes.model import Rating
from tests.dps.places.test_loading import ADMINISTRATOR, a_unit, an_edition
from tests.faults.canary_person import telling_scheme
from tests.support.world import World

FAR_AWAY = "WA11 7"


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    """A council that publishes sectors, with the first locality's sector 20 km from the one at Rainford."""
    made = World(database, tmp_path, telling_scheme())
    home = made.sector(made.scheme.localities[0].key)
    units = [a_unit(f"{home}AB"), a_unit(f"{FAR_AWAY}AB", at=(356_000, 391_000))]
    with database.transaction() as session:
        load(session, an_edition(units), ADMINISTRATOR, made.now)
    return made


def a_published(world: World) -> str:
    """A referral of which the sector is published: that of a second person like the first."""
    world.referral()
    referral = world.referral()
    assert "sector" in world.round(referral).published_part
    return referral


def seen(world: World, provider: Actor, referral: str) -> str | None:
    with world.database.reading() as session:
        (found,) = opportunities(session, provider, world.now, ref=world.round(referral).ref)
        return found.travel


def moved_away(world: World, provider: Actor) -> None:
    """The provider's only location is now 20 km off."""
    row = world.row_of(provider)
    world.run(close_location, regulator_id=f"1-{row.id:09d}", on=world.now.date(), actor=world.officer)
    world.run(
        add_location,
        provider_id=row.id or 0,
        regulator_id="1-000000999",
        name="Elsewhere",
        place=FAR_AWAY,
        lad=world.scheme.authorities[0].lads[0],
        rating=Rating.GOOD,
        registered_on=date(2010, 1, 4),
        actor=world.officer,
    )


def test_the_band_is_that_of_the_day_on_which_the_provider_was_asked(world: World) -> None:
    here, other = world.provider("Here"), world.provider("Other")
    moved_away(world, other)
    referral = a_published(world)

    assert (seen(world, here, referral), seen(world, other, referral)) == (Travel.NEARBY, Travel.FAR)


def test_who_then_says_to_be_based_elsewhere_learns_nothing_more(world: World) -> None:
    provider = world.provider("Here")
    referral = a_published(world)
    moved_away(world, provider)

    before = seen(world, provider, referral)
    world.close(referral)
    again = seen(world, provider, referral)

    assert (before, again) == (Travel.NEARBY, Travel.NEARBY)
    assert seen(world, provider, a_published(world)) == Travel.FAR


def test_the_open_list_shows_what_was_measured_and_nothing_to_who_was_never_asked(world: World) -> None:
    provider, referral = world.provider("Here"), a_published(world)
    for _ in range(10):
        if world.state(referral) != "unfilled":
            world.close(referral)
    moved_away(world, provider)
    late = world.provider("Late")

    with world.database.reading() as session:
        found = {one.referral: one.travel for one in open_packages(session, provider)}
        to_the_late = {one.referral: one.travel for one in open_packages(session, late)}

    assert found[referral] == Travel.NEARBY
    assert to_the_late[referral] is None


def test_where_the_sector_is_not_published_there_is_no_band(world: World) -> None:
    provider = world.provider("Here")
    alone = world.referral()

    assert "sector" not in world.round(alone).published_part
    assert seen(world, provider, alone) is None


def test_a_package_that_moved_is_measured_anew(world: World) -> None:
    provider, referral = world.provider("Here"), a_published(world)
    facts = world.rows(Package)[-1].facts
    elsewhere = world.scheme.localities[0].sectors[1]

    world.run(
        amend,
        referral_ref=referral,
        facts=replace(facts, sector=elsewhere),
        confidential=Confidential(postcode=f"{elsewhere}AA", address="1 Example Street"),
        actor=world.broker,
    )

    assert "sector" not in world.round(referral).published_part
    assert seen(world, provider, referral) is None


def test_from_a_typed_sector_bands_reach_published_sectors_alone(world: World) -> None:
    home = world.sector(world.scheme.localities[0].key)
    parts = {"near": {"sector": home}, "far": {"sector": FAR_AWAY}, "unsaid": {}, "unknown": {"sector": "ZE1 1"}}

    with world.database.reading() as session:
        assert bands_from(session, home, parts) == {"near": Travel.NEARBY, "far": Travel.FAR}
        assert bands_from(session, "ZE1 1", parts) == {}
