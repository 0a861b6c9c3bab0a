"""Kent: a package is flexed in a crisis by its own provider, and the council pays what came of it.

Source: the council's public paper of 2013; what it does not say is marked as assumed in the scheme file.
"""

from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bidding.awards import moving
from dps.contracts.quality.indicators import report
from dps.contracts.reasons import Averted, FlexChange, FlexOutcome, FlexReason
from dps.contracts.variations.flexing import FlexWanted, flex, report_flex, sign_flex, tracker
from dps.contracts.variations.records import Variation, VariationState
from dps.kernel.actors import Actor
from dps.kernel.calendar import LONDON
from dps.kernel.database import Database
from dps.kernel.errors import DocumentsMissing, Forbidden, OutOfTerm, VariationRefused
from dps.kernel.money import Band, PriceBasis, RateCard
from dps.kernel.outbox import OutboxMessage
from dps.packages.facts import FundingStream
from dps.register.capacity import Ledger
from dps.schemes.loader import preset
from tests.scenarios.joining import an_applicant, applied, approved, shown
from tests.scenarios.serving import Care, items, on_sqlite, visit
from tests.support.world import World

MARGATE, RAMSGATE = "margate", "ramsgate"
CANARY = "Mr Quillfeather fell beside the bath."


@pytest.fixture
def council(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path, "kent-flex")


@pytest.fixture
def oak(council: World) -> Actor:
    return council.provider("Synthetic Oak", localities=[MARGATE])


@pytest.fixture
def care(council: World, oak: Actor) -> Care:
    """Half an hour every morning at the published £15.00 an hour, under way."""
    return Care(council, council.referral(locality=MARGATE), oak)


def begin(care: Care, *, actor: Actor | None = None, **changes: Any) -> Variation:
    """Two hours a day more for seven days after a fall, unless told otherwise."""
    wanted = FlexWanted(
        **{
            "from_day": care.today,
            "days": 7,
            "extra_minutes_a_day": 120,
            "group": "older_people",
            "begun_by": "care_worker",
            "reason": FlexReason.FALL,
            "changed": FlexChange.MORE_VISITS,
            "note": CANARY,
            **changes,
        }
    )
    made: Variation = care.vary(flex, wanted=wanted, actor=actor)
    return made


def test_the_papers_figures_are_the_files_own() -> None:
    scheme = preset("kent-flex")
    rule = scheme.variations.flex
    assert rule is not None
    assert (rule.most_hours_a_day, rule.most_days, rule.weekly_limit_pence) == (24, 7, 3_000_00)
    assert (rule.groups, rule.charged_to_person) == (("older_people", "physical_disability"), False)
    assert len(rule.exclusions) == 8
    assert len(scheme.admission.documents) == 6
    assert (scheme.term.starts, scheme.term.ends) == (date(2013, 8, 1), date(2014, 7, 31) + timedelta(days=1))


@on_sqlite
def test_nobody_is_admitted_before_the_last_of_six_appendices_is_signed(council: World) -> None:
    who = an_applicant(council)
    application = applied(council, who)

    for appendix in council.scheme.admission.documents:
        with pytest.raises(DocumentsMissing, match=appendix):
            approved(council, application, "approved")
        shown(council, who, appendix)
    approved(council, application, "approved")


@on_sqlite
def test_the_last_package_is_published_on_31_july_2014(council: World, oak: Actor) -> None:
    council.clock.move_to(datetime(2014, 7, 31, 12, tzinfo=LONDON))
    council.publish_lists()
    assert council.state(council.referral(locality=MARGATE)) in ("seeking", "unfilled")

    council.clock.move_to(datetime(2014, 8, 1, 0, tzinfo=LONDON))

    with pytest.raises(OutOfTerm):
        council.referral(locality=MARGATE)


def test_a_flex_is_told_of_delivered_reported_and_paid_and_not_charged_for(council: World, care: Care) -> None:
    started = begin(care)
    assert started.state is VariationState.AGREED  # nobody was asked
    told = council.rows(OutboxMessage, OutboxMessage.about == started.ref)
    assert [(message.recipient, message.kind) for message in told] == [("authority:kent", "flex_told")]

    council.step(days=7)
    care.mornings(7)
    care.record([visit(care.day(n), "14:00", 120) for n in range(7)])
    form: dict[str, Any] = {"outcome": FlexOutcome.BACK_TO_NORMAL, "averted": Averted.HOSPITAL_ADMISSION}
    council.run(report_flex, variation_ref=started.ref, actor=care.provider, **form)
    statement = care.paid(7)

    # The care falls into two weeks from Monday to Sunday; a half hour costs £7.50, two hours £30.00.
    assert sum(pence for item, pence in items(statement) if item == "visits") == 7 * 750
    assert sum(pence for item, pence in items(statement) if item == "flex") == 7 * 3000
    assert (statement.pence, statement.chargeable_pence) == (26_250, 5_250)
    found = _tracked(council)
    assert (found.flexes, found.unreported, found.averted) == (1, 0, {"hospital_admission": 1})
    assert (found.committed_pence, found.saved_pence) == (21_000, 250_000 - 21_000)  # what was averted, less the flex
    with council.database.reading() as session:
        figures = report(session, scheme=council.scheme, first=care.first, last=care.today, actor=council.commissioner)
    assert {str(one.key): one.number for one in figures} == {
        "outcomes_met": 0,
        "hospital_averted": 1,
        "care_home_averted": 0,
        "spend": 26_250,
    }
    assert council.faults() == []


def _tracked(council: World) -> Any:
    with council.database.reading() as session:
        return tracker(session, scheme=council.scheme, actor=council.commissioner)


@on_sqlite
def test_the_extra_hours_bind_the_provider_at_once_and_end_with_the_report(council: World, care: Care) -> None:
    def committed() -> int:
        return sum(row.committed_minutes for row in council.rows(Ledger, Ledger.locality == ""))

    before = committed()
    started = begin(care)
    assert committed() == before + 7 * 120
    council.step(days=6)

    form: dict[str, Any] = {"outcome": FlexOutcome.HOSPITAL, "averted": Averted.NOTHING}
    council.run(report_flex, variation_ref=started.ref, actor=care.provider, **form)

    assert committed() == before


@on_sqlite
@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        ({"extra_minutes_a_day": 24 * 60, "days": 7}, True),
        ({"extra_minutes_a_day": 24 * 60 + 1, "days": 7}, False),
        ({"days": 8}, False),
        ({"group": "physical_disability", "begun_by": "district_nurse"}, True),
        ({"group": "learning_disability"}, False),
        ({"circumstances": ["direct_payment"]}, False),
        ({"circumstances": ["supporting_independence"]}, True),  # a later phase, from February 2014, lifted this one
    ],
)
def test_the_limits_are_twenty_four_hours_seven_days_and_the_papers_groups(
    care: Care, changes: dict[str, Any], allowed: bool
) -> None:
    if allowed:
        assert begin(care, **changes).state is VariationState.AGREED
    else:
        with pytest.raises(VariationRefused):
            begin(care, **changes)


def test_above_three_thousand_pounds_a_week_an_authorised_officer_signs(council: World, care: Care) -> None:
    # Seven days round the clock cost £2,520 at £15.00 an hour.
    assert begin(care, extra_minutes_a_day=24 * 60).state is VariationState.AGREED

    second = _dearer(council)

    assert second.state is VariationState.PROPOSED
    with pytest.raises(Forbidden):
        council.run(sign_flex, variation_ref=second.ref, actor=council.broker)
    council.run(sign_flex, variation_ref=second.ref, actor=council.second)
    (signed,) = council.rows(Variation, Variation.ref == second.ref)
    assert signed.state is VariationState.AGREED


def _dearer(council: World) -> Variation:
    """A flex round the clock of a package awarded at £20.00 an hour: £3,360 a week."""
    elm = council.provider("Synthetic Elm", localities=[RAMSGATE])
    care = Care(council, council.referral(locality=RAMSGATE), elm)
    card = RateCard.of(PriceBasis.PER_HOUR, {Band.WEEKDAY: 2000}).to_dict()
    with council.database.transaction() as session:
        row = care.contract
        row.card, row.weekly_pence = card, 7000
        session.add(row)
    return begin(care, extra_minutes_a_day=24 * 60)


@on_sqlite
def test_only_packages_that_the_council_manages_and_funds_are_flexed(council: World, oak: Actor) -> None:
    care = Care(council, council.referral(locality=MARGATE, funding=FundingStream.SELF_FUNDED), oak)

    with pytest.raises(VariationRefused, match="manages and funds"):
        begin(care)


@on_sqlite
def test_what_the_care_worker_wrote_is_read_by_nobody_without_the_persons_key(council: World, care: Care) -> None:
    begin(care)

    assert not any(CANARY in str(event.body) for event in council.events("variation.flex"))
    assert len(council.events("variation.flex")) == 1


@on_sqlite
def test_a_package_whose_provider_can_not_goes_to_another_approved_one_of_the_locality(council: World) -> None:
    first, second = (council.provider(f"Synthetic {n}", localities=[MARGATE]) for n in ("One", "Two"))
    beside = council.provider("Synthetic Beside", localities=[RAMSGATE])
    referral = council.referral(locality=MARGATE)
    assert council.round(referral).mode == "ranked_offer"
    hands = {first.provider: first, second.provider: second}
    asked = council.award(referral)

    council.run(moving.decline, award_ref=asked.ref, actor=hands[asked.provider], reason="No carer is free.")

    other = council.award(referral)
    assert {asked.provider, other.provider} == {first.provider, second.provider}
    assert beside.provider not in council.invited(referral)
