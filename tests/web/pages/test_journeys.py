"""The nine journeys, each by mouse, by keyboard alone, and without JavaScript, in a real Chromium.

A journey is written once, as what a person does: press, fill a field, choose, tick. A `Hand` does it its way;
the keyboard reaches everything by Tab from where it is, so that what can't be reached fails.
"""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Literal

import pytest
from openpyxl import load_workbook
from playwright.sync_api import BrowserContext, Locator, Page, expect

from bidding.bids.records import Bid, BidState
from dps.kernel.actors import Actor
from dps.register.applications import Application
from dps.register.providers import register_provider
from tests.web.pages.browsing import PASSWORD, an_account
from tests.web.pages.chromium import CHROMIUM, MARKS, PATIENCE_MS, Site
from tests.web.pages.portal.test_joining import in_window
from tests.web.served import Served
from web.security.accounts import Account, Part

pytestmark = MARKS

Way = Literal["mouse", "keyboard", "no script"]
MOST_TABS = 150


@dataclass
class Hand:
    """One person at one window."""

    page: Page
    way: Way

    def press(self, name: str) -> None:
        """A link or a button of exactly this name, or else the first that has it in its name; it leads to a page."""
        with self.page.expect_navigation():
            self.do(self.named(name), "Enter")

    def named(self, name: str) -> Locator:
        exact, near = (
            self.page.get_by_role("link", name=name, exact=exactly).or_(
                self.page.get_by_role("button", name=name, exact=exactly)
            )
            for exactly in (True, False)
        )
        return exact.first if exact.count() else near.first

    def tick(self, name: str, role: Literal["checkbox", "radio"] = "checkbox") -> None:
        self.do(self.page.get_by_role(role, name=name).first, "Space")

    def fill(self, label: str, text: str) -> None:
        field = self.page.get_by_label(label).first
        if self.way == "keyboard":
            self._tab_to(field)
            self.page.keyboard.press("Control+a")
            self.page.keyboard.type(text)
        else:
            field.fill(text)

    def choose(self, label: str, words: str) -> None:
        """An option of a list; by keyboard it is typed, as people do."""
        field = self.page.get_by_label(label).first
        if self.way == "keyboard":
            self._tab_to(field)
            self.page.keyboard.type(words)
            assert field.evaluate("one => one.selectedOptions[0].label.trim()").startswith(words)
        else:
            found = field.locator("option").filter(has_text=words).first
            field.select_option(value=found.get_attribute("value"))

    def sees(self, heading: str) -> None:
        expect(self.page.get_by_role("heading", name=heading).first).to_be_visible()

    def do(self, control: Locator, key: str) -> None:
        if self.way == "keyboard":
            self._tab_to(control)
            self.page.keyboard.press(key)
        else:
            control.click()

    def _tab_to(self, control: Locator) -> None:
        control.wait_for(state="attached")
        for _ in range(MOST_TABS):
            # A group of radios is one stop of Tab; the arrows move inside it.
            if control.evaluate("one => one === document.activeElement"):
                return
            in_group = control.evaluate("one => one.type === 'radio' && document.activeElement.name === one.name")
            self.page.keyboard.press("ArrowDown" if in_group else "Tab")
        raise AssertionError(f"the keyboard does not reach {control}")

    def sign_in(self, account: Account) -> None:
        self.page.context.clear_cookies()
        self.page.goto("/sign-in")
        self.fill("E-mail address", account.email)
        self.page.get_by_label("Password", exact=True).focus()
        self.page.keyboard.type(PASSWORD)
        self.press("Sign in")
        self.page.wait_for_url(lambda url: "/sign-in" not in url)


@pytest.fixture(params=["mouse", "keyboard", "no script"])
def hand(served: Served, request: pytest.FixtureRequest) -> Iterator[Hand]:
    listening = Site(served)
    address = listening.start()
    with CHROMIUM.lent() as browser:
        context: BrowserContext = browser.new_context(
            base_url=address, java_script_enabled=request.param != "no script", locale="en-GB"
        )
        context.set_default_timeout(PATIENCE_MS)
        yield Hand(context.new_page(), request.param)
    listening.stop()


def provider_user(served: Served, provider: Actor) -> Account:
    return an_account(served, Part.PROVIDER_USER, provider=provider.provider)


def test_join(served: Served, hand: Hand) -> None:
    in_window(served)
    world = served.world
    made = world.run(register_provider, name="Newcomer Homecare", company_number=None, actor=world.officer)
    hand.sign_in(an_account(served, Part.PROVIDER_USER, provider=made.ref))

    hand.press("Your service")
    hand.press("Apply to one")
    hand.press(f"Apply to {world.scheme.name}")
    hand.tick(world.scheme.lots[0].name)
    hand.tick(world.scheme.localities[0].name)
    hand.tick("Yes", "radio")
    hand.press("Check your answers")
    hand.press("Hand in the application")

    expect(hand.page.get_by_text("The council answers by").first).to_be_visible()
    (application,) = world.rows(Application)
    assert str(application.state) == "submitted"


def test_find_bid_revise_and_withdraw(served: Served, hand: Hand) -> None:
    provider = served.world.provider("Acorn Homecare")
    served.world.referral()
    hand.sign_in(provider_user(served, provider))

    hand.press("Opportunities")
    hand.choose("Area", served.world.scheme.localities[0].name)
    if hand.way == "no script":
        hand.press("Show")
    else:  # the choice alone shortens the list
        hand.page.wait_for_url(f"**locality={served.world.scheme.localities[0].key}*")
        hand.page.wait_for_load_state("networkidle")
    hand.press("3 hours 30 minutes a week")
    hand.press("Bid")
    hand.fill("Price for an hour of one carer", "16.40")
    hand.tick("Up to 3", "radio")
    hand.press("Check your answers")
    expect(hand.page.get_by_text("£57.40").first).to_be_visible()
    hand.press("Seal and hand in")
    hand.sees("Bid sealed")

    hand.press("Replace it")
    hand.fill("Price for an hour of one carer", "16.10")
    hand.press("Check your answers")
    hand.press("Seal and hand in")
    hand.sees("Bid sealed")
    hand.press("Withdraw it")
    hand.press("Withdraw this bid")
    expect(hand.page.get_by_text("Withdrawn").first).to_be_visible()
    assert [str(bid.state) for bid in served.world.rows(Bid)] == [BidState.REPLACED, BidState.WITHDRAWN]


def test_publish(served: Served, hand: Hand) -> None:
    served.world.provider("Acorn Homecare")
    draft = served.world.referral(publish_it=False)
    hand.sign_in(an_account(served, Part.BROKER))

    hand.press(draft)
    hand.press("Check and publish")
    hand.press("Publish")

    expect(hand.page.get_by_text("It was published").first).to_be_attached()
    assert served.world.state(draft) == "seeking"


LONG_DAYS = "Mon-Sun 07:00-12:00 240m personal_care"
"""Costs more than the council lets pass without a person's approval."""


def decided(served: Served, **facts: str) -> tuple[Actor, Actor, str]:
    """A package that two have bid for, at its closing."""
    world = served.world
    dear, cheap = world.provider("Dear Homecare"), world.provider("Cheap Homecare")
    referral = world.referral(**facts)  # type: ignore[arg-type]
    world.bid(dear, referral, pence=1640)
    world.bid(cheap, referral, pence=1550)
    world.close(referral)
    return dear, cheap, referral


def test_award(served: Served, hand: Hand) -> None:
    _, cheap, referral = decided(served, visits=LONG_DAYS)
    hand.sign_in(an_account(served, Part.BROKER))

    hand.press("Decide")
    hand.press("Approve and offer it")
    assert [str(award.state) for award in served.world.awards(referral)] == ["offered"]

    hand.sign_in(provider_user(served, cheap))
    hand.press("Offers")
    hand.press("28 hours in")
    hand.press("Accept this offer")
    hand.press("Confirm")
    hand.sees("Contract CON-")
    assert served.world.state(referral) == "placed"


def test_override(served: Served, hand: Hand) -> None:
    _, _, referral = decided(served)

    for part in (Part.BROKER, Part.APPROVER):
        hand.sign_in(an_account(served, part))
        hand.press(referral)
        hand.press("Award AWD-" if hand.page.get_by_role("link", name="Award AWD-").count() else "AWD-")
        hand.choose("Award it instead to", "Dear Homecare")
        hand.fill("Why?", "The person knows this provider.")
        hand.press("Ask for it to be overturned")

    first, second = served.world.awards(referral)
    assert (str(first.state), second.weekly_pence) == ("overturned", 5740)


def test_export(served: Served, hand: Hand) -> None:
    decided(served)
    served.world.step(minutes=1)
    hand.sign_in(an_account(served, Part.COMMISSIONER))
    assert served.world.now.date() > date(2019, 1, 1)

    with hand.page.expect_download() as taken:
        hand.do(hand.named("Download all of it"), "Enter")

    book = load_workbook(io.BytesIO(taken.value.path().read_bytes()))
    assert book.sheetnames[0] == "From referral to care"
