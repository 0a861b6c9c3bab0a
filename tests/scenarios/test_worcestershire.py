"""Worcestershire: visits of 30 minutes or more, providers from beyond the border, turnover above 20% asked about.

Source: the county council's public paper of 2017-18; what it does not say is marked as assumed in the scheme file.
"""

from datetime import date, timedelta
from pathlib import Path

import pytest

from bidding.bids.records import ScoredBid
from bidding.publishing import make_ready
from dps.contracts.desk import reviews_due
from dps.contracts.outcomes import review_outcomes
from dps.contracts.quality.following_up import Whereabouts, due, follow_up
from dps.contracts.reasons import ChangeReason
from dps.contracts.tiers import place_in_tier
from dps.contracts.variations.limits import review_due_on
from dps.contracts.variations.records import Variation, VariationState, Weeks
from dps.contracts.variations.rescheduling import WeekWanted, agree, propose
from dps.kernel.actors import Actor
from dps.kernel.database import Database
from dps.kernel.errors import Forbidden, NotReady, VariationRefused
from dps.packages.schedule import parse_schedule
from dps.register.applications import ApplicationState
from dps.schemes.loader import preset
from dps.schemes.model import LegalBasis, Rating, Urgency
from tests.scenarios.joining import applied, approved
from tests.scenarios.serving import Care, on_sqlite
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


def answers(*, turnover: int) -> dict[str, object]:
    pay = "£9.20 an hour, contracts of 16 hours and more."
    return {"staff-turnover": turnover, "travel-time-paid": True, "staff-pay": pay}


@pytest.mark.parametrize(("turnover", "flags"), [(20, []), (21, [["staff-turnover", 21]])])
def test_a_turnover_above_twenty_percent_is_put_before_the_officer(
    council: World, turnover: int, flags: list[list[object]]
) -> None:
    oak = council.provider("Synthetic Oak", localities=[CITY])

    application = applied(council, oak, answers(turnover=turnover))

    assert application.flags == flags
    assert application.state is ApplicationState.SUBMITTED  # asked about, not turned away


def test_a_provider_from_birmingham_with_no_office_in_the_county_is_admitted_and_asked_in_the_north(
    council: World,
) -> None:
    city = council.provider("Synthetic Birmingham", localities=[CITY], lad=BIRMINGHAM)
    assert council.round(council.referral(locality=NORTH)).stage_key == "county"  # it serves Worcester City alone
    application = applied(council, city, answers(turnover=35), localities=[NORTH])

    approved(council, application, "approved")

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


def test_from_referral_through_a_move_of_tiers_to_a_paid_statement(council: World) -> None:
    oak = council.provider("Synthetic Oak", localities=[CITY])
    care = won(council, oak)
    council.step(days=21)
    for tier, from_day in (("tier-4", 7), ("tier-3", 14)):
        care.vary(place_in_tier, actor=council.broker, key=tier, from_day=care.day(from_day))
    care.mornings(7)

    in_no_tier, fourth, third = (care.paid(7, start=week * 7) for week in range(3))

    assert in_no_tier.pence == 7 * 850  # seven half hours at the £17.00 that was bid
    assert (fourth.pence, third.pence) == (800_00, 500_00)
    assert fourth.pence - third.pence == 300_00  # "about £300 a week less" for each person
    assert council.faults() == []


@on_sqlite
def test_a_provider_reviews_from_the_third_week_and_never_decides_alone(council: World) -> None:
    rule = council.scheme.variations.review
    assert rule is not None
    assert (rule.earliest_weeks, rule.due_weeks) == (3, 6)
    care = won(council, council.provider("Synthetic Oak", localities=[CITY]))
    assert review_due_on(rule, started_on=care.first) == care.day(6 * 7)  # the desk reads it on the contract's page
    schedule = parse_schedule("Mon-Fri 07:30-09:30 30m personal_care")

    def proposed() -> Variation:
        wanted = WeekWanted(schedule=schedule, from_day=care.today, reason=ChangeReason.MORE_INDEPENDENT)
        made: Variation = care.vary(propose, wanted=wanted)
        return made

    council.step(days=20)
    with pytest.raises(VariationRefused, match="3 weeks after the first visit"):
        proposed()
    council.step(days=1)
    proposal = proposed()
    assert (proposal.state, weekly_minutes(council, care)) == (VariationState.PROPOSED, 210)
    with pytest.raises(Forbidden):
        council.run(agree, variation_ref=proposal.ref, actor=care.provider)
    council.run(agree, variation_ref=proposal.ref, actor=council.broker)

    assert weekly_minutes(council, care) == 150


@on_sqlite
def test_a_package_is_listed_a_week_before_its_review_is_due_until_its_outcomes_are_recorded(council: World) -> None:
    care = won(council, council.provider("Synthetic Oak", localities=[CITY]))
    rule = council.scheme.variations.review
    assert rule is not None

    def listed() -> list[tuple[str, date]]:
        with council.database.reading() as session:
            found = reviews_due(session, {council.scheme.key: rule}, actor=council.broker, today=care.today)
        return [(contract.ref, due_on) for contract, _, due_on in found]

    council.step(days=34)
    too_early = listed()
    council.step(days=1)
    ahead = listed()
    council.step(days=9)
    overdue = listed()
    council.run(review_outcomes, contract_ref=care.ref, met=2, agreed=3, last_day=care.today, actor=council.broker)

    assert (too_early, ahead, overdue) == ([], [(care.ref, care.day(42))], [(care.ref, care.day(42))])
    assert listed() == []


def weekly_minutes(council: World, care: Care) -> int:
    with council.database.reading() as session:
        return Weeks(session, care.contract).minutes_on(care.today)


def won(council: World, provider: Actor) -> Care:
    """Half an hour a day in the city, won at £17.00 an hour and served from then on."""
    referral = council.referral(locality=CITY)
    council.bid(provider, referral, pence=1700)
    council.close(referral)
    return Care(council, referral, provider)


def test_the_papers_figures_are_the_files_own() -> None:
    scheme = preset("worcestershire")
    visits = scheme.lot("home-care").visits
    payment = scheme.payment("home-care")
    assert payment is not None
    weekly = {price.key: price.weekly_pence for price in payment.weekly_prices}
    turnover = next(one for one in scheme.admission.questions if one.key == "staff-turnover")
    assert (scheme.legal_basis, scheme.term.starts) == (LegalBasis.PCR2015_DPS, date(2017, 4, 1))
    assert (visits.least_minutes, visits.shorter_tasks) == (30, {"medication": 15})
    assert turnover.flag_above == 20
    assert weekly["tier-4"] - weekly["tier-3"] == 300_00
    assert max(one.days for one in scheme.follow_ups) == 365


def test_people_are_tracked_for_twelve_months(council: World) -> None:
    oak = council.provider("Synthetic Oak", localities=[CITY])
    care = won(council, oak)

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
