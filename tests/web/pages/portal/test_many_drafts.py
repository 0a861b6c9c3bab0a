"""Drafts on the page of many bids: of what is ticked, with order, bundle and limit; read in their own browser alone."""

from datetime import UTC, datetime

import pytest

from bidding.bids.records import Bid
from tests.web.pages.browsing import Browser, an_account
from tests.web.pages.portal.test_joining import member
from tests.web.pages.portal.test_many_bids import answers, opened
from tests.web.served import Served
from web.pages.forms import Form
from web.pages.portal.drafts import BidDraft, Draft
from web.pages.portal.many_drafts import as_drafts, as_fields, saved_at
from web.security.accounts import Part

PAGE = "/portal/bids/many"
CHECK, SAVE = f"{PAGE}/check", f"{PAGE}/draft"
NOON = datetime(2019, 3, 4, 12, tzinfo=UTC)

TYPED = {
    "bid-RND-A": "on",
    "price-RND-A": "17.31",
    "weekend-RND-A": "19.00",
    "start-RND-A": "",
    "order-RND-A": "2",
    "either-RND-A": "B",
    "price-RND-B": "16.00",
    "start-RND-B": "2019-03-07",
    "bundle-RND-C": "on",
    "start-RND-C": "2019-03-08",
    "price-bundle": "15.50",
    "limit-packages": "4",
    "answer-continuity": "up-to-3",
    "csrf": "secret",
    "once": "once",
}


def test_what_is_ticked_is_kept_and_reads_back_as_it_was_typed() -> None:
    kept = as_drafts(Form(dict(TYPED)), ["RND-A", "RND-B", "RND-C"])
    drafts = [Draft(ref, NOON, None, {name: text for name, text in of.items() if text}) for ref, of in kept.items()]

    back = as_fields(drafts)

    assert set(kept) == {"RND-A", "RND-C"}
    left_out = {"start-RND-A", "price-RND-B", "start-RND-B", "csrf", "once"}
    assert back == {name: text for name, text in TYPED.items() if name not in left_out}
    assert kept["RND-A"]["price-weekday"] == "17.31"


def test_another_browser_s_drafts_fill_in_nothing() -> None:
    withheld = {"RND-A": Draft("RND-A", NOON, None, None)}

    assert as_fields(withheld.values()) == {}
    assert saved_at(withheld) is None


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_draft_of_many_is_saved_unfinished_found_again_and_gone_when_it_is_handed_in(served: Served) -> None:
    browser = member(served)
    first, second, third = opened(served, browser, 3)
    browser.open(PAGE)
    untold = browser.send(SAVE)
    browser.open(PAGE)

    typed = {f"bid-{first}": "on", f"bid-{second}": "on", f"price-{first}": "17.31", f"order-{second}": "1"}
    saved = browser.send(SAVE, **typed, **{"limit-packages": "2"})
    found = browser.form(CHECK)
    alone = browser.open(f"/portal/opportunities/{first}/bid").text
    browser.open(PAGE)
    browser.send(CHECK, **answers(served))
    rows = served.world.rows(BidDraft)
    browser.send(f"{PAGE}/submission")

    assert (untold.status_code, "Tick the packages" in untold.text) == (400, True)
    assert "Drafts of 2 packages are filled in" in saved.text
    assert (found[f"price-{first}"], found[f"order-{second}"], found["limit-packages"]) == ("17.31", "1", "2")
    assert {f"bid-{first}", f"bid-{second}"} <= found.keys()
    assert f"bid-{third}" not in found
    assert 'value="17.31"' in alone
    assert len(rows) == 2
    assert all(b"17.31" not in row.sealed for row in rows)
    assert len(served.world.rows(Bid)) == 2
    assert served.world.rows(BidDraft) == []


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_drafts_are_thrown_away_and_nobody_else_reads_them(served: Served) -> None:
    browser = member(served)
    (first,) = opened(served, browser, 1)
    browser.send(SAVE, **{f"price-{first}": "17.31"})
    own, elsewhere = browser.page.text, Browser(served)
    colleague = an_account(served, Part.PROVIDER_USER, provider=browser.actor.provider)  # type: ignore[attr-defined]
    elsewhere.sign_in(colleague)

    other = elsewhere.open(PAGE).text
    elsewhere.post(f"{SAVE}/removal", scheme=served.world.scheme.key, rounds=first)
    kept = len(served.world.rows(BidDraft))
    thrown = browser.send(f"{SAVE}/removal")

    assert 'value="17.31"' in own
    assert 'value="17.31"' not in other
    assert "are filled in" not in other
    assert kept == 1
    assert "are filled in" not in thrown.text
    assert served.world.rows(BidDraft) == []
