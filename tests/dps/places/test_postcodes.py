"""The grammar of postcodes: what is read, what is refused with which words, what is offered."""

import csv
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dps.kernel.errors import NotAPostcode
from dps.places import packaged
from dps.places.postcodes import (
    HISTORIC_DISTRICTS,
    Fault,
    Postcode,
    canonical,
    parse,
    parse_district,
    parse_sector,
    suggestions,
)

FAULT_OF_KIND = {
    "bfpo_legacy": Fault.FORCES_NUMBER,
    "overseas_territory": Fault.PUNCTUATION,  # Anguilla's AI-2640
    "truncated": Fault.TRUNCATED,
    "outcode_only": Fault.DISTRICT_ONLY,
    "sector_only": Fault.SECTOR_ONLY,
    "junk": Fault.SHAPE,
    "empty": Fault.EMPTY,
    "bad_spacing": Fault.SPACING,
    "punctuation": Fault.PUNCTUATION,
    "html": Fault.PUNCTUATION,
    "fullwidth": Fault.FOREIGN_CHARACTERS,
    "invalid_inward_letter": Fault.INWARD_LETTER,
    "ocr_o_for_0": Fault.LETTER_FOR_DIGIT,
    "ocr_i_for_1": Fault.LETTER_FOR_DIGIT,
    "invalid_first_letter": Fault.FIRST_LETTER,
    "invalid_second_letter": Fault.SECOND_LETTER,
    "invalid_third_letter": Fault.LAST_OUTWARD_LETTER,
    "invalid_fourth_letter": Fault.LAST_OUTWARD_LETTER,
    "nhs_pseudo": Fault.PSEUDO,
    "historic": Fault.HISTORIC,
    "injection": Fault.PUNCTUATION,
    "multiple": Fault.SEVERAL,
    "foreign": Fault.SHAPE,
}

FULL_WIDTH = "".join(chr(ord(letter) + 0xFEE0) if letter != " " else letter for letter in "CT11 9AB")

postcodes = st.from_regex(
    re.compile(r"([A-PR-UWYZ][A-HK-Y]?[1-9]?[0-9]|[A-PR-UWYZ][0-9][A-HJKPSTUW]) [0-9][ABD-HJLNP-UW-Z]{2}", re.ASCII),
    fullmatch=True,
)


def test_every_edge_case_behaves_as_it_is_stated(shared_data: Path) -> None:
    with (shared_data / "postcodes" / "postcode_edge_cases.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))

    assert len(rows) == 75
    for row in rows:
        if row["expect_format_valid"] == "1":
            read = parse(row["input"])
            assert (read.canonical, read.district) == (row["canonical"], row["outcode"]), row
        else:
            with pytest.raises(NotAPostcode) as refusal:
                parse(row["input"])
            assert refusal.value.fault is FAULT_OF_KIND[row["kind"]], row
            assert (refusal.value.outcode or "") == row["outcode"], row


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("l6 1ab", ("L6 1AB", "L6", "L6 1", "L")),
        ("\tPR86AA \n", ("PR8 6AA", "PR8", "PR8 6", "PR")),
        ("W1A\N{NO-BREAK SPACE}1HQ", ("W1A 1HQ", "W1A", "W1A 1", "W")),
        ("WC2N   5DU", ("WC2N 5DU", "WC2N", "WC2N 5", "WC")),
        ("GIR0AA", ("GIR 0AA", "GIR", "GIR 0", "GIR")),
        ("STHL 1ZZ", ("STHL 1ZZ", "STHL", "STHL 1", "STHL")),
    ],
)
def test_case_and_spaces_are_forgiven(text: str, parts: tuple[str, str, str, str]) -> None:
    read = parse(text)

    assert (str(read), read.district, read.sector, read.area) == parts


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("L6\n1AB", Fault.PUNCTUATION),
        ("L6 1A B", Fault.SPACING),
        ("L6 1\N{LATIN SMALL LETTER DOTLESS I}B", Fault.FOREIGN_CHARACTERS),
        ("\N{ARABIC-INDIC DIGIT SIX}", Fault.FOREIGN_CHARACTERS),
        ("GIR 0AB", Fault.SHAPE),
        ("STHL 1ZA", Fault.SHAPE),
        ("W1X 1AA", Fault.HISTORIC),
        ("W1V1AA", Fault.HISTORIC),
        ("L06 1AB", Fault.SHAPE),
        ("ZZ993WZ", Fault.PSEUDO),
        ("L6 1AB" + " " * 80 + "L6 1AD", Fault.SEVERAL),
    ],
)
def test_what_has_to_be_guessed_at_is_refused(text: str, fault: Fault) -> None:
    with pytest.raises(NotAPostcode) as refusal:
        parse(text)

    assert refusal.value.fault is fault


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("L6 IAB", ("L6 1AB",)),
        ("WA8 OAA", ("WA8 0AA",)),
        ("CH4I 1AA", ("CH41 1AA",)),
        ("WR15 BAA", ("WR15 8AA",)),
        ("CT1 19AB", ("CT11 9AB",)),
        ("CT11&nbsp;9AB", ("CT11 9AB",)),
        (FULL_WIDTH, ("CT11 9AB",)),
        ("L6 1AB or L6 1AD", ("L6 1AB", "L6 1AD")),
        ("ZZ99 3VZ", ()),
        ("L6 1AB", ()),
        ("12345", ()),
        ("L6 1AB, " * 100, ()),
    ],
)
def test_corrections_are_offered_for_a_slip(text: str, offered: tuple[str, ...]) -> None:
    assert suggestions(text) == offered


def test_a_correction_into_no_known_district_is_not_offered() -> None:
    assert suggestions("S0 IAB", {"SO1"}) == ()
    assert suggestions("VA1 1AA") == ("UA1 1AA", "YA1 1AA")
    assert suggestions("VA1 1AA", {"YA1"}) == ("YA1 1AA",)


def test_the_refusal_carries_what_may_have_been_meant() -> None:
    with pytest.raises(NotAPostcode, match="O for 0") as refusal:
        parse("CT11 OAA")

    assert refusal.value.suggestions == ("CT11 0AA",)


def test_a_postcode_can_only_be_made_in_its_canonical_form() -> None:
    with pytest.raises(ValueError, match="canonical"):
        Postcode("l6 1ab")


def test_districts_and_sectors_are_read_strictly() -> None:
    assert [parse_district(" l6 "), parse_district("sw1a"), parse_sector("l6  1")] == ["L6", "SW1A", "L6 1"]
    for text in ("L6 1", "QA1", "ZZ99", "", "L", "NPT"):
        with pytest.raises(NotAPostcode):
            parse_district(text)
    for text in ("L61", "L6 1A", "L6", ""):
        with pytest.raises(NotAPostcode):
            parse_sector(text)


@given(postcodes, st.sampled_from(["", " ", "  ", "\N{NO-BREAK SPACE}"]), st.booleans())
def test_any_case_and_spacing_of_a_postcode_is_the_same_postcode(code: str, space: str, lower: bool) -> None:
    written = code.replace(" ", space)

    assert parse(written.lower() if lower else written).canonical == code


def read_or_none(text: str) -> str | None:
    try:
        return parse(text).canonical
    except NotAPostcode:
        return None


@given(st.text(max_size=12) | st.from_regex(r"[A-Z0-9 ]{1,9}", fullmatch=True))
def test_whatever_is_typed_is_read_once_and_for_all_or_answered_with_good_offers(text: str) -> None:
    read, offers = read_or_none(text), suggestions(text)

    if read:
        assert (read_or_none(read), offers) == (read, ())
    assert [read_or_none(offer) for offer in offers] == list(offers)


@pytest.mark.parametrize("letter", ["L", "W", "G", "Z"])
def test_every_listed_postcode_fits_the_grammar_but_those_of_abolished_districts(letter: str) -> None:
    (codes,) = packaged._columns(letter, "pcd")

    misfits = {code[:4].rstrip() for code in codes if canonical(code) is None}

    assert misfits <= HISTORIC_DISTRICTS
    assert (letter != "W") or misfits
