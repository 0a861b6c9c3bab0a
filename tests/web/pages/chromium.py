"""A real Chromium over a council that listens on a port of its own, for journeys that need one."""

import os
import shutil
import socket
import threading

import pytest
import uvicorn
from playwright.sync_api import Page

from dps.kernel.clock import DatabaseClock
from tests.web.pages.browsing import PASSWORD
from tests.web.served import Served
from web.app import create_app
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
        app = create_app(served.installation, wall=DatabaseClock())
        self._server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical", lifespan="on"))
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
