"""The law's clocks as a page: what is due, what stands still then, and what was published."""

from datetime import timedelta

import pytest

from dps.law.notices import LegalNotice
from dps.register.applications import Application
from tests.web.pages.browsing import Browser, an_account
from tests.web.pages.test_page_guards import handed_in
from tests.web.served import Served
from web.security.accounts import Part

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])


def at_the_clocks(served: Served, part: Part = Part.COMMISSIONER) -> Browser:
    browser = Browser(served)
    browser.sign_in(an_account(served, part))
    browser.open("/office/clocks")
    return browser


def test_the_lists_are_due_and_recording_them_stops_their_clock(served: Served) -> None:
    world = served.world
    world.clock.move_to(world.now + timedelta(days=40))
    browser = at_the_clocks(served)
    before = browser.page.text
    action = f"/office/clocks/{world.scheme.key}/notices"
    day = world.now.date().isoformat()

    unsaid = browser.send(action, published_on=day)
    browser.send(action, number="https://council.example/lists", published_on=day)

    assert "Overdue" in before
    assert "Nothing is published, resumed or restarted under the scheme" in before
    assert unsaid.status_code == 400
    assert "Say under which number or address it can be found" in unsaid.text
    (row,) = world.rows(LegalNotice)
    assert (row.clock, row.number) == ("tiers", "https://council.example/lists")
    assert action not in browser.page.text
    assert "https://council.example/lists" in browser.page.text


def test_an_application_that_waits_blocks_new_rules_and_an_officer_may_record(served: Served) -> None:
    world = served.world
    applicant = world.provider("Ash Homecare")
    handed_in(served, world.row_of(applicant).id or 0, applicant.provider or "")
    officer, auditor = at_the_clocks(served, Part.REGISTER_OFFICER), at_the_clocks(served, Part.AUDITOR)

    assert world.rows(Application)[0].ref in officer.page.text
    assert "No new rules are published; packages go on" in officer.page.text
    assert "Record what you published" in officer.page.text
    assert "Record what you published" not in auditor.page.text
