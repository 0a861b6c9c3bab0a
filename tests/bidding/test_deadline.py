"""The instant itself: moved for everybody or for nobody, and each step after it done once, whoever dies meanwhile."""

import hashlib
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from bidding import deadline, publishing
from bidding.allocation import runs
from bidding.bids.records import Bid, BidState, OpenedBid, ScoredBid
from bidding.closings import Closing, ClosingState, ExtensionReason
from bidding.rounds import Invitation, Round
from bidding.timetable import Timetable
from dps.kernel.actors import Actor, Role
from dps.kernel.columns import canonical_json
from dps.kernel.errors import BadInput, Corrupted, Forbidden, NotFound, TooLate
from dps.kernel.outbox import OutboxMessage
from dps.schemes.model import Urgency
from tests.support.race import race
from tests.support.world import World

HOUR = timedelta(hours=1)
REASON = ExtensionReason.SYSTEM_UNAVAILABLE
STEPS = ("closing.close", "closing.open", "closing.score", "closing.allocate")


def one_closing(world: World) -> Closing:
    (closing,) = world.rows(Closing)
    return closing


def opened(world: World) -> bool:
    opener = world.timetable.opener
    return bool(world.run(deadline.open_bids, closing_id=one_closing(world).id, opener=opener))


def test_whoever_opens_before_the_instant_is_refused_and_written_down(world: World) -> None:
    world.provider("Synthetic Oak")
    referral = world.referral()
    ends = world.closes_at(referral)
    world.clock.move_to(ends - timedelta(microseconds=1))

    early = opened(world)
    world.clock.move_to(ends)
    unclosed = opened(world)

    assert (early, unclosed) == (False, False)
    (refused,) = world.events("closing.opening_refused")
    assert (refused.actor, refused.body["closes_at"]) == ("clock", ends.isoformat())


# More time for everybody


@pytest.mark.parametrize("later", [timedelta(days=1), timedelta(days=30)], ids=["past its start", "past every day"])
def test_a_bid_that_was_in_time_stays_good_when_its_closing_moves_past_its_first_visit(
    world: World, later: timedelta
) -> None:
    oak, referral = world.provider("Synthetic Oak"), world.referral()
    world.bid(oak, referral, pence=1600)
    start = datetime.combine(world.content(referral, 1600).starts_on, time(12), UTC)

    world.run(
        deadline.extend, closing_ref=one_closing(world).ref, until=start + later, reason=REASON, actor=world.broker
    )
    world.close(referral)

    assert [scored.is_valid for scored in world.rows(ScoredBid)] == [True]
    assert [bid.state for bid in world.rows(Bid) if bid.state is BidState.INVALID] == []
    assert world.faults() == []


def test_a_closing_moves_for_all_and_nothing_is_opened_or_sealed_again(world: World) -> None:
    oak, elm = world.provider("Synthetic Oak"), world.provider("Synthetic Elm")
    first, second = world.referral(), world.referral()
    world.bid(oak, first, pence=1600)
    before, old = world.rows(Bid), world.closes_at(first)
    world.clock.move_to(old - timedelta(microseconds=1))

    world.run(deadline.extend, closing_ref=one_closing(world).ref, until=old + HOUR, reason=REASON, actor=world.broker)

    assert world.move_to(old).done == {}
    assert [world.closes_at(referral) for referral in (first, second)] == [old + HOUR] * 2
    assert [bid.ciphertext for bid in world.rows(Bid)] == [bid.ciphertext for bid in before]
    assert world.rows(OpenedBid) == []
    told = Counter(message.recipient for message in world.rows(OutboxMessage) if message.kind == "closing_extended")
    assert told == {f"provider:{provider.provider}": 2 for provider in (oak, elm)}
    world.bid(elm, second, pence=1650)
    world.close(first)
    assert [world.award(referral).provider for referral in (first, second)] == [oak.provider, elm.provider]
    assert world.faults() == []


def test_a_round_published_after_a_move_joins_another_closing_of_the_old_hour(world: World) -> None:
    world.provider("Synthetic Oak")
    first = world.referral()
    old = world.closes_at(first)
    world.run(deadline.extend, closing_ref=one_closing(world).ref, until=old + HOUR, reason=REASON, actor=world.broker)

    second = world.referral()

    assert (world.closes_at(first), world.closes_at(second)) == (old + HOUR, old)
    assert len(world.rows(Closing)) == 2


def test_a_closing_moves_only_later_before_its_instant_and_for_a_reason(world: World) -> None:
    oak, referral = world.provider("Synthetic Oak"), world.referral()
    closing, old = one_closing(world), world.closes_at(referral)
    ask: dict[str, Any] = {
        "closing_ref": closing.ref, "until": old + HOUR, "reason": REASON, "actor": world.broker,
    }  # fmt: skip
    foreign = Actor(ref="broker-9", role=Role.BROKER, authority="knowsley")

    for changed, error in (
        ({"until": old}, BadInput),
        ({"until": old - HOUR}, BadInput),
        ({"actor": oak}, Forbidden),
        ({"actor": world.commissioner}, Forbidden),
        ({"actor": foreign}, NotFound),
        ({"closing_ref": "CLO-0000-0000-0000"}, NotFound),
    ):
        with pytest.raises(error):
            world.run(deadline.extend, **{**ask, **changed})
    for instant in (old, old + HOUR / 2):
        world.clock.move_to(instant)
        with pytest.raises(TooLate):
            world.run(deadline.extend, **ask)
    world.timetable.sweep()
    with pytest.raises(TooLate):
        world.run(deadline.extend, **ask)

    assert world.rows(Closing)[0].closes_at == old
    assert world.events("closing.extended") == []


# Each step once, and never before the one that it follows


def test_no_step_is_done_before_its_time_or_twice(world: World) -> None:
    oak, referral = world.provider("Synthetic Oak"), world.referral()
    world.bid(oak, referral, pence=1600)
    closing_id = one_closing(world).id
    assert closing_id is not None

    def done() -> list[bool]:
        claimed = world.run(runs.claim, closing_id=closing_id)
        return [
            world.run(deadline.close, closing_id=closing_id),
            opened(world),
            world.run(deadline.score, closing_id=closing_id),
            claimed is not None,
        ]

    world.clock.move_to(world.closes_at(referral) - timedelta(microseconds=1))
    assert done() == [False, False, False, False]
    assert world.rows(OpenedBid) == []
    world.clock.move_to(world.closes_at(referral))
    assert done() == [True, True, True, False]
    assert done() == [False, False, False, True]
    assert done() == [False, False, False, False]

    assert (len(world.rows(OpenedBid)), len(world.rows(ScoredBid)), len(world.rows(runs.AllocationRun))) == (1, 1, 1)


@pytest.mark.parametrize("steps_done", [1, 2, 3])
def test_what_a_dead_worker_left_undone_the_next_sweep_makes_good(world: World, steps_done: int) -> None:
    oak, elm, referral = world.provider("Synthetic Oak"), world.provider("Synthetic Elm"), world.referral()
    world.bid(oak, referral, pence=1700)
    world.bid(elm, referral, pence=1600)
    closing_id = one_closing(world).id
    assert closing_id is not None
    world.clock.move_to(world.closes_at(referral))
    steps: list[Callable[[], bool]] = [
        lambda: world.run(deadline.close, closing_id=closing_id),
        lambda: opened(world),
        lambda: world.run(deadline.score, closing_id=closing_id),
    ]
    for step in steps[:steps_done]:
        assert step()

    swept = world.step(hours=6)

    assert list(swept.done) == ["closed", "opened", "scored", "allocated"][steps_done:]
    assert (one_closing(world).state, world.award(referral).provider) == (ClosingState.ALLOCATED, elm.provider)
    assert [len(world.events(kind)) for kind in STEPS] == [1, 1, 1, 1]


def test_two_workers_sweeping_at_once_do_each_closing_once(world: World) -> None:
    oak, elm = world.provider("Synthetic Oak"), world.provider("Synthetic Elm")
    referrals = [world.referral(urgency=Urgency.CRISIS) for _ in range(5)]
    for number, referral in enumerate(referrals):
        world.bid(oak, referral, pence=1500 + number)
        world.bid(elm, referral, pence=1600 - number)
    world.clock.move_to(world.closes_at(referrals[-1]))
    first = world.timetable
    second = Timetable(world.database, world.ports, first.opener, world.postman, first.solver)

    swept = race([first.sweep, second.sweep])

    assert [one for one in swept if isinstance(one, Exception)] == []
    for kind in STEPS:
        assert sorted(Counter(event.stream for event in world.events(kind)).values()) == [1] * 5
    assert [len(world.awards(referral)) for referral in referrals] == [1] * 5
    assert [len(world.rows(table)) for table in (OpenedBid, ScoredBid, runs.AllocationRun)] == [10, 10, 5]
    assert world.faults() == []


def test_overdue_closings_are_closed_in_the_order_of_their_instants(world: World) -> None:
    world.provider("Synthetic Oak")
    later = world.referral()
    sooner = world.referral(urgency=Urgency.CRISIS)

    world.step(hours=12)

    refs = {closing.id: closing.ref for closing in world.rows(Closing)}
    closed = [event.stream for event in world.events("closing.close")]
    rounds = {round_.referral_id: refs.get(round_.closing_id) for round_ in world.rows(Round) if round_.stage_no == 0}
    assert closed == [rounds[2], rounds[1]]
    assert [world.round(referral).stage_key for referral in (sooner, later)] == ["border", "border"]


def test_one_broken_closing_keeps_no_other_from_closing(world: World) -> None:
    oak = world.provider("Synthetic Oak")
    broken, sound = world.referral(urgency=Urgency.CRISIS), world.referral(urgency=Urgency.CRISIS)
    world.bid(oak, sound, pence=1600)
    other = {"other": bytes(60), "id": world.round(broken).closing_id}
    with world.database.transaction() as session:
        session.execute(text("UPDATE closing SET sealed_number = :other WHERE id = :id"), other)

    with pytest.raises(ExceptionGroup) as left:
        world.move_to(world.closes_at(sound))

    assert [type(fault) for fault in left.value.exceptions] == [Corrupted]
    assert world.award(sound).provider == oak.provider
    assert {closing.state for closing in world.rows(Closing)} == {ClosingState.GATHERING, ClosingState.ALLOCATED}


# What is closed


def test_the_manifest_and_the_lots_seed_follow_from_what_was_committed(world: World) -> None:
    oak, elm, referral = world.provider("Synthetic Oak"), world.provider("Synthetic Elm"), world.referral()
    receipts = [world.bid(oak, referral, pence=1600), world.bid(elm, referral, pence=1650)]
    published = world.events("closing.published")[0].body
    world.close(referral)

    closed, closing = world.events("closing.close")[0].body, one_closing(world)
    number = bytes.fromhex(closed["number"])
    assert hashlib.sha256(number).hexdigest() == published["number_sha256"]
    assert closed["manifest"] == sorted(
        [receipt["bid"], receipt["ciphertext_sha256"], receipt["commitment"]] for receipt in receipts
    )
    commitments = sorted(receipt["commitment"] for receipt in receipts)
    assert closing.lot_seed == hashlib.sha256(number + "\n".join(commitments).encode()).hexdigest()
    assert closing.manifest_sha256 == hashlib.sha256(canonical_json(closed["manifest"]).encode()).hexdigest()


def test_an_unreadable_bid_is_invalid_with_its_reason_and_stops_nobody(world: World) -> None:
    oak, elm, referral = world.provider("Synthetic Oak"), world.provider("Synthetic Elm"), world.referral()
    world.bid(oak, referral, pence=1500)
    world.bid(elm, referral, pence=1600)
    damaged = world.rows(Bid, Bid.provider == oak.provider)[0]
    with world.database.transaction() as session:
        session.execute(
            text("UPDATE bid SET ciphertext = :other WHERE id = :id"), {"other": b"damaged", "id": damaged.id}
        )

    world.close(referral)

    assert world.award(referral).provider == elm.provider
    (rejected,) = world.events("bid.reject")
    assert rejected.body["cause"] == "the stored ciphertext is not what was received"
    assert world.faults() != []


def test_a_cancelled_rounds_bids_lapse_unopened_and_the_closing_goes_on(liverpool: World) -> None:
    oak = liverpool.provider("Synthetic Oak", lists=["approved"])
    stays, goes = liverpool.referral(), liverpool.referral()
    liverpool.bid(oak, stays, pence=1600)
    liverpool.bid(oak, goes, pence=1600)
    bundle = liverpool.bid(oak, stays, goes, pence=1500)

    liverpool.run(publishing.withdraw, referral_ref=goes, reason="Went to family.", actor=liverpool.broker)
    liverpool.close(stays)

    by_ref = {bid.ref: str(bid.state) for bid in liverpool.rows(Bid)}
    assert by_ref.pop(bundle["bid"]) == "lapsed"
    assert sorted(by_ref.values()) == ["lapsed", "opened"]
    assert liverpool.award(stays).provider == oak.provider
    assert liverpool.awards(goes) == []
    assert {str(invitation.state) for invitation in liverpool.rows(Invitation)} == {"invited", "lapsed"}


def test_a_closing_without_any_bid_is_closed_and_its_rounds_go_on(world: World) -> None:
    world.provider("Synthetic Oak")
    referral = world.referral()

    world.close(referral)

    assert world.round(referral).stage_key == "border"
    assert world.events("closing.close")[0].body["manifest"] == []
