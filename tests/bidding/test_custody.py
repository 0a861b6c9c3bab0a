"""Custodians: the dearest bids stay shut until enough key-holders have released their shares."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyrage
import pytest

from bidding import deadline, publishing
from bidding.bids.records import Bid, OpenedBid
from bidding.closings import Closing, ClosingState
from bidding.custody import (
    AWAITED,
    Custodian,
    hand_in_in,
    hand_out_in,
    register_custodian,
    withdraw_custodian,
)
from bidding.sealing.sharing import release
from dps.kernel.actors import Actor, Role
from dps.kernel.database import Database
from dps.kernel.errors import BadInput, Forbidden, PriceStillSealed, RuleNotMet
from dps.kernel.outbox import OutboxMessage
from dps.schemes.custody import Custody
from dps.schemes.loader import preset
from dps.schemes.model import Scheme
from tests.support.world import World

KEEPER = Actor("keeper", Role.ADMINISTRATOR)
DEAR = 5_000
"""A week of half an hour a day costs more than £50 at any ceiling."""


def held_scheme(above: int = DEAR) -> Scheme:
    scheme = preset("st-helens")
    lots = tuple(lot.key for lot in scheme.lots)
    custody = Custody(lots=lots, above_weekly_pence=above, needed=2, custodians=3)
    return scheme.model_copy(update={"custody": custody})


@dataclass
class Held:
    """A world whose dear bids are held by three custodians, of whom two must open."""

    world: World
    keys: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("Monitoring officer", "Head of audit", "Director of finance"):
            self.register(name)

    def register(self, holder: str) -> str:
        key = pyrage.x25519.Identity.generate()
        made = self.world.run(
            register_custodian,
            scheme=self.world.scheme,
            holder=holder,
            recipient=str(key.to_public()),
            actor=KEEPER,
        )
        self.keys[made.ref] = str(key)
        return str(made.ref)

    @property
    def custodians(self) -> list[str]:
        return sorted(self.keys)

    @property
    def closing(self) -> Closing:
        return self.world.rows(Closing)[-1]

    def hand_out(self, custodian: str) -> dict[str, Any]:
        database, ports = self.world.database, self.world.ports
        return hand_out_in(database, ports, closing_ref=self.closing.ref, custodian_ref=custodian, actor=KEEPER)

    def hand_in(self, released: dict[str, Any]) -> None:
        hand_in_in(self.world.database, self.world.ports, release=released, actor=KEEPER)

    def open_by(self, custodian: str) -> None:
        self.hand_in(release(self.hand_out(custodian), self.keys[custodian]))

    def try_to_open(self) -> bool:
        opener = self.world.timetable.opener
        return bool(self.world.run(deadline.open_bids, closing_id=self.closing.id, opener=opener))


@pytest.fixture
def held(database: Database, tmp_path: Path) -> Held:
    return Held(World(database, tmp_path, held_scheme()))


def test_two_of_three_open_a_closing_and_one_does_not(held: Held) -> None:
    world, oak = held.world, held.world.provider("Synthetic Oak")
    referral = world.referral()
    world.bid(oak, referral, pence=1600)
    world.close(referral)
    assert (held.closing.state, world.rows(OpenedBid)) == (ClosingState.CLOSED, [])

    held.open_by(held.custodians[0])
    world.step(minutes=1)
    assert held.closing.state is ClosingState.CLOSED

    held.open_by(held.custodians[2])
    world.step(minutes=1)

    assert world.award(referral).provider == oak.provider
    assert [event.body for event in world.events("custody.opening_refused")] == [
        {"usable": 0, "needed": 2},
        {"usable": 1, "needed": 2},
    ]
    told = [message for message in world.rows(OutboxMessage) if message.kind == AWAITED]
    assert [(one.recipient, one.facts["referral"]) for one in told] == [(f"authority:{world.authority}", referral)]
    assert world.faults() == []


def test_nobody_gets_or_hands_in_a_share_before_the_instant_and_who_tried_is_written_down(held: Held) -> None:
    world = held.world
    world.bid(world.provider("Synthetic Oak"), referral := world.referral(), pence=1600)
    world.clock.move_to(world.closes_at(referral) - timedelta(microseconds=1))
    early = {"format": "dps-custody-release-1", "closing": held.closing.ref, "custodian": held.custodians[0]}

    with pytest.raises(PriceStillSealed):
        held.hand_out(held.custodians[0])
    with pytest.raises(PriceStillSealed):
        held.hand_in({**early, "shares": {}})

    refused = world.events("custody.refused_early")
    assert [(event.actor, event.body["custodian"]) for event in refused] == [(KEEPER.ref, held.custodians[0])] * 2


def test_a_wrong_share_opens_nothing_and_the_right_one_takes_its_place(held: Held) -> None:
    world = held.world
    world.bid(world.provider("Synthetic Oak"), referral := world.referral(), pence=1600)
    world.close(referral)
    good, own = held.custodians[:2]
    held.open_by(good)
    right = release(held.hand_out(own), held.keys[own])
    wrong = {**right, "shares": dict.fromkeys(right["shares"], "bm9uc2Vuc2U=")}

    held.hand_in(wrong)
    assert not held.try_to_open()
    held.hand_in(right)

    assert held.try_to_open()
    assert len(world.rows(OpenedBid)) == 1
    (again,) = [event for event in world.events("custody.handed_in") if event.body["again"]]
    assert again.body["custodian"] == own


def test_each_such_round_closes_alone(held: Held) -> None:
    world, oak = held.world, held.world.provider("Synthetic Oak")
    first, second = world.referral(), world.referral()

    assert world.round(first).closing_id != world.round(second).closing_id
    assert world.closes_at(first) == world.closes_at(second)
    assert {one.published for one in world.rows(Closing)} == {False}
    assert world.bid(oak, first, pence=1600)["closing"] != world.bid(oak, second, pence=1600)["closing"]


def test_a_cheap_package_needs_nobody(database: Database, tmp_path: Path) -> None:
    world = World(database, tmp_path, held_scheme(above=10_000_000))
    oak = world.provider("Synthetic Oak")
    referral = world.referral()
    world.bid(oak, referral, pence=1600)

    world.close(referral)

    assert world.rows(Closing)[0].custody is None
    assert world.award(referral).provider == oak.provider


def test_without_its_custodians_nothing_is_published(database: Database, tmp_path: Path) -> None:
    world = World(database, tmp_path, held_scheme())
    referral = world.referral(publish_it=False)

    with pytest.raises(RuleNotMet, match="wants 3 and 0 are registered"):
        world.publish(referral)


def test_a_lost_key_is_replaced_before_it_is_withdrawn(held: Held) -> None:
    world = held.world
    lost = held.custodians[0]
    request = {"custodian_ref": lost, "scheme": world.scheme, "actor": KEEPER}

    with pytest.raises(RuleNotMet, match="Register another first"):
        world.run(withdraw_custodian, **request)
    new = held.register("Deputy monitoring officer")
    world.run(withdraw_custodian, **request)
    world.provider("Synthetic Oak")
    world.referral()

    dealt = {one.ref for one in held.closing.holders}
    assert (new in dealt, lost in dealt, len(dealt)) == (True, False, 3)
    assert sorted(one.state for one in world.rows(Custodian)) == ["active"] * 3 + ["withdrawn"]


def test_where_too_many_keys_are_lost_the_package_is_asked_for_again(held: Held) -> None:
    """The stated procedure: hold and resume; the bids lapse unopened, and new ones are sealed to those who are left."""
    world, oak = held.world, held.world.provider("Synthetic Oak")
    referral = world.referral()
    world.bid(oak, referral, pence=1600)
    world.close(referral)
    shut = held.closing

    world.run(publishing.hold, referral_ref=referral, reason="Synthetic: two keys are lost.", actor=world.broker)
    world.run(publishing.resume, referral_ref=referral, actor=world.broker)
    world.bid(oak, referral, pence=1610)
    world.close(referral)
    for custodian in held.custodians[:2]:
        held.open_by(custodian)
    world.step(minutes=1)

    assert held.closing.ref != shut.ref
    assert world.award(referral).provider == oak.provider
    assert sorted(str(bid.state) for bid in world.rows(Bid)) == ["lapsed", "opened"]
    assert world.faults() == []


def test_who_may_not_and_what_is_no_key_is_refused(held: Held) -> None:
    world = held.world
    request = {"scheme": world.scheme, "holder": "Somebody", "recipient": "age1nonsense"}

    with pytest.raises(Forbidden):
        world.run(register_custodian, **request, actor=world.broker)
    with pytest.raises(BadInput, match="begins with age1"):
        world.run(register_custodian, **request, actor=KEEPER)
    with pytest.raises(BadInput, match="registered already"):
        world.run(register_custodian, **{**request, "recipient": world.rows(Custodian)[0].recipient}, actor=KEEPER)
