"""What an area contract costs: every year its price, leap or not; what is recorded is paid exactly, rounded once."""

from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dps.contracts.payment.area_rates import OnRecord, rate_lines, year_part
from dps.kernel.calendar import years_later
from dps.kernel.errors import BadInput
from dps.schemes.area_contracts import AreaContract, BiddingModel, Element, Unit

LEAP = date(2015, 7, 1)
"""The first day of a contract whose first year has a 29th of February."""


@pytest.mark.parametrize(
    ("first", "last", "part"),
    [
        (date(2015, 7, 1), date(2016, 6, 30), Fraction(1)),  # 366 days cost a year's price
        (date(2016, 7, 1), date(2017, 6, 30), Fraction(1)),
        (date(2016, 2, 29), date(2016, 2, 29), Fraction(1, 366)),
        (date(2017, 2, 28), date(2017, 2, 28), Fraction(1, 365)),
        (date(2016, 6, 30), date(2016, 7, 1), Fraction(1, 366) + Fraction(1, 365)),
    ],
)
def test_a_year_costs_its_price_whether_it_is_a_leap_year_or_not(first: date, last: date, part: Fraction) -> None:
    assert year_part(first, last, begins=LEAP) == part


@given(
    st.dates(date(2000, 1, 1), date(2030, 12, 31)),
    st.integers(1, 4),
    st.lists(st.integers(1, 200), min_size=1, max_size=30),
)
def test_however_a_contract_is_cut_into_statements_its_years_come_to_their_prices(
    begins: date, years: int, lengths: list[int]
) -> None:
    over, first, parts = years_later(begins, years), begins, Fraction(0)
    for length in lengths:
        last = min(first + timedelta(days=length - 1), over - timedelta(days=1))
        if first > last:
            break
        parts += year_part(first, last, begins=begins)
        first = last + timedelta(days=1)
    if first < over:
        parts += year_part(first, over - timedelta(days=1), begins=begins)

    assert parts == years


def a_contract(*elements: Element) -> AreaContract:
    return AreaContract(
        key="an-area",
        name="An area",
        model=BiddingModel.RATE_CARD,
        lots=("home-care",),
        localities=("town",),
        lists=("approved",),
        days_open=14,
        years=3,
        elements=elements,
    )


def an_element(key: str, unit: Unit, lot: str | None = None) -> Element:
    return Element(key=key, name=key.capitalize(), unit=unit, units_a_year=100, ceiling_pence=20_000, lot=lot)


ASKED = a_contract(an_element("care", Unit.HOUR, "home-care"), an_element("nights", Unit.NIGHT, "home-care"))
RATES = {"care": 1_999, "nights": 15_000}


def test_recorded_hours_and_nights_are_paid_exactly_and_said_so() -> None:
    recorded = {"care": OnRecord(Fraction(61, 60), 2), "nights": OnRecord(Fraction(3, 2), 2)}

    care, nights = rate_lines(ASKED, RATES, {}, about="town", recorded=recorded)

    assert (care.pence, nights.pence) == (2_032, 22_500)  # 1,999 x 61 / 60 = 2,032.3
    assert care.working == (
        "Care: 1 h 01 min in 2 recorded visits at £19.99: £20.32 and 19/60 p, to the nearest penny £20.32",
    )
    assert nights.working == ("Nights: 1 1/2 nights in 2 recorded visits at £150.00: £225.00",)


def test_what_is_recorded_is_not_told_and_what_was_not_delivered_has_no_line() -> None:
    recorded = {"care": OnRecord(Fraction(0), 0)}

    with pytest.raises(BadInput, match="Care is read from the records"):
        rate_lines(ASKED, RATES, {"care": 1}, about="town", recorded=recorded)

    assert [line.pence for line in rate_lines(ASKED, RATES, {"nights": 2}, about="town", recorded=recorded)] == [30_000]
