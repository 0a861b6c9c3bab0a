"""Bids for many packages on one page, and the bidder's own copy, without JavaScript."""

from datetime import timedelta

import pytest
from sqlmodel import select

from bidding.awards.records import Award
from bidding.bids.records import Bid, BidRound, BidState
from bidding.referrals import Referral
from bidding.rounds import Round
from dps.register.limits import LimitPart, TakeLimit
from tests.support.plans import statements_while
from tests.web.pages.browsing import Browser, an_account
from tests.web.pages.portal.test_joining import member
from tests.web.served import Served
from web.pages.portal.own_copies import OwnCopy
from web.security.accounts import Part

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])
pytestmark = SQLITE


def answers(served: Served) -> dict[str, str]:
    return {
        f"answer-{question.key}": max(question.answers, key=lambda key: question.answers[key])
        for question in served.world.scheme.evaluation.questions
    }


def opened(served: Served, browser: Browser, packages: int, price: str = "17.25") -> list[str]:
    """So many packages, the provider's price saved, the page of many bids open with all ticked; the rounds."""
    rounds = [served.world.round(served.world.referral()).ref for _ in range(packages)]
    browser.open("/portal/prices")
    unreadable = browser.send("/portal/prices", **{"price-weekday": "seventeen"})
    assert 'value="seventeen"' in unreadable.text
    assert "Saved. Your next bids" in browser.send("/portal/prices", **{"price-weekday": price}).text
    browser.open("/portal/bids/many?tick=all")
    return rounds


def test_thirty_bids_and_one_take_limit_are_handed_in_from_one_page(served: Served) -> None:
    browser, world = member(served), served.world
    rounds = opened(served, browser, 31)
    shown = browser.form("/portal/bids/many/check")
    assert len([name for name in shown if name.startswith("bid-")]) == 30
    order = {f"order-{ref}": str(place) for place, ref in enumerate(rounds[:30], start=1) if f"bid-{ref}" in shown}

    browser.send("/portal/bids/many/check", **order, **answers(served), **{"limit-packages": "5", "limit-starts": "2"})
    assert browser.page.status_code == 200, browser.page.text
    assert "If you won every one: 105 hours a week" in browser.page.text
    assert "5 packages" in browser.page.text
    assert "£60.38" in browser.page.text
    browser.send("/portal/bids/many/submission")

    assert "30 bids sealed" in browser.page.text
    assert browser.page.text.count(">3 hours 30 minutes a week in ") == 30
    bids = world.rows(Bid, Bid.state == BidState.SEALED)
    assert len(bids) == 30
    (limit,) = world.rows(TakeLimit)
    assert limit.as_parts() == (LimitPart(packages=5, starts_a_week=2),)
    assert "Replaces your bid" in browser.open("/portal/bids/many").text
    assert browser.form("/portal/bids/many/check")["limit-packages"] == "5"
    world.close(world.rows(Referral)[0].ref)
    assert len(world.rows(Award)) == 2
    assert world.faults() == []


def test_thirty_packages_take_no_more_statements_than_one(served: Served) -> None:
    browser, sent = member(served), []
    for packages in (1, 29):
        opened(served, browser, packages)
        database = served.world.database
        shown = statements_while(database, lambda: browser.open("/portal/bids/many?tick=all"))
        checked = statements_while(
            database, lambda: browser.send("/portal/bids/many/check", **answers(served), **{"limit-packages": "5"})
        )
        assert browser.page.status_code == 200, browser.page.text
        sent.append((shown, checked))

    assert sent[0] == sent[1]
    assert max(sent[0]) < 25


def test_what_can_t_be_submitted_is_said_in_words_at_its_package_and_nothing_is_stored(served: Served) -> None:
    browser = member(served)
    first, second = opened(served, browser, 2)

    page = browser.send(
        "/portal/bids/many/check", **answers(served), **{f"price-{first}": "99.00", f"start-{second}": "1/1/2030"}
    )

    assert page.status_code == 400
    assert "outside £14.00 to £20.00" in page.text
    assert f'href="#price-{first}">3 hours 30 minutes in ' in page.text
    assert f", {first}: The price comes to" in page.text
    assert "The person needs the first visit by" in page.text
    assert browser.form("/portal/bids/many/check")[f"price-{first}"] == "99.00"
    assert served.world.rows(Bid) == []
    assert served.world.rows(TakeLimit) == []


def test_going_back_from_check_answers_keeps_everything(served: Served) -> None:
    browser = member(served)
    first, second = opened(served, browser, 2)
    browser.send(
        "/portal/bids/many/check",
        **answers(served),
        **{f"order-{first}": "2", f"either-{first}": "A", f"either-{second}": "A"},
    )
    assert f">{second}<" in browser.page.text

    again = browser.client.post("/portal/bids/many", data=browser.form("/portal/bids/many/submission"))

    browser.page = again
    shown = browser.form("/portal/bids/many/check")
    assert (shown[f"order-{first}"], shown[f"either-{second}"], shown[f"bid-{first}"]) == ("2", "A", "on")


def test_a_form_sent_twice_seals_each_bid_once(served: Served) -> None:
    browser = member(served)
    opened(served, browser, 3)
    browser.send("/portal/bids/many/check", **answers(served))
    fields = browser.form("/portal/bids/many/submission")

    first = browser.client.post("/portal/bids/many/submission", data=fields)
    second = browser.client.post("/portal/bids/many/submission", data=fields)

    assert first.url == second.url
    assert len(served.world.rows(Bid)) == 3


def test_what_closed_meanwhile_is_not_sealed_and_the_rest_is(served: Served) -> None:
    browser, world = member(served), served.world
    (soon,) = opened(served, browser, 1)
    (round_,) = world.rows(Round, Round.ref == soon)
    assert round_.closes_at is not None
    world.move_to(round_.closes_at - timedelta(minutes=30))
    later = world.round(world.referral()).ref
    browser.open("/portal/bids/many?tick=all")
    browser.send("/portal/bids/many/check", **answers(served))
    fields = browser.form("/portal/bids/many/submission")
    assert {f"bid-{soon}", f"bid-{later}"} <= fields.keys()
    world.clock.move_to(round_.closes_at)

    checked = browser.client.post("/portal/bids/many/check", data=fields).text
    assert "1 package that you ticked has closed meanwhile" in checked
    browser.page = browser.client.post("/portal/bids/many/submission", data=fields)

    assert {tuple(bid.receipt["rounds"]) for bid in world.rows(Bid)} == {(later,)}
    assert "1 bid was not taken" in browser.page.text
    assert f"{soon}: It has closed, or is open to you no longer." in browser.page.text


def test_a_live_bid_is_read_in_the_browser_that_handed_it_in_and_in_no_other(served: Served) -> None:
    browser, world = member(served), served.world
    opened(served, browser, 1, price="17.77")
    browser.send("/portal/bids/many/check", **answers(served))
    browser.send("/portal/bids/many/submission")
    (bid,) = world.rows(Bid)
    other = Browser(served)
    other.sign_in(an_account(served, Part.PROVIDER_USER, provider=bid.provider))
    (round_,) = bid.receipt["rounds"]
    form = f"/portal/opportunities/{round_}/bid"

    own, elsewhere = browser.open(f"/portal/bids/{bid.ref}").text, other.open(f"/portal/bids/{bid.ref}").text

    assert "£17.77" in own
    assert "17.77" not in elsewhere
    assert "only in the browser that handed it in" in elsewhere
    browser.open("/portal/prices")
    browser.send("/portal/prices", **{"price-weekday": "19.00"})
    browser.open(form)
    assert browser.form(f"{form}/check")["price-weekday"] == "17.77"
    other.open(form)
    assert other.form(f"{form}/check")["price-weekday"] == "19.00"
    (copy,) = world.rows(OwnCopy)
    assert b"1777" not in copy.sealed
    other.client.cookies.set("dps-copies", "not a key")
    assert "17.77" not in other.open(f"/portal/bids/{bid.ref}").text


def test_a_bundle_is_one_bid_for_packages_that_close_together(worcestershire: Served) -> None:
    browser, world = member(worcestershire), worcestershire.world
    first, second = opened(worcestershire, browser, 2, price="18.00")
    browser.open("/portal/bids/many")
    assert "A bundle" in browser.page.text
    browser.send(
        "/portal/bids/many/check",
        **answers(worcestershire),
        **{
            f"bundle-{first}": "on",
            f"bundle-{second}": "on",
            "price-bundle": "18.10",
            "start-bundle": (world.now.date() + timedelta(days=4)).isoformat(),
        },
    )
    assert "Bundle, all or nothing" in browser.page.text, browser.page.text
    browser.send("/portal/bids/many/submission")

    (bid,) = world.rows(Bid)
    assert set(bid.receipt["rounds"]) == {first, second}
    with world.database.reading() as session:
        assert len(session.exec(select(BidRound)).all()) == 2
