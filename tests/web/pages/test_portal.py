"""A provider's journeys without JavaScript: find, bid, replace, withdraw, decline, accept, return, read."""

import re
from dataclasses import replace

import pytest
from sqlmodel import select

from bidding.amending import amend
from bidding.bids.records import Bid, BidState
from dps.packages.facts import Flag
from dps.packages.packages import Package
from tests.web.pages.browsing import Browser, an_account
from tests.web.served import Served
from web.security.accounts import Part

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])


def provider(served: Served, name: str) -> Browser:
    """A new provider of the world, and its person's browser, signed in."""
    actor, browser = served.world.provider(name), Browser(served)
    browser.actor = actor  # type: ignore[attr-defined]
    browser.sign_in(an_account(served, Part.PROVIDER_USER, provider=actor.provider))
    return browser


def answers(served: Served) -> dict[str, str]:
    """The best answer to each of the scheme's questions."""
    return {
        f"answer-{question.key}": max(question.answers, key=lambda key: question.answers[key])
        for question in served.world.scheme.evaluation.questions
    }


def handed_in(served: Served, browser: Browser, referral: str, price: str) -> str:
    """Bid by the form at this price; returns the bid's reference."""
    path = f"/portal/opportunities/{served.world.round(referral).ref}"
    browser.open(f"{path}/bid")
    browser.send(f"{path}/bid/check", **{"price-weekday": price, **answers(served)})
    browser.send(f"{path}/bid/submission")
    assert browser.page.status_code == 200, browser.page.text
    return browser.page.url.path.rpartition("/")[2]


def test_a_package_is_found_bid_for_won_accepted_confirmed_and_debriefed(served: Served) -> None:
    winner, loser = provider(served, "Winner"), provider(served, "Loser")
    referral = served.world.referral()
    round_ = served.world.round(referral).ref
    winner.open("/portal/opportunities")
    assert f"/portal/opportunities/{round_}" in winner.page.text
    receipt = handed_in(served, winner, referral, "16.00")
    assert "Bid sealed" in winner.page.text
    assert "3 hours 30 minutes a week in Town Centre</a>." in winner.page.text
    lost = handed_in(served, loser, referral, "19.00")
    served.world.close(referral)

    winner.open("/portal")
    (offer,) = set(re.findall(r"/portal/offers/(AWD-[0-9A-Z-]+)", winner.page.text))
    early = loser.open(f"/portal/bids/{lost}/debriefs/{round_}")
    winner.open(f"/portal/offers/{offer}")
    assert "£56.00" in winner.page.text
    winner.send(f"/portal/offers/{offer}/acceptance")
    person = winner.open(f"/portal/offers/{offer}/person").text
    winner.open(f"/portal/offers/{offer}")
    contract = winner.send(f"/portal/offers/{offer}/confirmation")
    won = winner.open(f"/portal/bids/{receipt}/debriefs/{round_}").text
    debrief = loser.open(f"/portal/bids/{lost}/debriefs/{round_}").text

    assert early.status_code == 409
    assert "Not decided yet" in early.text
    assert "Synthetic Person" in person
    assert contract.url.path.startswith("/portal/contracts/CON-")
    assert "You won this package" in won
    assert "Debrief: 3 hours 30 minutes a week in Town Centre" in loser.open(f"/portal/bids/{lost}").text
    assert "3 hours 30 minutes a week in Town Centre" in debrief
    assert "2 of 2" in debrief
    assert "better price" in debrief
    assert "16.00" not in debrief


@SQLITE
def test_a_returning_provider_bids_with_at_most_four_inputs(served: Served) -> None:
    browser = provider(served, "Returning")
    browser.open("/portal/prices")
    browser.send("/portal/prices", **{"price-weekday": "17.25"})
    referral = served.world.referral()
    path = f"/portal/opportunities/{served.world.round(referral).ref}"

    page = browser.open(f"{path}/bid").text
    form = page.index(f'action="{path}/bid/check"')
    shown = page[form : page.index("<details", form)]
    assert "The week: 7 visits, one carer" in page
    inputs = re.findall(r'<input (?![^>]*type="hidden")[^>]*name="([^"]*)"', shown)

    assert 'value="17.25"' in shown
    assert len(set(inputs)) <= 4
    assert {"price-weekday", "starts_on"} <= set(inputs)


@SQLITE
def test_what_can_t_be_submitted_is_said_in_words_before_the_deadline_and_nothing_typed_is_lost(
    served: Served,
) -> None:
    browser = provider(served, "Dear")
    referral = served.world.referral()
    path = f"/portal/opportunities/{served.world.round(referral).ref}"
    browser.open(f"{path}/bid")

    empty = browser.send(f"{path}/bid/check", **{"price-weekday": "", "starts_on": ""})
    dear = browser.send(f"{path}/bid/check", **{"price-weekday": "99.00", "starts_on": "1/1/2030", **answers(served)})

    assert (empty.status_code, dear.status_code) == (400, 400)
    assert "Give a price" in empty.text
    assert "outside £" in dear.text
    assert "needs the first visit by" in dear.text
    assert 'value="99.00"' in dear.text
    assert served.world.rows(Bid) == []


@SQLITE
def test_a_bid_is_replaced_changed_before_it_is_sealed_and_withdrawn(served: Served) -> None:
    browser = provider(served, "Changing")
    referral = served.world.referral()
    path = f"/portal/opportunities/{served.world.round(referral).ref}"
    first = handed_in(served, browser, referral, "16.00")
    browser.open(f"{path}/bid")
    assert first in browser.page.text
    browser.send(f"{path}/bid/check", **{"price-weekday": "16.50", **answers(served)})
    filled = browser.form(f"{path}/bid/submission")
    changed = browser.client.post(f"{path}/bid", data=filled)
    second = handed_in(served, browser, referral, "15.75")
    browser.open(f"/portal/bids/{second}/withdrawal")
    withdrawn = browser.send(f"/portal/bids/{second}/withdrawal")

    assert 'value="16.50"' in changed.text
    assert "Withdrawn" in withdrawn.text
    states = {bid.ref: bid.state for bid in served.world.rows(Bid)}
    assert states == {first: BidState.REPLACED, second: BidState.WITHDRAWN}


@SQLITE
def test_a_form_that_is_sent_twice_seals_one_bid_and_shows_one_receipt(served: Served) -> None:
    browser = provider(served, "Twice")
    referral = served.world.referral()
    path = f"/portal/opportunities/{served.world.round(referral).ref}"
    browser.open(f"{path}/bid")
    browser.send(f"{path}/bid/check", **{"price-weekday": "16.00", **answers(served)})
    filled = browser.form(f"{path}/bid/submission")

    pages = [browser.client.post(f"{path}/bid/submission", data=filled).url.path for _ in range(3)]

    assert len(set(pages)) == 1
    assert len(served.world.rows(Bid)) == 1


@SQLITE
def test_no_price_of_a_sealed_bid_stands_on_any_page_but_in_the_browser_that_handed_it_in(served: Served) -> None:
    bidder = provider(served, "Sealed")
    referral = served.world.referral()
    bid = handed_in(served, bidder, referral, "17.89")
    browser = Browser(served)
    browser.sign_in(an_account(served, Part.PROVIDER_USER, provider=bidder.actor.provider))  # type: ignore[attr-defined]
    round_ = served.world.round(referral).ref

    pages = ["/portal", "/portal/bids", f"/portal/bids/{bid}", f"/portal/opportunities/{round_}",
             f"/portal/opportunities/{round_}/bid"]  # fmt: skip

    for path in pages:
        text = browser.open(path).text
        assert "17.89" not in text, path
        assert "62.6" not in text, path  # what it comes to in a week


@SQLITE
def test_after_the_closing_a_form_that_was_filled_in_is_refused_as_late(served: Served) -> None:
    browser = provider(served, "Late")
    referral = served.world.referral()
    path = f"/portal/opportunities/{served.world.round(referral).ref}"
    browser.open(f"{path}/bid")
    browser.send(f"{path}/bid/check", **{"price-weekday": "16.00", **answers(served)})
    filled = browser.form(f"{path}/bid/submission")
    served.world.clock.move_to(served.world.closes_at(referral))

    answer = browser.client.post(f"{path}/bid/submission", data=filled)

    assert answer.status_code == 409
    assert "This has closed" in answer.text
    assert served.world.rows(Bid) == []
    assert [event.kind for event in served.world.events("bid.refused_late")] == ["bid.refused_late"]


@SQLITE
def test_an_invitation_is_declined_with_a_reason(served: Served) -> None:
    browser = provider(served, "Full")
    referral = served.world.referral()
    path = f"/portal/opportunities/{served.world.round(referral).ref}/decline"
    browser.open(path)

    without = browser.send(path, reason="")
    browser.send(path, reason="No carers at these times.")

    assert without.status_code == 400
    assert "3 to 500 characters" in without.text
    assert "You declined" in browser.open("/portal/opportunities").text


@SQLITE
def test_an_offer_is_declined_and_an_accepted_one_returned_with_reasons(served: Served) -> None:
    first, second = provider(served, "First"), provider(served, "Second")
    referral = served.world.referral()
    handed_in(served, first, referral, "16.00")
    handed_in(served, second, referral, "17.00")
    served.world.close(referral)
    offer = served.world.award(referral).ref
    first.open(f"/portal/offers/{offer}/decline")
    first.send(f"/portal/offers/{offer}/decline", reason="Our carer left.")
    reserve = served.world.award(referral).ref
    second.open(f"/portal/offers/{reserve}")
    second.send(f"/portal/offers/{reserve}/acceptance")
    second.open(f"/portal/offers/{reserve}/return")
    second.send(f"/portal/offers/{reserve}/return", reason="The hoist does not fit the room.")

    assert [str(award.state) for award in served.world.awards(referral)][:2] == ["declined", "returned"]
    assert "Declined" in first.open("/portal/offers").text
    assert "Returned" in second.page.text


@SQLITE
@pytest.mark.parametrize("payload", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{ 7*7 }}"])
def test_what_is_typed_comes_back_as_text(served: Served, payload: str) -> None:
    browser = provider(served, "Hostile")
    referral = served.world.referral()
    path = f"/portal/opportunities/{served.world.round(referral).ref}"
    browser.open(f"{path}/bid")
    fields = dict.fromkeys(("price-weekday", "starts_on", "preference", "exceptional_reason", "once"), payload)

    page = browser.send(f"{path}/bid/check", **fields).text

    assert payload not in page or payload == "{{ 7*7 }}"
    assert ">49<" not in page
    assert 'value="49"' not in page
    assert "<img src=x" not in page


@SQLITE
def test_an_amended_package_asks_the_bidder_to_let_its_bid_stand(served: Served) -> None:
    browser = provider(served, "Standing")
    referral = served.world.referral()
    bid = handed_in(served, browser, referral, "16.00")
    (package,) = served.world.rows(Package)
    facts = replace(package.facts, flags=frozenset({Flag.PETS}))
    served.world.run(amend, referral_ref=referral, facts=facts, actor=served.world.broker)

    home = browser.open("/portal").text
    browser.open(f"/portal/bids/{bid}")
    told = browser.page.text
    browser.send(f"/portal/bids/{bid}/reconfirmation")

    assert "amended after you bid" in home
    assert "Let my bid stand" in told
    assert "Let my bid stand" not in browser.page.text
    with served.world.database.reading() as session:
        assert session.exec(select(Bid.state).where(Bid.ref == bid)).one() is BidState.SEALED
