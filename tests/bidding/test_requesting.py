"""A requester's own draft: theirs alone until it is sent, the brokers' from then on."""

from dataclasses import replace

import pytest

from bidding import drafting, publishing
from bidding.drafting import Wanted
from bidding.looking.arranged import requests
from bidding.looking.drafted import drafted
from bidding.looking.queue import work_queue
from bidding.referrals import Referral
from dps.kernel.actors import Actor, Role
from dps.kernel.errors import BadInput, CannotAmend, Forbidden, NoSuchStep, NotFound
from dps.kernel.outbox import OutboxMessage
from dps.packages.facts import FundingStream
from tests.support.world import World


def a_requester(world: World, name: str = "WARD") -> Actor:
    return Actor(ref=f"USR-{name}", role=Role.REQUESTER, authority=world.authority)


def change(world: World, referral: str, actor: Actor, funding: FundingStream) -> None:
    with world.database.transaction() as session:
        seen = drafted(session, world.ports, referral_ref=referral, scheme=world.scheme, actor=actor)
        drafting.change(
            session,
            world.ports,
            referral_ref=referral,
            wanted=Wanted(facts=replace(seen.facts, funding=funding)),
            edition=seen.edition,
            scheme=world.scheme,
            actor=actor,
        )


def queued(world: World) -> list[str]:
    with world.database.reading() as session:
        return [one.referral for one in work_queue(session, world.broker, world.now)]


def test_a_draft_is_its_requesters_alone_until_it_is_sent(world: World) -> None:
    ward, other = a_requester(world), a_requester(world, "OTHER")
    referral = world.referral(publish_it=False, by=ward)

    change(world, referral, ward, FundingStream.CHC)
    before = queued(world)
    for command in (drafting.send, publishing.withdraw):
        more = {"reason": "Not mine."} if command is publishing.withdraw else {}
        with pytest.raises(NotFound):
            world.run(command, referral_ref=referral, actor=other, **more)
    with pytest.raises(NotFound):
        change(world, referral, other, FundingStream.COUNCIL)
    with world.database.reading() as session:
        assert requests(session, other) == []
        assert [one.is_with_requester for one in requests(session, ward)] == [True]
    world.run(drafting.send, referral_ref=referral, actor=ward)

    assert before == []
    assert queued(world) == [referral]
    (told,) = world.rows(OutboxMessage, OutboxMessage.kind == "referral_requested")
    assert (told.recipient, told.about) == (f"authority:{world.authority}", referral)
    assert [event.actor for event in world.events("referral.sent_to_brokers")] == [ward.ref]


def test_what_was_sent_is_changed_and_withdrawn_by_the_brokers_alone(world: World) -> None:
    world.provider("Somebody")
    ward = a_requester(world)
    referral = world.referral(publish_it=False, by=ward)
    world.run(drafting.send, referral_ref=referral, actor=ward)

    with pytest.raises(CannotAmend, match="with the brokers"):
        change(world, referral, ward, FundingStream.CHC)
    with pytest.raises(CannotAmend, match="with the brokers"):
        world.run(drafting.send, referral_ref=referral, actor=ward)
    with pytest.raises(CannotAmend, match="with the brokers"):
        world.run(publishing.withdraw, referral_ref=referral, reason="No more.", actor=ward)
    with pytest.raises(Forbidden):
        world.run(publishing.make_ready, referral_ref=referral, scheme=world.scheme, actor=ward)
    change(world, referral, world.broker, FundingStream.CHC)
    world.publish(referral)

    assert world.state(referral) == "seeking"


def test_a_requester_withdraws_what_it_has_not_sent_with_a_reason(world: World) -> None:
    ward = a_requester(world)
    referral = world.referral(publish_it=False, by=ward)

    with pytest.raises(BadInput):
        world.run(publishing.withdraw, referral_ref=referral, reason="", actor=ward)
    world.run(publishing.withdraw, referral_ref=referral, reason="Goes home to family.", actor=ward)

    assert world.state(referral) == "withdrawn"
    assert [row.is_with_requester for row in world.rows(Referral)] == [False]
    with pytest.raises((CannotAmend, NoSuchStep)):
        world.run(drafting.send, referral_ref=referral, actor=ward)


def test_a_broker_that_publishes_an_unsent_draft_takes_it_over(world: World) -> None:
    world.provider("Somebody")
    ward = a_requester(world)
    referral = world.referral(publish_it=False, by=ward)

    world.publish(referral)

    assert [row.is_with_requester for row in world.rows(Referral)] == [False]
    with pytest.raises(CannotAmend):
        change(world, referral, ward, FundingStream.CHC)
    with pytest.raises(Forbidden):
        world.run(drafting.send, referral_ref=referral, actor=world.broker)
