"""Every way through an award: who may move it, when, and what follows in the same transaction."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from bidding import aftercare, publishing
from bidding.awards import moving
from bidding.awards.records import Award, AwardState, Source
from bidding.bids.records import Bid
from bidding.looking.placing import awards
from bidding.referrals import Referral
from bidding.rounds import Outcome
from dps.kernel.actors import Actor, Role
from dps.kernel.errors import (
    BadInput,
    Conflict,
    Forbidden,
    NeedsSecondPerson,
    NoSuchStep,
    NotEligible,
    NotFound,
    Refused,
    TooLate,
)
from dps.kernel.outbox import OutboxMessage
from dps.packages.exclusions import Ground, Reason, exclude
from dps.packages.packages import Package, person_of
from dps.register.capacity import declare
from dps.register.interests import declare_interest
from dps.register.membership import remove
from tests.bidding.awards.stories import AUTOMATIC, ONE_PERSON, TWO_PEOPLE, Story, a_story
from tests.support.race import race
from tests.support.world import World

MICROSECOND = timedelta(microseconds=1)
WEEK = 210
WORDS = "Synthetic: said on the telephone."
AGREED = "Synthetic: the register says so, too."


# Every command in every state


def _commands(story: Story) -> dict[str, Callable[[Session], object]]:
    world, ref = story.world, story.award.ref
    ports, best, second = world.ports, story.best, world.second

    def overturn(session: Session) -> object:
        moving.overturn(session, ports, award_ref=ref, reason=WORDS, actor=world.broker)
        return moving.overturn(session, ports, award_ref=ref, reason=WORDS, actor=second)

    return {
        "approve": lambda session: moving.approve(session, ports, award_ref=ref, actor=second),
        "accept": lambda session: moving.accept(session, ports, award_ref=ref, actor=best),
        "confirm": lambda session: moving.confirm(session, ports, award_ref=ref, actor=best),
        "decline": lambda session: moving.decline(session, ports, award_ref=ref, reason=WORDS, actor=best),
        "return": lambda session: moving.give_back(session, ports, award_ref=ref, reason=WORDS, actor=best),
        "refuse": lambda session: moving.refused_by_person(session, ports, award_ref=ref, reason=WORDS, actor=second),
        "overturn": overturn,
    }


_LEADS = {
    ("proposed", "approve"): "offered",
    ("proposed", "overturn"): "overturned",
    ("offered", "accept"): "accepted",
    ("offered", "decline"): "declined",
    ("offered", "refuse"): "refused_by_person",
    ("offered", "overturn"): "overturned",
    ("accepted", "confirm"): "confirmed",
    ("accepted", "return"): "returned",
    ("accepted", "refuse"): "refused_by_person",
    ("accepted", "overturn"): "overturned",
}


def test_every_command_moves_what_its_table_allows_and_refuses_the_rest(world: World) -> None:
    story = a_story(world, visits=ONE_PERSON)
    commands = _commands(story)
    ref = story.award.ref

    def now(session: Session) -> str:
        return str(session.exec(select(Award).where(Award.ref == ref)).one().state)

    def each_from_here(session: Session) -> None:
        """Try every command; where one leads somewhere, try them all from there as well, then go back."""
        before = now(session)
        for name, command in commands.items():
            with session.begin_nested() as undone:
                if (before, name) in _LEADS:
                    command(session)
                    assert now(session) == _LEADS[before, name]
                    each_from_here(session)
                else:
                    with pytest.raises((NoSuchStep, NotFound)):
                        command(session)
                undone.rollback()

    with world.database.transaction() as session:
        each_from_here(session)
        assert now(session) == "proposed"


# Approval


@pytest.mark.parametrize(("visits", "people"), [(AUTOMATIC, 0), (ONE_PERSON, 1), (TWO_PEOPLE, 2)])
def test_an_offer_goes_out_once_enough_people_approved(world: World, visits: str, people: int) -> None:
    story = a_story(world, visits=visits)
    assert story.award.state == ("proposed" if people else "offered")

    if people:
        story.approve(world.broker)
        with pytest.raises((NeedsSecondPerson, NoSuchStep)):
            story.approve(world.broker)
    if people == 2:
        assert (story.award.state, story.hold(story.award)) == ("proposed", None)
        story.approve(world.second)

    assert (story.award.state, story.hold(story.award)) == ("offered", "reserved")
    offered = [message for message in world.rows(OutboxMessage) if message.kind == "award_offered"]
    assert [message.recipient for message in offered] == [f"provider:{story.best.provider}"]


def test_asking_for_an_overturn_is_no_approval(world: World) -> None:
    story = a_story(world, visits=TWO_PEOPLE)

    world.run(moving.overturn, award_ref=story.award.ref, reason=WORDS, actor=world.broker)
    story.approve(world.second)

    assert (story.award.state, story.award.approved_by) == ("proposed", (world.second.ref,))
    with world.database.reading() as session:
        (seen,) = awards(session, world.broker, world.ports.keyring)
    assert seen.approvals == 1


def test_a_declared_interest_bars_from_deciding_and_a_missing_one_does_not(world: World) -> None:
    story = a_story(world, visits=ONE_PERSON)
    for _ in range(2):
        world.run(declare_interest, provider=story.last.provider or "", actor=world.broker)  # invited, not the winner
    with pytest.raises(Forbidden):
        world.run(declare_interest, provider=story.last.provider or "", actor=story.best)

    with pytest.raises(NeedsSecondPerson):
        story.approve(world.broker)
    story.approve(world.second)
    with pytest.raises(NeedsSecondPerson):  # nor to end it, so that the next in line is asked
        world.run(moving.refused_by_person, award_ref=story.award.ref, reason=WORDS, actor=world.broker)

    assert story.award.state == "offered"
    assert len(world.events("interest.declared")) == 1


def test_only_the_office_approves_and_only_its_own(world: World) -> None:
    story = a_story(world, visits=ONE_PERSON)
    foreign = Actor(ref="approver-9", role=Role.APPROVER, authority="knowsley")

    for actor, error in ((story.best, Forbidden), (world.officer, Forbidden), (foreign, NotFound)):
        with pytest.raises(error):
            story.approve(actor)


def test_an_approval_that_comes_after_the_bid_has_ended_offers_nothing(world: World) -> None:
    story = a_story(world, visits=ONE_PERSON)
    world.clock.move_to(max(bid.valid_until for bid in world.rows(Bid)))

    story.approve(world.broker)

    assert [(award.state, award.offered_at) for award in world.awards(story.referral)] == [("expired", None)]
    assert story.world.round(story.referral).stage_key == "border"
    with pytest.raises(NotFound):  # it was never offered: to its provider there was no award
        world.run(moving.decline, award_ref=story.award.ref, reason=WORDS, actor=story.best)


# Capacity: reserved at the offer, committed with the contract, released where it comes to nothing


def test_hours_are_reserved_committed_and_released_with_the_award(world: World) -> None:
    story = a_story(world)
    offered = story.award
    assert (story.held(story.best), story.held(story.reserve)) == ((WEEK, 0), (0, 0))

    world.run(moving.decline, award_ref=offered.ref, reason=WORDS, actor=story.best)
    reserve = story.award
    assert (story.held(story.best), story.held(story.reserve)) == ((0, 0), (WEEK, 0))
    world.accept_and_confirm(reserve, story.reserve)

    assert (story.held(story.best), story.held(story.reserve)) == ((0, 0), (0, WEEK))
    assert (story.hold(offered), story.hold(reserve)) == ("released", "committed")


def test_who_has_no_room_any_more_makes_room_for_the_next_in_line(world: World) -> None:
    story = a_story(world, visits=ONE_PERSON)
    assert story.award.provider == story.best.provider
    for provider in (story.best, story.reserve):
        world.run(
            declare,
            provider_id=world.row_of(provider).id or 0,
            authority=world.authority,
            minutes=27 * 60,
            expires_at=world.now + timedelta(days=30),
            actor=provider,
        )

    story.approve(world.broker)
    story.approve(world.broker)  # the last in line is proposed next: the others have 27 of 28 hours

    assert [(award.provider, award.state) for award in world.awards(story.referral)] == [
        (story.best.provider, "expired"),
        (story.reserve.provider, "expired"),
        (story.last.provider, "proposed"),
    ]
    assert (
        world.awards(story.referral)[0].end_reason
        == f"{story.best.provider} has 1620 free carer-minutes a week; 1680 are needed."
    )
    assert world.events("award.expire")[0].body["causes"] == ["no_capacity"]
    assert story.held(story.best) == (0, 0)


# Falling through: the reserve is asked at once, while its bid stands


def decline(story: Story) -> None:
    story.world.run(moving.decline, award_ref=story.award.ref, reason=WORDS, actor=story.best)


def hand_back(story: Story) -> None:
    story.accept()
    story.world.run(moving.give_back, award_ref=story.award.ref, reason=WORDS, actor=story.best)


def say_no(story: Story) -> None:
    story.world.run(moving.refused_by_person, award_ref=story.award.ref, reason=WORDS, actor=story.world.broker)


def answer_never(story: Story) -> None:
    assert story.award.answer_by is not None
    story.world.move_to(story.award.answer_by)


def confirm_never(story: Story) -> None:
    story.accept()
    assert story.award.confirm_by is not None
    story.world.move_to(story.award.confirm_by)


def overturn(story: Story) -> None:
    for person in (story.world.broker, story.world.second):
        story.world.run(moving.overturn, award_ref=story.award.ref, reason=WORDS, actor=person)


FALLS = {
    AwardState.DECLINED: decline,
    AwardState.RETURNED: hand_back,
    AwardState.REFUSED_BY_PERSON: say_no,
    AwardState.EXPIRED: answer_never,
    AwardState.OVERTURNED: overturn,
}


@pytest.mark.parametrize("state", FALLS)
def test_the_reserve_is_offered_in_the_same_transaction(world: World, state: AwardState) -> None:
    story = a_story(world)
    rounds = len(world.events("round.publish"))

    FALLS[state](story)

    first, second = world.awards(story.referral)
    assert (first.state, first.provider, first.ended_at) == (state, story.best.provider, world.now)
    assert (second.state, second.provider, second.source) == ("offered", story.reserve.provider, Source.RESERVE)
    assert second.offered_at == first.ended_at
    assert (story.hold(first), story.hold(second)) == ("released", "reserved")
    assert len(world.events("round.publish")) == rounds  # no new round


def test_an_acceptance_that_is_not_confirmed_in_time_ends_and_the_reserve_is_asked(world: World) -> None:
    story = a_story(world)

    confirm_never(story)

    assert [award.state for award in world.awards(story.referral)] == ["expired", "offered"]


def test_when_everybody_fell_out_the_next_stage_is_asked(world: World) -> None:
    story = a_story(world)

    for provider in (story.best, story.reserve, story.last):
        world.run(moving.decline, award_ref=story.award.ref, reason=WORDS, actor=provider)

    assert [award.state for award in world.awards(story.referral)] == ["declined"] * 3
    assert world.round(story.referral).stage_key == "border"
    assert {str(bid.state) for bid in world.rows(Bid)} == {"unsuccessful"}


def test_a_return_says_whether_it_came_within_the_schemes_hours(world: World) -> None:
    story = a_story(world)
    story.accept()
    world.run(moving.give_back, award_ref=story.award.ref, reason=WORDS, actor=story.best)

    (returned,) = world.events("award.return")
    assert returned.body["without_penalty"] is True
    assert WORDS not in str(returned.body)
    assert world.said(story.referral) == [("return", WORDS)]


# In time


def test_an_answer_is_in_time_up_to_its_last_microsecond(world: World) -> None:
    story = a_story(world)
    answer_by = story.award.answer_by
    assert answer_by is not None

    world.clock.move_to(answer_by)
    for command in (moving.accept, moving.decline):
        more: dict[str, Any] = {"reason": WORDS} if command is moving.decline else {}
        with pytest.raises(TooLate):
            world.run(command, award_ref=story.award.ref, actor=story.best, **more)
    assert story.award.state == "offered"  # true, and not yet written down
    world.timetable.sweep()
    assert story.award.provider == story.reserve.provider
    second_by = story.award.answer_by
    assert second_by is not None
    world.clock.move_to(second_by - MICROSECOND)
    story.accept()

    assert story.award.state == "accepted"


def test_a_confirmation_is_in_time_up_to_its_last_microsecond_and_so_is_the_persons_file(world: World) -> None:
    story = a_story(world)
    story.accept()
    confirm_by, ref = story.award.confirm_by, story.award.ref
    assert confirm_by is not None
    world.clock.move_to(confirm_by - MICROSECOND)
    assert world.run(aftercare.identity_for_winner, award_ref=ref, actor=story.best).name == "Synthetic Person 1"

    world.clock.move_to(confirm_by)

    with pytest.raises(TooLate):
        world.run(moving.confirm, award_ref=ref, actor=story.best)
    with pytest.raises(TooLate):
        world.run(moving.give_back, award_ref=ref, reason=WORDS, actor=story.best)
    with pytest.raises(NotFound):
        world.run(aftercare.identity_for_winner, award_ref=ref, actor=story.best)


# Confirmed


def test_confirmation_makes_the_contract_places_the_referral_and_tells_the_bidders(world: World) -> None:
    story = a_story(world)

    contract = world.accept_and_confirm(story.award, story.best)

    assert contract.startswith("CON-")
    assert (world.state(story.referral), world.round(story.referral).outcome) == ("placed", Outcome.ACCEPTED)
    by_provider = {bid.provider: str(bid.state) for bid in world.rows(Bid)}
    assert by_provider == {
        story.best.provider: "awarded",
        story.reserve.provider: "unsuccessful",
        story.last.provider: "unsuccessful",
    }
    told = [message.recipient for message in world.rows(OutboxMessage) if message.kind == "debrief_ready"]
    assert sorted(told) == sorted(f"provider:{one.provider}" for one in (story.best, story.reserve, story.last))
    with pytest.raises(NoSuchStep):
        world.run(moving.confirm, award_ref=story.award.ref, actor=story.best)


# Again at the award


def test_a_removed_or_excluded_provider_can_not_accept_and_is_not_told_of_the_exclusion(world: World) -> None:
    story = a_story(world)
    with world.database.transaction() as session:
        row = session.exec(select(Referral).where(Referral.ref == story.referral)).one()
        package = session.get(Package, row.package_id)
        assert package is not None
        exclude(
            session,
            world.ports.keyring,
            world.ports.entropy,
            person_of(session, package),
            provider=story.best.provider or "",
            reason=Reason(Ground.SAFEGUARDING, "Synthetic: an enquiry."),
            actor=world.broker,
            now=world.now,
        )

    with pytest.raises(NotEligible) as refused:
        story.accept()

    assert refused.value.reasons == ("You were not invited to this package.",)
    assert story.award.state == "offered"


def test_a_provider_removed_a_moment_before_is_never_offered_anything(world: World) -> None:
    story = a_story(world, visits=ONE_PERSON)
    for provider in (story.best, story.reserve):
        world.run(
            remove,
            provider_id=world.row_of(provider).id or 0,
            scheme=world.scheme,
            because="Synthetic: registration cancelled.",
            actor=world.officer,
        )

    story.approve(world.broker)
    story.approve(world.broker)

    assert [(award.provider, award.state, award.offered_at) for award in world.awards(story.referral)] == [
        (story.best.provider, "expired", None),
        (story.reserve.provider, "expired", None),
        (story.last.provider, "proposed", None),
    ]


# Overturned and overridden by two people


def test_an_overturn_takes_two_people_who_ask_for_the_same(world: World) -> None:
    story = a_story(world)
    ask: dict[str, Any] = {"award_ref": story.award.ref, "reason": WORDS}

    assert world.run(moving.overturn, actor=world.broker, **ask) is False
    with pytest.raises(NeedsSecondPerson):
        world.run(moving.overturn, actor=world.broker, **ask)
    with pytest.raises(BadInput):
        world.run(moving.overturn, actor=world.second, award_ref=story.award.ref, reason="")
    assert story.award.state == "offered"
    assert world.run(moving.overturn, actor=world.second, **ask | {"reason": AGREED}) is True

    first, second = world.awards(story.referral)
    assert (first.state, second.provider) == ("overturned", story.reserve.provider)
    assert world.said(story.referral) == [("ask_overturn", WORDS), ("agree_overturn", AGREED), ("overturn", WORDS)]
    assert [one["by"] for one in first.approvals if "overturn" in one] == [world.broker.ref, world.second.ref]
    (agreed,) = world.events("award.overturn_agreed")
    assert (agreed.actor, agreed.body["remark"]) == (world.second.ref, first.approvals[-1]["overturn"])
    with world.database.reading() as session:
        assert [one.end_reason for one in awards(session, story.best, world.ports.keyring)] == [WORDS]


def test_an_override_awards_another_standing_bid_of_the_round_at_once(world: World) -> None:
    story = a_story(world)
    chosen = world.rows(Bid, Bid.provider == story.last.provider)[0].ref
    ask: dict[str, Any] = {"award_ref": story.award.ref, "reason": WORDS, "instead": chosen}

    assert world.run(moving.overturn, actor=world.broker, **ask) is False
    plain = {**ask, "instead": None}
    assert world.run(moving.overturn, actor=world.second, **plain) is False  # another wish: not yet two for either
    third = Actor(ref="approver-3", role=Role.APPROVER, authority=world.authority)
    assert world.run(moving.overturn, actor=third, **ask) is True

    first, second = world.awards(story.referral)
    assert (first.state, second.provider, second.source) == ("overturned", story.last.provider, Source.OVERRIDE)
    assert (second.state, second.approved_by) == ("offered", (world.broker.ref, third.ref))
    assert (story.hold(first), story.hold(second)) == ("released", "reserved")


def test_an_override_names_a_standing_bid_of_another_provider(world: World) -> None:
    story = a_story(world)
    own = world.rows(Bid, Bid.provider == story.best.provider)[0].ref

    for instead in (own, "BID-0000-0000-0000"):
        with pytest.raises(NotFound):
            world.run(moving.overturn, award_ref=story.award.ref, reason=WORDS, instead=instead, actor=world.broker)


# Held and withdrawn


def test_a_held_referrals_award_ends_and_nobody_else_is_asked(world: World) -> None:
    story = a_story(world)
    story.accept()

    world.run(publishing.hold, referral_ref=story.referral, reason="In hospital.", actor=world.broker)

    assert [(award.state, award.end_reason) for award in world.awards(story.referral)] == [
        ("expired", "The referral was held.")
    ]
    assert story.held(story.best) == (0, 0)
    assert {str(bid.state) for bid in world.rows(Bid)} == {"unsuccessful"}
    world.run(publishing.resume, referral_ref=story.referral, actor=world.broker)
    assert world.invited(story.referral) == {one.provider for one in (story.best, story.reserve, story.last)}


# Many at once


def test_sixteen_people_approving_one_award_offer_it_once(world: World) -> None:
    story = a_story(world, visits=ONE_PERSON)
    ref = story.award.ref
    people = [Actor(ref=f"approver-{n}", role=Role.APPROVER, authority=world.authority) for n in range(16)]

    answers = race([lambda one=one: world.run(moving.approve, award_ref=ref, actor=one) for one in people])  # type: ignore[misc]

    assert answers.count(None) == 1
    assert all(isinstance(answer, Refused | Conflict) for answer in answers if answer is not None)
    assert [len(world.events(kind)) for kind in ("award.approved", "award.offer", "hold.reserve")] == [1, 1, 1]
    assert story.held(story.best) == (28 * 60, 0)


def test_sixteen_answers_to_one_offer_have_one_effect(world: World) -> None:
    story = a_story(world)
    ref = story.award.ref

    def answer(number: int) -> str:
        command = moving.accept if number % 2 else moving.decline
        more: dict[str, Any] = {} if number % 2 else {"reason": WORDS}
        world.run(command, award_ref=ref, actor=story.best, **more)
        return command.__name__

    answers = race([lambda number=number: answer(number) for number in range(16)])  # type: ignore[misc]

    done = [one for one in answers if isinstance(one, str)]
    assert len(done) == 1
    assert all(isinstance(one, Refused | Conflict) for one in answers if not isinstance(one, str))
    awards = world.awards(story.referral)
    assert [str(award.state) for award in awards] == (["accepted"] if done == ["accept"] else ["declined", "offered"])
    assert world.faults() == []
