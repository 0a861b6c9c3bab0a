"""Why nobody bid: the one change, from a stored report's codes, told once a round is over."""

import pytest

from bidding.awards import moving
from bidding.bids.answers import Answer, answer_of
from bidding.bids.submitting import decline, submit_in, withdraw
from bidding.looking.deciding import asked
from bidding.looking.unanswered import the_one_change, unanswered
from bidding.referrals import ReferralState
from bidding.rounds import InvitationState, RoundState
from tests.support.world import World


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({}, None),
        ({"A": []}, None),
        ({"A": ["full", "too_few_carers"], "B": ["suspended"], "C": ["confidential_exclusion"]}, None),
        (
            {"A": ["can_not_start_in_time"], "B": ["can_not_start_in_time"], "C": ["flag_not_accepted"], "D": []},
            "Had the start been allowed later, 2 more providers would have been eligible.",
        ),
        (
            {"A": ["outside_service_hours"], "B": ["full", "outside_service_hours"], "C": ["suspended"]},
            "Had the visits kept to the hours that they work, 1 more provider would have been eligible.",
        ),
        (
            {"A": ["not_a_member"], "B": ["not_a_member"], "C": ["flag_not_accepted"]},
            "Had more lists or localities been asked, 2 more providers would have been eligible.",
        ),
    ],
)
def test_the_change_named_is_the_one_that_lets_the_most_providers_in(
    answers: dict[str, list[str]], expected: str | None
) -> None:
    assert the_one_change(answers) == expected


def test_a_fruitless_round_says_who_was_barred_and_what_would_have_helped(world: World) -> None:
    first_asked = world.provider("Asked")
    world.provider("Tiny Homecare", hours=1)
    referral = world.referral()
    first = world.round(referral).ref
    with world.database.reading() as session:
        while_open = unanswered(session, referral)[first]

    world.close(referral)

    with world.database.reading() as session:
        after = unanswered(session, referral)[first]
    assert world.state(referral) in (ReferralState.SEEKING, ReferralState.UNFILLED)
    assert (while_open.change, while_open.silent) == (None, 0)
    assert [(one.name, one.because) for one in after.barred] == [("Tiny Homecare", ("too few free hours",))]
    assert after.change == "Had they had the free hours, 1 more provider would have been eligible."
    assert (after.declined, after.silent) == (0, 1)
    assert first_asked.provider not in {one.provider for one in after.barred}


@pytest.mark.parametrize(
    ("state", "round_state", "has_bid", "expected"),
    [
        ("invited", "published", False, Answer.INVITED),
        ("waiting", "published", False, Answer.WAITING),
        ("declined", "decided", False, Answer.DECLINED),
        ("lapsed", "decided", False, Answer.SILENT),
        ("lapsed", "decided", True, Answer.BID),
        ("lapsed", "closed", True, Answer.BID),
        ("lapsed", "cancelled", False, Answer.LAPSED),
    ],
)
def test_an_answer_is_read_from_the_invitation_and_from_what_was_opened(
    state: str, round_state: str, has_bid: bool, expected: Answer
) -> None:
    assert answer_of(InvitationState(state), RoundState(round_state), has_bid=has_bid) is expected


def test_who_bid_is_told_from_the_opening_on_and_is_not_counted_among_the_silent(world: World) -> None:
    bidder, silent, away = (world.provider(name) for name in ("Bidder", "Silent", "Away"))
    referral = world.referral()
    first = world.round(referral).ref
    world.bid(bidder, referral, pence=1650)
    world.run(decline, round_ref=first, reason="Too far at that hour.", actor=away)
    with world.database.reading() as session:
        while_sealed = {one.name: one.answer for one in asked(session, first)}

    world.close(referral)
    award = world.awards(referral)[0].ref
    world.run(moving.decline, award_ref=award, reason="A carer fell ill.", actor=bidder)
    world.step(hours=1)

    with world.database.reading() as session:
        opened = {one.name: one.answer for one in asked(session, first)}
        after = unanswered(session, referral)[first]
    assert while_sealed == {"Bidder": Answer.INVITED, "Silent": Answer.INVITED, "Away": Answer.DECLINED}
    assert opened == {"Bidder": Answer.BID, "Silent": Answer.SILENT, "Away": Answer.DECLINED}
    assert (after.asked, after.bid, after.declined, after.silent) == (3, 1, 1, 1)
    assert silent.provider


def test_a_bid_that_lapsed_at_the_closing_is_an_answer_and_one_taken_back_is_none(world: World) -> None:
    telephoned, gone = world.provider("Telephoned"), world.provider("Gone")
    referral = world.referral()
    first = world.round(referral).ref
    submit_in(
        world.database,
        world.ports,
        rounds=[first],
        content=world.content(referral, 1650),
        actor=world.broker,
        idempotency_key="told by telephone",
        provider=telephoned.provider,
    )
    world.run(withdraw, bid_ref=world.bid(gone, referral, pence=1650)["bid"], actor=gone)
    with world.database.reading() as session:
        while_sealed = {one.name: one.answer for one in asked(session, first)}

    world.close(referral)

    with world.database.reading() as session:
        over = {one.name: one.answer for one in asked(session, first)}
        look = unanswered(session, referral)[first]
    assert while_sealed == {"Telephoned": Answer.INVITED, "Gone": Answer.INVITED}
    assert over == {"Telephoned": Answer.BID, "Gone": Answer.SILENT}
    assert (look.asked, look.bid, look.silent) == (2, 1, 1)
