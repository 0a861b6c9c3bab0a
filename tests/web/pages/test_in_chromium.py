"""The two first journeys in a real browser: a provider finds and bids, a broker decides and the provider is awarded.

With JavaScript as it is served, so that the policy which forbids inline scripts is seen to let our own run; the other
tests walk the same pages without any.
"""

import re

from playwright.sync_api import Page

from tests.web.pages.browsing import an_account
from tests.web.pages.chromium import MARKS, sign_in
from tests.web.served import Served
from web.security.accounts import Part

pytestmark = MARKS


def test_a_provider_finds_and_bids_and_two_people_of_the_council_decide_who_is_awarded(
    served: Served, people: list[Page]
) -> None:
    provider, broker, approver = people
    dear, cheap = served.world.provider("Dear Homecare"), served.world.provider("Cheap Homecare")
    referral = served.world.referral()
    served.world.bid(cheap, referral, pence=1550)

    sign_in(provider, an_account(served, Part.PROVIDER_USER, provider=dear.provider))
    provider.get_by_role("navigation").get_by_role("link", name="Opportunities", exact=True).click()
    provider.get_by_role("link", name="3 hours 30 minutes a week").click()
    provider.get_by_role("button", name="Bid", exact=True).click()
    provider.get_by_label("Price for an hour of one carer").fill("16.40")
    provider.get_by_label("Up to 3").check()
    provider.get_by_role("button", name="Check your answers").click()
    assert provider.get_by_text("£57.40").is_visible()
    provider.get_by_role("button", name="Seal and hand in").click()
    assert provider.get_by_role("heading", name="Bid sealed").is_visible()
    served.world.close(referral)

    for page, part in ((broker, Part.BROKER), (approver, Part.APPROVER)):
        sign_in(page, an_account(served, part))
        page.get_by_role("link", name=referral).click()
        page.get_by_role("link", name="Award AWD-").first.click()
        page.get_by_label("Award it instead to").select_option(label="Dear Homecare, £57.40 a week")
        page.get_by_label("Why?").fill("The person knows this provider.")
        page.get_by_role("button", name="Ask for it to be overturned").click()

    assert approver.get_by_text("Overturned").first.is_visible()
    provider.get_by_role("link", name="Offers", exact=True).click()
    provider.get_by_role("link", name="3 hours 30 minutes in").click()
    provider.get_by_role("button", name="Accept this offer").click()
    provider.get_by_role("link", name="Read who the person is").click()
    assert provider.get_by_role("heading", name="Synthetic Person").is_visible()
    provider.go_back()
    provider.get_by_role("button", name="Confirm").click()

    assert provider.get_by_role("heading", name="Contract CON-").is_visible()
    assert served.world.state(referral) == "placed"
    assert served.world.faults() == []


def test_a_filter_shortens_the_list_without_another_page_and_the_address_keeps_it(
    served: Served, people: list[Page]
) -> None:
    page = people[0]
    first, second = (locality.key for locality in served.world.scheme.localities[:2])
    provider = served.world.provider("Somebody")
    for locality in (first, second):
        served.world.referral(locality=locality)
    sign_in(page, an_account(served, Part.PROVIDER_USER, provider=provider.provider))
    page.goto("/portal/opportunities")
    heading = page.get_by_role("heading", level=1).element_handle()
    assert page.locator("#found li").count() == 2

    page.get_by_label("Area").select_option(second)
    page.wait_for_url(re.compile(rf"/portal/opportunities\?.*locality={second}"))

    assert page.locator("#found li").count() == 1
    assert heading is not None
    assert heading.evaluate("one => one.isConnected")  # the page itself was not loaded anew


def test_a_session_about_to_end_warns_and_is_kept_and_nothing_typed_is_lost(served: Served, people: list[Page]) -> None:
    page = people[0]
    page.clock.install()
    sign_in(page, an_account(served, Part.BROKER))
    page.goto("/account")
    page.get_by_label("New password").fill("half a password")

    page.clock.fast_forward("27:00")
    assert not page.get_by_role("dialog").is_visible()
    page.clock.fast_forward("01:30")
    assert page.get_by_role("dialog").is_visible()
    with page.expect_response("**/session") as answer:
        page.get_by_role("button", name="Stay signed in").click()

    assert answer.value.status == 204
    assert not page.get_by_role("dialog").is_visible()
    assert page.get_by_label("New password").input_value() == "half a password"
