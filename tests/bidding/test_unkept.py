"""A bid that was here in time and not kept is ours: written down, told, and made good while nothing is open."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bidding import second_chance, unkept
from bidding.bids import submitting
from bidding.bids.handed import Handed, Verdict
from bidding.bids.handing_in import hand_in_all
from bidding.bids.records import Bid
from bidding.bids.storing import row_of
from bidding.closings import Closing, ClosingState
from bidding.looking.lost import lost_here
from bidding.sealing.opening import Identities
from bidding.sealing.seal import Sealed, seal
from bidding.second_chance import GoingOn
from bidding.unkept import UnkeptBid, is_ours, note_unkept
from dps.kernel.actors import Actor
from dps.kernel.database import Database
from dps.kernel.errors import InvalidBid, LostByUs, NeedsSecondPerson, NotFound, RuleNotMet, TooLate
from dps.kernel.keys import load_keyring, rotate_recipients
from dps.kernel.outbox import OutboxMessage
from dps.kernel.ports import Ports
from dps.schemes.model import Urgency
from tests.support.world import World

NOON = datetime(2019, 3, 4, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
MICROSECOND = timedelta(microseconds=1)
on_sqlite_alone = pytest.mark.parametrize("database_kind", ["sqlite"])


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


@pytest.mark.parametrize(
    ("received_at", "ours"),
    [(NOON - SECOND, True), (NOON - SECOND + MICROSECOND, False), (NOON - 10 * SECOND, True), (NOON, False)],
)
def test_who_is_here_a_second_before_the_closing_is_in_time_whatever_we_do(received_at: datetime, ours: bool) -> None:
    assert is_ours(received_at, NOON) is ours


def hand_in_late(world: World, provider: Actor, referral: str, *, waited: timedelta, pence: int = 1600) -> Verdict:
    """A bid that comes to its turn at the closing's very instant, so long after it was here."""
    content, rounds = world.content(referral, pence), [world.round(referral).ref]
    world.clock.move_to(world.closes_at(referral))
    request = Handed(rounds=rounds, content=content, actor=provider, idempotency_key="late", waited=lambda: waited)
    (verdict,) = world.database.run(lambda session: hand_in_all(session, world.ports, [request]))
    return verdict


def told(world: World, kind: str) -> list[tuple[str, str]]:
    return [(one.recipient, one.about) for one in world.rows(OutboxMessage, OutboxMessage.kind == kind)]


def lose_one(world: World) -> tuple[Actor, Actor, str]:
    """Oak has bid; Elm's bid waited in our queue beyond the instant."""
    oak, elm = world.provider("Synthetic Oak"), world.provider("Synthetic Elm")
    referral = world.referral()
    world.bid(oak, referral, pence=1650)
    verdict = hand_in_late(world, elm, referral, waited=2 * SECOND)
    assert isinstance(verdict, LostByUs)
    return oak, elm, referral


def test_a_bid_that_our_queue_made_late_is_ours_and_both_sides_are_told(world: World) -> None:
    _oak, elm, referral = lose_one(world)

    (row,) = world.rows(UnkeptBid)
    closing = world.rows(Closing)[0]
    assert (row.provider, row.received_at, row.lost_at) == (elm.provider, world.now - 2 * SECOND, world.now)
    (event,) = world.events("bid.lost_by_us")
    assert event.body["closes_at"] == closing.closes_at.isoformat()
    assert world.events("bid.refused_late") == []
    assert told(world, unkept.LOST) == [
        (f"provider:{elm.provider}", world.round(referral).ref),
        (f"authority:{world.authority}", closing.ref),
    ]
    assert world.faults() == []


def test_what_was_late_by_itself_or_no_good_is_nobodys_loss(world: World) -> None:
    elm, ash = world.provider("Synthetic Elm"), world.provider("Synthetic Ash")
    referral = world.referral()

    late = hand_in_late(world, elm, referral, waited=SECOND - MICROSECOND)
    dear = hand_in_late(world, ash, referral, waited=5 * SECOND, pence=99_00)

    assert [type(late), type(dear)] == [TooLate, TooLate]
    assert len(world.events("bid.refused_late")) == 2
    assert world.rows(UnkeptBid) == []


def test_everybody_is_asked_again_and_what_was_handed_in_stands_unopened(world: World) -> None:
    oak, elm, referral = lose_one(world)
    first = world.round(referral)
    assert world.timetable.sweep().done == {"closed": 1}
    shut = world.rows(Closing)[0]
    assert shut.state is ClosingState.CLOSED

    again = world.run(second_chance.ask_again, closing_ref=shut.ref, actor=world.broker)

    second = world.round(referral)
    old, new = world.rows(Bid)
    assert (second.predecessor_id, second.attempt, second.stage_key) == (first.id, 2, first.stage_key)
    assert (second.closes_at, second.published_part) == (again.closes_at, first.published_part)
    assert world.invited(referral) == {oak.provider, elm.provider}
    assert (str(old.state), str(new.state), new.handed_over_from) == ("lapsed", "sealed", old.ref)
    assert (new.ciphertext, new.commitment) == (old.ciphertext, old.commitment)
    assert told(world, "bid_handed_over") == [(f"provider:{oak.provider}", new.ref)]
    assert told(world, "asked_again") == [(f"provider:{elm.provider}", second.ref)]
    world.bid(elm, referral, pence=1500)
    world.close(referral)
    assert world.award(referral).provider == elm.provider
    assert sorted(str(bid.state) for bid in world.rows(Bid)) == ["lapsed", "opened", "opened"]
    assert world.events("bid.open")
    assert all(event.at == world.now for event in world.events("bid.open"))
    assert world.faults() == []


@on_sqlite_alone
def test_what_was_handed_over_can_be_replaced_and_withdrawn(world: World) -> None:
    oak, elm, referral = lose_one(world)
    world.timetable.sweep()
    world.run(second_chance.ask_again, closing_ref=world.rows(Closing)[0].ref, actor=world.broker)

    world.bid(oak, referral, pence=1700)
    replaced, live = world.rows(Bid)[1:]
    world.run(submitting.withdraw, bid_ref=live.ref, actor=oak)
    world.bid(elm, referral, pence=1600)
    world.close(referral)

    assert (str(replaced.state), world.award(referral).provider) == ("replaced", elm.provider)
    assert world.faults() == []


def test_a_bundle_and_a_telephone_bid_are_handed_over_whole(database: Database, tmp_path: Path) -> None:
    world = World(database, tmp_path, "liverpool")
    oak, elm = world.provider("Synthetic Oak"), world.provider("Synthetic Elm")
    pair = [world.referral(urgency=Urgency.STANDARD) for _ in range(2)]
    while world.round(pair[0]).mode != "sealed_bid":
        world.close(pair[0])
    world.bid(oak, *pair, pence=1750)
    typed = world.run(
        submitting.submit,
        rounds=[world.round(pair[0]).ref],
        content=world.content(pair[0], 1760),
        actor=world.broker,
        provider=oak.provider,
        idempotency_key="typed",
    )
    world.run(submitting.confirm_typed, bid_ref=typed["bid"], actor=oak)
    assert isinstance(hand_in_late(world, elm, pair[0], waited=3 * SECOND, pence=1750), LostByUs)
    world.timetable.sweep()
    (shut,) = [one for one in world.rows(Closing) if one.state is ClosingState.CLOSED]

    with pytest.raises(NeedsSecondPerson):
        world.run(second_chance.ask_again, closing_ref=shut.ref, actor=world.broker)
    other = replace(world.broker, ref="broker-9")
    again = world.run(second_chance.ask_again, closing_ref=shut.ref, actor=other)

    handed_over = [bid for bid in world.rows(Bid) if bid.handed_over_from]
    assert [(bid.typed_by, len(bid.receipt["rounds"])) for bid in handed_over] == [(None, 2), (world.broker.ref, 1)]
    assert {bid.closing_id for bid in handed_over} == {again.id}
    world.close(pair[0])
    assert {str(bid.state) for bid in world.rows(Bid) if bid.handed_over_from} == {"opened"}
    assert world.faults() == []


@on_sqlite_alone
def test_the_opening_waits_for_a_broker_no_longer_than_the_rules_say(world: World) -> None:
    oak, _elm, referral = lose_one(world)
    until = world.scheme.closings.wait_after_loss.end(world.now, world.scheme.calendar())

    world.timetable.sweep()
    world.move_to(until - MICROSECOND)
    assert world.rows(Closing)[0].state is ClosingState.CLOSED
    assert [event.body["until"] for event in world.events("closing.waits_for_broker")] == [until.isoformat()]
    world.move_to(until)

    assert world.award(referral).provider == oak.provider
    with pytest.raises(RuleNotMet, match="are open"):
        world.run(second_chance.ask_again, closing_ref=world.rows(Closing)[0].ref, actor=world.broker)
    assert world.faults() == []


def test_a_broker_may_go_on_without_it_and_then_nothing_waits(world: World) -> None:
    oak, _elm, referral = lose_one(world)
    world.timetable.sweep()
    request = {"closing_ref": world.rows(Closing)[0].ref, "actor": world.broker}

    world.run(second_chance.go_on, reason=GoingOn.CANNOT_WAIT, **request)
    world.timetable.sweep()

    assert world.award(referral).provider == oak.provider
    assert world.events("closing.goes_on")[0].body == {"lost": 1, "reason": "cannot_wait"}
    assert world.faults() == []


@on_sqlite_alone
def test_where_the_lost_bid_was_the_only_one_nobody_goes_up_the_ladder_before_a_broker_has_decided(
    world: World,
) -> None:
    elm = world.provider("Synthetic Elm")
    referral = world.referral()
    hand_in_late(world, elm, referral, waited=2 * SECOND)
    first = world.round(referral)

    world.timetable.sweep()

    assert world.round(referral).ref == first.ref
    world.run(second_chance.ask_again, closing_ref=world.rows(Closing)[0].ref, actor=world.broker)
    world.bid(elm, referral, pence=1600)
    world.close(referral)
    assert world.award(referral).provider == elm.provider


@on_sqlite_alone
def test_who_has_no_part_or_nothing_lost_to_decide_about_is_refused(world: World) -> None:
    world.provider("Synthetic Oak")
    referral = world.referral()
    ref = world.rows(Closing)[0].ref
    stranger = replace(world.broker, authority="another-council")

    with pytest.raises(NotFound):
        world.run(second_chance.ask_again, closing_ref=ref, actor=stranger)
    with pytest.raises(RuleNotMet, match="No lost bid"):
        world.run(second_chance.ask_again, closing_ref=ref, actor=world.broker)
    with world.database.reading() as session:
        assert lost_here(session, ref, world.broker).lost == 0
        with pytest.raises(NotFound):
            lost_here(session, ref, stranger)
    assert world.state(referral) == "seeking"


# What was noted while the database was away


def note(world: World, provider: Actor, referral: str, **more: Any) -> bool:
    request = {"rounds": [world.round(referral).ref], "idempotency_key": "away", "received_at": world.now}
    return world.run(note_unkept, **{**request, **more}, actor=provider)


def test_what_was_not_stored_is_told_while_there_is_time_and_lost_if_nothing_comes(world: World) -> None:
    oak, elm = world.provider("Synthetic Oak"), world.provider("Synthetic Elm")
    referral = world.referral()
    world.bid(oak, referral, pence=1650)

    noted = [note(world, elm, referral), note(world, elm, referral)]
    round_ref = world.round(referral).ref
    assert noted == [True, False]
    assert told(world, "bid_not_kept") == [(f"provider:{elm.provider}", round_ref)]
    world.close(referral)

    assert (len(world.events("bid.not_kept")), len(world.events("bid.lost_by_us"))) == (1, 1)
    assert world.rows(Closing)[0].state is ClosingState.CLOSED
    assert world.faults() == []


@on_sqlite_alone
def test_who_sends_it_again_in_time_has_lost_nothing(world: World) -> None:
    elm = world.provider("Synthetic Elm")
    referral = world.referral()
    note(world, elm, referral)

    world.bid(elm, referral, pence=1600)
    world.close(referral)

    assert world.events("bid.lost_by_us") == []
    assert world.award(referral).provider == elm.provider


def test_what_was_kept_after_all_declined_since_or_late_by_itself_is_not_noted(world: World) -> None:
    oak, elm, ash = (world.provider(name) for name in ("Oak", "Elm", "Ash"))
    referral, round_ref = world.referral(), ""
    round_ref = world.round(referral).ref
    before = world.now
    world.bid(oak, referral, pence=1600, key="away")
    world.run(submitting.decline, round_ref=round_ref, reason="We are full.", actor=elm)
    closes_at = world.closes_at(referral)

    assert not note(world, oak, referral, received_at=before)
    assert not note(world, elm, referral, received_at=before)
    assert not note(world, ash, referral, received_at=closes_at - SECOND + MICROSECOND)
    assert world.rows(UnkeptBid) == []


@on_sqlite_alone
def test_who_was_not_asked_finds_no_round_to_note(world: World) -> None:
    world.provider("Synthetic Oak")
    referral = world.referral()
    later = world.provider("Synthetic Latecomer")

    with pytest.raises(NotFound):
        note(world, later, referral)


@on_sqlite_alone
def test_a_bid_in_hand_at_the_closing_has_the_workers_patience(world: World) -> None:
    """What a web process holds while the worker closes is noted before anything is opened."""
    oak, elm = world.provider("Synthetic Oak"), world.provider("Synthetic Elm")
    referral = world.referral()
    world.bid(oak, referral, pence=1650)
    world.timetable.patience = timedelta(seconds=30)
    content, rounds = world.content(referral, 1600), [world.round(referral).ref]
    world.close(referral)
    request = Handed(
        rounds=rounds, content=content, actor=elm, idempotency_key="held", waited=lambda: timedelta(seconds=20)
    )

    world.clock.step(timedelta(seconds=15))
    (verdict,) = world.database.run(lambda session: hand_in_all(session, world.ports, [request]))
    world.step(seconds=15)

    assert isinstance(verdict, LostByUs)
    assert world.rows(Closing)[0].state is ClosingState.CLOSED
    assert not isinstance(verdict, InvalidBid)


@on_sqlite_alone
def test_patience_over_what_nobody_bid_for_is_decided_all_the_same(world: World) -> None:
    world.provider("Synthetic Oak")
    referral = world.referral()
    first = world.round(referral)
    world.timetable.patience = timedelta(seconds=30)

    world.close(referral)
    assert world.round(referral).ref == first.ref
    world.step(seconds=30)

    assert world.round(referral).ref != first.ref
    assert world.faults() == []


@on_sqlite_alone
def test_what_was_sealed_to_a_key_that_was_rotated_since_is_handed_over_and_opened(
    world: World, tmp_path: Path
) -> None:
    oak, _elm, referral = lose_one(world)
    world.timetable.sweep()
    keys, identities = tmp_path / "keys", tmp_path / "identities"
    rotate_recipients(keys, identities)
    world.ports = world.timetable.ports = replace(world.ports, keyring=load_keyring(keys))
    world.timetable.opener = Identities(identities)

    world.run(second_chance.ask_again, closing_ref=world.rows(Closing)[0].ref, actor=world.broker)
    world.close(referral)

    first, second = world.rows(Closing)
    assert second.recipients == first.recipients != list(world.ports.keyring.recipients)
    assert world.award(referral).provider == oak.provider
    assert world.faults() == []


@on_sqlite_alone
def test_a_bid_that_was_changed_as_it_was_handed_over_is_found(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    lose_one(world)
    world.timetable.sweep()
    honest = row_of

    def forged(ports: Ports, _sealed: Sealed, **more: Any) -> dict[str, Any]:
        recipients = tuple(more["closing"].recipients)
        return honest(ports, seal({"price": 1}, recipients=recipients, entropy=ports.entropy), **more)

    monkeypatch.setattr(second_chance, "row_of", forged)
    world.run(second_chance.ask_again, closing_ref=world.rows(Closing)[0].ref, actor=world.broker)

    (fault,) = world.faults()
    assert "not what its provider had handed in before" in fault
