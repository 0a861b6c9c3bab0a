"""The monitoring workbook in the portal: taken, filled in, tried with every fault in its place, and recorded."""

import io
from collections.abc import Callable
from typing import Any

import pytest
from httpx import Response
from openpyxl import load_workbook

from dps.contracts.deliveries.records import Delivery
from tests.scenarios.serving import Care
from tests.web.pages.browsing import Browser, an_account
from tests.web.served import Served
from web.security.accounts import Part

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])

STARTED, ENDED, CARERS, OUTCOME = 5, 6, 7, 8
"""The columns that a provider fills in."""


def in_care(served: Served, name: str) -> Care:
    """Half an hour each morning, won and served by a new provider; three days of it are past."""
    world = served.world
    provider = world.provider(name)
    referral = world.referral()
    world.bid(provider, referral, pence=1600)
    world.close(referral)
    care = Care(world, referral, provider)
    world.step(days=2)
    return care


@pytest.fixture
def care(served: Served) -> Care:
    return in_care(served, "Synthetic Oak")


@pytest.fixture
def oak(served: Served, care: Care) -> Browser:
    return signed_in(served, care.provider.provider)


def signed_in(served: Served, provider: str | None) -> Browser:
    browser = Browser(served)
    browser.sign_in(an_account(served, Part.PROVIDER_USER, provider=provider))
    return browser


def taken(browser: Browser, **days: str) -> Response:
    asked = days or browser.form("/portal/visits/workbook")
    return browser.client.get("/portal/visits/workbook", params=asked)


def filled(content: bytes, fill: Callable[[Any], None]) -> bytes:
    book = load_workbook(io.BytesIO(content))
    fill(book["Visits"])
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def tried(browser: Browser, content: bytes) -> str:
    browser.open("/portal/visits")
    fields = browser.form("/portal/visits")
    browser.page = browser.client.post("/portal/visits", data=fields, files={"file": ("march.xlsx", content)})
    return browser.page.text


def test_what_a_provider_fills_in_is_tried_then_recorded_and_asked_no_more(
    served: Served, care: Care, oak: Browser
) -> None:
    oak.open("/portal/visits")
    book = taken(oak)
    assert [row[0] for row in rows(book.content)] == [care.ref] * 3

    def fill(sheet: Any) -> None:
        sheet.cell(2, STARTED, "08:00")
        sheet.cell(2, ENDED, "08:20")
        sheet.cell(4, OUTCOME, "missed")

    said = tried(oak, filled(book.content, fill))
    before = served.world.rows(Delivery)
    recorded = oak.send("/portal/visits").text

    assert "It would record 2 visits of 1 contract" in said
    assert "1 visit: short" in said
    assert before == []
    assert "2 visits of 1 contract" in recorded
    assert [(row.delivered_minutes, str(row.outcome)) for row in served.world.rows(Delivery)] == [
        (20, "done"),
        (0, "missed"),
    ]
    oak.open("/portal/visits")
    assert [row[2] for row in rows(taken(oak).content)] == [care.day(1).isoformat()]


def rows(content: bytes) -> list[tuple[Any, ...]]:
    _, *found = load_workbook(io.BytesIO(content))["Visits"].iter_rows(values_only=True)
    return list(found)


def test_every_fault_stands_in_its_row_and_column_and_nothing_is_recorded(
    served: Served, care: Care, oak: Browser
) -> None:
    oak.open("/portal/visits")

    def fill(sheet: Any) -> None:
        sheet.cell(2, STARTED, "08:00")
        sheet.cell(2, ENDED, "08:30")
        sheet.cell(3, STARTED, "eight")
        sheet.cell(4, CARERS, 2)

    said = tried(oak, filled(taken(oak).content, fill))

    assert oak.page.status_code == 400
    assert "2 faults in the file" in said
    for row in (3, 4):
        place = f'<th scope="row" class="govuk-table__header">{row}</th><td class="govuk-table__cell">started</td>'
        assert place in said
    assert served.world.rows(Delivery) == []


def test_another_providers_workbook_is_not_recorded(served: Served, care: Care, oak: Browser) -> None:
    oak.open("/portal/visits")

    def fill(sheet: Any) -> None:
        sheet.cell(2, OUTCOME, "missed")

    content = filled(taken(oak).content, fill)
    elm = signed_in(served, in_care(served, "Synthetic Elm").provider.provider)

    said = tried(elm, content)

    assert elm.page.status_code == 400
    assert '<td class="govuk-table__cell">contract</td>' in said
    assert served.world.rows(Delivery) == []


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ({"first": "2019-03-05", "last": "2019-03-04"}, "the last day is before the first"),
        ({"first": "2019-01-01", "last": "2019-03-04"}, "at most 31 days"),
        ({"first": "soon"}, "write the date as"),
    ],
)
def test_days_that_make_no_workbook_are_refused_on_the_page(oak: Browser, days: dict[str, str], words: str) -> None:
    answer = taken(oak, **days)

    assert answer.status_code == 400
    assert words in answer.text.lower().replace("&#39;", "'")


def test_without_care_of_anybody_there_is_no_workbook_and_the_page_says_so(served: Served) -> None:
    newcomer = signed_in(served, served.world.provider("Synthetic Newcomer").provider)

    said = newcomer.open("/portal/visits").text

    assert "No contract of yours has started yet" in said
    assert newcomer.client.get("/portal/visits/workbook").status_code == 400
