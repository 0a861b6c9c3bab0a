"""Where a referral waits in the work queue: derived from its rows and the time, in every state."""

from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import pytest
from sqlalchemy import event

from bidding.aftercare import hand_back, start_contract
from bidding.awards import moving
from bidding.awards.records import AwardState
from bidding.looking.queue import SOON, Place, counts, places_of, work_queue
from bidding.referrals import ReferralState
from bidding.rounds import RoundState
from dps.contracts.contracts import ContractState
from dps.contracts.reasons import HandBackReason
from dps.schemes.model import Urgency
from tests.support.world import World

NOON = datetime(2019, 3, 4, 12, tzinfo=UTC)
OVER = (ReferralState.PLACED, ReferralState.PLACED_OTHERWISE, ReferralState.WITHDRAWN)


def places(state: ReferralState = ReferralState.SEEKING, **row: object) -> frozenset[Place]:
    known: dict[str, object] = {
        "cycle": 1, "stage_no": 0, "round_state": RoundState.PUBLISHED, "closes_at": NOON + timedelta(hours=5),
        "award_state": None,
    }  # fmt: skip
    return places_of(state, now=NOON, **(known | row))  # type: ignore[arg-type]


def test_whatever_is_not_over_waits_somewhere() -> None:
    for state, round_state, award in product(
        set(ReferralState) - set(OVER), [None, *RoundState], [None, AwardState.PROPOSED, AwardState.OFFERED]
    ):
        assert places(state, round_state=round_state, award_state=award), (state, round_state, award)


@pytest.mark.parametrize(
    ("left", "expected"),
    [
        (SOON + timedelta(microseconds=1), {Place.SEEKING}),
        (SOON, {Place.SEEKING, Place.CLOSING_SOON}),
        (timedelta(microseconds=1), {Place.SEEKING, Place.CLOSING_SOON}),
        (timedelta(0), {Place.DECIDING}),
    ],
)
def test_a_round_is_open_until_its_instant_however_late_the_sweep_is(left: timedelta, expected: set[Place]) -> None:
    assert places(closes_at=NOON + left) == expected


def test_an_open_round_whose_invitations_did_not_arrive_is_told_until_it_closes() -> None:
    assert places(is_unreached=True) == {Place.SEEKING, Place.UNREACHED}
    assert places(is_unreached=True, closes_at=NOON) == {Place.DECIDING}


def test_a_question_waits_for_its_answer_until_the_round_closes() -> None:
    assert places(has_question=True) == {Place.SEEKING, Place.QUESTION}
    assert places(has_question=True, closes_at=NOON) == {Place.DECIDING}
    assert places(ReferralState.HELD, has_question=True) == {Place.HELD}


def test_a_later_stage_and_a_later_cycle_are_told() -> None:
    assert places(stage_no=2, cycle=3) == {Place.SEEKING, Place.ESCALATED, Place.ASKED_AGAIN}


def test_an_award_that_waits_for_approval_comes_before_the_round_that_it_is_of() -> None:
    assert places(award_state=AwardState.PROPOSED, round_state=RoundState.CLOSED) == {Place.APPROVE}
    assert places(award_state=AwardState.ACCEPTED, round_state=RoundState.CLOSED) == {Place.ANSWER}


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ({"award_state": AwardState.DECLINED}, Place.DECLINED),
        ({"award_state": AwardState.EXPIRED}, Place.DECLINED),
        ({"award_state": AwardState.RETURNED}, Place.RETURNED),
        ({"cycle": 2, "contract_state": ContractState.FAILED_TO_START}, Place.FAILED_START),
        ({"cycle": 2, "contract_state": ContractState.HANDED_BACK}, Place.HANDED_BACK),
        ({"had_no_bids": True}, Place.NO_BIDS),
    ],
)
def test_what_went_wrong_before_is_told_beside_where_it_waits_now(row: dict[str, Any], expected: Place) -> None:
    assert places(**row) == {Place.SEEKING, expected}
    assert expected in places(ReferralState.UNFILLED, **row)


def test_a_round_without_bids_is_told_once_it_is_over_and_never_before(world: World) -> None:
    bidder = world.provider("Somebody")
    silent, bid_for = world.referral(), world.referral()
    with world.database.reading() as session:
        before = {one.referral: one.places for one in work_queue(session, world.broker, world.now)}
    world.bid(bidder, bid_for, pence=1600)
    with world.database.reading() as session:
        sealed = {one.referral: one.places for one in work_queue(session, world.broker, world.now)}

    world.close(silent)

    with world.database.reading() as session:
        after = {one.referral: one.places for one in work_queue(session, world.broker, world.now)}
    assert sealed == before
    assert Place.NO_BIDS in after[silent]
    assert Place.NO_BIDS not in after[bid_for]


def test_declined_and_handed_back_packages_are_found_in_the_queue(world: World) -> None:
    first, second = world.provider("First"), world.provider("Second")
    declined, back = world.referral(), world.referral()
    for referral in (declined, back):
        world.bid(first, referral, pence=1600)
        world.bid(second, referral, pence=1700)
    world.close(declined)
    world.run(moving.decline, award_ref=world.award(declined).ref, reason="No carer is free.", actor=first)
    contract = world.accept_and_confirm(world.award(back), first)
    day = world.now.date()
    world.run(start_contract, contract_ref=contract, first_visit_on=day, actor=first)
    world.run(hand_back, contract_ref=contract, reason=HandBackReason.STAFFING, last_day=day, actor=first)

    with world.database.reading() as session:
        queue = {one.referral: one for one in work_queue(session, world.broker, world.now)}

    assert Place.ANSWER in queue[declined].places  # the second bid is offered at once
    assert Place.HANDED_BACK in queue[back].places
    assert queue[back].award is None


def test_the_queue_is_one_select_that_looks_rows_up_by_index(world: World) -> None:
    world.provider("Somebody")
    for _ in range(3):
        world.referral()
    seen: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_more: Any) -> None:
        seen.append((statement, parameters))

    with world.database.reading() as session:
        event.listen(world.database.engine, "before_cursor_execute", note)
        work_queue(session, world.broker, world.now)
        event.remove(world.database.engine, "before_cursor_execute", note)
        ((statement, parameters),) = [one for one in seen if one[0].startswith("SELECT")]
        if world.database.is_sqlite:
            connection = session.connection()
            plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
            assert [step for step in plan if step.startswith("SCAN")] == []


def test_the_queue_holds_what_is_not_over_of_one_authority_with_urgent_people_first(world: World) -> None:
    world.provider("Somebody")
    standard = world.referral()
    world.step(minutes=10)
    discharge = world.referral(urgency=Urgency.DISCHARGE)
    draft = world.referral(publish_it=False)

    with world.database.reading() as session:
        queue = work_queue(session, world.broker, world.now)
        elsewhere = work_queue(session, world.acting_for("another-council").broker, world.now)

    assert [one.referral for one in queue] == [discharge, standard, draft]
    assert counts(queue)[Place.SEEKING] == 2
    assert counts(queue)[Place.PUBLISH] == 1
    assert elsewhere == []


def test_a_draft_waits_from_the_moment_it_was_written_down(world: World) -> None:
    written_at = world.now
    draft = world.referral(publish_it=False)
    world.clock.move_to(written_at + timedelta(hours=5))

    with world.database.reading() as session:
        (found,) = work_queue(session, world.broker, world.now)

    assert (found.referral, found.since) == (draft, written_at)
