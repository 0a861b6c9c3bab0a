"""Money: strict reading, one rounding, cards that survive storage."""

import json
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dps.kernel.errors import BadInput, NoPrice
from dps.kernel.money import Band, Price, PriceBasis, RateCard, amount, in_pounds, parse_pence, round_half_up

HOURLY = RateCard.of(PriceBasis.PER_HOUR, {Band.WEEKDAY: 2150, Band.WEEKEND: 2300})

pence = st.integers(0, 1_000_000)
bands = st.dictionaries(st.sampled_from(Band), pence).map(lambda prices: {Band.WEEKDAY: 2150} | prices)


def _bands_of(basis: PriceBasis) -> st.SearchStrategy[RateCard]:
    allowed = bands.map(
        lambda prices: {
            band: price
            for band, price in prices.items()
            if band is Band.WEEKDAY
            or basis is PriceBasis.PER_HOUR
            or (basis is PriceBasis.PER_NIGHT and band is not Band.NIGHT)
        }
    )
    return allowed.map(lambda prices: RateCard.of(basis, prices))


cards = st.one_of(
    *(_bands_of(basis) for basis in PriceBasis if basis is not PriceBasis.PER_VISIT_LENGTH),
    st.dictionaries(st.integers(1, 1440), bands, min_size=1, max_size=4).map(RateCard.by_length),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("£21.50", 2150),
        ("21.50", 2150),
        ("21", 2100),
        (" 0.07 ", 7),
        ("£1,250.00", 125000),
        ("99999999.99", 9999999999),
    ],
)
def test_an_amount_in_pounds_and_pence_is_read(text: str, expected: int) -> None:
    assert parse_pence(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "£",
        "21.5",
        "21.505",
        "21.",
        ".50",
        "-1.00",
        "+1.00",
        "1e3",
        "1 250",
        "1,25.00",
        "12,50",
        "1,2500",
        "££1",
        "21.50\n",
        "\uff121.50",
        "\u0662",
        "NaN",
        "£21.50p",
        "$21.50",
        "100000000.00",
        "1_000",
        "1,000,000,000",
    ],
)
def test_any_other_amount_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        parse_pence(text, field="rate")

    assert refused.value.facts["field"] == "rate"


@given(st.integers(0, 9_999_999_999))
def test_what_is_shown_is_read_back(whole: int) -> None:
    assert parse_pence(in_pounds(whole)) == whole


def test_a_debt_shows_its_sign_before_the_pound() -> None:
    assert in_pounds(-123450) == "-£1,234.50"


@pytest.mark.parametrize("wrong", [1.0, True, "5", None, -1, 100_000_000_00])
def test_only_a_whole_sensible_number_of_pence_is_an_amount(wrong: Any) -> None:
    with pytest.raises(BadInput):
        amount(wrong)


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"), [(1, 2, 1), (3, 2, 2), (-1, 2, 0), (-3, 2, -1), (149, 100, 1), (0, 7, 0)]
)
def test_a_half_goes_up(numerator: int, denominator: int, rounded: int) -> None:
    assert round_half_up(numerator, denominator) == rounded


@given(st.integers(), st.integers(min_value=1))
def test_rounding_is_within_a_half_and_never_down_from_one(numerator: int, denominator: int) -> None:
    error = round_half_up(numerator, denominator) - Fraction(numerator, denominator)

    assert -Fraction(1, 2) < error <= Fraction(1, 2)


def test_no_float_is_rounded() -> None:
    with pytest.raises(TypeError):
        round_half_up(2.5, 1)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="denominator"):
        round_half_up(1, 0)


# Rate cards


def test_a_missing_band_costs_as_a_weekday() -> None:
    assert HOURLY.price_in(frozenset({Band.WEEKEND}), 30).pence == 2300
    assert HOURLY.price_in(frozenset({Band.NIGHT}), 30).pence == 2150
    assert HOURLY.price_in(frozenset(), 30).pence == 2150


def test_of_two_bands_the_first_that_is_priced_applies() -> None:
    holiday_too = RateCard.of(PriceBasis.PER_HOUR, {Band.WEEKDAY: 1, Band.WEEKEND: 2, Band.BANK_HOLIDAY: 4})
    night_at_the_weekend = frozenset({Band.WEEKEND, Band.NIGHT})

    assert holiday_too.price_in(night_at_the_weekend, 30).band is Band.WEEKEND
    assert holiday_too.price_in(night_at_the_weekend | {Band.BANK_HOLIDAY}, 30).band is Band.BANK_HOLIDAY


def test_a_length_has_its_own_prices_and_others_have_none() -> None:
    card = RateCard.by_length({30: {Band.WEEKDAY: 1200, Band.WEEKEND: 1300}, 15: {Band.WEEKDAY: 800}})

    assert card.lengths == (15, 30)
    assert card.price_in(frozenset({Band.WEEKEND}), 15) == Price(15, Band.WEEKDAY, 800)
    assert card.price_in(frozenset({Band.WEEKEND}), 30) == Price(30, Band.WEEKEND, 1300)
    with pytest.raises(NoPrice):
        card.price_in(frozenset(), 45)


def test_cards_are_equal_whatever_the_order_of_their_prices() -> None:
    swapped = RateCard.of(PriceBasis.PER_HOUR, {Band.WEEKEND: 2300, Band.WEEKDAY: 2150})

    assert swapped == HOURLY
    assert hash(swapped) == hash(HOURLY)
    assert swapped.to_json() == HOURLY.to_json()


@given(cards)
def test_a_card_survives_its_forms(card: RateCard) -> None:
    assert RateCard.from_dict(card.to_dict()) == card
    assert RateCard.from_json(card.to_json()) == card


def test_the_canonical_text_of_a_card_is_fixed() -> None:
    assert HOURLY.to_json() == '{"basis":"per_hour","prices":{"weekday":2150,"weekend":2300}}'


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ([], "card"),
        ({}, "card"),
        ({"basis": "per_hour"}, "card"),
        ({"basis": "per_hour", "prices": {"weekday": 1}, "note": ""}, "card"),
        ({"basis": "per_mile", "prices": {"weekday": 1}}, "basis"),
        ({"basis": ["per_hour"], "prices": {"weekday": 1}}, "basis"),
        ({"basis": "per_hour", "prices": {}}, "prices"),
        ({"basis": "per_hour", "prices": {"weekday": 21.5}}, "prices.weekday"),
        ({"basis": "per_hour", "prices": {"weekday": True}}, "prices.weekday"),
        ({"basis": "per_hour", "prices": {"weekday": "2150"}}, "prices.weekday"),
        ({"basis": "per_hour", "prices": {"weekday": -1}}, "prices.weekday"),
        ({"basis": "per_hour", "prices": {"weekend": 1}}, "prices"),
        ({"basis": "per_hour", "prices": {"weekday": 1, "easter": 1}}, "prices"),
        ({"basis": "per_hour", "prices": {"30": {"weekday": 1}}}, "prices"),
        ({"basis": "per_week", "prices": {"weekday": 1, "weekend": 1}}, "prices.weekend"),
        ({"basis": "per_night", "prices": {"weekday": 1, "night": 1}}, "prices.night"),
        ({"basis": "per_visit_length", "prices": {"weekday": 1}}, "prices"),
        ({"basis": "per_visit_length", "prices": {"030": {"weekday": 1}}}, "prices"),
        ({"basis": "per_visit_length", "prices": {"1441": {"weekday": 1}}}, "prices.1441.weekday"),
        ({"basis": "per_visit_length", "prices": {"30": {"weekday": 1}, "15": {"night": 1}}}, "prices.15"),
        ({"basis": "per_visit_length", "prices": {"30": {}}}, "prices.30"),
    ],
)
def test_a_card_that_means_nothing_is_refused_at_its_field(form: Any, field: str) -> None:
    with pytest.raises(BadInput) as refused:
        RateCard.from_dict(form)

    assert refused.value.facts["field"] == field


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[" * 100_000,
        '{"basis":"per_hour","basis":"per_hour","prices":{"weekday":1}}',
        '{"basis":"per_hour","prices":{"weekday":1,"weekday":2}}',
        '{"basis":"per_hour","prices":{"weekday":NaN}}',
        '{"basis":"per_hour","prices":{"weekday":1' + "0" * 5_000 + "}}",
    ],
)
def test_a_text_that_is_no_card_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        RateCard.from_json(text)


@pytest.mark.parametrize(
    "prices",
    [
        (),
        (Price(None, Band.WEEKDAY, 1), Price(None, Band.WEEKDAY, 2)),
        (Price(30, Band.WEEKDAY, 1),),
    ],
)
def test_a_card_is_checked_however_it_is_made(prices: tuple[Price, ...]) -> None:
    with pytest.raises(BadInput):
        RateCard(PriceBasis.PER_HOUR, prices)


def test_no_number_of_a_stored_card_is_a_float() -> None:
    assert json.loads(HOURLY.to_json(), parse_float=pytest.fail) == HOURLY.to_dict()
