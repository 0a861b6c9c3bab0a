"""Cornwall: a request states outcomes and a budget; the lowest hourly rate for the ongoing support wins it.

Source: Cornwall Council and NHS Kernow, bidders' paper of 2017; what it does not say is marked as assumed in the
scheme file.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session

from bidding.aftercare import hand_back
from bidding.closings import Closing
from bidding.publishing import make_ready
from bidding.rounds import Round
from bidding.stages import shown as published_to
from dps.contracts.answers import answer_review, settle_review
from dps.contracts.contracts import Contract
from dps.contracts.enablement import ChallengeReason, challenge, give_notice, uphold, withdraw_notice
from dps.contracts.outcomes import review_outcomes
from dps.contracts.quality.concerns import ConcernKind, ConcernTopic, close_concern, record_concern
from dps.contracts.quality.recognition import AppealReason, QualityScore, appeal, decide_appeal, publish_scores
from dps.contracts.reasons import HandBackReason, SuspensionReason
from dps.contracts.variations.pausing import pause, resume
from dps.kernel.actors import Actor, Role
from dps.kernel.clock import SteppedClock
from dps.kernel.database import Database
from dps.kernel.errors import (
    BadInput,
    CannotState,
    DocumentsMissing,
    InvalidBid,
    NeedsSecondPerson,
    NotReady,
    RuleNotMet,
    VariationRefused,
)
from dps.kernel.money import Band, PriceBasis, RateCard
from dps.register.capacity import declare
from dps.register.limits import LimitPart
from dps.schemes.loader import preset
from dps.schemes.model import EvaluationRule, LegalBasis, Publication, Rating, Urgency
from tests.scenarios.joining import an_applicant, applied, approved, shown
from tests.scenarios.serving import Care, items, on_sqlite
from tests.support.world import World

AGREED = {"guaranteed-hours": True, "call-monitoring": True, "living-wage": True}
AREA, BESIDE, FAR = "truro-roseland", "st-austell", "penwith"


@pytest.fixture
def council(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path, "cornwall")


def winner(council: World, referral: str) -> str:
    return council.award(referral).provider


def test_the_papers_figures_are_the_files_own() -> None:
    scheme = preset("cornwall")
    lot, retainer = scheme.lot("enablement"), scheme.variations.retainer
    assert (lot.sets_budget, lot.budget_weeks) == (True, 6)
    assert retainer is not None
    assert retainer.most_weeks == 4
    assert (scheme.legal_basis, scheme.evaluation.rule) == (LegalBasis.PCR2015_DPS, EvaluationRule.ONGOING_RATE)
    assert {question.key for question in scheme.admission.questions} == set(AGREED)


# Who may join: open to all, by the council's standards


@on_sqlite
@pytest.mark.parametrize("standard", AGREED)
def test_whoever_does_not_keep_a_standard_is_put_before_the_officer(council: World, standard: str) -> None:
    keeps, misses = an_applicant(council), an_applicant(council)

    assert applied(council, keeps, AGREED).flags == []
    assert applied(council, misses, AGREED | {standard: False}).flags == [[standard, False]]


@on_sqlite
def test_nobody_is_admitted_without_health_and_safety_accreditation(council: World) -> None:
    who = an_applicant(council)
    application = applied(council, who, AGREED)
    for kind in ("public_liability_insurance", "employers_liability_insurance"):
        shown(council, who, kind)

    with pytest.raises(DocumentsMissing, match="health_and_safety_accreditation"):
        approved(council, application, "approved")
    shown(council, who, "health_and_safety_accreditation")
    approved(council, application, "approved")

    declare_free(council, who)
    assert who.provider in council.invited(council.referral(locality=council.scheme.localities[0].key))


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
        read = published_to(session, council.ports, council.round(referral))

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


# Six weeks for the budget, then the rate


def enabled(council: World, provider: Actor, *, met: int, days: int = 42) -> tuple[Care, str]:
    """A request served for its budget's weeks and reviewed by the broker; the care and the review's reference."""
    referral = council.referral(locality=AREA, budget_pence=60_000, budget_weeks=6)
    council.bid(provider, referral, pence=1800)
    council.close(referral)
    care = Care(council, referral, provider)
    council.step(days=days)
    care.mornings(days)
    review = council.run(
        review_outcomes, contract_ref=care.ref, met=met, agreed=3, last_day=care.day(days - 1), actor=council.broker
    )
    return care, review.ref


@pytest.fixture
def oak(council: World) -> Actor:
    return council.provider("Synthetic Oak", localities=[AREA], hours=400)


def answer(council: World, provider: Actor, review: str, *, agrees: bool) -> None:
    council.run(answer_review, review_ref=review, scheme=council.scheme, agrees=agrees, actor=provider)


def test_met_outcomes_are_worth_the_budget_whatever_was_delivered_and_then_the_rate_goes_on(
    council: World, oak: Actor
) -> None:
    care, review = enabled(council, oak, met=3)
    answer(council, oak, review, agrees=True)
    council.step(days=7)
    care.mornings(7, start=42)

    budget, ongoing = care.paid(42), care.paid(7, start=42)

    # 42 half hours at £18.00 are worth £378.00; the budget of £600.00 is due in full, and chargeable.
    assert items(budget) == [("budget", 60_000)]
    assert budget.chargeable_pence == 60_000
    assert sum(pence for _, pence in items(ongoing)) == 6300  # 3½ hours at £18.00
    assert {item for item, _ in items(ongoing)} == {"visits"}
    assert council.faults() == []


@on_sqlite
def test_unmet_outcomes_are_worth_the_visits_delivered(council: World, oak: Actor) -> None:
    care, review = enabled(council, oak, met=2)
    answer(council, oak, review, agrees=True)

    assert items(care.paid(42)) == [("budget", 42 * 900)]


@on_sqlite
def test_a_review_waits_for_its_provider_for_five_days_and_stands_unanswered(council: World, oak: Actor) -> None:
    care, review = enabled(council, oak, met=3)
    with pytest.raises(CannotState, match="stands once the provider agrees"):
        care.stated(42)

    council.step(days=5)

    assert items(care.stated(42)) == [("budget", 60_000)]
    with pytest.raises(RuleNotMet, match="days to contest"):
        answer(council, oak, review, agrees=False)


@on_sqlite
def test_a_contested_review_is_settled_by_a_second_person(council: World, oak: Actor) -> None:
    care, review = enabled(council, oak, met=1)
    answer(council, oak, review, agrees=False)
    council.step(days=6)
    with pytest.raises(CannotState, match="contests"):
        care.stated(42)
    with pytest.raises(NeedsSecondPerson):
        council.run(settle_review, review_ref=review, met=3, actor=council.broker)

    council.run(settle_review, review_ref=review, met=3, actor=council.second)

    assert items(care.stated(42)) == [("budget", 60_000)]


# A place is kept


def test_a_place_is_kept_for_four_weeks_at_half_the_price_and_care_goes_on_without_a_competition(
    council: World, oak: Actor
) -> None:
    care = in_ongoing_care(council, oak)
    care.mornings(1)
    paused = care.day(1)
    council.step(days=1)
    care.vary(pause, actor=council.broker, reason=SuspensionReason.HOSPITAL, from_day=paused)
    council.step(weeks=4)
    care.vary(resume, actor=council.broker)
    assert len(council.rows(Round)) == 1  # nobody was asked again
    council.step(days=1)
    care.mornings(1, start=29)

    statement = care.paid(30)

    # A week of mornings costs £63.00; four weeks at half of it, and the two mornings that were served.
    assert sum(pence for item, pence in items(statement) if item == "retainer") == 4 * 3150
    assert statement.pence == 4 * 3150 + 2 * 900
    assert council.faults() == []


@on_sqlite
def test_after_four_weeks_the_place_is_open_to_others(council: World, oak: Actor) -> None:
    care = in_ongoing_care(council, oak)
    care.vary(pause, actor=council.broker, reason=SuspensionReason.HOSPITAL, from_day=care.today)
    council.step(weeks=4, days=1)

    with pytest.raises(VariationRefused, match="kept for 4 weeks"):
        care.vary(resume, actor=council.broker)


def in_ongoing_care(council: World, provider: Actor) -> Care:
    """Half an hour a day of ongoing support at £18.00 an hour."""
    referral = council.referral(locality=AREA, lot="ongoing")
    council.bid(provider, referral, pence=1800)
    council.close(referral)
    return Care(council, referral, provider)


# Failing consistently


def _fails(council: World, oak: Actor, times: int) -> None:
    for _ in range(times):
        _, review = enabled(council, oak, met=0, days=2)
        answer(council, oak, review, agrees=True)


def test_a_provider_that_failed_three_of_its_last_five_is_declined_enablement_offers(
    council: World, oak: Actor
) -> None:
    _fails(council, oak, 2)
    notice = {"provider_id": council.row_of(oak).id or 0, "scheme": council.scheme, "actor": council.officer}
    with pytest.raises(RuleNotMet, match="2 of its last 2 requests failed: the rule is 3 of 5"):
        council.run(give_notice, **notice)
    _fails(council, oak, 1)

    bar = council.run(give_notice, **notice)

    assert (bar.failed, bar.of) == (3, 3)
    with pytest.raises(RuleNotMet, match="0 of its last 0"):  # what one notice counted, no other counts
        council.run(give_notice, **notice)
    assert oak.provider in council.invited(council.referral(locality=AREA))  # 28 days' notice
    council.step(days=28)
    elm = council.provider("Synthetic Elm", localities=[AREA])
    assert council.invited(council.referral(locality=AREA)) == {elm.provider}
    assert oak.provider in council.invited(council.referral(locality=AREA, lot="ongoing"))
    assert council.faults() == []


class Running(SteppedClock):
    """A clock that is later at each look, as a real one is."""

    def read(self, session: Session) -> datetime:
        self.move_to(self.instant + timedelta(milliseconds=1))
        return self.instant


@on_sqlite
def test_a_notice_is_challenged_in_time_and_decided_by_another_person(council: World, oak: Actor) -> None:
    _fails(council, oak, 3)
    request = {"scheme": council.scheme}
    bar = council.run(give_notice, provider_id=council.row_of(oak).id or 0, **request, actor=council.officer)

    council.run(challenge, bar_ref=bar.ref, reason=ChallengeReason.NEEDS_CHANGED, **request, actor=oak)

    council.step(days=29)
    assert oak.provider in council.invited(council.referral(locality=AREA))  # held off until it is decided
    stepped = council.ports
    council.ports = replace(stepped, clock=Running(council.now))
    council.run(uphold, bar_ref=bar.ref, **request, actor=council.commissioner)
    council.ports = stepped
    council.step(minutes=1)
    council.provider("Synthetic Elm", localities=[AREA])
    assert oak.provider not in council.invited(council.referral(locality=AREA))
    council.step(weeks=26)
    declare_free(council, oak)
    assert oak.provider in council.invited(council.referral(locality=AREA))


@on_sqlite
def test_a_notice_that_is_fourteen_days_old_is_not_challenged(council: World, oak: Actor) -> None:
    _fails(council, oak, 3)
    request = {"scheme": council.scheme}
    bar = council.run(give_notice, provider_id=council.row_of(oak).id or 0, **request, actor=council.officer)
    council.step(days=14)

    with pytest.raises(RuleNotMet, match="could be challenged until"):
        council.run(challenge, bar_ref=bar.ref, reason=ChallengeReason.NEEDS_CHANGED, **request, actor=oak)

    council.run(withdraw_notice, bar_ref=bar.ref, **request, actor=council.officer)
    council.step(days=15)
    assert oak.provider in council.invited(council.referral(locality=AREA))


def declare_free(council: World, provider: Actor) -> None:
    """A hundred free hours declared: anew, where the ones of the start have run out."""
    council.run(
        declare,
        provider_id=council.row_of(provider).id or 0,
        authority=council.authority,
        minutes=6000,
        expires_at=council.now + timedelta(days=60),
        actor=provider,
    )


# Quality recognition


def test_a_published_score_decides_ties_and_below_fifty_nobody_is_asked(council: World, oak: Actor) -> None:
    _fails(council, oak, 3)
    council.step(days=1)
    request = {"scheme": council.scheme, "actor": council.commissioner}
    scores = council.run(publish_scores, last_day=(council.now - timedelta(days=1)).date(), **request)

    (score,) = scores
    # Nothing of 9 outcomes (0 of 30), 6 of 6 visits, all on time (25 + 15), no complaint, no hand-back (15 + 15).
    assert score.score == 70
    elm = council.provider("Synthetic Elm", localities=[AREA])  # 70 without evidence, too
    assert council.invited(council.referral(locality=AREA)) == {oak.provider, elm.provider}

    for _ in range(3):
        complaint(council, oak)
    council.step(days=1)
    (worse, _) = council.run(publish_scores, last_day=(council.now - timedelta(days=1)).date(), **request)

    assert worse.score == 55  # three complaints in three contracts leave nothing of 15
    handed_back(council, oak)
    council.step(days=1)
    (worst, _) = council.run(publish_scores, last_day=(council.now - timedelta(days=1)).date(), **request)
    assert worst.score == 43  # one hand-back in three takes 83 of 100, and its part counts 15
    assert council.invited(council.referral(locality=AREA)) == {elm.provider}
    assert council.faults() == []

    council.run(appeal, score_ref=worst.ref, reason=AppealReason.HAND_BACK_NOT_OURS, scheme=council.scheme, actor=oak)

    assert oak.provider in council.invited(council.referral(locality=AREA))  # the score before counts meanwhile
    decision = {"score_ref": worst.ref, "is_right": True, "scheme": council.scheme}
    with pytest.raises(NeedsSecondPerson):
        council.run(decide_appeal, **decision, actor=council.commissioner)
    another = Actor(ref="commissioner-2", role=Role.COMMISSIONER, authority=council.authority)
    anew = council.run(decide_appeal, **decision, actor=another)

    assert (anew.ref == worst.ref, anew.score) == (False, 43)  # counted again, with the hand-back that is on record
    assert [one.state for one in council.rows(QualityScore, QualityScore.provider == oak.provider)][-2:] == [
        "corrected",
        "published",
    ]
    assert council.invited(council.referral(locality=AREA)) == {elm.provider}


def complaint(council: World, provider: Actor) -> None:
    contract = council.rows(Contract, Contract.provider == provider.provider)[0]
    made = council.run(
        record_concern,
        contract_ref=contract.ref,
        kind=ConcernKind.COMPLAINT,
        topic=ConcernTopic.MISSED_VISITS,
        received_on=council.now.date(),
        actor=council.broker,
    )
    council.run(close_concern, concern_ref=made.ref, is_upheld=True, actor=council.broker)


def handed_back(council: World, provider: Actor) -> None:
    contract = council.rows(Contract, Contract.provider == provider.provider)[0]
    council.run(
        hand_back,
        contract_ref=contract.ref,
        reason=HandBackReason.STAFFING,
        last_day=council.now.date(),
        actor=provider,
    )


@on_sqlite
def test_of_equal_rates_the_better_score_wins_although_it_won_more_of_late(council: World, oak: Actor) -> None:
    for _ in range(3):
        enabled(council, oak, met=3, days=2)
    council.step(days=6)
    council.run(
        publish_scores,
        scheme=council.scheme,
        last_day=(council.now - timedelta(days=1)).date(),
        actor=council.commissioner,
    )
    elm = council.provider("Synthetic Elm", localities=[AREA])
    referral = council.referral(locality=AREA)
    for provider in (oak, elm):
        council.bid(provider, referral, pence=1800)

    council.close(referral)

    assert winner(council, referral) == oak.provider  # 100 against 70 without evidence
