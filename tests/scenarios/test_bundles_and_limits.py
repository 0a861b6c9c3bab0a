"""What a provider may say about several packages at once: together or not at all, this or that, so many and no more.

Played in Worcestershire, where the packages of a closing are solved together; the figures are that scheme's.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import col

from bidding.awards import moving
from bidding.awards.records import Award, AwardState
from bidding.bids.records import Bid, BidState
from bidding.looking.debriefed import debrief
from bidding.rounds import Round
from dps.kernel.actors import Actor
from dps.kernel.database import Database
from dps.kernel.errors import InvalidBid
from dps.register.capacity import say_full
from dps.register.limits import LimitPart
from dps.schemes.model import Urgency
from tests.support.world import World

ONE, OTHER = "malvern", "redditch"  # two localities, so that no share cap stands between the packages
BOTH = (ONE, OTHER)
TWENTY_EIGHT_HOURS = "Mon-Sun 07:00-12:00 240m personal_care"


@pytest.fixture
def council(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path, "worcestershire")


@pytest.fixture
def oak(council: World) -> Actor:
    return council.provider("Synthetic Oak", localities=BOTH)


@pytest.fixture
def elm(council: World) -> Actor:
    return council.provider("Synthetic Elm", localities=BOTH)


def winners(council: World, *referrals: str) -> list[str]:
    return [council.award(referral).provider for referral in referrals]


def states(council: World, *referrals: str) -> list[AwardState]:
    return [council.award(referral).state for referral in referrals]


# Bundles: all or nothing


def test_a_bundle_wins_as_a_whole_and_is_accepted_with_one_answer(council: World, oak: Actor, elm: Actor) -> None:
    one, other = (council.referral(locality=place) for place in BOTH)
    council.bid(oak, one, other, pence=1600)
    council.bid(elm, one, pence=1500)  # cheaper for the one, dearer in all
    council.bid(elm, other, pence=1900)
    council.close(one)
    assert winners(council, one, other) == [oak.provider] * 2
    assert len({council.award(referral).bundle for referral in (one, other)}) == 1

    council.run(moving.accept, award_ref=council.award(other).ref, actor=oak)

    assert states(council, one, other) == [AwardState.ACCEPTED] * 2


def test_a_bundle_loses_as_a_whole(council: World, oak: Actor, elm: Actor) -> None:
    one, other = (council.referral(locality=place) for place in BOTH)
    council.bid(oak, one, other, pence=1600)  # better for the other, dearer in all
    council.bid(elm, one, pence=1450)
    council.bid(elm, other, pence=1700)

    council.close(one)
    for referral in (one, other):
        council.accept_and_confirm(council.award(referral), elm)

    assert winners(council, one, other) == [elm.provider] * 2
    (bundle,) = council.rows(Bid, Bid.provider == oak.provider)
    assert bundle.state is BidState.UNSUCCESSFUL


def test_a_declined_bundle_gives_both_packages_to_their_reserves(council: World, oak: Actor, elm: Actor) -> None:
    one, other = (council.referral(locality=place) for place in BOTH)
    council.bid(oak, one, other, pence=1600)
    council.bid(elm, one, pence=1700)
    council.bid(elm, other, pence=1700)
    council.close(one)

    council.run(moving.decline, award_ref=council.award(one).ref, reason="The run was lost.", actor=oak)

    assert [award.state for award in council.rows(Award, Award.provider == oak.provider)] == [AwardState.DECLINED] * 2
    assert winners(council, one, other) == [elm.provider] * 2


def test_a_bundle_of_which_one_part_needs_approval_is_offered_and_accepted_whole(council: World, oak: Actor) -> None:
    small = council.referral(locality=ONE)
    large = council.referral(locality=OTHER, visits=TWENTY_EIGHT_HOURS)  # £448 a week: a person must approve it
    council.bid(oak, small, large, pence=1600)
    council.close(small)

    assert states(council, small, large) == [AwardState.PROPOSED] * 2  # no half of it goes out
    for referral in (large, small):
        if council.award(referral).state is AwardState.PROPOSED:
            council.run(moving.approve, award_ref=council.award(referral).ref, actor=council.broker)

    assert states(council, small, large) == [AwardState.OFFERED] * 2
    council.run(moving.accept, award_ref=council.award(small).ref, actor=oak)
    assert states(council, small, large) == [AwardState.ACCEPTED] * 2


def test_a_bundle_names_packages_of_one_closing(council: World, oak: Actor) -> None:
    today = council.referral(locality=ONE)
    alone = council.referral(locality=OTHER, urgency=Urgency.URGENT)

    with pytest.raises(InvalidBid, match="packages that close together"):
        council.bid(oak, today, alone, pence=1600)

    assert council.rows(Bid) == []


# Either this or that


def test_of_two_bids_that_exclude_each_other_one_wins_at_most(council: World, oak: Actor, elm: Actor) -> None:
    one, other = (council.referral(locality=place) for place in BOTH)
    council.bid(oak, one, pence=1600, not_with=(council.round(other).ref,))
    council.bid(oak, other, pence=1600)
    council.bid(elm, one, pence=1650)
    council.bid(elm, other, pence=1900)

    council.close(one)

    assert winners(council, one, other) == [elm.provider, oak.provider]  # the cheaper way round


def test_this_or_that_holds_for_a_reserve_as_well(council: World, oak: Actor, elm: Actor) -> None:
    one, other = (council.referral(locality=place) for place in BOTH)
    council.bid(oak, one, pence=1600, not_with=(council.round(other).ref,))
    council.bid(oak, other, pence=1600)
    council.bid(elm, one, pence=1650)
    council.close(one)
    assert winners(council, one, other) == [elm.provider, oak.provider]

    council.run(moving.decline, award_ref=council.award(one).ref, reason="No carers left.", actor=elm)

    assert len(council.awards(one)) == 1  # Oak has the other one already
    assert council.round(one).stage_key == "neighbours"


# So many and no more


def test_a_take_limit_of_one_package_lets_the_best_use_of_it_win(council: World, oak: Actor, elm: Actor) -> None:
    one, other = (council.referral(locality=place) for place in BOTH)
    council.limit(oak, LimitPart(packages=1))
    lost = council.bid(oak, one, pence=1600)["bid"]
    council.bid(oak, other, pence=1600)
    council.bid(elm, one, pence=1620)
    council.bid(elm, other, pence=1900)

    council.close(one)

    assert winners(council, one, other) == [elm.provider, oak.provider]
    round_ref = council.round(one).ref
    council.accept_and_confirm(council.award(one), elm)
    with council.database.reading() as session:
        told = debrief(session, bid_ref=lost, round_ref=round_ref, actor=oak)
    assert (told.rank, told.won) == (1, False)
    assert "limit" in told.main_reason  # it was better, and stood in its own way


def test_a_limit_of_weekly_hours_is_kept(council: World, oak: Actor, elm: Actor) -> None:
    one, other = (council.referral(locality=place) for place in BOTH)
    council.limit(oak, LimitPart(minutes=400))  # two of 210 minutes are too much
    for referral, elms in ((one, 1700), (other, 1650)):
        council.bid(oak, referral, pence=1600)
        council.bid(elm, referral, pence=elms)

    council.close(one)

    assert winners(council, one, other) == [oak.provider, elm.provider]


def test_a_limit_for_one_locality_leaves_the_others_alone(council: World, oak: Actor) -> None:
    one, other = (council.referral(locality=place) for place in BOTH)
    council.limit(oak, LimitPart(locality=ONE, packages=0))
    third = council.referral(locality=ONE)
    for referral in (one, other):
        council.bid(oak, referral, pence=1600)

    council.close(one)

    assert council.awards(one) == []
    assert winners(council, other) == [oak.provider]
    assert council.state(third) == "unfilled"  # not even invited any more


def test_starts_a_week_are_counted_week_by_week(council: World, oak: Actor) -> None:
    monday = council.now.date()
    this_week: dict[str, Any] = {
        "earliest_start": monday + timedelta(days=3),
        "latest_start": monday + timedelta(days=5),
    }
    next_week: dict[str, Any] = {
        "earliest_start": monday + timedelta(days=8),
        "latest_start": monday + timedelta(days=10),
    }
    one = council.referral(locality=ONE, **this_week)
    other = council.referral(locality=OTHER, **next_week)
    also = council.referral(locality=OTHER, **next_week, urgency=Urgency.URGENT)
    council.limit(oak, LimitPart(starts_a_week=1))
    for referral in (one, other, also):
        council.bid(oak, referral, pence=1600)
    council.close(also)  # starts next week
    council.run(moving.accept, award_ref=council.award(also).ref, actor=oak)

    council.close(one)

    assert winners(council, one) == [oak.provider]  # nothing else starts this week
    assert council.awards(other) == []  # next week has its start


def test_a_provider_that_says_it_is_full_wins_nothing_more(council: World, oak: Actor, elm: Actor) -> None:
    referral = council.referral(locality=ONE)
    council.bid(oak, referral, pence=1500)
    council.bid(elm, referral, pence=1900)

    council.run(say_full, provider_id=council.row_of(oak).id, actor=oak)
    council.close(referral)

    assert winners(council, referral) == [elm.provider]


# Preference, and words where nothing fits


def test_a_providers_own_order_parts_what_costs_the_same(council: World, oak: Actor, elm: Actor) -> None:
    one, other = (council.referral(locality=place) for place in BOTH)
    council.limit(oak, LimitPart(packages=1))
    for referral, preference in ((one, 2), (other, 1)):
        council.bid(oak, referral, pence=1600, preference=preference)
        council.bid(elm, referral, pence=1700)

    council.close(one)

    assert winners(council, one, other) == [elm.provider, oak.provider]


def test_where_nothing_fits_the_package_goes_on_up_the_ladder_and_says_why(council: World, oak: Actor) -> None:
    beside = council.provider("Synthetic Beside", localities=["worcester-city"])
    referral = council.referral(locality=ONE)
    first = council.round(referral)
    council.bid(oak, referral, pence=1600)
    council.limit(oak, LimitPart(minutes=200))

    council.close(referral)

    assert council.awards(referral) == []
    second = council.round(referral)
    assert (second.stage_key, second.predecessor_id) == ("neighbours", first.id)
    assert council.invited(referral) == {beside.provider}  # Oak is past its own limit
    (decided,) = [event for event in council.events("round.decide") if event.stream == first.ref]
    assert decided.body["cause"] == "Of 1 bids: 1 could never hold it within its stated limits."
    while council.state(referral) == "seeking":
        council.close(referral)
    causes = {event.stream: event.body["cause"] for event in council.events("round.decide")}
    rounds = council.rows(Round, col(Round.id) > first.id)
    assert [causes[round_.ref] for round_ in rounds] == ["Nobody bid for it."] * 2
    assert council.state(referral) == "unfilled"
