"""How little it takes, counted in a real Chromium: inputs of a bid, clicks of an award, words of a deadline."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page

from dps.kernel.money import Band, PriceBasis, RateCard
from dps.register.rate_cards import put_rate_card
from tests.web.pages.browsing import PASSWORD, an_account
from tests.web.pages.chromium import CHROMIUM, MARKS, PATIENCE_MS, Site
from tests.web.served import Served
from web.security.accounts import Account, Part

pytestmark = MARKS

LONG_DAYS = "Mon-Sun 07:00-12:00 240m personal_care"
"""Costs more than the council lets pass without a person's approval."""

DEADLINE = re.compile(r"[A-Z][a-z]+ \d+ [A-Z][a-z]+ \d{4}, \d\d:\d\d (GMT|BST)\s+(\d+ \w+ ?)+ left")


class Counting:
    """A person at a window who counts what they do."""

    def __init__(self, page: Page) -> None:
        self.page, self.clicks, self.inputs = page, 0, 0

    def sign_in(self, account: Account) -> None:
        self.page.context.clear_cookies()
        self.page.goto("/sign-in")
        self.page.get_by_label("E-mail address").fill(account.email)
        self.page.get_by_label("Password", exact=True).fill(PASSWORD)
        with self.page.expect_navigation():
            self.page.get_by_role("button", name="Sign in").first.click()
        self.clicks = self.inputs = 0

    def press(self, name: str) -> None:
        self.clicks += 1
        exact, near = (
            self.page.get_by_role("link", name=name, exact=exactly).or_(
                self.page.get_by_role("button", name=name, exact=exactly)
            )
            for exactly in (True, False)
        )
        with self.page.expect_navigation():
            (exact if exact.count() else near).first.click()

    def choose(self, name: str) -> None:
        self.inputs += 1
        self.page.get_by_role("radio", name=name).first.check()

    @property
    def text(self) -> str:
        return self.page.inner_text("main")


@pytest.fixture
def person(served: Served) -> Iterator[Counting]:
    listening = Site(served)
    address = listening.start()
    with CHROMIUM.lent() as browser:
        context = browser.new_context(base_url=address, locale="en-GB")
        context.set_default_timeout(PATIENCE_MS)
        yield Counting(context.new_page())
    listening.stop()


def test_who_has_bid_before_bids_with_four_inputs_and_a_broker_awards_with_six_clicks(
    served: Served, person: Counting
) -> None:
    world = served.world
    winner, *losers = (world.provider(name) for name in ("Ash Homecare", "Elm Homecare", "Oak Homecare"))
    for number, bidder in enumerate((winner, *losers)):
        world.run(
            put_rate_card,
            provider_id=world.row_of(bidder).id or 0,
            scheme=world.scheme,
            lot=world.scheme.lots[0].key,
            card=RateCard.of(PriceBasis.PER_HOUR, {Band.WEEKDAY: 1550 + 20 * number}),
            actor=bidder,
        )
    referral = world.referral(visits=LONG_DAYS)
    round_ = world.round(referral).ref
    bids = [world.bid(bidder, referral, pence=1600)["bid"] for bidder in losers]
    accounts = [an_account(served, Part.PROVIDER_USER, provider=one.provider) for one in (winner, *losers)]

    person.sign_in(accounts[0])
    person.press("28 hours a week")
    package = person.text
    person.press("Bid")
    form = person.text
    person.choose("Up to 3")
    person.press("Check your answers")
    person.press("Seal and hand in")
    sealed, inputs = person.text, person.inputs
    world.close(referral)
    person.sign_in(an_account(served, Part.BROKER))
    person.press("Decide")
    person.press("Approve and offer it")
    clicks = person.clicks
    award = world.award(referral)
    world.accept_and_confirm(award, winner)
    debriefs = []
    for account, bid in zip(accounts[1:], bids, strict=True):
        person.sign_in(account)
        person.page.goto(f"/portal/bids/{bid}/debriefs/{round_}")
        debriefs.append(person.text)

    assert "Bid sealed" in sealed
    assert inputs <= 4
    assert all(DEADLINE.search(page) for page in (package, form)), form
    assert clicks <= 6
    assert award.provider == winner.provider
    assert all("of 3" in debrief and "better price" in debrief for debrief in debriefs)
