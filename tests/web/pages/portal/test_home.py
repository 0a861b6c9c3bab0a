"""The first page of a provider: what waits, each thing once, and the way to a package."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dps.kernel.database import Database
from tests.web.pages.test_portal import provider
from tests.web.served import Served

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])


@pytest.fixture
def halton(database: Database, tmp_path: Path) -> Iterator[Served]:
    """A council that offers its packages and takes no bids."""
    with Served(database, tmp_path, "halton") as council:
        yield council


def test_what_is_offered_is_not_counted_as_open_once_more(halton: Served) -> None:
    oak = provider(halton, "Oak")
    halton.world.referral()

    page = oak.open("/portal").text

    assert "<strong>1</strong><span>offer waits for your answer" in page
    assert "<strong>0</strong><span>open packages you have not answered" in page
    assert "Nothing new is open to you now." in page
    assert "How a package is won" in page
    assert "There is nothing to bid." in page
    assert "no scheme’s list" not in page
