"""After acceptance: the person's file for the winner alone, the first visit, and care that never began or stops."""

from datetime import timedelta
from typing import Any

import pytest

from bidding import aftercare
from bidding.referrals import Referral
from dps.contracts.contracts import Contract
from dps.contracts.reasons import FailureReason, HandBackReason
from dps.kernel.actors import Actor, Role
from dps.kernel.errors import Forbidden, NoSuchStep, NotFound
from dps.packages.packages import Package
from tests.bidding.awards.stories import Story, a_story
from tests.support.world import World

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])

WEEK = 210
COULD_NOT = FailureReason.PROVIDER_COULD_NOT
STAFFING = HandBackReason.STAFFING
LOOKS = (aftercare.identity_for_winner, aftercare.place_of_care_for_winner)


def contracted(world: World) -> tuple[Story, str]:
    """A package placed with the best of three bidders, before the first visit."""
    story = a_story(world)
    return story, world.accept_and_confirm(story.award, story.best)


def begun(world: World) -> tuple[Story, str]:
    story, contract = contracted(world)
    world.step(days=4)
    world.run(aftercare.start_contract, contract_ref=contract, first_visit_on=world.now.date(), actor=story.best)
    return story, contract


def hand_back(world: World, contract: str, actor: Actor) -> Any:
    last_day = world.now.date() + timedelta(days=28)
    return world.run(aftercare.hand_back, contract_ref=contract, reason=STAFFING, last_day=last_day, actor=actor)


# The person's file


def test_the_file_is_read_by_the_winner_after_acceptance_and_each_look_is_recorded(world: World) -> None:
    story = a_story(world)
    ref = story.award.ref
    for look in LOOKS:
        with pytest.raises(NotFound):  # offered, not accepted
            world.run(look, award_ref=ref, actor=story.best)
    story.accept()

    identity = world.run(aftercare.identity_for_winner, award_ref=ref, actor=story.best)
    place = world.run(aftercare.place_of_care_for_winner, award_ref=ref, actor=story.best)

    assert (identity.name, place.address) == ("Synthetic Person 1", "1 Example Street")
    looked = [*world.events("person.disclosed"), *world.events("package.disclosed")]
    opened = [event for event in looked if event.role == Role.PROVIDER]
    assert [event.actor for event in opened] == [story.best.ref] * 2
    assert "Synthetic Person" not in str([event.body for event in opened])


def test_to_all_others_there_is_no_file(world: World) -> None:
    story = a_story(world)
    story.accept()
    ref = story.award.ref

    for look in LOOKS:
        with pytest.raises(NotFound) as another:
            world.run(look, award_ref=ref, actor=story.reserve)
        with pytest.raises(NotFound) as missing:
            world.run(look, award_ref="AWD-0000-0000-0000", actor=story.reserve)
        assert str(another.value).replace(ref, "?") == str(missing.value).replace("AWD-0000-0000-0000", "?")
        with pytest.raises(Forbidden):  # the office reads it as an office, with a purpose of its own
            world.run(look, award_ref=ref, actor=world.broker)


def test_who_gave_the_award_back_or_lost_the_contract_reads_nothing_more(world: World) -> None:
    story, contract = contracted(world)
    ref = story.award.ref
    assert world.run(aftercare.identity_for_winner, award_ref=ref, actor=story.best).name == "Synthetic Person 1"

    world.run(aftercare.fail_to_start, contract_ref=contract, reason=COULD_NOT, actor=story.best)

    for look in LOOKS:
        with pytest.raises(NotFound):
            world.run(look, award_ref=ref, actor=story.best)


# Care that never began


def test_a_failed_start_frees_the_hours_and_begins_the_ladder_again_at_once(world: World) -> None:
    story, contract = contracted(world)
    assert story.held(story.best) == (0, WEEK)
    first = world.round(story.referral)

    world.run(aftercare.fail_to_start, contract_ref=contract, reason=COULD_NOT, actor=story.best)

    again, award = world.round(story.referral), story.award
    assert (story.held(story.best), story.hold(award)) == ((0, 0), "released")
    assert (str(award.state), award.ended_at, award.is_live) == ("confirmed", world.now, False)
    assert (again.cycle, again.stage_no, again.predecessor_id, again.opens_at) == (2, 0, first.id, world.now)
    assert world.state(story.referral) == "seeking"
    (event,) = world.events("referral.broker_again")
    assert event.body["cause"] == "failed to start: provider_could_not"
    assert world.faults() == []


def test_the_package_can_be_won_and_placed_a_second_time(world: World) -> None:
    story, contract = contracted(world)
    world.run(aftercare.fail_to_start, contract_ref=contract, reason=COULD_NOT, actor=story.best)
    world.bid(story.reserve, story.referral, pence=1650)
    world.close(story.referral)

    second = world.accept_and_confirm(story.award, story.reserve)

    assert {row.ref: str(row.state) for row in world.rows(Contract)} == {
        contract: "failed_to_start",
        second: "pending",
    }
    assert (world.state(story.referral), story.held(story.reserve)) == ("placed", (0, WEEK))


def test_a_search_that_begins_after_the_last_day_of_the_first_one_moves_its_dates(world: World) -> None:
    story, contract = contracted(world)
    world.step(days=15)  # the latest start was ten days after the referral

    world.run(aftercare.fail_to_start, contract_ref=contract, reason=COULD_NOT, actor=world.broker)

    (package,), (referral,) = world.rows(Package), world.rows(Referral)
    today = world.now.date()
    assert (package.earliest_start, package.latest_start) == (today, today + timedelta(days=7))
    assert (package.version, referral.version, world.round(story.referral).version) == (2, 2, 2)
    assert world.round(story.referral).published_part["latest_start"] == (today + timedelta(days=7)).isoformat()


# Care that stops


def test_a_hand_back_is_brokered_while_care_goes_on_to_its_last_day(world: World) -> None:
    story, contract = begun(world)

    hand_back(world, contract, story.best)

    (row,) = world.rows(Contract)
    assert (str(row.state), row.last_day) == ("handed_back", world.now.date() + timedelta(days=28))
    assert (world.state(story.referral), world.round(story.referral).cycle) == ("seeking", 2)
    assert story.held(story.best) == (0, 0)


def test_a_contract_comes_back_once(world: World) -> None:
    story, contract = begun(world)
    hand_back(world, contract, story.best)

    with pytest.raises(NoSuchStep):
        hand_back(world, contract, story.best)
    with pytest.raises(NoSuchStep):
        world.run(aftercare.fail_to_start, contract_ref=contract, reason=COULD_NOT, actor=story.best)

    assert len(world.events("referral.broker_again")) == 1


def test_anothers_contract_is_not_there(world: World) -> None:
    story, contract = contracted(world)
    foreign = world.acting_for("knowsley").broker

    for actor in (story.reserve, foreign):
        with pytest.raises(NotFound):
            world.run(aftercare.fail_to_start, contract_ref=contract, reason=COULD_NOT, actor=actor)
        with pytest.raises(NotFound):
            hand_back(world, contract, actor)
        with pytest.raises(NotFound):
            world.run(aftercare.start_contract, contract_ref=contract, first_visit_on=world.now.date(), actor=actor)

    assert world.state(story.referral) == "placed"
