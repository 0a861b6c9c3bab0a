"""Two journeys of a broker in a real browser: a referral written by keyboard alone, and a bid taken by telephone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from bidding.bids.records import Bid
from tests.web.pages.browsing import an_account
from tests.web.pages.chromium import CHROMIUM, MARKS, PATIENCE_MS, Site, sign_in
from tests.web.served import Served
from web.security.accounts import Part

pytestmark = MARKS


@pytest.fixture
def pages(served: Served) -> Iterator[list[Page]]:
    """A browser of a broker without JavaScript, and one of a provider."""
    listening = Site(served)
    address = listening.start()
    with CHROMIUM.lent() as browser:
        found = []
        for has_scripts in (False, True):
            context = browser.new_context(base_url=address, java_script_enabled=has_scripts)
            context.set_default_timeout(PATIENCE_MS)
            found.append(context.new_page())
        yield found
    listening.stop()


def tab_to(page: Page, css: str) -> None:
    """Press Tab until this is what the keyboard is at; fails where no Tab leads there."""
    wanted = page.locator(css)
    for _ in range(80):
        if page.locator(":focus").count() and page.locator(f"{css}:focus").count():
            return
        page.keyboard.press("Tab")
    expect(wanted).to_be_focused()


def typed(page: Page, css: str, text: str) -> None:
    tab_to(page, css)
    page.keyboard.type(text)


def test_a_referral_is_written_by_keyboard_alone_without_javascript(served: Served, pages: list[Page]) -> None:
    served.world.provider("Somebody")
    page, _ = pages
    sign_in(page, an_account(served, Part.BROKER))
    postcode = f"{served.world.sector(served.world.scheme.localities[0].key)}AA"

    tab_to(page, 'a[href="/desk/new"]')
    page.keyboard.press("Enter")
    typed(page, "#name", "Synthetic Newcomer")
    page.keyboard.press("Enter")
    typed(page, "#postcode", postcode)
    page.keyboard.press("Enter")
    tab_to(page, "#lot")
    page.keyboard.press("Space")
    tab_to(page, "#urgency")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Which visits make up the week?")
    for day in ("Mon", "Tue"):
        tab_to(page, f"#day-{day}")
        page.keyboard.press("Space")
    typed(page, "#from", "0730AM")
    typed(page, "#until", "0930AM")
    typed(page, "#minutes", "30")
    tab_to(page, 'button[name="add"]')
    page.keyboard.press("Enter")
    tab_to(page, 'button[name="save"]')
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("When can care start, and when must it?")
    tab_to(page, 'a:has-text("Leave the rest for later")')
    page.keyboard.press("Enter")

    expect(page.get_by_text("2 visits, 1 hour a week")).to_be_visible()
    expect(page.get_by_text("the latest day on which care must start")).to_be_visible()
    assert len(served.world.events("referral.opened")) == 1


def test_a_bid_is_taken_by_telephone_and_confirmed_through_a_link(served: Served, pages: list[Page]) -> None:
    actor = served.world.provider("Caller Homecare")
    referral = served.world.referral()
    broker, provider = pages
    sign_in(broker, an_account(served, Part.BROKER))
    sign_in(provider, an_account(served, Part.PROVIDER_USER, provider=actor.provider))

    broker.goto(f"/desk/referrals/{referral}/calls")
    broker.get_by_role("link", name="Type a bid that Caller Homecare dictates").click()
    broker.get_by_label("Price for an hour of one carer").fill("17.89")
    broker.get_by_role("radio").first.check()
    broker.get_by_role("button", name="Check it").click()
    expect(broker.get_by_text("Read it aloud.")).to_be_visible()
    broker.get_by_role("button", name="Seal this bid").click()
    expect(broker.get_by_role("heading", level=1)).to_have_text("Call sheet")
    (bid,) = served.world.rows(Bid)
    provider.goto(f"/portal/bids/{bid.ref}/telephone")
    provider.get_by_role("button", name="Yes, this is our bid").click()
    provider.goto(f"/portal/bids/{bid.ref}/telephone")

    expect(provider.get_by_text("You have confirmed it.")).to_be_visible()
    assert served.world.rows(Bid)[0].confirmed_at is not None
