"""What a provider says of its locations counts once an officer has recorded it, and never by its own word."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from dps.kernel.actors import Actor, Role
from dps.kernel.database import Database
from dps.kernel.errors import BadInput, Forbidden, NeedsSecondPerson, NoSuchStep, NotFound, RegisteredAlready
from dps.kernel.outbox import OutboxMessage
from dps.register.interests import declare_interest
from dps.register.location_notices import (
    LocationNotice,
    LocationNoticeState,
    notices_to_decide,
    own_locations,
    record_stated,
    refuse_stated,
    state_closing,
    state_location,
    withdraw_stated,
)
from dps.register.providers import Location
from dps.schemes.model import Rating
from tests.support.world import World

SINCE = date(2018, 1, 8)


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


def stated(world: World, provider: Actor, **other: object) -> LocationNotice:
    home = f"{world.sector(world.scheme.localities[0].key)}AA"
    asked = {"regulator_id": "1-777", "name": "North Office", "postcode": home, "registered_on": SINCE, **other}
    return world.run(state_location, actor=provider, **asked)


def held(world: World, provider: Actor) -> dict[str, tuple[str, bool]]:
    """The provider's locations: number, rating, and whether it is open."""
    with world.database.reading() as session:
        found = own_locations(session, actor=provider)
    return {one.regulator_id: (str(one.rating), one.closed_on is None) for one in found}


def test_a_location_counts_once_an_officer_has_recorded_it_with_the_regulator_s_rating(world: World) -> None:
    oak = world.provider("Synthetic Oak")
    before = held(world, oak)

    notice = stated(world, oak)
    waiting = held(world, oak)
    with pytest.raises(BadInput, match="choose the rating"):
        world.run(record_stated, notice_ref=notice.ref, actor=world.officer)
    world.run(record_stated, notice_ref=notice.ref, rating=Rating.REQUIRES_IMPROVEMENT, actor=world.officer)

    assert waiting == before
    assert held(world, oak) == {**before, "1-777": ("requires_improvement", True)}
    (location,) = world.rows(Location, Location.regulator_id == "1-777")
    assert (location.sector, location.registered_on) == (notice.sector, SINCE)
    (row,) = world.rows(LocationNotice)
    assert (row.state, row.decided_by) == (LocationNoticeState.RECORDED, world.officer.ref)
    with pytest.raises(NoSuchStep):
        world.run(refuse_stated, notice_ref=notice.ref, because="Too late.", actor=world.officer)
    with pytest.raises(BadInput, match="on the register already"):
        stated(world, oak)
    assert world.faults() == []


def test_a_closing_counts_once_it_is_recorded_and_leaves_the_provider_s_places(world: World) -> None:
    oak = world.provider("Synthetic Oak")
    (number,) = held(world, oak)
    tomorrow = world.now.date() + timedelta(days=1)

    notice = world.run(state_closing, regulator_id=number, closed_on=tomorrow, actor=oak)
    still = held(world, oak)[number]
    world.run(record_stated, notice_ref=notice.ref, actor=world.officer)

    assert still == ("good", True)
    assert held(world, oak)[number] == ("good", False)
    with pytest.raises(BadInput, match="closed already"):
        world.run(state_closing, regulator_id=number, closed_on=tomorrow, actor=oak)


def test_what_is_refused_or_taken_back_changes_nothing_and_says_why(world: World) -> None:
    oak = world.provider("Synthetic Oak")
    before = held(world, oak)

    first = stated(world, oak)
    with pytest.raises(BadInput, match="take that back first"):
        stated(world, oak)
    world.run(refuse_stated, notice_ref=first.ref, because="The regulator does not know it.", actor=world.officer)
    second = stated(world, oak)
    world.run(withdraw_stated, notice_ref=second.ref, actor=oak)

    assert held(world, oak) == before
    rows = world.rows(LocationNotice)
    assert [(str(row.state), row.reason) for row in rows] == [
        ("refused", "The regulator does not know it."),
        ("withdrawn", None),
    ]


def test_a_number_that_another_got_meanwhile_is_not_recorded_twice(world: World) -> None:
    oak, elm = world.provider("Synthetic Oak"), world.provider("Synthetic Elm")
    first, second = stated(world, oak), stated(world, elm)
    world.run(record_stated, notice_ref=first.ref, rating=Rating.GOOD, actor=world.officer)

    with pytest.raises(RegisteredAlready):
        world.run(record_stated, notice_ref=second.ref, rating=Rating.GOOD, actor=world.officer)

    assert [str(row.state) for row in world.rows(LocationNotice)] == ["recorded", "stated"]


def test_nobody_states_or_decides_what_is_not_theirs(world: World) -> None:
    oak, elm = world.provider("Synthetic Oak"), world.provider("Synthetic Elm")
    (number,) = held(world, oak)
    notice = stated(world, oak)
    tied = Actor(ref="officer-tied", role=Role.REGISTER_OFFICER, authority=world.authority)
    world.run(declare_interest, provider=oak.provider, actor=tied)

    with pytest.raises(NotFound):
        world.run(state_closing, regulator_id=number, closed_on=world.now.date(), actor=elm)
    with pytest.raises(NotFound):
        world.run(withdraw_stated, notice_ref=notice.ref, actor=elm)
    with pytest.raises(Forbidden):
        world.run(record_stated, notice_ref=notice.ref, rating=Rating.GOOD, actor=oak)
    with pytest.raises(NeedsSecondPerson):
        world.run(record_stated, notice_ref=notice.ref, rating=Rating.GOOD, actor=tied)
    with world.database.reading() as session:
        ours = notices_to_decide(session, [world.scheme.key], actor=world.officer)
        others = notices_to_decide(session, ["elsewhere"], actor=world.officer)
    assert ([one.notice.ref for one in ours], others) == ([notice.ref], [])


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_what_is_missing_or_wrong_is_named(world: World) -> None:
    oak = world.provider("Synthetic Oak")
    wrong: list[tuple[str, object]] = [
        ("postcode", "WA10"),
        ("name", " "),
        ("regulator_id", ""),
        ("registered_on", date(2030, 1, 1)),
    ]
    for field, typed in wrong:
        with pytest.raises(BadInput) as refused:
            stated(world, oak, **{field: typed})

        assert refused.value.facts.get("field") in (field, None), field
    assert world.rows(LocationNotice) == []


def test_the_officers_of_every_authority_of_its_schemes_are_told_of_what_waits(world: World) -> None:
    oak = world.provider("Synthetic Oak")
    (number,) = held(world, oak)

    opened = stated(world, oak)
    closing = world.run(state_closing, regulator_id=number, closed_on=world.now.date(), actor=oak)

    told = [(one.recipient, one.about) for one in world.rows(OutboxMessage, OutboxMessage.kind == "location_to_check")]
    authorities = sorted(f"authority:{one.key}" for one in world.scheme.authorities)
    assert told == [(to, notice.ref) for notice in (opened, closing) for to in authorities]
