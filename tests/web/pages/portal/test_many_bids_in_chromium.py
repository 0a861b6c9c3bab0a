"""Many bids from one page in a real browser, by keyboard, and the bidder's own copy on the receipt."""

from playwright.sync_api import Page

from bidding.bids.records import Bid
from tests.web.pages.browsing import an_account
from tests.web.pages.chromium import MARKS, sign_in
from tests.web.pages.portal.test_joining_in_chromium import press
from tests.web.served import Served
from web.security.accounts import Part

pytestmark = MARKS


def test_many_packages_are_bid_for_by_keyboard_from_one_page(served: Served, people: list[Page]) -> None:
    page, world = people[0], served.world
    actor = world.provider("Meadow Homecare")
    for _ in range(3):
        world.referral()
    sign_in(page, an_account(served, Part.PROVIDER_USER, provider=actor.provider))
    page.goto("/portal/prices")
    page.get_by_label("Weekday hour").first.fill("16.50")
    page.get_by_role("button", name="Save").first.click()

    page.goto("/portal/opportunities")
    press(page, "link", "Bid for many on one page", "Enter")
    press(page, "link", "Tick all 3", "Enter")
    page.wait_for_url("**tick=all")
    assert page.get_by_role("checkbox", name="Bid for").evaluate_all("all => all.every(one => one.checked)")
    page.get_by_label("Up to 3").check()
    page.get_by_label("Packages").fill("2")
    press(page, "button", "Check your answers", "Enter")
    page.get_by_text("If you won every one: 10 hours 30 minutes a week").wait_for()
    press(page, "button", "Seal and hand in 3 bids", "Enter")
    page.get_by_role("heading", name="3 bids sealed").wait_for()
    page.get_by_role("rowheader").first.get_by_role("link").click()

    page.get_by_text("Only this browser can show it").wait_for()
    assert page.get_by_text("£16.50").is_visible()
    assert len(world.rows(Bid)) == 3
