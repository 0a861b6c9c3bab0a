"""Maps on pages: how an area is covered, where work is, which areas are asked for; the table says the same."""

import re
from collections.abc import Iterable

import pytest
from playwright.sync_api import Page

from dps.places import packaged
from dps.places.loading import load
from dps.places.localities import districts_of
from dps.register.providers import register_provider
from tests.web.pages.browsing import Browser, an_account
from tests.web.pages.chromium import MARKS, sign_in
from tests.web.pages.portal.test_joining import in_window, member
from tests.web.served import ADMINISTRATOR, Served
from web.security.accounts import Part

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])


def with_places(served: Served) -> None:
    """The scheme's districts as the packaged directory has them."""
    world = served.world
    edition = packaged.read(districts_of(world.scheme.localities))
    with world.database.transaction() as session:
        load(session, edition, ADMINISTRATOR, world.now)


def seated(served: Served, part: Part) -> Browser:
    browser = Browser(served)
    browser.sign_in(an_account(served, part))
    return browser


def titles(html: str) -> dict[str, str]:
    """What the map says of each area to who rests on it."""
    return dict(re.findall(r"<path [^>]*><title>([^:<]*): ([^<]*)</title>", html))


def figures(html: str) -> dict[str, list[str]]:
    """The rows of the table beside it."""
    rows: Iterable[str] = re.findall(r"<tr class=\"govuk-table__row\"><th scope=\"row\".*?</tr>", html, re.S)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in rows]
    return {re.sub("<[^>]*>", "", row[0]): [re.sub("<[^>]*>", "", cell) for cell in row[1:]] for row in cells}


@SQLITE
@pytest.mark.parametrize("part", [Part.BROKER, Part.APPROVER, Part.COMMISSIONER])
def test_map_and_table_say_the_same(served: Served, part: Part) -> None:
    with_places(served)
    world = served.world
    world.provider("Everywhere")
    home = world.scheme.localities[0]
    world.referral(locality=home.key)
    browser = seated(served, part)

    waiting = browser.open("/coverage?by=sector&show=waiting").text
    providers = browser.open("/coverage?by=locality&show=providers").text
    bids = browser.open("/coverage?by=district&show=bids").text

    drawn, rows = titles(waiting), figures(waiting)
    assert drawn[home.sectors[0]] == "3 hours 30 minutes"
    assert rows[home.sectors[0]] == ["1", "1", "3.5", "–"]
    assert set(drawn) <= set(rows)
    assert rows["All"] == ["1", "1", "3.5", "–"]
    assert set(titles(providers)) == {place.name for place in world.scheme.localities}
    assert set(titles(bids).values()) == {"nothing asked"}


@SQLITE
def test_without_postcodes_the_page_says_what_to_do(served: Served) -> None:
    page = seated(served, Part.BROKER).open("/coverage?by=nonsense&show=nonsense")

    assert page.status_code == 200
    assert "dps places load" in page.text
    assert seated(served, Part.BROKER).open("/coverage?scheme=another").status_code == 404


@SQLITE
def test_a_provider_finds_work_on_the_map_and_in_the_table(served: Served) -> None:
    with_places(served)
    browser, world = member(served), served.world
    first, second = world.scheme.localities[:2]
    world.referral(locality=first.key)
    world.referral(locality=second.key, visits="Mon-Fri 19:00-20:00 60m x2 personal_care")

    page = browser.open("/portal/opportunities?show=map").text
    narrowed = browser.open("/portal/opportunities?show=map&carers=2").text

    assert titles(page)[first.name] == "1 package"
    assert figures(page)[f"1. {first.name}"][:2] == ["1", "3.5"]
    assert f'<a href="/portal/opportunities?locality={first.key}" tabindex="-1">' in page
    assert titles(narrowed)[first.name] == "0 packages"
    assert f'href="/portal/opportunities?carers=2&amp;locality={second.key}"' in narrowed


class TestInChromium:
    pytestmark = MARKS

    def test_areas_are_chosen_on_the_map_or_in_the_list(self, served: Served, people: list[Page]) -> None:
        with_places(served)
        in_window(served)
        page, world = people[0], served.world
        made = world.run(register_provider, name="Newcomer Homecare", company_number=None, actor=world.officer)
        sign_in(page, an_account(served, Part.PROVIDER_USER, provider=made.ref))
        page.goto(f"/portal/service/schemes/{world.scheme.key}/application")
        first, second = (place.key for place in world.scheme.localities[:2])
        area = page.locator(f'a[data-ticks="place-{first}"]')
        other = page.locator(f'a[data-ticks="place-{second}"] path')

        area.dispatch_event("click")
        page.locator(f"#place-{second}").check()

        assert page.locator(f"#place-{first}").is_checked()
        assert "dps-map__area--3" in (area.locator("path").get_attribute("class") or "")
        assert "dps-map__area--3" in (other.get_attribute("class") or "")
        area.dispatch_event("click")
        assert not page.locator(f"#place-{first}").is_checked()
