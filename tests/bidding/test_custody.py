"""Custodians: the dearest bids stay shut until enough key-holders have released their shares."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyrage
import pytest

from bidding import deadline, publishing
from bidding.bids.records import Bid, OpenedBid
from bidding.bids.submitting import submit_in
from bidding.closings import Closing, ClosingState
from bidding.custody import (
    AWAITED,
    Custodian,
    hand_in_in,
    hand_out_in,
    register_custodian,
    withdraw_custodian,
)
from bidding.looking.held import HeldClosing, held_closings
from bidding.sealing.sharing import release
from bidding.second_chance import ask_again
from bidding.tenders.content import AreaBid
from bidding.tenders.handing_in import hand_in_for_area
from bidding.tenders.publishing import publish_tender
from bidding.tenders.records import Tender
from dps.kernel.actors import Actor, Role
from dps.kernel.database import Database
from dps.kernel.errors import BadInput, Forbidden, LostByUs, NotFound, PriceStillSealed, RuleNotMet
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

    def register(self, holder: str, account: str | None = None) -> str:
        key = pyrage.x25519.Identity.generate()
        made = self.world.run(
            register_custodian,
            scheme=self.world.scheme,
            holder=holder,
            recipient=str(key.to_public()),
            account=account,
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


def test_a_sweep_tries_again_once_a_share_is_handed_in_and_not_before_but_for_once_an_hour(held: Held) -> None:
    world = held.world
    world.bid(world.provider("Synthetic Oak"), referral := world.referral(), pence=1600)
    tries: list[bytes] = []
    opener = world.timetable.opener

    class Counting:
        def open(self, ciphertext: bytes, **more: Any) -> dict[str, Any]:
            tries.append(ciphertext)
            return opener.open(ciphertext, **more)

    world.timetable.opener = Counting()
    world.close(referral)

    for _ in range(5):
        world.step(minutes=1)
    assert len(tries) == 1
    held.open_by(held.custodians[0])
    for _ in range(5):
        world.step(minutes=1)
    assert len(tries) == 2
    world.step(hours=1)
    assert (len(tries), len(world.events("custody.opening_refused"))) == (3, 2)
    held.open_by(held.custodians[1])
    world.step(minutes=1)
    assert held.closing.state is ClosingState.ALLOCATED


def test_a_custodian_with_an_account_carries_its_own_shares_and_no_others(held: Held) -> None:
    world = held.world
    auditor = Actor("USR-1", Role.AUDITOR, authority=world.authority)
    mine = held.register("Head of internal audit", account=auditor.ref)
    world.bid(world.provider("Synthetic Oak"), referral := world.referral(), pence=1600)
    world.close(referral)
    request: dict[str, Any] = {"closing_ref": held.closing.ref, "actor": auditor}

    own = hand_out_in(world.database, world.ports, custodian_ref=mine, **request)
    hand_in_in(world.database, world.ports, release=release(own, held.keys[mine]), actor=auditor)
    other = next(one for one in held.custodians if one != mine)
    with pytest.raises(NotFound):
        hand_out_in(world.database, world.ports, custodian_ref=other, **request)
    with pytest.raises(NotFound):
        hand_in_in(world.database, world.ports, release=release(held.hand_out(other), held.keys[other]), actor=auditor)

    (seen,) = held_by(world, auditor)
    assert [(one.custodian, one.is_own) for one in seen.holders if one.given_at] == [(mine, True)]
    assert [event.actor for event in world.events("custody.handed_in")] == [auditor.ref]
    told = [one.recipient for one in world.rows(OutboxMessage) if one.kind == "custody_due"]
    assert told == [f"account:{auditor.ref}"]


def test_who_holds_no_share_and_another_councils_administrator_see_no_such_closing(held: Held) -> None:
    world = held.world
    world.provider("Synthetic Oak")
    world.referral()

    seen = {
        name: len(held_by(world, actor))
        for name, actor in {
            "keeper": KEEPER,
            "own": Actor("a", Role.ADMINISTRATOR, authority=world.authority),
            "other": Actor("b", Role.ADMINISTRATOR, authority="another-council"),
            "broker": world.broker,
        }.items()
    }

    assert seen == {"keeper": 1, "own": 1, "other": 0, "broker": 0}


def held_by(world: World, actor: Actor) -> list[HeldClosing]:
    with world.database.reading() as session:
        return held_closings(session, actor)


# A whole area


@pytest.fixture
def kingston(database: Database, tmp_path: Path) -> Held:
    scheme = preset("kingston")
    custody = Custody(above_weekly_pence=0, area_contracts=("rate-card",), needed=2, custodians=3)
    return Held(World(database, tmp_path, scheme.model_copy(update={"custody": custody})))


def test_bids_for_an_area_are_opened_by_its_custodians_too(kingston: Held) -> None:
    world = kingston.world
    oak = world.provider("Synthetic Oak", lists=["approved"])
    sought = {"scheme": world.scheme, "key": "rate-card", "locality": "surbiton"}
    tender = world.run(
        publish_tender, **sought, from_day=world.now.date() + timedelta(days=40), actor=world.commissioner
    )
    element = world.scheme.area_contract("rate-card").elements
    rates = AreaBid(rates=tuple(sorted((one.key, one.ceiling_pence) for one in element)))
    world.run(hand_in_for_area, tender_ref=tender.ref, content=rates, idempotency_key="a", actor=oak)
    world.move_to(kingston.closing.closes_at)
    shut = world.rows(OpenedBid)

    kingston.open_by(kingston.custodians[0])
    kingston.open_by(kingston.custodians[1])
    world.step(minutes=1)

    assert shut == []
    assert str(world.rows(Tender)[0].state) == "evaluated"
    told = [one for one in world.rows(OutboxMessage) if one.kind == AWAITED]
    assert [(one.recipient, one.facts["referral"]) for one in told] == [(f"authority:{world.authority}", tender.ref)]
    assert world.faults() == []


def test_no_area_is_sought_before_its_custodians_are_there(database: Database, tmp_path: Path) -> None:
    custody = Custody(above_weekly_pence=0, area_contracts=("rate-card",), needed=2, custodians=3)
    world = World(database, tmp_path, preset("kingston").model_copy(update={"custody": custody}))
    sought = {"scheme": world.scheme, "key": "rate-card", "locality": "surbiton", "actor": world.commissioner}

    with pytest.raises(RuleNotMet, match="wants 3 and 0 are registered"):
        world.run(publish_tender, **sought, from_day=world.now.date() + timedelta(days=40))


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_closing_that_is_asked_again_keeps_its_custodians(held: Held) -> None:
    world, oak, elm = held.world, held.world.provider("Synthetic Oak"), held.world.provider("Synthetic Elm")
    referral = world.referral()
    world.bid(oak, referral, pence=1600)
    content, rounds = world.content(referral, 1700), [world.round(referral).ref]
    world.close(referral)
    late: dict[str, Any] = {"rounds": rounds, "content": content, "actor": elm, "idempotency_key": "late"}
    with pytest.raises(LostByUs):
        submit_in(world.database, world.ports, **late, waited=lambda: timedelta(seconds=5))
    first = held.closing

    world.run(ask_again, closing_ref=first.ref, actor=world.broker)
    held.register("Head of internal audit")
    world.close(referral)
    for custodian in [one.ref for one in first.holders][:2]:
        held.open_by(custodian)
    world.step(minutes=1)

    assert held.closing.custody == first.custody
    assert world.award(referral).provider == oak.provider
    assert world.faults() == []
