"""The month's report as a page and as a workbook."""

import io

import pytest
from openpyxl import load_workbook

from bidding.monthly.figures import Competition, Market, Month, Single
from bidding.monthly.tables import Unit
from tests.web.pages.browsing import Browser, an_account
from tests.web.served import Served
from web.month import days_of, said, workbook
from web.pictures import Bar, bars
from web.security.accounts import Part

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])


@SQLITE
def test_a_commissioner_reads_the_month_and_takes_it_away(served: Served) -> None:
    provider = served.world.provider("First")
    referral = served.world.referral()
    served.world.bid(provider, referral, pence=1600)
    served.world.close(referral)
    served.world.step(minutes=1)
    commissioner = Browser(served)
    commissioner.sign_in(an_account(served, Part.COMMISSIONER))

    page = commissioner.open("/office/report?month=2019-03")
    book = commissioner.open(f"/office/report/workbook?scheme={served.world.scheme.key}&month=2019-03")
    wrong = commissioner.open("/office/report?month=March")

    assert "From referral to care" in page.text
    assert "Placed of published, by urgency" in page.text
    assert "Error:" in wrong.text
    sheets = load_workbook(io.BytesIO(book.content))
    assert sheets.sheetnames[0] == "From referral to care"
    assert sheets["From referral to care"]["B3"].value == 1


def test_a_text_that_begins_like_a_formula_stays_a_text() -> None:
    evil = Single("=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", 100, "-2")
    nothing, nobody = Competition(0, 0, 0, 0, None), Market(0, 0, 0, None, None)
    month = Month((), (), nothing, (evil,), (), (), (), nobody, (), (), (), None)

    sheet = load_workbook(io.BytesIO(workbook(month, about="")))["Awards round the competition"]

    assert [cell.data_type for cell in sheet[3]] == ["s", "s", "s", "n", "s"]


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (None, Unit.PENCE, "none"),
        (-250, Unit.PENCE, "−£2.50"),
        (61, Unit.MINUTES, "1 hour 1 minute"),
        (6000, Unit.MINUTES, "100 hours"),
        (0, Unit.MINUTES, "less than a minute"),
        (0, Unit.CARE, "0 hours"),
        (630, Unit.CARE, "10 hours 30 minutes"),
        (612, Unit.THOUSANDTHS, "61.2%"),
        (1234, Unit.COUNT, "1,234"),
        ("hand_back", Unit.WORDS, "Hand back"),
        ("AWD-1", Unit.REFERENCE, "AWD-1"),
    ],
)
def test_numbers_are_said_in_words(value: object, unit: Unit, words: str) -> None:
    assert said(value, unit) == words


def test_a_month_has_its_own_last_day() -> None:
    assert [day.day for day in days_of("2020-02")] == [1, 29]


def test_a_picture_escapes_what_it_is_told_and_is_nothing_without_rows() -> None:
    drawn = bars("<title>", [Bar("<b>", 1, 2, "1 of 2")])

    assert "<b>" not in drawn
    assert "&lt;b&gt;" in drawn
    assert not bars("Nothing", [])
