"""Kingston: one provider for each area with its neighbours as cover, and three ways of paying for outcomes.

Source: the borough's options paper; which option stands where is assumed, and marked so in the scheme file.
"""

from datetime import date, timedelta
from pathlib import Path

import pytest

from bidding.awards import moving
from dps.contracts.outcomes import review_outcomes
from dps.contracts.payment.worked import share
from dps.contracts.quality.following_up import Whereabouts, due, follow_up
from dps.contracts.quality.indicators import report
from dps.contracts.reasons import EndReason
from dps.contracts.statements.making import make_area_statement
from dps.contracts.statements.records import Statement
from dps.contracts.tiers import place_in_tier
from dps.contracts.variations.ending import end_contract
from dps.contracts.variations.uplifting import uplift
from dps.kernel.actors import Actor
from dps.kernel.database import Database
from dps.kernel.errors import CannotState, RuleNotMet, VariationRefused
from dps.register.applications import Application, ApplicationState
from dps.register.membership import held_by, remove
from dps.schemes.loader import preset
from dps.schemes.quality import IndicatorKey
from tests.scenarios.joining import an_applicant, applied, approved, shown
from tests.scenarios.serving import Care, items, on_sqlite, paid
from tests.support.world import World

SURBITON, CHESSINGTON, MALDEN = "surbiton", "chessington", "new-malden"


@pytest.fixture
def council(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path, "kingston")


@pytest.fixture
def oak(council: World) -> Actor:
    return council.provider("Synthetic Oak", localities=[SURBITON], lists=["area-provider"])


def cared_for(council: World, provider: Actor, lot: str) -> Care:
    return Care(council, council.referral(locality=SURBITON, lot=lot), provider)


def test_the_papers_figures_are_the_files_own() -> None:
    scheme = preset("kingston")
    area, profiled = scheme.payment("whole-area"), scheme.payment("profiled-support")
    reablement, home_care = scheme.payment("reablement"), scheme.payment("personal-care")
    assert area is not None
    assert profiled is not None
    assert reablement is not None
    assert home_care is not None
    assert area.tolerance_percent == 5
    assert set(area.area_budgets.values()) == {2_000_000_00}
    assert (reablement.at_risk_percent or 0) > (home_care.at_risk_percent or 0)  # "higher for reablement"
    assert [band.key for band in profiled.weekly_prices] == ["to-100", "100-to-200", "200-to-400", "over-400"]
    assert {one.key: one.days for one in scheme.follow_ups}["91-days"] == 91


# One provider for each area


@on_sqlite
def test_the_areas_provider_is_asked_then_its_neighbours_then_the_borough(council: World, oak: Actor) -> None:
    cover = council.provider("Synthetic Cover", localities=[CHESSINGTON], lists=["area-provider"])
    council.provider("Synthetic Borough", lists=["approved"])
    referral = council.referral(locality=SURBITON)
    assert council.award(referral).provider == oak.provider

    council.run(moving.decline, award_ref=council.award(referral).ref, actor=oak, reason="No carer is free.")
    assert council.award(referral).provider == cover.provider  # cover is available if one fails
    assert council.invited(referral) == {cover.provider}  # the area's own provider was asked before, and is out
    council.run(moving.decline, award_ref=council.award(referral).ref, actor=cover, reason="No carer is free.")

    assert (council.round(referral).stage_key, council.round(referral).mode) == ("borough", "sealed_bid")
    assert len(council.invited(referral)) == 3


@on_sqlite
def test_an_area_has_one_provider_and_who_serves_the_borough_serves_all_of_it(council: World, oak: Actor) -> None:
    with pytest.raises(RuleNotMet, match=f"Home care in Surbiton, Berrylands and Tolworth by {oak.provider}"):
        council.provider("Synthetic Second", localities=[SURBITON, MALDEN], lists=["area-provider"])
    with pytest.raises(RuleNotMet, match=r"Home care would lack .*Surbiton"):
        council.provider("Synthetic Part", localities=[MALDEN], lists=["approved"])

    council.provider("Synthetic Malden", localities=[MALDEN], lists=["area-provider"])


@on_sqlite
def test_a_newcomer_waits_until_the_areas_provider_is_removed(council: World, oak: Actor) -> None:
    who = an_applicant(council)
    for kind in council.scheme.admission.documents:
        shown(council, who, kind)
    application = applied(council, who, localities=[SURBITON])

    with pytest.raises(RuleNotMet, match=f"is held already: Home care in Surbiton.* by {oak.provider}"):
        approved(council, application, "area-provider")
    (row,) = council.rows(Application)
    assert row.state is ApplicationState.SUBMITTED

    oak_id = council.row_of(oak).id or 0
    council.run(remove, provider_id=oak_id, scheme=council.scheme, because="It failed.", actor=council.officer)
    approved(council, row, "area-provider")
    with council.database.reading() as session:
        held = [one.place for one in held_by(session, council.row_of(who).id or 0, "kingston")]
    assert held == [("area-provider", "personal-care", SURBITON)]


@on_sqlite
def test_reablement_and_home_care_have_separate_rates(council: World, oak: Actor) -> None:
    rates = {}
    for lot in ("reablement", "personal-care"):
        award = council.award(council.referral(locality=SURBITON, lot=lot))
        rates[lot] = award.weekly_pence * 60 // award.weekly_minutes

    assert rates == {"reablement": 1950, "personal-care": 1700}


# Paying for outcomes


def test_a_share_of_reablement_waits_for_its_outcomes_and_is_paid_with_the_review(council: World, oak: Actor) -> None:
    care = cared_for(council, oak, "reablement")
    council.step(days=42)
    weeks_plan = 42 * 975  # six weeks of half an hour a day at £19.50

    first = care.paid(28)
    council.run(review_outcomes, contract_ref=care.ref, met=2, agreed=3, last_day=care.day(41), actor=council.broker)
    last = care.paid(14, start=28)

    held = share(weeks_plan, 30)
    assert items(first) == [("guaranteed", 28 * 975 - share(28 * 975, 30))]
    assert items(last) == [("guaranteed", 14 * 975 - share(14 * 975, 30)), ("released", held * 2 // 3)]
    assert first.pence + last.pence == weeks_plan - held // 3
    assert council.faults() == []


@on_sqlite
def test_less_is_at_risk_for_home_care(council: World, oak: Actor) -> None:
    care = cared_for(council, oak, "personal-care")
    council.step(days=7)

    assert items(care.paid(7)) == [("guaranteed", 5950 - 595)]


def _area(council: World, provider: Actor, lot: str, first: date, days: int, **figures: int) -> Statement:
    return council.run(
        make_area_statement,
        scheme=council.scheme,
        lot=lot,
        locality=SURBITON,
        provider=provider.provider or "",
        first_day=first,
        last_day=first + timedelta(days=days - 1),
        actor=council.broker,
        **figures,
    )


@on_sqlite
@pytest.mark.parametrize(("percent", "discussed"), [(104, 0), (105, 0), (107, 40_000_00), (97, 0), (93, -40_000_00)])
def test_an_area_is_paid_two_million_pounds_and_beyond_five_percent_the_rest_is_discussed(
    council: World, oak: Actor, percent: int, discussed: int
) -> None:
    first = council.now.date()
    council.step(days=366)

    made = _area(council, oak, "whole-area", first, 365, actual_pence=2_000_000 * percent)
    statement = paid(council, made, oak)

    assert (statement.pence, statement.to_discussion_pence) == (2_000_000_00, discussed)


def test_people_are_profiled_in_the_papers_bands_and_paid_for_on_overall_performance(
    council: World, oak: Actor
) -> None:
    bands = ("to-100", "over-400")
    cares = [cared_for(council, oak, "profiled-support") for _ in bands]
    for care, band in zip(cares, bands, strict=True):
        council.run(
            place_in_tier,
            contract_ref=care.ref,
            scheme=council.scheme,
            key=band,
            from_day=cares[1].first,
            actor=council.broker,
        )
    council.step(days=7)

    made = _area(council, oak, "profiled-support", cares[1].first, 7, performance_percent=80)
    statement = paid(council, made, oak)

    # £75 and £520 a week, a tenth of it at risk, of which four fifths were earned.
    assert items(statement) == [("band", 6_750), ("band", 46_800), ("performance", 4_760)]
    with pytest.raises(CannotState, match="by area"):
        cares[0].stated(7)


@on_sqlite
def test_nights_are_paid_as_commissioned(council: World, oak: Actor) -> None:
    care = cared_for(council, oak, "round-the-clock")
    council.step(days=7)

    assert {item for item, _ in items(care.paid(7))} == {"commissioned"}


@on_sqlite
def test_a_lots_prices_rise_by_three_percent_at_most(council: World, oak: Actor) -> None:
    care = cared_for(council, oak, "round-the-clock")
    council.step(days=1)

    def raised(basis_points: int) -> None:
        council.run(
            uplift,
            scheme=council.scheme,
            lot="round-the-clock",
            basis_points=basis_points,
            from_day=care.first,
            actor=council.commissioner,
        )

    with pytest.raises(VariationRefused):
        raised(301)
    raised(300)
    council.step(days=6)
    assert care.paid(7).pence == pytest.approx(7 * 1751 // 2, abs=1)  # £17.00 became £17.51


# Outcomes


def test_people_are_followed_up_ninety_one_days_after_reablement_and_counted(council: World, oak: Actor) -> None:
    care = cared_for(council, oak, "reablement")
    council.step(days=42)
    care.paid(42)
    council.run(
        end_contract,
        contract_ref=care.ref,
        reason=EndReason.INDEPENDENT,
        last_day=care.today,
        actor=council.broker,
    )
    request = {"contract_ref": care.ref, "scheme": council.scheme, "point": "91-days", "actor": council.broker}
    council.step(days=90)
    with pytest.raises(RuleNotMet, match="is due on"):
        council.run(follow_up, **request, whereabouts=Whereabouts.HOME_INDEPENDENT)

    council.step(days=1)
    with council.database.reading() as session:
        asked = due(session, scheme=council.scheme, actor=council.broker, on=care.today)
    council.run(follow_up, **request, whereabouts=Whereabouts.HOME_INDEPENDENT, satisfaction=5)

    assert [(one.contract, one.point) for one in asked] == [(care.ref, "91-days")]
    with council.database.reading() as session:
        figures = report(session, scheme=council.scheme, first=care.first, last=care.today, actor=council.commissioner)
    said = {one.key: (one.number, one.of) for one in figures}
    assert said[IndicatorKey.INDEPENDENT] == (1, 1)
    assert said[IndicatorKey.LESS_NEED] == (1, 1)
    assert said[IndicatorKey.SPEND] == (42 * 975 - share(42 * 975, 30), None)
    assert said[IndicatorKey.CARE_HOME_ADMISSIONS] == (0, None)
    assert next(one for one in figures if one.key is IndicatorKey.INDEPENDENT).is_reached
