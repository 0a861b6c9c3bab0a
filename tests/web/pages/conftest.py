"""A council served to people: as the demonstration is, and as in life, over TLS and with second factors."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dps.kernel.database import Database
from tests.web.pages.browsing import Browser
from tests.web.served import Served


@pytest.fixture
def browser(served: Served) -> Browser:
    return Browser(served)


@pytest.fixture
def in_life(database: Database, tmp_path: Path) -> Iterator[Served]:
    """St Helens as no demonstration: cookies ask for TLS, every account needs its code."""
    with Served(database, tmp_path, demo=False) as council:
        yield council
