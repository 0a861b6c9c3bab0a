"""A real Chromium over a council that listens on a port of its own, for journeys that need one."""

import asyncio
import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from dps.kernel.clock import DatabaseClock
from tests.web.pages.browsing import PASSWORD
from tests.web.served import Served, given_back, lent
from web.security.accounts import Account

MARKS = [
    pytest.mark.slow,
    pytest.mark.timeout(300),
    pytest.mark.parametrize("database_kind", ["sqlite"]),
    # Playwright's event loop lives in this thread and leaves its sockets to the garbage collector.
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
"""What every test of a journey is marked with: `pytestmark = MARKS`."""

PATIENCE_MS = 90_000
"""How long a click may take where the machine is at work elsewhere."""


class Site:
    """The council, listening on a port of its own, in a thread of this process."""

    def __init__(self, served: Served, *, port: int = 0) -> None:
        self._app = lent(served.installation, DatabaseClock())
        self._server = uvicorn.Server(uvicorn.Config(self._app, port=port, log_level="critical", lifespan="on"))
        self._thread = threading.Thread(target=self._server.run, daemon=True)
        self._started = threading.Event()
        self._server.startup, startup = self._announced, self._server.startup  # type: ignore[method-assign]
        self._startup = startup

    async def _announced(self, sockets: list[socket.socket] | None = None) -> None:
        await self._startup(sockets)
        self._started.set()

    def start(self) -> str:
        self._thread.start()
        assert self._started.wait(60)
        host, port = self._server.servers[0].sockets[0].getsockname()[:2]
        return f"http://{host}:{port}"

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(30)
        if not self._thread.is_alive():
            given_back(self._app)


class _Chromium:
    """The Chromium of this test process: started by the first test that needs one, ended with the process."""

    def __init__(self) -> None:
        self._playwright: Playwright | None = None
        self._browser: Browser | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @contextmanager
    def lent(self) -> Iterator[Browser]:
        """For one test, whose windows share nothing with another's and are closed after it."""
        if self._browser is None or not self._browser.is_connected():
            self._start()
        assert self._browser is not None
        # Playwright says of this thread that its loop runs there: true of a test with a browser, and of no other.
        asyncio._set_running_loop(self._loop)
        try:
            yield self._browser
        finally:
            for context in self._browser.contexts:
                context.close()
            asyncio._set_running_loop(None)

    def _start(self) -> None:
        self.end()
        self._playwright = sync_playwright().start()
        self._loop = asyncio.get_running_loop()
        self._browser = self._playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])

    def end(self) -> None:
        if self._playwright is not None:
            asyncio._set_running_loop(self._loop)
            self._playwright.stop()
            asyncio._set_running_loop(None)
        self._playwright = self._browser = self._loop = None


CHROMIUM = _Chromium()


def chromium() -> str:
    """The machine's Chromium; `make test` makes sure of one."""
    for name in (os.environ.get("TEST_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name) if name else None
        if found:
            return found
    raise AssertionError("There is no Chromium here: make browser")


def sign_in(page: Page, account: Account) -> None:
    page.goto("/sign-in")
    page.get_by_label("E-mail address").fill(account.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
