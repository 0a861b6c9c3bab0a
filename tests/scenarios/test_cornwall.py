"""Cornwall: a request states outcomes and a budget; the lowest hourly rate for the ongoing support wins it.

Source: Cornwall Council and NHS Kernow, bidders' paper of 2017; what it does not say is marked as assumed in the
scheme file.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bidding.closings import Closing
from bidding.publishing import make_ready
from bidding.stages import shown
from dps.contracts.contracts import Contract
from dps.kernel.actors import Actor
from dps.kernel.database import Database
from dps.kernel.errors import BadInput, InvalidBid, NotReady
from dps.kernel.money import Band, PriceBasis, RateCard
from dps.register.limits import LimitPart
from dps.schemes.loader import preset
from dps.schemes.model import Publication, Rating, Urgency
from tests.support.world import World

AREA, BESIDE, FAR = "truro-roseland", "st-austell", "penwith"


@pytest.fixture
def council(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path, "cornwall")


def winner(council: World, referral: str) -> str:
    return council.award(referral).provider


# The request


def test_a_request_lasts_six_weeks_at_most(council: World) -> None:
    with pytest.raises(BadInput, match="at most 6 weeks"):
        council.referral(locality=AREA, budget_weeks=7)

    assert council.state(council.referral(locality=AREA, budget_weeks=6, publish_it=False)) == "draft"


def test_a_request_without_a_budget_is_not_published(council: World) -> None:
    referral = council.referral(locality=AREA, budget_pence=None, budget_weeks=None, publish_it=False)

    with pytest.raises(NotReady, match="budget"):
        council.run(make_ready, referral_ref=referral, scheme=council.scheme, actor=council.broker)


def test_bidders_read_the_outcomes_and_the_budget(database: Database, tmp_path: Path) -> None:
    # As where many people are referred: below 200 a year locality, lot, schedule and budget alone are published.
    scheme = preset("cornwall").model_copy(update={"publication": Publication(full_from_referrals=2, smallest_group=2)})
    council = World(database, tmp_path, scheme)
    council.provider("Synthetic Oak", localities=[AREA])
    council.referral(locality=AREA)
    referral = council.referral(locality=AREA, budget_pence=60_000, budget_weeks=6)

    with database.reading() as session:
        read = shown(session, council.ports, council.round(referral))

    assert (read["budget_pence"], read["budget_weeks"], read["outcomes"]) == (60_000, 6, ["Washes alone."])


def test_every_approved_provider_that_chose_the_area_and_the_service_is_asked_then_the_neighbours(
    council: World,
) -> None:
    here, beside = (council.provider(f"Synthetic {place}", localities=[place]) for place in (AREA, BESIDE))
    council.provider("Synthetic Far", localities=[FAR])
    other_service = _only_for(council, "supportive-lifestyles")
    referral = council.referral(locality=AREA)

    assert council.invited(referral) == {here.provider}
    council.close(referral)
    assert council.invited(referral) == {here.provider, beside.provider}
    assert council.invited(council.referral(locality=AREA, lot="supportive-lifestyles")) == {
        here.provider,
        other_service.provider,
    }


def _only_for(council: World, lot: str) -> Actor:
    """A provider of the area that chose this service alone."""
    smaller = council.scheme.model_copy(update={"lots": tuple(one for one in council.scheme.lots if one.key == lot)})
    whole, council.scheme = council.scheme, smaller
    try:
        return council.provider("Synthetic Other Service", localities=[AREA], lists=["approved"])
    finally:
        council.scheme = whole


# The lowest rate wins, package by package


def test_the_lowest_ongoing_rate_wins_whoever_is_rated_better(council: World) -> None:
    better = council.provider("Synthetic Better", localities=[AREA], rating=Rating.OUTSTANDING)
    cheaper = council.provider("Synthetic Cheaper", localities=[AREA], rating=Rating.REQUIRES_IMPROVEMENT)
    referral = council.referral(locality=AREA, budget_pence=60_000)
    council.bid(better, referral, pence=1801)
    council.bid(cheaper, referral, pence=1800)

    council.close(referral)

    award = council.award(referral)
    assert (award.provider, award.weekly_pence) == (cheaper.provider, 6300)  # the ongoing week, not the budget
    council.accept_and_confirm(award, cheaper)
    (contract,) = council.rows(Contract)
    assert (contract.provider, contract.weekly_pence) == (cheaper.provider, 6300)


def test_rates_are_compared_over_the_packages_own_week(council: World) -> None:
    flat, card = (council.provider(f"Synthetic {name}", localities=[AREA]) for name in ("Flat", "Card"))
    whole_week = council.referral(locality=AREA)
    weekdays = council.referral(locality=AREA, visits="Mon-Fri 07:30-09:30 30m personal_care")
    # Five days at £17.00 and two at £21.00 are £18.14 an hour.
    rates = RateCard.of(PriceBasis.PER_HOUR, {Band.WEEKDAY: 1700, Band.WEEKEND: 2100})
    for referral in (whole_week, weekdays):
        council.bid(flat, referral, pence=1800)
        council.bid(card, referral, pence=0, card=rates)

    council.close(whole_week)

    assert (winner(council, whole_week), winner(council, weekdays)) == (flat.provider, card.provider)


def test_each_package_of_a_closing_is_awarded_by_itself(council: World) -> None:
    oak, elm = (council.provider(f"Synthetic {name}", localities=[AREA]) for name in ("Oak", "Elm"))
    one, other = council.referral(locality=AREA), council.referral(locality=AREA)
    assert council.round(one).closing_id == council.round(other).closing_id
    for referral, oaks, elms in ((one, 1700, 1710), (other, 1900, 1890)):
        council.bid(oak, referral, pence=oaks)
        council.bid(elm, referral, pence=elms)

    council.close(one)

    assert (winner(council, one), winner(council, other)) == (oak.provider, elm.provider)


def test_a_provider_whose_limit_binds_keeps_what_it_preferred_and_the_rest_passes_to_the_next_bid(
    council: World,
) -> None:
    oak, elm = (council.provider(f"Synthetic {name}", localities=[AREA]) for name in ("Oak", "Elm"))
    liked, other = council.referral(locality=AREA), council.referral(locality=AREA)
    council.limit(oak, LimitPart(packages=1))
    council.bid(oak, other, pence=1600, preference=2)
    council.bid(oak, liked, pence=1700, preference=1)
    council.bid(elm, other, pence=2100)
    council.bid(elm, liked, pence=1750)

    council.close(liked)

    # Together it would have cost less the other way round: by the paper each package goes to its own lowest rate.
    assert (winner(council, liked), winner(council, other)) == (oak.provider, elm.provider)


def test_a_bundle_has_no_place_where_each_package_is_awarded_by_itself(council: World) -> None:
    oak = council.provider("Synthetic Oak", localities=[AREA])
    one, other = council.referral(locality=AREA), council.referral(locality=AREA)

    with pytest.raises(InvalidBid):
        council.bid(oak, one, other, pence=1600)

    council.bid(oak, one, pence=1600)
    council.close(one)
    assert winner(council, one) == oak.provider


def test_a_rate_outside_the_envelope_is_refused_with_words_while_it_can_still_be_changed(council: World) -> None:
    oak = council.provider("Synthetic Oak", localities=[AREA])
    referral = council.referral(locality=AREA)

    with pytest.raises(InvalidBid, match=r"outside £15\.00 to £22\.00"):
        council.bid(oak, referral, pence=2201)

    council.bid(oak, referral, pence=2200)


# Urgency


def test_standard_requests_close_together_and_urgent_ones_alone(council: World) -> None:
    council.provider("Synthetic Oak", localities=[AREA])
    standard = [council.referral(locality=AREA) for _ in range(2)]
    urgent = [council.referral(locality=AREA, urgency=Urgency.URGENT) for _ in range(2)]

    together = {council.round(referral).closing_id for referral in standard}
    alone = {council.round(referral).closing_id for referral in urgent}

    assert (len(together), len(alone)) == (1, 2)
    assert [closing.published for closing in council.rows(Closing)] == [True, False, False]
    assert council.round(standard[0]).closes_at == datetime(2018, 7, 16, 14, tzinfo=UTC)  # 15:00
    assert {council.round(referral).closes_at for referral in urgent} == {council.now + timedelta(hours=4)}


def test_a_crisis_has_ninety_minutes_and_then_the_whole_county(council: World) -> None:
    here, far = (council.provider(f"Synthetic {place}", localities=[place]) for place in (AREA, FAR))
    referral = council.referral(locality=AREA, urgency=Urgency.CRISIS)
    assert council.round(referral).closes_at == council.now + timedelta(minutes=90)

    council.close(referral)

    assert council.round(referral).closes_at == council.now + timedelta(minutes=90)
    assert council.invited(referral) == {here.provider, far.provider}
