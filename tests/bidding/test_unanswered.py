"""Why nobody bid: the one change, from a stored report's codes, told once a round is over."""

import pytest

from bidding.looking.unanswered import the_one_change, unanswered
from bidding.referrals import ReferralState
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
    asked = world.provider("Asked")
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
    assert asked.provider not in {one.provider for one in after.barred}
