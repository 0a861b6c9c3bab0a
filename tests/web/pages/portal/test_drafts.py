"""A draft of a bid: saved as it stands, read back in its own browser alone, handed in or gone at the closing."""

from datetime import timedelta

import pytest

from bidding.bids.records import Bid
from dps.kernel.outbox import OutboxMessage
from tests.web.pages.browsing import Browser, an_account
from tests.web.pages.test_portal import answers, handed_in, provider
from tests.web.served import Served
from web.pages.portal.drafts import BidDraft, drafts_of, forget_closed, save
from web.security.accounts import Part

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])


def form_of(served: Served, referral: str) -> str:
    return f"/portal/opportunities/{served.world.round(referral).ref}/bid"


@SQLITE
def test_a_draft_is_saved_unfinished_found_again_checked_and_handed_in(served: Served) -> None:
    bidder = provider(served, "Ash")
    path = form_of(served, served.world.referral())
    bidder.open(path)
    saved = bidder.send(f"{path}/draft", **{"price-weekday": "seventeen", "starts_on": ""})

    bidder.send(f"{path}/draft", **{"price-weekday": "17.31", "starts_on": "2019-03-07"})
    listed = bidder.open("/portal/bids").text
    shown = bidder.open(path).text
    checked = bidder.send(f"{path}/check", **answers(served)).text
    again = bidder.send(f"{path}/draft")
    bidder.send(f"{path}/check", **answers(served))
    received = bidder.send(f"{path}/submission")

    assert 'value="seventeen"' in saved.text
    assert "Drafts, not handed in" in listed
    assert "17.31" not in listed
    assert 'value="17.31"' in shown
    assert "£17.31" in checked
    assert 'value="17.31"' in again.text
    assert "Bid sealed" in received.text
    assert served.world.rows(BidDraft) == []
    assert "Drafts, not handed in" not in bidder.open("/portal/bids").text


@SQLITE
def test_no_other_browser_reads_a_draft_and_nobody_elses_form_tells_of_it(served: Served) -> None:
    bidder, rival = provider(served, "Ash"), provider(served, "Elm")
    account = an_account(served, Part.PROVIDER_USER, provider=bidder.actor.provider)  # type: ignore[attr-defined]
    here, elsewhere = Browser(served), Browser(served)
    path = form_of(served, served.world.referral())
    for browser in (here, elsewhere):
        browser.sign_in(account)
    here.open(path)
    here.send(f"{path}/draft", **{"price-weekday": "17.31"})

    own, other = here.open(path).text, elsewhere.open(path).text
    colleague, stranger = bidder.open(path).text, rival.open(path).text
    (row,) = served.world.rows(BidDraft)
    elsewhere.open(path)
    elsewhere.send(f"{path}/draft/removal")

    assert 'value="17.31"' in own
    assert "in another browser" in other
    assert 'value="17.31"' not in other
    for text in (colleague, stranger):
        assert "draft on" not in text
        assert 'value="17.31"' not in text
    assert b"17.31" not in row.sealed
    assert len(row.sealed) > 1_000
    assert served.world.rows(BidDraft) == []


def test_a_draft_goes_when_its_round_closes_and_no_sooner(served: Served) -> None:
    world = served.world
    world.provider("Somebody")
    referral = world.referral()
    round_, closes_at = world.round(referral).ref, world.closes_at(referral)
    with world.database.transaction() as session:
        save(session, bytes(32), account="USR-A", round_ref=round_, typed={"price-weekday": "17.31"}, now=world.now)

    forget_closed(world.database, closes_at - timedelta(milliseconds=1))
    before = len(world.rows(BidDraft))
    with world.database.reading() as session:
        at_the_end = [
            len(drafts_of(session, account="USR-A", now=closes_at - timedelta(seconds=left))) for left in (1, 0)
        ]
    forget_closed(world.database, closes_at)

    assert (before, at_the_end) == (1, [1, 0])
    assert world.rows(BidDraft) == []


def test_a_receipt_is_told_by_mail_with_its_reference_and_nothing_else(served: Served) -> None:
    bidder = provider(served, "Ash")
    ref = handed_in(served, bidder, served.world.referral(), "17.31")

    (told,) = served.world.rows(OutboxMessage, OutboxMessage.kind == "bid_received")

    assert (told.recipient, told.about, told.facts) == (f"provider:{bidder.actor.provider}", ref, {})  # type: ignore[attr-defined]
    assert [bid.ref for bid in served.world.rows(Bid)] == [ref]
