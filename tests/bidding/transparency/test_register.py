"""The register of awards and its open data: everything that was awarded, nobody's name, no price that lost."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bidding.otherwise import deciding
from bidding.transparency.ocds import as_json, how_many_valid, release_package
from bidding.transparency.register import Register, register_of_awards
from dps.kernel.actors import Actor, Role
from dps.kernel.database import Database
from dps.kernel.errors import BadInput, Forbidden, NotFound
from tests.scenarios.serving import on_sqlite
from tests.support.open_data import schema_faults
from tests.support.world import World

AUDITOR = Actor("auditor-1", Role.AUDITOR)
HERE = {"prefix": "ocds-a1b2c3", "uri": "https://council.example/awards.json"}


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path, "st-helens")


def read(world: World, actor: Actor = AUDITOR) -> Register:
    """The register of the month in which the world is."""
    first = world.now.date().replace(day=1)
    last = date(first.year, first.month + 1, 1).toordinal() - 1
    with world.database.reading() as session:
        return register_of_awards(session, scheme=world.scheme, first=first, last=date.fromordinal(last), actor=actor)


def packed(world: World) -> dict[str, Any]:
    package: dict[str, Any] = json.loads(as_json(release_package(read(world), now=world.now, **HERE)))
    return package


def competed(world: World, packages: int) -> None:
    """So many packages, each bid for at £18.17 and £19.93 an hour, won by the lower, and agreed."""
    winner, loser = world.provider("Synthetic Winner"), world.provider("Synthetic Loser")
    refs = [world.referral() for _ in range(packages)]
    for ref in refs:
        world.bid(winner, ref, pence=1817)
        world.bid(loser, ref, pence=1993)
    world.close(refs[0])
    for ref in refs:
        world.accept_and_confirm(world.award(ref), winner)


def test_the_register_tells_what_was_awarded_and_how_much_was_bid(world: World) -> None:
    competed(world, 2)
    world.referral()  # one that is open still

    found = read(world)

    assert [(one.supplier.name, one.weekly_pence, one.source) for one in found.awards] == [
        ("Synthetic Winner", 6360, "allocation")
    ] * 2
    lot = found.lots[0]
    assert (lot.rounds, lot.bids, lot.valid_bids, lot.bidders) == (2, 4, 4, 2)
    assert found.bidders == 2


def test_few_awards_are_published_as_one_without_a_price(world: World) -> None:
    competed(world, 4)

    (release,) = packed(world)["releases"]

    (award,) = release["awards"]
    assert "value" not in award
    assert [supplier["name"] for supplier in award["suppliers"]] == ["Synthetic Winner"]
    assert "contracts" not in release


def test_five_awards_are_published_one_by_one_with_what_a_week_costs(world: World) -> None:
    competed(world, 5)

    text = json.dumps(packed(world))

    (release,) = packed(world)["releases"]
    assert [award["value"] for award in release["awards"]] == [{"amount": 63.6, "currency": "GBP"}] * 5
    assert {award["date"][:19] for award in release["awards"]} == {f"{world.now:%Y-%m}-01T00:00:00"}
    assert len(release["contracts"]) == 5
    for kept in ("19.93", "1993", "69.76", "Synthetic Loser", "Synthetic Person", "town-centre", *names(world)):
        assert kept not in text


def names(world: World) -> list[str]:
    """Where the packages are: no locality and no sector is published."""
    return [f'"{locality.key}"' for locality in world.scheme.localities]


def test_what_was_placed_otherwise_stands_apart_with_who_proposed_and_who_approved(world: World) -> None:
    referral, named = world.referral(), world.provider("Synthetic Spot")
    ask = {"how": "off_list_spot", "weekly_pence": 40_000, "reason": "Nobody of the list is free."}
    placement = world.run(deciding.propose, referral_ref=referral, provider=named.provider, actor=world.broker, **ask)
    before = read(world).otherwise
    world.run(deciding.approve, placement_ref=placement.ref, actor=world.second)

    found = read(world)

    assert (before, found.awards) == ((), ())
    (one,) = found.otherwise
    assert one.supplier is not None
    assert (one.placement, one.supplier.name, one.how) == (placement.ref, "Synthetic Spot", "off_list_spot")
    assert (one.weekly_pence, one.proposed_by, one.approved_by) == (40_000, world.broker.ref, world.second.ref)
    assert "Synthetic Spot" not in json.dumps(packed(world))


@on_sqlite
def test_an_auditor_of_another_authority_finds_no_scheme_and_a_broker_is_refused(world: World) -> None:
    with pytest.raises(NotFound):
        read(world, Actor("auditor-2", Role.AUDITOR, authority="elsewhere"))
    with pytest.raises(Forbidden):
        read(world, world.broker)


@on_sqlite
@pytest.mark.parametrize(("wrong", "field"), [({"prefix": "ocds-213"}, "prefix"), ({"uri": "awards.json"}, "uri")])
def test_a_package_without_a_prefix_or_an_address_is_refused(world: World, wrong: dict[str, str], field: str) -> None:
    with pytest.raises(BadInput) as refused:
        release_package(read(world), now=world.now, **{**HERE, **wrong})

    assert refused.value.facts["field"] == field


@on_sqlite
def test_only_whole_months_are_published(world: World) -> None:
    with world.database.reading() as session:
        some = register_of_awards(
            session, scheme=world.scheme, first=date(2018, 1, 2), last=date(2018, 1, 31), actor=AUDITOR
        )

    with pytest.raises(BadInput, match="whole months"):
        release_package(some, now=world.now, **HERE)


@pytest.mark.parametrize("packages", [0, 1, 5])
@on_sqlite
def test_the_package_validates_against_the_standards_schema(world: World, packages: int, shared_data: Path) -> None:
    if packages:
        competed(world, packages)
    package = packed(world)

    assert schema_faults(shared_data, package) == []
    package["releases"][0]["date"] = "yesterday"
    assert schema_faults(shared_data, package) != []


@pytest.mark.parametrize(
    ("valid", "bids", "said"),
    [
        (1, 1, "The only bid was valid."),
        (0, 1, "The only bid was not valid."),
        (1, 3, "1 of 3 bids was valid."),
        (2, 2, "2 of 2 bids were valid."),
    ],
)
def test_how_many_bids_were_valid_is_a_sentence(valid: int, bids: int, said: str) -> None:
    assert how_many_valid(valid, bids) == said
