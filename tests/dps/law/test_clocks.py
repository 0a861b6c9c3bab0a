"""The law's clocks as pure rules: when each warns, from when it is too late, and what the law knew on a day."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dps.law import clocks
from dps.law.bases import bases_allowed, basis_of
from dps.law.clocks import Clock
from dps.law.statute import statute
from dps.schemes.loader import preset
from dps.schemes.model import LegalBasis, Scheme, Term

BIG = 320_000  # pence a week; 208 weeks of it are £665,600
DYNAMIC, LIGHT = LegalBasis.DYNAMIC_MARKET, LegalBasis.LIGHT_TOUCH_FRAMEWORK


def system(basis: LegalBasis, starts: date, ends: date | None = None, *reopened: date) -> Scheme:
    term = Term(starts=starts, ends=ends, reopened=reopened)
    return preset("liverpool").model_copy(update={"legal_basis": basis, "term": term})


def notice(scheme: Scheme, agreed_on: date, weekly_pence: int = BIG, basis: LegalBasis | None = None) -> date | None:
    due = clocks.contract_notice(
        "CON-1",
        basis=basis or scheme.legal_basis,
        scheme=scheme,
        agreed_on=agreed_on,
        weekly_pence=weekly_pence,
        supplier="Synthetic Oak",
    )
    return due.limit if due else None


def test_every_date_of_the_law_names_its_source() -> None:
    law = statute()

    parts = [
        *(law.regulations_2015.source, law.procurement_act.source, law.nhs_2013.source, law.provider_selection.source),
        *(law.valuation.source, law.tiers.source, law.warning.source),
        *(one.source for one in law.thresholds),
        *(one.source for one in law.notices),
    ]
    assert all(parts)


@pytest.mark.parametrize(
    ("day", "pounds"),
    [
        (date(2015, 2, 26), 625_050),
        (date(2017, 12, 31), 589_148),
        (date(2018, 1, 1), 615_278),
        (date(2026, 3, 1), 663_540),
    ],
)
def test_the_threshold_is_that_of_the_day(day: date, pounds: int) -> None:
    assert statute().threshold_on(day) == pounds * 100


def test_a_contract_above_the_threshold_is_told_within_120_days_of_its_agreement() -> None:
    scheme = system(DYNAMIC, date(2025, 4, 1))

    assert notice(scheme, date(2026, 1, 1)) == date(2026, 1, 1) + timedelta(days=121)
    assert notice(scheme, date(2026, 1, 1), 66354000 // 208 + 1) is not None
    assert notice(scheme, date(2026, 1, 1), 66354000 // 208) is None


@pytest.mark.parametrize(
    ("agreed_on", "limit"),
    [
        (date(2018, 1, 1), date(2018, 5, 1)),  # the quarter ends on 31 March; 30 April is the last day
        (date(2018, 3, 31), date(2018, 5, 1)),
        (date(2018, 12, 31), date(2019, 1, 31)),
    ],
)
def test_under_the_2015_regulations_notices_are_grouped_by_quarter(agreed_on: date, limit: date) -> None:
    assert notice(system(LIGHT, date(2017, 10, 1)), agreed_on) == limit


def test_health_care_is_told_within_30_days_whatever_it_is_worth() -> None:
    scheme = system(LIGHT, date(2017, 10, 1))

    assert notice(scheme, date(2024, 2, 1), 5000, LegalBasis.PSR) == date(2024, 3, 3)
    assert notice(scheme, date(2019, 2, 1), BIG, LegalBasis.NHS_2013) is None


@given(
    basis=st.sampled_from(LegalBasis),
    began=st.sampled_from([date(2017, 10, 1), date(2025, 4, 1)]),
    agreed_on=st.dates(date(2015, 2, 26), date(2040, 1, 1)),
    weekly_pence=st.integers(0, BIG),
)
def test_no_contract_is_told_that_pays_less_than_the_least_its_basis_asks_about(
    basis: LegalBasis, began: date, agreed_on: date, weekly_pence: int
) -> None:
    scheme = system(LIGHT, began)
    least = clocks.told_from(basis, scheme)

    if notice(scheme, agreed_on, weekly_pence, basis) is not None:
        assert least is not None
        assert weekly_pence >= least
    elif least is not None and least <= weekly_pence:
        assert weekly_pence < -(-statute().threshold_on(agreed_on) // statute().valuation.weeks)


def test_an_open_framework_is_reopened_after_three_years_and_then_after_five() -> None:
    starts, ends = date(2025, 3, 1), date(2033, 3, 1)

    first = clocks.reopening(system(LegalBasis.OPEN_FRAMEWORK, starts, ends))
    second = clocks.reopening(system(LegalBasis.OPEN_FRAMEWORK, starts, ends, date(2027, 9, 1)))
    none = clocks.reopening(system(LegalBasis.OPEN_FRAMEWORK, starts, ends, date(2028, 3, 1)))

    assert first is not None
    assert (first.limit, first.warns) == (date(2028, 3, 1), date(2028, 3, 1) - timedelta(days=180))
    assert second is not None
    assert second.limit == date(2032, 9, 1)
    assert none is None  # the term ends no later
    assert clocks.reopening(system(DYNAMIC, starts)) is None


def test_a_reopening_owed_on_the_29th_of_february_is_owed_on_the_28th() -> None:
    due = clocks.reopening(system(LegalBasis.OPEN_FRAMEWORK, date(2028, 2, 29), date(2036, 2, 28)))

    assert due is not None
    assert due.limit == date(2031, 2, 28)


def test_staged_lists_are_published_within_30_days_of_their_rules_and_single_lists_have_no_clock() -> None:
    staged, single = preset("liverpool"), preset("cornwall")

    due = clocks.tier_publication(staged, date(2019, 6, 3))

    assert due is not None
    assert due.limit == date(2019, 7, 3)
    assert clocks.tier_publication(single, date(2019, 6, 3)) is None
    assert [one.clock for one in clocks.of_scheme(staged, date(2019, 6, 3), date(2019, 6, 3))] == [Clock.TERM]
    assert Clock.TIERS in [one.clock for one in clocks.of_scheme(staged, date(2019, 6, 3), date(2019, 6, 2))]


def test_an_application_may_still_be_answered_on_its_last_day() -> None:
    due = clocks.application_answer("APP-1", date(2018, 7, 16))

    assert not due.is_overdue(date(2018, 7, 16))
    assert due.is_overdue(date(2018, 7, 17))
    assert due.is_near(date(2018, 7, 13))


def test_what_is_near_comes_in_the_order_of_its_limits() -> None:
    late, soon = (clocks.application_answer(f"APP-{n}", date(2018, 7, 16) + timedelta(days=n)) for n in (2, 1))

    assert clocks.near([late, soon], date(2018, 7, 16)) == [soon, late]
    assert clocks.near([late, soon], date(2018, 7, 1)) == []


def test_the_nhs_s_money_is_spent_under_the_regulations_of_its_day() -> None:
    assert bases_allowed("chc", LIGHT, date(2023, 12, 31)) == (LegalBasis.NHS_2013,)
    assert bases_allowed("chc", LIGHT, date(2024, 1, 1)) == (LegalBasis.PSR,)
    assert bases_allowed("council", LIGHT, date(2024, 1, 1)) == (LIGHT,)


def test_a_joint_package_has_no_basis_until_one_is_chosen_that_is_in_force() -> None:
    day = date(2024, 1, 1)

    assert basis_of("joint", None, LIGHT, day) is None
    assert basis_of("joint", LegalBasis.NHS_2013, LIGHT, day) is None
    assert basis_of("joint", LegalBasis.PSR, LIGHT, day) is LegalBasis.PSR
    assert basis_of("joint", LIGHT, LIGHT, day) is LIGHT
