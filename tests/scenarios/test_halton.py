"""Halton: one provider with two agencies is offered every package; nobody competes, and what was delivered is paid.

Source: the Liverpool City Region's public paper of 2019; what it does not say is marked as assumed.
"""

from datetime import date, timedelta
from pathlib import Path

import pytest

from bidding.awards import moving
from dps.contracts.passing_on import delivers_on, pass_on
from dps.contracts.reasons import ChangeReason
from dps.contracts.variations.records import Weeks
from dps.contracts.variations.rescheduling import WeekWanted, increase, reduce_as_assessor
from dps.kernel.actors import Actor
from dps.kernel.database import Database
from dps.kernel.errors import RuleNotMet, VariationRefused
from dps.packages.schedule import parse_schedule
from dps.register.arrangements import ArrangementKind, arrange
from dps.register.capacity import free_minutes
from dps.register.membership import remove
from dps.register.providers import register_provider
from dps.schemes.loader import preset
from dps.schemes.model import Urgency
from tests.scenarios.serving import Care, items, on_sqlite
from tests.support.world import World

RUNCORN, WIDNES = "runcorn", "widnes"


@pytest.fixture
def council(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path, "halton")


@pytest.fixture
def lead(council: World) -> Actor:
    return council.provider("Synthetic Lead", hours=10)


def test_from_the_offer_to_the_lead_to_a_paid_statement(council: World, lead: Actor) -> None:
    referral = council.referral(locality=WIDNES)
    assert council.award(referral).source == "ranked_offer"
    assert council.award(referral).weekly_pence == 5600  # 3½ hours at the published £16.00

    care = Care(council, referral, lead)
    council.step(days=14)
    care.mornings(13)
    statement = care.paid(14)

    assert statement.pence == 13 * 800  # one morning has no record, and is not paid
    assert {item for item, _ in items(statement)} == {"visits"}
    assert council.faults() == []


def test_the_papers_figures_are_the_files_own() -> None:
    scheme = preset("halton")
    assert scheme.term.starts == date(2018, 4, 1)
    assert [(one.key, one.shape) for one in scheme.lists] == [("lead", "single")]
    assert scheme.admission.arrangements == ("lead",)


@on_sqlite
@pytest.mark.parametrize("urgency", Urgency)
def test_nobody_but_the_lead_is_ever_asked(council: World, lead: Actor, urgency: Urgency) -> None:
    referral = council.referral(locality=RUNCORN, urgency=urgency)
    assert council.invited(referral) == {lead.provider}

    council.run(moving.decline, award_ref=council.award(referral).ref, actor=lead, reason="No carer is free.")

    assert council.state(referral) == "unfilled"


@on_sqlite
def test_there_is_a_single_provider_and_it_serves_both_towns(council: World, lead: Actor) -> None:
    with pytest.raises(RuleNotMet, match=f"one provider for the whole of the scheme.* by {lead.provider}"):
        council.provider("Synthetic Second")
    with pytest.raises(RuleNotMet, match="would lack Widnes"):
        council.run(
            remove,
            provider_id=council.row_of(lead).id or 0,
            scheme=council.scheme,
            localities=[WIDNES],
            because="One town alone.",
            actor=council.officer,
        )


@on_sqlite
def test_the_leads_hours_are_counted_once_for_both_towns(council: World, lead: Actor) -> None:
    for locality in (RUNCORN, WIDNES):
        award = council.award(council.referral(locality=locality))
        council.accept_and_confirm(award, lead)

    provider_id = council.row_of(lead).id or 0
    with council.database.reading() as session:
        assert free_minutes(session, provider_id=provider_id, authority="halton", at=council.now) == 10 * 60 - 2 * 210


@on_sqlite
def test_a_package_grows_by_fifteen_percent_without_a_new_offer(council: World, lead: Actor) -> None:
    care = Care(council, council.referral(locality=WIDNES), lead)

    def grown(minutes: int) -> None:
        wanted = WeekWanted(
            schedule=parse_schedule(f"Mon-Sun 07:30-09:30 {minutes}m personal_care"),
            from_day=care.today,
            reason=ChangeReason.NEEDS_GREW,
        )
        care.vary(increase, wanted=wanted, actor=council.broker)

    with pytest.raises(VariationRefused, match="15%"):
        grown(35)
    grown(34)

    council.step(days=7)
    care.mornings(7, minutes=34)
    assert care.paid(7).pence == 7 * 34 * 1600 // 60 + 1  # £63.466…, in two weeks, each rounded once
    with council.database.reading() as session:
        assert Weeks(session, care.contract).minutes_on(care.today) == 7 * 34


@on_sqlite
def test_trusted_assessment_is_not_part_of_haltons_rules(council: World, lead: Actor) -> None:
    care = Care(council, council.referral(locality=WIDNES), lead)
    wanted = WeekWanted(
        schedule=parse_schedule("Mon-Fri 07:30-09:30 30m personal_care"),
        from_day=care.today + timedelta(days=1),
        reason=ChangeReason.MORE_INDEPENDENT,
    )

    with pytest.raises(VariationRefused, match="allows no reductions"):
        care.vary(reduce_as_assessor, wanted=wanted)


@on_sqlite
def test_the_lead_passes_work_on_to_its_two_agencies_and_stays_the_one_that_is_paid(
    council: World, lead: Actor
) -> None:
    agencies = [
        council.run(register_provider, name=f"Synthetic Agency {n}", company_number=None, actor=council.officer).ref
        for n in (1, 2)
    ]
    council.run(
        arrange,
        scheme=council.scheme,
        kind=ArrangementKind.LEAD,
        lead=lead.provider or "",
        members=dict.fromkeys(agencies),
        from_day=council.now.date(),
        actor=council.officer,
    )
    care = Care(council, council.referral(locality=WIDNES), lead)

    council.run(pass_on, contract_ref=care.ref, to=agencies[1], from_day=care.today, actor=lead)
    council.step(days=7)
    care.mornings(7)

    with council.database.reading() as session:
        assert delivers_on(session, care.contract, care.today) == agencies[1]
    assert (care.paid(7).provider, care.contract.provider) == (lead.provider, lead.provider)
