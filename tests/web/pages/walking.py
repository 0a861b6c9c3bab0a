"""A browser that goes through the pages with axe: what it complained of, what it saw, pictures for a person to look at.

With TEST_SCREENSHOTS it keeps a picture of each page at each width (`make screenshots`).
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Error, Page, Response

from dps.kernel.clock import DatabaseClock
from tests.web.pages.browsing import an_account
from tests.web.pages.chromium import CHROMIUM, PATIENCE_MS, Site
from tests.web.pages.test_page_guards import PageRoute, filled
from tests.web.served import Served
from web.api.guards import anyone
from web.pages.guards import HalfSeated
from web.security import sessions
from web.security.accounts import Account, Part

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
AT_ONE_WIDTH = frozenset({"error", "long"})
"""These are pages that axe has seen at both widths, with other words: it looks at the narrow one, which asks more."""
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
    absent: set[str] = field(default_factory=set)
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
        """Let axe look at what the window shows, at both widths; at the same document once, whatever led to it.

        Nothing may be wider than the window at either.
        """
        shown = page.evaluate(SHOWN)
        if shown is None:
            return
        self.seen.add((state, path))
        if shown in self.looked_at and "TEST_SCREENSHOTS" not in os.environ:
            return
        self.looked_at.add(shown)
        for width in WIDTHS:
            page.set_viewport_size({"width": width, "height": 900})
            if state not in AT_ONE_WIDTH or width == min(WIDTHS):
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
        assert not self.faults, "\n".join(self.faults)
        assert len([one for one in self.seen if one[0] == state]) >= at_least, state

    def open_all(self, routes: list[PageRoute], people: dict[Part, Account], state: str, refs: dict[str, str]) -> None:
        """Every page that somebody of these may see, once; `absent` holds those that had no row to show."""
        for part, account in people.items():
            mine = [one for one in routes if one.method == "GET" and first_part(one) is part]
            with self.window(account) as page:
                for route in mine:
                    if "{" in route.path and not refs:
                        continue
                    answer = opened(page, filled(route.path, refs))
                    if answer is None:
                        continue
                    if answer.status == 404:
                        self.absent.add(route.path)
                    self.look(page, state, route.path)

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


def opened(page: Page, path: str) -> Response | None:
    """The page's answer, or None where there is no page: a file to take away is none."""
    try:
        return page.goto(path)
    except Error as fault:
        if "Download is starting" not in str(fault):
            raise
        return None


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
