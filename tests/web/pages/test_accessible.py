"""Every page × {default, error, empty, long} × {1280, 320 px}: axe finds no violation of WCAG 2.2 AA, target size on.

One walk over the route table for each state. With TEST_SCREENSHOTS it keeps a picture of each page for a person to
look at (`make screenshots`).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page
from sqlmodel import select

from bidding.aftercare import start_contract
from dps.kernel.actors import Actor, Role
from dps.kernel.clock import DatabaseClock
from dps.kernel.database import Database
from dps.register.providers import Location, Provider
from tests.web.pages.browsing import an_account
from tests.web.pages.chromium import CHROMIUM, MARKS, PATIENCE_MS, Site
from tests.web.pages.generous import generous
from tests.web.pages.test_coverage_page import with_places
from tests.web.pages.test_page_guards import PageRoute, a_story, filled, page_routes
from tests.web.served import Served
from tests.web.test_import_register import HEAD, row
from web.api.guards import anyone
from web.pages.guards import HalfSeated
from web.security import sessions
from web.security.accounts import Account, Part

pytestmark = [*MARKS, pytest.mark.timeout(900)]

AXE = Path("web/frontend/node_modules/axe-core/axe.min.js")
WIDTHS = (1280, 320)
RUN = """() => axe.run(document, {
    runOnly: {type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']},
    rules: {'target-size': {enabled: true}}, resultTypes: ['violations']
}).then(found => found.violations.map(
    one => one.id + ': ' + one.nodes.map(node => node.target.join(' ')).join(' | ')
))"""
SHOWN = """() => {
    if (document.contentType !== 'text/html') return null
    const page = document.documentElement.cloneNode(true)
    for (const one of page.querySelectorAll('input[type=hidden]')) one.removeAttribute('value')
    const all = [...document.querySelectorAll('*')]
    const fields = all.filter(one => one.matches('input:not([type=hidden]), select, textarea'))
    return JSON.stringify([
        page.outerHTML, fields.map(one => [one.value, one.checked]), all.indexOf(document.activeElement)
    ])
}"""
"""All that axe can tell two pages apart by: the document but for what hidden fields hold, what is typed, the focus."""
PARTS = (
    Part.PROVIDER_ADMIN, Part.PROVIDER_USER, Part.BROKER, Part.APPROVER, Part.ADMINISTRATOR, Part.AUDITOR,
    Part.COMMISSIONER, Part.REGISTER_OFFICER, Part.REQUESTER,
)  # fmt: skip
"""Who looks at a page: the first of these that may."""

NO_PAGE = ("/assets/", "/theme/", "/sign-in/with/", "/sign-in/back")


@dataclass
class Walk:
    """One browser going through the pages; what axe complained of, and what was seen."""

    browser: Browser
    site: str
    served: Served
    faults: list[str] = field(default_factory=list)
    seen: set[tuple[str, str]] = field(default_factory=set)
    looked_at: set[str] = field(default_factory=set)

    @contextmanager
    def window(self, account: Account | None, *, is_half: bool = False) -> Iterator[Page]:
        context: BrowserContext = self.browser.new_context(base_url=self.site, locale="en-GB")
        if account is not None:
            with self.served.world.database.transaction() as session:
                token = sessions.begin(session, account, is_half=is_half, now=DatabaseClock().read(session))
            context.add_cookies([{"name": "dps-session", "value": token, "url": self.site}])
            self.csrf = sessions.csrf_of(token)
        context.add_init_script(path=AXE)
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        yield page
        context.close()

    def look(self, page: Page, state: str, path: str) -> None:
        """Let axe look at what the window shows, at both widths; at the same document once, whatever led to it."""
        shown = page.evaluate(SHOWN)
        if shown is None:
            return
        self.seen.add((state, path))
        if shown in self.looked_at and "TEST_SCREENSHOTS" not in os.environ:
            return
        self.looked_at.add(shown)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            self.faults += [f"{state} {path} at {width}: {fault}" for fault in page.evaluate(RUN)]
            if page.evaluate("document.documentElement.scrollWidth") > width:
                self.faults.append(f"{state} {path} at {width}: wider than the window")
            self._keep_picture(page, f"{state}{path.replace('/', '_')}_{width}")

    def _keep_picture(self, page: Page, name: str) -> None:
        folder = os.environ.get("TEST_SCREENSHOTS")
        if folder:
            page.screenshot(path=Path(folder) / f"{name[:150]}.png", full_page=True)

    def must_be_clean(self, state: str, *, at_least: int = 10) -> None:
        """No fault, and not because nothing was looked at."""
        assert self.faults == []
        assert len([one for one in self.seen if one[0] == state]) >= at_least, state

    def open_all(self, routes: list[PageRoute], people: dict[Part, Account], state: str, refs: dict[str, str]) -> None:
        """Every page that somebody of these may see, once."""
        for part, account in people.items():
            mine = [one for one in routes if one.method == "GET" and first_part(one) is part]
            with self.window(account) as page:
                for route in mine:
                    if "{" in route.path and not refs:
                        continue
                    if opened(page, filled(route.path, refs)):
                        self.look(page, state, route.path)

    def open_maps(self, people: dict[Part, Account], *, world_scheme: str) -> None:
        """The pages with a map, once there is something to draw."""
        staff = ("/coverage?by=sector&show=bids", "/coverage?by=locality&show=providers")
        own = ("/portal/opportunities?show=map", f"/portal/service/schemes/{world_scheme}/application")
        for part, paths in ((Part.COMMISSIONER, staff), (Part.PROVIDER_ADMIN, own)):
            with self.window(people[part]) as page:
                for path in paths:
                    page.goto(path)
                    page.locator("svg.dps-map").wait_for()
                    self.look(page, "map", path)

    def open_draft(self, requester: Account) -> None:
        """A requester's own draft: its pages, and what the check says of a reason that is none."""
        by = Actor(ref=requester.ref, role=Role.REQUESTER, authority=requester.authority)
        path = f"/requests/{self.served.world.referral(publish_it=False, by=by)}"
        with self.window(requester) as page:
            for section in ("check", "entry/person", "entry/week"):
                page.goto(f"{path}/{section}")
                self.look(page, "draft", f"/requests/draft/{section}")
            page.goto(f"{path}/check")
            page.get_by_role("button", name="Withdraw it").click()
            page.locator(".govuk-error-summary").wait_for()
            self.look(page, "draft", "/requests/draft/withdrawal")

    def open_tried(self, commissioner: Account, lot: str) -> None:
        """A what-if that has an answer, the proposal that it is kept as, and an uplift before it is decided."""
        with self.window(commissioner) as page:
            page.goto(f"/office/what-if?over={self.served.world.now:%Y-%m}&price_weight=55")
            page.get_by_role("heading", name="As decided, and what if").wait_for()
            self.look(page, "filled", "/office/what-if")
            page.get_by_role("button", name="Save as a proposal").click()
            page.wait_for_url("**/office/proposals/*")
            self.look(page, "filled", "/office/proposals/{proposal_ref:str}")
            page.goto("/office/uplifts")
            self.look(page, "filled", "/office/uplifts")
            page.get_by_label("Service", exact=True).select_option(lot)
            page.get_by_label("By how much?").fill("2.5")
            page.get_by_label("From", exact=True).fill("2030-04-01")
            page.get_by_role("button", name="See what it reaches").click()
            page.get_by_role("heading", name="Check before you decide").wait_for()
            self.look(page, "filled", "/office/uplifts/check")

    def open_filled(self, officer: Account, provider: str) -> None:
        """Forms of the register as they look filled in, and filled in wrongly."""
        path = f"/register/providers/{provider}"
        with self.window(officer) as page:
            for form, button in (("removal", "Remove it for good"), ("suspension", "Suspend it"), ("move", "Move it")):
                page.goto(f"{path}/{form}/{self.served.world.scheme.key}")
                for box in page.get_by_role("checkbox").all()[:3]:
                    box.check()
                for choice in page.get_by_role("radio").all()[:1]:
                    choice.check()
                page.get_by_label("Why?").fill("A visit by the regulator. " * 10)
                self.look(page, "filled", f"/register/{form}")
                page.get_by_label("Why?").fill("")
                page.get_by_role("button", name=button).click()
                page.locator(".govuk-error-summary").wait_for()
                self.look(page, "filled", f"/register/{form}/refused")

    def open_changes(self, people: dict[Part, Account], refs: dict[str, str]) -> None:
        """What a scheme that allows everything lets both sides begin, once care has begun."""
        contract = refs["contract_ref"]
        paths = {
            Part.PROVIDER_ADMIN: [f"/portal/contracts/{contract}", f"/portal/contracts/{contract}/changes"],
            Part.BROKER: [
                f"/desk/contracts/{contract}/changes",
                f"/desk/contracts/{contract}/outcomes",
                "/desk/area-statements",
                "/desk/follow-ups",
            ],
            Part.APPROVER: [f"/desk/contracts/{contract}/outcomes", f"/desk/placements/{refs['placement_ref']}"],
        }
        for part, mine in paths.items():
            with self.window(people[part]) as page:
                for path in mine:
                    page.goto(path)
                    self.look(page, "filled", f"{part}{path.replace(contract, 'contract')}")

    def open_bid_drafts(self, bidder: Account, round_ref: str) -> None:
        """A bid's form and the page of many with a draft, and what a page says where nothing is ticked."""
        form = f"/portal/opportunities/{round_ref}/bid"
        with self.window(bidder) as page:
            page.goto(form)
            page.get_by_label("First visit").fill("2019-03-07")
            page.get_by_role("button", name="Save as draft").click()
            page.get_by_text("Only this browser can read it").wait_for()
            self.look(page, "filled", form)
            page.goto("/portal/bids/many?tick=all")
            page.get_by_role("button", name="Save as draft").click()
            page.get_by_role("button", name="Throw the drafts away").wait_for()
            self.look(page, "filled", "/portal/bids/many")
            page.goto("/portal/bids")
            self.look(page, "filled", "/portal/bids")

    def open_register(self, officer: Account) -> None:
        """Recording who supplies together, where the rules allow it; and a newer register before it is applied."""
        scheme = self.served.world.scheme.key
        number = self.served.world.rows(Location)[0].regulator_id
        newer = HEAD + row("Winner", number, "requires improvement") + row("Dogwood", "1-4")
        with self.window(officer) as page:
            page.goto(f"/register/arrangements/new/{scheme}")
            self.look(page, "filled", "/register/arrangements/new")
            page.get_by_role("button", name="Record it").click()
            page.locator(".govuk-error-summary").wait_for()
            self.look(page, "filled", "/register/arrangements/new/refused")
            page.goto("/register/renewal")
            file = {"name": "register.csv", "mimeType": "text/csv", "buffer": newer.encode()}
            page.get_by_label("File", exact=True).set_input_files(file)  # type: ignore[arg-type]
            page.get_by_role("button", name="Try it").click()
            page.get_by_role("button", name="Apply it").wait_for()
            self.look(page, "filled", "/register/renewal")

    def send_all(self, routes: list[PageRoute], people: dict[Part, Account], refs: dict[str, str]) -> None:
        """Every form, sent empty: what is refused is shown on a page."""
        for part, account in people.items():
            mine = [one for one in routes if one.method == "POST" and first_part(one) is part]
            with self.window(account) as page:
                page.goto("/account")
                for route in mine:
                    if route.path in ("/sign-out", "/sign-out-everywhere", "/session"):
                        continue
                    with page.expect_navigation():
                        page.evaluate(SEND, [filled(route.path, refs), self.csrf])
                    if page.evaluate("document.querySelector('.govuk-error-summary, h1') !== null"):
                        self.look(page, "error", route.path)
                    else:
                        page.goto("/account")


SEND = """([action, csrf]) => {
    const form = document.createElement('form')
    form.method = 'post'
    form.action = action
    const token = document.createElement('input')
    token.name = 'csrf'
    token.value = csrf
    form.append(token)
    document.body.append(form)
    HTMLFormElement.prototype.submit.call(form)
}"""


def opened(page: Page, path: str) -> bool:
    """Whether there is a page: a file to take away is none."""
    try:
        page.goto(path)
    except Error as fault:
        if "Download is starting" not in str(fault):
            raise
        return False
    return True


def first_part(route: PageRoute) -> Part | None:
    """Who looks at this page."""
    if route.path.startswith(NO_PAGE) or route.guards == (anyone,) or isinstance(route.guards[0], HalfSeated):
        return None
    if route.path.endswith("/options"):
        return None
    return next((part for part in PARTS if route.is_for(part)), None)


def people_of(served: Served, provider: str | None = None) -> dict[Part, Account]:
    """An account for each part."""
    return {
        part: an_account(served, part, provider=provider if part.value.startswith("provider") else None)
        for part in PARTS
    }


def lengthened(served: Served, people: dict[Part, Account]) -> None:
    """The longest names that there may be, without a space to break them at."""
    with served.world.database.transaction() as session:
        for account in people.values():
            session.get_one(Account, account.id).name = "Synthetic" + "x" * 71
        for row in session.exec(select(Provider)).all():
            row.name = "Synthetic" + "provider" * 20


@pytest.fixture
def walk(served: Served) -> Iterator[Walk]:
    with walking(served) as found:
        yield found


@contextmanager
def walking(served: Served) -> Iterator[Walk]:
    """A browser before this council."""
    assert AXE.is_file(), "axe-core is not here: make setup"
    if os.environ.get("TEST_SCREENSHOTS"):
        Path(os.environ["TEST_SCREENSHOTS"]).mkdir(parents=True, exist_ok=True)
    listening = Site(served)
    site = listening.start()
    with CHROMIUM.lent() as browser:
        yield Walk(browser, site, served)
    listening.stop()


def test_axe_finds_nothing_wrong_before_anything_has_happened(served: Served, walk: Walk) -> None:
    walk.open_all(page_routes(served), people_of(served), "empty", {})

    walk.must_be_clean("empty")


def test_axe_finds_nothing_wrong_with_pages_that_tell_a_story(served: Served, walk: Walk) -> None:
    own: dict[str, Any] = a_story(served)
    people = people_of(served, own["provider"])
    walk.open_all(page_routes(served), people, "default", own)
    walk.open_draft(people[Part.REQUESTER])
    with walk.window(None) as page:
        for path in ("/join", "/sign-in", "/nowhere"):
            page.goto(path)
            walk.look(page, "default", path)
    with walk.window(people[Part.BROKER], is_half=True) as page:
        page.goto("/sign-in/second-factor")
        walk.look(page, "default", "/sign-in/second-factor")

    walk.must_be_clean("default")


def test_axe_finds_nothing_wrong_with_maps(served: Served, walk: Walk) -> None:
    own: dict[str, Any] = a_story(served)
    with_places(served)
    walk.open_maps(people_of(served, own["provider"]), world_scheme=served.world.scheme.key)

    walk.must_be_clean("map", at_least=4)


def test_axe_finds_nothing_wrong_with_what_is_refused(served: Served, walk: Walk) -> None:
    own: dict[str, Any] = a_story(served)
    walk.send_all(page_routes(served), people_of(served, own["provider"]), own)

    walk.must_be_clean("error")


def test_axe_finds_nothing_wrong_with_the_longest_names(served: Served, walk: Walk) -> None:
    own: dict[str, Any] = a_story(served)
    people = people_of(served, own["provider"])
    lengthened(served, people)
    walk.open_all(page_routes(served), people, "long", own)

    walk.must_be_clean("long")


def test_axe_finds_nothing_wrong_with_what_is_filled_in_and_what_was_tried(database: Database, tmp_path: Path) -> None:
    with Served(database, tmp_path, generous()) as served, walking(served) as walk:
        world = served.world
        own: dict[str, Any] = a_story(served)
        world.step(minutes=1)
        people = people_of(served, own["provider"])
        provider = Actor(ref="user", role=Role.PROVIDER, provider=own["provider"])
        world.run(start_contract, contract_ref=own["contract_ref"], first_visit_on=world.now.date(), actor=provider)
        walk.open_changes(people, own)
        walk.open_tried(people[Part.COMMISSIONER], world.scheme.lots[0].key)
        walk.open_filled(people[Part.REGISTER_OFFICER], own["provider"])
        walk.open_bid_drafts(people[Part.PROVIDER_USER], own["round_ref"])
        walk.open_register(people[Part.REGISTER_OFFICER])

        walk.must_be_clean("filled")
