"""A run that was not counted awards nothing by itself, and lets nothing climb by itself (law 6)."""

from dataclasses import replace

import pytest

from bidding import deadline
from bidding.allocation import review, runs
from bidding.awards import moving
from bidding.awards.records import Source
from bidding.closings import Closing
from dps.kernel.actors import Actor
from dps.kernel.errors import Forbidden, NeedsSecondPerson, NoSuchStep, NotFound
from dps.kernel.outbox import OutboxMessage
from dps.register.interests import declare_interest
from dps.register.limits import LimitPart
from matching.allocation import Status
from tests.support.world import World

GREEDY = Status.FALLBACK_GREEDY


def run_out(world: World, referral: str, *, counted: bool) -> None:
    """Close the referral's closing and decide it by a run whose work was counted, or was not."""
    world.clock.move_to(world.closes_at(referral))
    (closing,) = world.rows(Closing)
    assert closing.id is not None
    assert world.run(deadline.close, closing_id=closing.id)
    assert world.run(deadline.open_bids, closing_id=closing.id, opener=world.timetable.opener)
    assert world.run(deadline.score, closing_id=closing.id)
    run = world.run(runs.claim, closing_id=closing.id)
    assert run is not None
    result = runs.answer_of(run, process=world.timetable.solver)
    if not counted:
        result = replace(result, counted=False, status=GREEDY)
    assert world.run(runs.finish, run_id=run.id or 0, result=result)


def two_packages_and_one_that_takes_one(world: World) -> tuple[str, str, Actor]:
    """Nobody bid for the second of two packages that close together."""
    oak = world.provider("Synthetic Oak")
    placed, left = world.referral(), world.referral()
    world.bid(oak, placed, pence=1600)
    return placed, left, oak


def test_what_an_uncounted_run_left_over_waits_for_a_broker_and_says_so(world: World) -> None:
    placed, left, _ = two_packages_and_one_that_takes_one(world)

    run_out(world, left, counted=False)

    assert world.award(placed).state == "proposed"
    assert (str(world.round(left).state), world.state(left)) == ("closed", "seeking")
    (message,) = [message for message in world.rows(OutboxMessage) if message.kind == "left_over_uncounted"]
    assert (message.recipient, message.about) == (f"authority:{world.authority}", world.round(left).ref)
    assert world.step(hours=72).done == {}
    assert str(world.round(left).state) == "closed"


def test_a_counted_run_lets_it_climb_at_once(world: World) -> None:
    placed, left, _ = two_packages_and_one_that_takes_one(world)

    run_out(world, left, counted=True)

    assert world.award(placed).state == "offered"
    assert world.round(left).stage_key == "border"


def test_a_broker_lets_it_go_on_up_the_ladder(world: World) -> None:
    placed, left, oak = two_packages_and_one_that_takes_one(world)
    run_out(world, left, counted=False)

    for actor, error in ((oak, Forbidden), (world.second, Forbidden), (replace(world.broker, authority="x"), NotFound)):
        with pytest.raises(error):
            world.run(review.go_on, referral_ref=left, actor=actor)
    with pytest.raises(NoSuchStep):
        world.run(review.go_on, referral_ref=placed, actor=world.broker)
    world.run(review.go_on, referral_ref=left, actor=world.broker)
    with pytest.raises(NoSuchStep):
        world.run(review.go_on, referral_ref=left, actor=world.broker)

    assert world.round(left).stage_key == "border"
    assert [event.actor for event in world.events("round.left_over_seen")] == [world.broker.ref]
    assert world.faults() == []


def test_what_was_bid_for_and_left_over_is_offered_in_the_published_order(world: World) -> None:
    """A greedy answer may leave a package to nobody although somebody can serve it."""
    oak, elm = world.provider("Synthetic Oak"), world.provider("Synthetic Elm")
    referral = world.referral()
    world.bid(elm, referral, pence=1650)
    world.bid(oak, referral, pence=1600)
    world.limit(oak, LimitPart(packages=0))
    world.limit(elm, LimitPart(packages=0))
    run_out(world, referral, counted=False)
    assert world.awards(referral) == []

    world.limit(oak, LimitPart(packages=1))
    world.limit(elm, LimitPart(packages=1))
    world.run(review.go_on, referral_ref=referral, actor=world.broker)

    award = world.award(referral)
    assert (award.provider, award.state, award.source) == (oak.provider, "offered", Source.RESERVE)


def test_who_is_interested_lets_nothing_go_on(world: World) -> None:
    _, left, oak = two_packages_and_one_that_takes_one(world)
    world.run(declare_interest, provider=oak.provider or "", actor=world.broker)
    run_out(world, left, counted=False)

    with pytest.raises(NeedsSecondPerson):
        world.run(review.go_on, referral_ref=left, actor=world.broker)

    assert str(world.round(left).state) == "closed"


def test_an_award_of_an_uncounted_run_is_offered_once_a_person_has_said_yes(world: World) -> None:
    placed, left, _ = two_packages_and_one_that_takes_one(world)
    run_out(world, left, counted=False)

    world.run(moving.approve, award_ref=world.award(placed).ref, actor=world.broker)

    assert world.award(placed).state == "offered"
