"""Worcestershire: visits of 30 minutes or more, providers from beyond the border, turnover above 20% asked about.

Source: the county council's public paper of 2017-18; what it does not say is marked as assumed in the scheme file.
"""

from datetime import timedelta
from pathlib import Path

import pytest

from bidding.bids.records import ScoredBid
from bidding.publishing import make_ready
from dps.contracts.quality.following_up import Whereabouts, due, follow_up
from dps.kernel.actors import Actor
from dps.kernel.database import Database
from dps.kernel.errors import NotReady
from dps.register import applications
from dps.register.applications import Application, ApplicationState
from dps.schemes.model import Rating, Urgency
from tests.scenarios.serving import Care
from tests.support.world import World

CITY, NORTH, FAR = "worcester-city", "bromsgrove-north", "evesham-broadway"
BIRMINGHAM = "E08000025"


@pytest.fixture
def council(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path, "worcestershire")


# The least visit


@pytest.mark.parametrize(
    ("visits", "words"),
    [
        ("Mon-Sun 07:30-09:30 15m personal_care", "visits as long as the lot asks"),
        ("Mon-Sun 07:30-09:30 29m personal_care", "visits as long as the lot asks"),
        ("Mon-Sun 07:30-09:30 30m personal_care; Mon-Sun 20:00-21:00 14m medication", "visits as long as the lot asks"),
    ],
)
def test_visits_that_are_too_short_are_not_published(council: World, visits: str, words: str) -> None:
    referral = council.referral(locality=CITY, visits=visits, publish_it=False)

    with pytest.raises(NotReady, match=words):
        council.run(make_ready, referral_ref=referral, scheme=council.scheme, actor=council.broker)


def test_checking_medicine_may_take_fifteen_minutes(council: World) -> None:
    oak = council.provider("Synthetic Oak", localities=[CITY])

    referral = council.referral(
        locality=CITY, visits="Mon-Sun 07:30-09:30 30m personal_care; Mon-Sun 20:00-21:00 15m medication"
    )

    assert council.invited(referral) == {oak.provider}


# Who may join


def apply(council: World, provider: Actor, *, turnover: int) -> Application:
    application = council.run(
        applications.draft,
        provider_id=council.row_of(provider).id,
        scheme=council.scheme,
        lots=["home-care"],
        localities=[NORTH],
        actor=provider,
        answers={
            "staff-turnover": turnover,
            "travel-time-paid": True,
            "staff-pay": "£9.20 an hour, contracts of 16 hours and more.",
        },
    )
    council.run(applications.submit, application=application, scheme=council.scheme, actor=provider)
    return application


@pytest.mark.parametrize(("turnover", "flags"), [(20, []), (21, [["staff-turnover", 21]])])
def test_a_turnover_above_twenty_percent_is_put_before_the_officer(
    council: World, turnover: int, flags: list[list[object]]
) -> None:
    oak = council.provider("Synthetic Oak", localities=[CITY])

    apply(council, oak, turnover=turnover)

    (application,) = council.rows(Application)
    assert application.flags == flags
    assert application.state is ApplicationState.SUBMITTED  # asked about, not turned away


def test_a_provider_from_birmingham_with_no_office_in_the_county_is_admitted_and_asked_in_the_north(
    council: World,
) -> None:
    city = council.provider("Synthetic Birmingham", localities=[CITY], lad=BIRMINGHAM)
    assert council.round(council.referral(locality=NORTH)).stage_key == "county"  # it serves Worcester City alone
    application = apply(council, city, turnover=35)

    council.run(
        applications.approve, application=application, scheme=council.scheme, lists=["approved"], actor=council.officer
    )

    assert council.round(council.referral(locality=NORTH)).stage_key == "locality"


# The competition


def test_quality_counts_forty_parts_of_a_hundred_in_the_score(council: World) -> None:
    good = council.provider("Synthetic Good", localities=[CITY], rating=Rating.OUTSTANDING)
    cheap = council.provider("Synthetic Cheap", localities=[CITY], rating=Rating.REQUIRES_IMPROVEMENT)
    referral = council.referral(locality=CITY)
    council.bid(good, referral, pence=2000)
    council.bid(cheap, referral, pence=1600)

    council.close(referral)

    scored = {score.provider: score for score in council.rows(ScoredBid)}
    assert (scored[cheap.provider or ""].total_points, scored[good.provider or ""].total_points) == (
        60_000 + 16_000,  # the lowest price, and 40 of 100 for quality
        48_000 + 40_000,  # 16/20 of the price points, and all of quality
    )


def test_packages_of_the_county_that_close_together_are_solved_together(council: World) -> None:
    oak = council.provider("Synthetic Oak", localities=[CITY, NORTH], hours=4)
    elm = council.provider("Synthetic Elm", localities=[CITY, NORTH])
    city, north = council.referral(locality=CITY), council.referral(locality=NORTH)
    assert council.round(city).closing_id == council.round(north).closing_id
    for referral, oaks, elms in ((city, 1600, 1650), (north, 1620, 2100)):
        council.bid(oak, referral, pence=oaks)
        council.bid(elm, referral, pence=elms)

    council.close(city)

    # Oak has hours for one alone: the city's cheapest bid is left aside so that the north costs £4.80 less an hour.
    assert [council.award(referral).provider for referral in (city, north)] == [elm.provider, oak.provider]


def test_what_the_locality_does_not_place_is_asked_of_neighbours_then_of_the_whole_county(council: World) -> None:
    here, beside, far = (council.provider(f"Synthetic {place}", localities=[place]) for place in (CITY, "malvern", FAR))
    referral = council.referral(locality=CITY)

    asked = {}
    while council.state(referral) == "seeking":
        asked[council.round(referral).stage_key] = council.invited(referral)
        council.close(referral)

    assert asked == {
        "locality": {here.provider},
        "neighbours": {here.provider, beside.provider},
        "county": {here.provider, beside.provider, far.provider},
    }


def test_an_urgent_package_has_three_hours_then_two(council: World) -> None:
    council.provider("Synthetic Oak", localities=[CITY])
    referral = council.referral(locality=CITY, urgency=Urgency.URGENT)
    assert council.round(referral).closes_at == council.now + timedelta(hours=3)

    council.close(referral)

    assert council.round(referral).closes_at == council.now + timedelta(hours=2)


# After the contract


def test_people_are_tracked_for_twelve_months(council: World) -> None:
    oak = council.provider("Synthetic Oak", localities=[CITY])
    referral = council.referral(locality=CITY)
    council.bid(oak, referral, pence=1700)
    council.close(referral)
    care = Care(council, referral, oak)

    council.step(days=365)

    with council.database.reading() as session:
        asked = due(session, scheme=council.scheme, actor=council.broker, on=care.today)
    assert [(one.point, (one.due_on - care.first).days) for one in asked] == [
        ("three-months", 91),
        ("six-months", 182),
        ("twelve-months", 365),
    ]
    request = {"contract_ref": care.ref, "scheme": council.scheme, "actor": council.broker}
    council.run(follow_up, **request, point="three-months", whereabouts=Whereabouts.DIED)
    with council.database.reading() as session:
        assert due(session, scheme=council.scheme, actor=council.broker, on=care.today) == []
    assert council.faults() == []
