"""What a broker is shown before confirming a free text; ordinary words of care raise nothing."""

from datetime import date
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dps.packages.facts import FreeText
from dps.packages.identity import Identity
from dps.packages.telltales import Telltale, telltales

WHO = Identity(
    name="Zebedee Teasel",
    address="14 Larkspur Close\nAnfield",
    postcode="L6 1AB",
    date_of_birth=date(1941, 5, 6),
    contact="Rosemary Teasel (daughter) 01632 960001",
)


def kinds(text: str) -> list[Telltale]:
    return [found.kind for found in telltales(FreeText(pen_picture=text), WHO)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Zebedee likes his tea strong.", Telltale.OWN_RECORD),
        ("She says teasel is her name.", Telltale.OWN_RECORD),
        ("Rosemary visits at noon.", Telltale.OWN_RECORD),
        ("Lives near Larkspur.", Telltale.OWN_RECORD),
        ("Ask for Mrs Okonkwo at the desk.", Telltale.NAME),
        ("Her neighbour Winifred has a key.", Telltale.NAME),
        ("His son, Bartholomew James, calls on Sundays.", Telltale.NAME),
        ("Ring 07700 900123 first.", Telltale.PHONE),
        ("Ring +44 (0)1632 960 001 first.", Telltale.PHONE),
        ("Number 943 476 5919.", Telltale.NHS_NUMBER),
        ("Write to someone@example.org today.", Telltale.EMAIL),
        ("See www.example.org/page for the plan.", Telltale.LINK),
        ("Moved from l6 1ab last year.", Telltale.POSTCODE),
        ("Moved from SW1A1AA last year.", Telltale.POSTCODE),
        ("Now at 7 High Street with family.", Telltale.ADDRESS),
        ("Upstairs, flat 12, no lift.", Telltale.ADDRESS),
        ("Born 06/05/1941 in Wales.", Telltale.DATE_OF_BIRTH),
        ("Born on 6 May 1941 in Wales.", Telltale.DATE_OF_BIRTH),
    ],
)
def test_what_may_tell_who_it_is_is_found(text: str, kind: Telltale) -> None:
    assert kinds(text) == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "Needs help to wash and dress; two carers for transfers with a hoist.",
        "Takes medication at 08:00, 12:00 and 22:00, from a dosette box.",
        "Likes to walk the dog. Speaks English and Urdu. Uses a key safe, code given on acceptance.",
        "Diabetes type 2; blood sugar 7.5 in the morning. Weight 82 kg, 30 minutes a call.",
        "Her daughter helps at weekends and her son does the shopping.",
        "1234567890 is no number of a person, nor is 12 34.",
        "The flat has a lift. Wants to be close to her sister and to the ward she was on.",
    ],
)
def test_ordinary_words_of_care_raise_nothing(text: str) -> None:
    assert kinds(text) == []


def test_outcomes_are_read_too_and_each_place_is_named() -> None:
    words = FreeText(pen_picture="Calm.", outcomes=("Walks to the shop.", "Zebedee cooks again."))

    (found,) = telltales(words, WHO)

    assert (found.field, found.start, found.end, found.excerpt) == ("outcomes", 0, 7, "Zebedee")


def test_it_says_nothing_of_itself_to_a_log() -> None:
    (found,) = telltales(FreeText(pen_picture="Zebedee"), WHO)

    assert "Zebedee" not in repr(found)


@given(st.text(st.sampled_from("ZTa 0719@.-/'\n"), max_size=400), st.text(max_size=60))
def test_places_are_in_order_apart_and_inside_the_text(left: str, right: str) -> None:
    text = (
        FreeText(pen_picture=f"{left} Zebedee {right}".replace("\x00", "")).pen_picture if right.isprintable() else ""
    )
    found = telltales(FreeText(pen_picture=text), WHO)

    assert all(text[one.start : one.end] == one.excerpt for one in found)
    assert all(before.end <= after.start for before, after in pairwise(found))
