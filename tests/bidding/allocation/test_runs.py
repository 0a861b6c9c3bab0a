"""One run for each closing: frozen when it is claimed, taken over from the dead, played again to the same award."""

import hashlib
import json
import sys
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bidding import publishing
from bidding.allocation import runs
from bidding.allocation.runs import LEASE, RENEWAL, AllocationRun
from bidding.awards import moving
from bidding.closings import Closing, ClosingState
from dps.kernel.actors import Actor
from dps.kernel.clock import FrozenClock
from dps.kernel.outbox import OutboxMessage
from dps.register.capacity import say_full
from dps.register.limits import LimitPart
from matching import allocation as solver
from tests.bidding.allocation.closed import claimed, scored
from tests.support.race import race
from tests.support.world import World

MICROSECOND = timedelta(microseconds=1)
on_sqlite_alone = pytest.mark.parametrize("database_kind", ["sqlite"])


def a_run(world: World) -> AllocationRun:
    (run,) = world.rows(AllocationRun)
    return run


def awarded(run: AllocationRun) -> dict[str, str]:
    """The provider of each package in the stored answer."""
    return {package: provider for package, provider, *_ in run.answer["awards"]}


def finish(world: World, run: AllocationRun) -> bool:
    return world.run(runs.finish, run_id=run.id or 0, result=runs.answer_of(run, process=world.timetable.solver))


def competing(world: World, lists: str) -> tuple[str, str, Actor, Actor]:
    """Two packages that close together: Oak is the cheapest for both and takes one, Elm bids for the first alone."""
    oak, elm = (world.provider(f"Synthetic {name}", lists=[lists]) for name in ("Oak", "Elm"))
    world.limit(oak, LimitPart(packages=1))
    first, second = world.referral(), world.referral()
    world.bid(oak, first, pence=1500, preference=1)
    world.bid(oak, second, pence=1510, preference=2)
    world.bid(elm, first, pence=1600)
    return first, second, oak, elm


# Claimed


@on_sqlite_alone
def test_a_run_freezes_what_it_decides_from_and_the_trail_knows_its_hash(world: World) -> None:
    oak, referral = world.provider("Synthetic Oak"), world.referral()
    world.bid(oak, referral, pence=1600)

    run = claimed(world, referral)

    (closing,) = world.rows(Closing)
    (event,) = world.events("allocation.claimed")
    assert (run.lot_seed, run.effort, run.answer, run.counted) == (closing.lot_seed, solver.DEFAULT_EFFORT, None, None)
    assert run.instance_sha256 == hashlib.sha256(run.instance.encode()).hexdigest()
    assert (event.stream, event.body["run"], event.body["instance_sha256"]) == (
        closing.ref,
        run.ref,
        run.instance_sha256,
    )


@on_sqlite_alone
def test_what_changed_after_the_claim_is_seen_at_the_offer_and_not_in_the_run(world: World) -> None:
    oak, elm, referral = world.provider("Synthetic Oak"), world.provider("Synthetic Elm"), world.referral()
    world.bid(oak, referral, pence=1600)
    world.bid(elm, referral, pence=1650)
    run = claimed(world, referral)
    world.run(say_full, provider_id=world.row_of(oak).id or 0, actor=oak)

    assert finish(world, run)

    assert awarded(a_run(world)) == {world.round(referral).ref: oak.provider}
    assert [(award.provider, str(award.state)) for award in world.awards(referral)] == [
        (oak.provider, "expired"),
        (elm.provider, "offered"),
    ]
    assert a_run(world).instance == run.instance


def test_a_living_workers_run_is_nobody_elses_and_a_dead_ones_is_taken_over_as_it_was(world: World) -> None:
    oak, referral = world.provider("Synthetic Oak"), world.referral()
    world.bid(oak, referral, pence=1600)
    closing_id = scored(world, referral)
    first = world.run(runs.claim, closing_id=closing_id)
    assert first is not None
    assert world.run(runs.claim, closing_id=closing_id) is None
    world.clock.move_to(first.claimed_at + LEASE - MICROSECOND)
    assert world.run(runs.claim, closing_id=closing_id) is None
    assert world.timetable.sweep().done == {}

    world.clock.move_to(first.claimed_at + LEASE)
    second = world.run(runs.claim, closing_id=closing_id)

    assert second is not None
    assert (second.ref, second.instance, second.lot_seed) == (first.ref, first.instance, first.lot_seed)
    assert world.run(runs.claim, closing_id=closing_id) is None  # the lease began anew
    assert len(world.events("allocation.claimed")) == 1


@on_sqlite_alone
def test_a_worker_that_says_that_it_lives_keeps_its_run_however_long_the_solver_takes(world: World) -> None:
    oak, referral = world.provider("Synthetic Oak"), world.referral()
    world.bid(oak, referral, pence=1600)
    run = claimed(world, referral)

    for _ in range(20):
        world.clock.step(RENEWAL)
        world.run(runs.renew, run_id=run.id)

    assert world.run(runs.claim, closing_id=run.closing_id) is None
    assert finish(world, run)


@on_sqlite_alone
def test_a_claim_from_before_the_clock_was_put_back_is_taken_over_at_once(world: World) -> None:
    oak, referral = world.provider("Synthetic Oak"), world.referral()
    world.bid(oak, referral, pence=1600)
    run = claimed(world, referral)
    back = replace(world.ports, clock=FrozenClock(run.claimed_at - MICROSECOND))

    with world.database.transaction() as session:
        again = runs.claim(session, back, run.closing_id)

    assert again is not None
    assert again.ref == run.ref


@on_sqlite_alone
def test_a_worker_that_was_thought_dead_awards_nothing_a_second_time(world: World) -> None:
    oak, referral = world.provider("Synthetic Oak"), world.referral()
    world.bid(oak, referral, pence=1600)
    run = claimed(world, referral)

    assert world.move_to(run.claimed_at + LEASE).done == {"allocated": 1}
    assert finish(world, run) is False

    assert [str(award.state) for award in world.awards(referral)] == ["offered"]
    assert world.run(runs.claim, closing_id=run.closing_id) is None
    assert world.faults() == []


def test_two_workers_that_finish_one_run_at_once_award_once(world: World) -> None:
    oak, referral = world.provider("Synthetic Oak"), world.referral()
    world.bid(oak, referral, pence=1600)
    run = claimed(world, referral)

    answers = race([lambda: finish(world, run), lambda: finish(world, run)])

    assert sorted(map(str, answers)) == ["False", "True"]
    assert len(world.awards(referral)) == 1
    assert len(world.events("closing.allocate")) == 1


# Finished


@on_sqlite_alone
def test_a_stored_run_is_played_again_to_the_same_award(liverpool: World) -> None:
    """Equal bids, so that lots decide as well; a joint allocation, so that the solver's process is asked."""
    ways = ((1500, 1500), (1500, 1520), (1520, 1500))
    providers = [liverpool.provider(f"Synthetic {n}", lists=["approved"], hours=4) for n in range(3)]
    referrals = [liverpool.referral() for _ in range(2)]
    for provider, prices in zip(providers, ways, strict=True):
        for referral, pence in zip(referrals, prices, strict=True):
            liverpool.bid(provider, referral, pence=pence)
    liverpool.close(referrals[0])
    run = a_run(liverpool)

    again = runs.answer_of(run, process=liverpool.timetable.solver)

    def told(answer: dict[str, Any]) -> dict[str, Any]:
        return {key: answer[key] for key in ("awards", "unplaced", "objective_pence", "bound_pence", "draws", "status")}

    assert (run.mode, run.counted, again.counted) == ("joint", True, True)
    assert told(json.loads(solver.result_to_json(again))) == told(run.answer)
    by_round = {liverpool.round(referral).ref: liverpool.award(referral).provider for referral in referrals}
    assert awarded(run) == by_round
    assert all(liverpool.award(referral).run_ref == run.ref for referral in referrals)


@on_sqlite_alone
def test_seconds_are_not_stored_because_no_award_rests_on_them(world: World) -> None:
    oak, referral = world.provider("Synthetic Oak"), world.referral()
    world.bid(oak, referral, pence=1600)

    world.close(referral)

    assert "seconds" not in a_run(world).answer
    assert a_run(world).finished_at == world.now


@on_sqlite_alone
def test_a_joint_answer_beside_a_per_package_run_is_labelled_advice_and_awards_nothing(world: World) -> None:
    first, second, oak, _ = competing(world, "approved")

    world.close(first)

    advice = a_run(world).advice
    assert (advice["label"], advice["placed"], advice["unplaced"]) == ("joint answer, advice only", 2, 0)
    assert (world.award(first).provider, world.awards(second)) == (oak.provider, [])
    assert world.round(second).stage_key == "border"


@on_sqlite_alone
def test_there_is_no_advice_on_one_package_alone(world: World) -> None:
    oak, referral = world.provider("Synthetic Oak"), world.referral()
    world.bid(oak, referral, pence=1600)

    world.close(referral)

    assert (a_run(world).mode, a_run(world).advice) == ("per_package", None)


# Not counted


@on_sqlite_alone
def test_where_the_solver_gives_no_answer_the_labelled_fallback_waits_for_a_broker(liverpool: World) -> None:
    first, second, _, _ = competing(liverpool, "approved")
    dead = solver.SolverProcess(command=(sys.executable, "-c", "raise SystemExit(1)"))
    liverpool.timetable = replace(liverpool.timetable, solver=dead)

    liverpool.close(first)

    run = a_run(liverpool)
    assert (run.status, run.counted) == ("fallback_greedy", False)
    awards = [award for referral in (first, second) for award in liverpool.awards(referral)]
    assert {(str(award.state), award.needs_person) for award in awards} == {("proposed", True)}
    assert all("not counted: fallback_greedy" in (award.reason or "") for award in awards)
    asked = {message.about for message in liverpool.rows(OutboxMessage) if message.kind == "award_to_approve"}
    assert asked == {award.ref for award in awards}
    liverpool.run(moving.approve, award_ref=awards[0].ref, actor=liverpool.broker)
    assert str(liverpool.rows(type(awards[0]), type(awards[0]).ref == awards[0].ref)[0].state) == "offered"


# What happened while the solver was at work


@on_sqlite_alone
def test_a_package_withdrawn_while_the_solver_was_at_work_is_awarded_to_nobody(liverpool: World) -> None:
    oak = liverpool.provider("Synthetic Oak", lists=["approved"])
    stays, goes = liverpool.referral(), liverpool.referral()
    for referral in (stays, goes):
        liverpool.bid(oak, referral, pence=1600)
    run = claimed(liverpool, stays)
    liverpool.run(publishing.withdraw, referral_ref=goes, reason="Went to family.", actor=liverpool.broker)

    assert finish(liverpool, run)

    assert (liverpool.award(stays).provider, liverpool.awards(goes)) == (oak.provider, [])
    assert (liverpool.state(goes), str(liverpool.round(goes).state)) == ("withdrawn", "cancelled")
    assert {closing.state for closing in liverpool.rows(Closing)} == {ClosingState.ALLOCATED}
