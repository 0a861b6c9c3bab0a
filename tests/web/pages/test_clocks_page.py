"""The law's clocks as a page: what is due, what stands still then, and what was published."""

import io
from datetime import timedelta

import pytest
from openpyxl import load_workbook
from sqlmodel import col, update

from dps.kernel.actors import Actor, Role
from dps.kernel.errors import NotFound
from dps.law.notices import LegalNotice
from dps.register.applications import Application
from dps.register.membership import Membership, MembershipState
from dps.register.who_is_where import who_is_where
from tests.web.pages.browsing import Browser, an_account
from tests.web.pages.test_page_guards import handed_in
from tests.web.served import Served
from web.lists_workbook import COLUMNS
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
    assert "Packages go on, but no new rules are published" in officer.page.text
    assert "Record what you published" in officer.page.text
    assert "Record what you published" not in auditor.page.text


def test_who_is_on_which_list_is_read_and_taken_away_to_be_published(served: Served) -> None:
    world = served.world
    world.provider("Ash Homecare")
    browser = at_the_clocks(served, Part.COMMISSIONER)
    there = f"/office/clocks/{world.scheme.key}/lists"
    linked = f'href="{there}"' in browser.page.text

    page = browser.open(there).text
    sheet = load_workbook(io.BytesIO(browser.open(f"{there}/workbook").content)).active

    assert linked
    assert "Ash Homecare" in page
    assert [text for text in (one.name for one in world.scheme.lists) if text not in page] == []
    assert sheet is not None
    heading, *rows = sheet.values
    assert heading == COLUMNS
    assert {row[3] for row in rows} == {"Ash Homecare"}
    assert len(rows) == len(world.rows(Membership))


def test_lists_come_in_the_schemes_order_and_a_suspended_provider_is_marked(served: Served) -> None:
    world = served.world
    suspended = world.provider("Ash Homecare")
    world.provider("Birch Homecare")
    with world.database.transaction() as session:
        session.execute(
            update(Membership)
            .where(col(Membership.provider_ref) == suspended.provider)
            .values(state=MembershipState.SUSPENDED)
        )

    with world.database.reading() as session:
        found = who_is_where(session, world.scheme, actor=world.commissioner)
        with pytest.raises(NotFound):
            who_is_where(session, world.scheme, actor=Actor("elsewhere", Role.COMMISSIONER, authority="elsewhere"))

    lists, lots = [one.key for one in world.scheme.lists], [one.key for one in world.scheme.lots]
    places = [(lists.index(one.list_key), lots.index(one.lot), one.locality) for one in found]
    assert [place[:2] for place in places] == sorted(place[:2] for place in places)
    assert {one.name for one in found if one.is_suspended} == {"Ash Homecare"}
    assert [one.name for one in found[:2]] == ["Ash Homecare", "Birch Homecare"]
