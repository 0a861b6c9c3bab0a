"""What is due, done once by whoever sweeps; a sweep of nothing writes nothing."""

from datetime import timedelta

import pytest

from bidding.awards import moving
from bidding.bids.records import Bid
from bidding.rounds import Round
from bidding.timetable import Timetable
from dps.kernel.actors import Actor
from dps.kernel.audit import AuditEvent
from dps.kernel.outbox import OutboxMessage, post
from dps.register.capacity import Ledger
from dps.register.membership import Membership
from dps.register.suspensions import RunningContracts, SuspensionScope, suspend
from dps.schemes.model import Urgency
from tests.bidding.awards.stories import a_story
from tests.support.race import race
from tests.support.world import World

MICROSECOND = timedelta(microseconds=1)
on_sqlite_alone = pytest.mark.parametrize("database_kind", ["sqlite"])


def suspended(world: World, provider: Actor) -> None:
    world.run(
        suspend,
        provider_id=world.row_of(provider).id or 0,
        scheme=world.scheme,
        scope=SuspensionScope.ALL,
        running_contracts=RunningContracts.CONTINUE,
        because="Synthetic: two missed visits.",
        actor=world.officer,
        starts_at=world.now + timedelta(hours=1),
        ends_at=world.now + timedelta(hours=2),
    )


@on_sqlite_alone
def test_a_sweep_of_nothing_writes_nothing_and_a_second_one_finds_nothing(world: World) -> None:
    oak, referral = world.provider("Synthetic Oak"), world.referral()
    world.bid(oak, referral, pence=1600)
    before = len(world.rows(AuditEvent))

    assert not world.timetable.sweep()
    assert len(world.rows(AuditEvent)) == before

    assert world.close(referral)
    after, messages = len(world.rows(AuditEvent)), len(world.rows(OutboxMessage))
    assert not world.timetable.sweep()
    assert (len(world.rows(AuditEvent)), len(world.rows(OutboxMessage))) == (after, messages)


@on_sqlite_alone
def test_suspensions_are_written_down_as_they_begin_and_end(world: World) -> None:
    oak = world.provider("Synthetic Oak", localities=["haydock"])
    suspended(world, oak)

    def states() -> set[str]:
        return {str(row.state) for row in world.rows(Membership)}

    swept = [world.timetable.sweep().done, world.step(hours=1).done, world.timetable.sweep().done]
    assert [one.get("suspensions") for one in swept] == [None, 1, None]
    assert states() == {"suspended"}
    assert world.step(hours=1).done == {"suspensions": 1}
    assert states() == {"active"}


@on_sqlite_alone
def test_an_offer_to_a_provider_that_was_suspended_meanwhile_goes_to_the_reserve(world: World) -> None:
    story = a_story(world)
    suspended(world, story.best)

    swept = world.step(hours=1)

    assert swept.done["lapsed_offers"] == 1
    assert [(award.provider, str(award.state)) for award in world.awards(story.referral)] == [
        (story.best.provider, "expired"),
        (story.reserve.provider, "offered"),
    ]


@on_sqlite_alone
def test_a_declaration_that_ran_out_is_settled_and_flagged_once(world: World) -> None:
    world.provider("Synthetic Oak")

    assert world.step(days=60).done == {"declarations": 1}

    (row,) = world.rows(Ledger)
    assert (row.ceiling_minutes, str(row.flag)) == (0, "expired")
    assert world.timetable.sweep().done == {}


@on_sqlite_alone
def test_a_package_for_the_first_to_accept_goes_on_when_its_window_ends_and_not_before(liverpool: World) -> None:
    liverpool.provider("Synthetic Oak", lists=["preferred"])
    referral = liverpool.referral(urgency=Urgency.CRISIS)
    first = liverpool.round(referral)
    assert first.closes_at is not None
    assert liverpool.move_to(first.closes_at - MICROSECOND).done == {}

    assert liverpool.move_to(first.closes_at).done == {"ended_rounds": 1}

    ended, *_ = liverpool.rows(Round)
    assert (ended.ref, str(ended.state), ended.outcome) == (first.ref, "decided", "exhausted")
    assert liverpool.round(referral).predecessor_id == first.id


@on_sqlite_alone
def test_everything_that_became_due_while_no_worker_ran_is_done_by_the_next_sweep(world: World) -> None:
    story = a_story(world)
    running = world.referral(urgency=Urgency.CRISIS)
    world.bid(story.last, running, pence=1600)
    silent = world.referral()
    ends = max(world.closes_at(running), world.closes_at(silent), story.award.answer_by or world.now)

    swept = world.move_to(ends + timedelta(hours=6))

    assert swept.done["expired_offers"] >= 1
    assert swept.done["closed"] == 2
    assert story.award.provider == story.reserve.provider
    assert (world.award(running).provider, world.award(running).offered_at) == (story.last.provider, world.now)
    assert (world.round(silent).stage_key, world.round(silent).opens_at) == ("border", world.now)
    assert {str(bid.state) for bid in world.rows(Bid)} <= {"opened", "unsuccessful"}
    assert world.faults() == []


def test_two_workers_that_sweep_at_once_end_an_offer_once(world: World) -> None:
    story = a_story(world)
    answer_by = story.award.answer_by
    assert answer_by is not None
    world.clock.move_to(answer_by)
    first = world.timetable
    second = Timetable(world.database, world.ports, first.opener, world.postman, first.solver)

    swept = race([first.sweep, second.sweep])

    assert [one for one in swept if isinstance(one, Exception)] == []
    assert [str(award.state) for award in world.awards(story.referral)] == ["expired", "offered"]
    assert len(world.events("award.expire")) == 1


@on_sqlite_alone
def test_one_ring_carries_all_that_is_queued_however_many_batches_it_is(world: World) -> None:
    with world.database.transaction() as session:
        for number in range(120):
            post(session, world.ports.entropy, recipient="provider:P", kind="told", about=f"{number}", now=world.now)

    assert world.timetable.carry_messages() == 120
    assert len(world.postman.messages) == 120


@on_sqlite_alone
def test_a_checkpoint_is_signed_where_something_moved_and_messages_leave_once(world: World) -> None:
    story = a_story(world)
    world.run(moving.accept, award_ref=story.award.ref, actor=story.best)

    assert [world.timetable.sign_checkpoint() for _ in range(2)] == [True, False]
    queued = len(world.rows(OutboxMessage))
    assert [world.timetable.carry_messages() for _ in range(2)] == [queued, 0]

    assert len({message.ref for message in world.postman.messages}) == queued
    world.run(moving.confirm, award_ref=story.award.ref, actor=story.best)
    assert world.timetable.sign_checkpoint()
    assert world.faults() == []
