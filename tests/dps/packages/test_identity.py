"""Identities: what is checked before it is sealed, and what never shows."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dps.kernel.errors import BadInput, NotAPostcode
from dps.packages.identity import AgeBand, Identity, age_band, parse_nhs_number
from tests.dps.packages.cases import VALID_NHS_NUMBERS, an_identity

LINES = st.text(st.characters(categories=["L", "Nd", "P", "Zs"]), max_size=60)
NINE_DIGITS = st.text("0123456789", min_size=9, max_size=9)


def _with_check_digit(nine: str) -> str | None:
    """The rule written the other way round: find the digit that makes the weighted sum of ten divisible by 11."""
    for digit in range(10):
        total = sum(
            int(character) * weight for character, weight in zip(nine + str(digit), range(10, 0, -1), strict=True)
        )
        if total % 11 == 0:
            return nine + str(digit)
    return None


@given(NINE_DIGITS)
def test_of_ten_check_digits_only_the_true_one_is_taken(nine: str) -> None:
    true = _with_check_digit(nine)

    taken = [digit for digit in "0123456789" if _is_taken(nine + digit)]

    assert taken == ([true[-1]] if true else [])


@given(st.sampled_from(VALID_NHS_NUMBERS), st.integers(0, 8))
def test_two_neighbouring_digits_exchanged_are_noticed(number: str, place: int) -> None:
    swapped = number[:place] + number[place + 1] + number[place] + number[place + 2 :]

    assert _is_taken(swapped) is (swapped == number)


def _is_taken(number: str) -> bool:
    try:
        return parse_nhs_number(number) == number
    except BadInput:
        return False


def test_an_nhs_number_may_be_written_in_groups() -> None:
    assert parse_nhs_number("943 476 5919") == parse_nhs_number("943-476-5919") == "9434765919"


@pytest.mark.parametrize("text", ["", "943476591", "94347659190", "943476591X", "٩٤٣٤٧٦٥٩١٩"])
def test_what_has_not_ten_digits_is_no_nhs_number(text: str) -> None:
    with pytest.raises(BadInput, match="ten digits"):
        parse_nhs_number(text)


@pytest.mark.parametrize(
    ("born", "on", "band"),
    [
        (None, date(2026, 1, 1), AgeBand.UNKNOWN),
        (date(2008, 1, 2), date(2026, 1, 1), AgeBand.UNDER_18),
        (date(2008, 1, 1), date(2026, 1, 1), AgeBand.ADULT),
        (date(1961, 1, 2), date(2026, 1, 1), AgeBand.ADULT),
        (date(1961, 1, 1), date(2026, 1, 1), AgeBand.FROM_65),
        (date(1951, 1, 1), date(2026, 1, 1), AgeBand.FROM_75),
        (date(1941, 1, 2), date(2026, 1, 1), AgeBand.FROM_75),
        (date(1941, 1, 1), date(2026, 1, 1), AgeBand.FROM_85),
        (date(1960, 2, 29), date(2025, 2, 28), AgeBand.ADULT),
        (date(1960, 2, 29), date(2025, 3, 1), AgeBand.FROM_65),
    ],
)
def test_a_band_begins_on_the_birthday(born: date | None, on: date, band: AgeBand) -> None:
    assert age_band(born, on) is band


@given(
    name=LINES.filter(str.strip),
    address=LINES,
    phone=LINES,
    notes=LINES,
    born=st.none() | st.dates(date(1900, 1, 1), date(2020, 1, 1)),
)
def test_what_was_sealed_is_read_back(name: str, address: str, phone: str, notes: str, born: date | None) -> None:
    identity = an_identity(name=name, address=address, phone=phone, notes=notes, date_of_birth=born)

    assert Identity.from_bytes(identity.to_bytes()) == identity


def test_an_identity_shows_nothing_of_itself() -> None:
    assert repr(an_identity()) == str(an_identity()) == "Identity(withheld)"


def test_it_says_which_parts_are_known() -> None:
    assert Identity(name="A B", phone=" 1 ").given == ("name", "phone")


def test_a_postcode_is_kept_in_its_one_form() -> None:
    assert an_identity(postcode="l61ab").postcode == "L6 1AB"


@pytest.mark.parametrize(
    ("field", "value", "refusal"),
    [
        ("name", "  ", BadInput),
        ("name", "A\nB", BadInput),
        ("name", "A" * 201, BadInput),
        ("name", "A\x00", BadInput),
        ("notes", "A" * 4001, BadInput),
        ("postcode", "L6", NotAPostcode),
        ("nhs_number", "9434765918", BadInput),
        ("date_of_birth", date(1899, 12, 31), BadInput),
    ],
)
def test_nonsense_is_refused_with_its_reason(field: str, value: object, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        an_identity(**{field: value})
