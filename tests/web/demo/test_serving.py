"""`dps demo` as a visitor runs it: a council is played, then pages and API are served on the running clock.

A newcomer signs in as the terminal says, bids, sees the running clock close it, and accepts what is offered.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from sqlmodel import col, select

from bidding.bids.records import Bid
from bidding.closings import Closing
from dps.kernel.clock import AcceleratedClock
from dps.kernel.database import Database
from tests.conftest import ROOT
from tests.web.pages.chromium import PATIENCE_MS, chromium
from web.demo.command import MINUTE_A_SECOND

pytestmark = [
    pytest.mark.slow,
    # Playwright's event loop lives in this thread and leaves its sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]


@dataclass(frozen=True)
class Demonstration:
    """What it says, where it is served, and where its database lies."""

    said: str
    site: str
    folder: Path

    @property
    def password(self) -> str:
        found = re.search(r"^  ([a-z2-7]{5}(?:-[a-z2-7]{5}){3})$", self.said, re.MULTILINE)
        assert found
        return found[1]

    def email(self, part: str) -> str:
        """As the terminal names the account of this part."""
        found = re.search(rf"^  {part} +(\S+@\S+)$", self.said, re.MULTILINE)
        assert found, part
        return found[1]

    def skip_to_the_closing_of(self, bid: str) -> None:
        """Let the clock run on from a minute before; every process follows."""
        database = Database(f"sqlite:///{self.folder / '.demo' / 'demo.sqlite3'}")
        with database.transaction() as session:
            query = select(Closing.closes_at).join(Bid, col(Bid.closing_id) == col(Closing.id))
            closes_at = session.exec(query.where(Bid.ref == bid)).one()
            AcceleratedClock().start(session, origin=closes_at - timedelta(minutes=1), rate=MINUTE_A_SECOND)
        database.dispose()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def visited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demonstration]:
    """A small week of a council whose packages go to sealed bids, played and served."""
    folder, port = tmp_path_factory.mktemp("demonstration"), free_port()
    with started(folder, port, a_small_council(folder)) as process:
        assert process.stdout is not None
        said = []
        for line in process.stdout:
            said.append(line)
            if line.startswith("Serving on"):
                break
        assert said[-1].startswith("Serving on"), "".join(said)
        yield Demonstration("".join(said), f"http://127.0.0.1:{port}", folder)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0


def a_small_council(folder: Path) -> Path:
    """St Helens with fewer people and providers, as a file of one's own."""
    rules = (ROOT / "dps/schemes/presets/st-helens.toml").read_text(encoding="utf-8")
    small = rules.replace("referrals = 300", "referrals = 24").replace("providers = 40", "providers = 8")
    assert "referrals = 24" in small
    file = folder / "small.toml"
    file.write_text(small, encoding="utf-8")
    return file


def started(folder: Path, port: int, scheme: Path | str) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("DPS_")}
    return subprocess.Popen(
        [sys.executable, "-m", "web.cli", "demo", "--scheme", str(scheme), "--seed", "3", "--port", str(port)],
        cwd=folder,
        env={**environment, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def test_a_demonstration_is_played_served_and_ended(visited: Demonstration) -> None:
    said, site = visited.said, visited.site

    assert "Trail whole" in said
    with httpx.Client(base_url=site, follow_redirects=True, timeout=30) as browser:
        form = browser.get("/sign-in").text
        found = re.search(r'name="csrf" value="([0-9a-f]+)"', form)
        assert found
        broker = {"email": visited.email("broker"), "password": visited.password, "csrf": found[1], "next": ""}
        assert "Work queue" in browser.post("/sign-in", data=broker).text
    for key in re.findall(r"Bearer (dps_\S+)\"", said):
        assert httpx.get(f"{site}/api/me", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    assert httpx.get(f"{site}/api/docs").status_code == 200


@pytest.mark.timeout(300)
def test_a_newcomer_signs_in_bids_sees_the_clock_close_it_and_accepts_what_is_offered(visited: Demonstration) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = seated(browser, visited, "provider user")
        earlier = offers(page)
        bid = lowest_bid(page)

        visited.skip_to_the_closing_of(bid)
        patiently(page, f"/portal/bids/{bid}", lambda: page.get_by_text("Opened, being decided", exact=True).count())
        patiently(page, "/portal/offers", lambda: offers(page) != earlier)
        (offer,) = offers(page) - earlier
        page.goto(offer)
        page.get_by_role("button", name="Accept this offer").click()
        page.get_by_role("link", name="Read who the person is").click()
        page.get_by_text("Synthetic").first.wait_for()
        page.go_back()
        page.get_by_role("button", name="Confirm: we will start on").click()
        page.wait_for_url("**/portal/contracts/CON-*")

        assert page.get_by_text("Not started yet", exact=True).is_visible()
        browser.close()


def seated(browser: Browser, visited: Demonstration, part: str) -> Page:
    """A window of its own in which the account of this part has signed in."""
    page = browser.new_context(base_url=visited.site, locale="en-GB").new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(visited.email(part))
    page.get_by_label("Password", exact=True).fill(visited.password)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url(lambda url: "sign-in" not in url)
    return page


def lowest_bid(page: Page) -> str:
    """Bid the lowest price that is taken for a package with sealed bids; the bid's reference."""
    page.goto("/portal/opportunities?sort=closes")
    for link in [one.get_attribute("href") for one in page.get_by_role("link", name="a week in").all()]:
        page.goto(str(link))
        if page.get_by_role("button", name="Bid", exact=True).count():
            break
    page.get_by_role("button", name="Bid", exact=True).click()
    floor = re.search(r"From £([0-9.]+) to", page.inner_text("main"))
    assert floor
    page.get_by_label("Price for an hour of one carer").fill(floor[1])
    for group in page.get_by_role("group").all():
        if group.get_by_role("radio").count():
            group.get_by_role("radio").first.check()
    page.get_by_role("button", name="Check your answers").click()
    page.get_by_role("button", name="Seal and hand in").click()
    page.get_by_text("Bid sealed").wait_for()
    return page.url.rpartition("/")[2]


def offers(page: Page) -> set[str]:
    """The addresses of everything that was offered to whoever is signed in."""
    page.goto("/portal/offers")
    links = page.locator("main tbody").get_by_role("link").all()
    return {str(link.get_attribute("href")) for link in links}


def patiently(page: Page, path: str, is_there: Callable[[], object]) -> None:
    """Look at a page again and again, as somebody who waits would."""
    patience = time.monotonic() + PATIENCE_MS / 1000
    page.goto(path)
    while not is_there():
        assert time.monotonic() < patience, page.inner_text("main")
        page.wait_for_timeout(200)
        page.goto(path)


def test_a_port_that_is_taken_is_said_before_anything_is_played(tmp_path: Path) -> None:
    port = free_port()
    with socket.create_server(("127.0.0.1", port)), started(tmp_path, port, "halton") as process:
        said, _ = process.communicate(timeout=60)

    assert process.returncode == 2
    assert "can't be had" in said
    assert "--port" in said
    assert "Loading" not in said
