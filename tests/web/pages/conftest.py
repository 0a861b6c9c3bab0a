"""A council served to people: as the demonstration is, and as in life, over TLS and with second factors."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from dps.kernel.database import Database
from tests.web.pages.browsing import Browser
from tests.web.pages.chromium import CHROMIUM, PATIENCE_MS, Site
from tests.web.served import Served


@pytest.fixture
def browser(served: Served) -> Browser:
    return Browser(served)


@pytest.fixture
def in_life(database: Database, tmp_path: Path) -> Iterator[Served]:
    """St Helens as no demonstration: cookies ask for TLS, every account needs its code."""
    with Served(database, tmp_path, demo=False) as council:
        yield council


@pytest.fixture
def worcestershire(database: Database, tmp_path: Path) -> Iterator[Served]:
    """A council that decides jointly, so that bundles are taken."""
    with Served(database, tmp_path, "worcestershire") as council:
        yield council


@pytest.fixture
def site(served: Served) -> Iterator[str]:
    listening = Site(served)
    yield listening.start()
    listening.stop()


@pytest.fixture
def people(site: str) -> Iterator[list[Page]]:
    """Three windows of one Chromium that share nothing. What their consoles complain of fails the test."""
    complaints: list[str] = []
    with CHROMIUM.lent() as browser:
        pages = [browser.new_context(base_url=site, locale="en-GB").new_page() for _ in range(3)]
        for page in pages:
            page.set_default_timeout(PATIENCE_MS)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
        yield pages
    assert complaints == []
