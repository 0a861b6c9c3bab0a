"""Where a referral waits in the work queue: derived from its rows and the time, in every state."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest

from bidding.awards.records import AwardState
from bidding.looking.queue import SOON, Place, counts, places_of, work_queue
from bidding.referrals import ReferralState
from bidding.rounds import RoundState
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


def test_a_later_stage_and_a_later_cycle_are_told() -> None:
    assert places(stage_no=2, cycle=3) == {Place.SEEKING, Place.ESCALATED, Place.CAME_BACK}


def test_an_award_that_waits_for_approval_comes_before_the_round_that_it_is_of() -> None:
    assert places(award_state=AwardState.PROPOSED, round_state=RoundState.CLOSED) == {Place.APPROVE}
    assert places(award_state=AwardState.ACCEPTED, round_state=RoundState.CLOSED) == {Place.ANSWER}


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
