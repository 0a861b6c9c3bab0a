"""Samples of the campaign of scripts: `make faults-long` sends all sixty through every field."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dps.kernel.database import Database
from tests.faults.canary_person import telling_scheme
from tests.faults.payloads import PAYLOADS
from tests.faults.scripting import Stored, broker_of, in_chromium, ran_in, scripts
from tests.web.pages.chromium import CHROMIUM, Site
from tests.web.served import Served

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])


@pytest.fixture
def council(database: Database, tmp_path: Path) -> Iterator[Served]:
    with Served(database, tmp_path, telling_scheme()) as served:
        yield served


@SQLITE
@pytest.mark.slow
def test_nothing_that_is_written_into_a_field_runs(council: Served) -> None:
    found = scripts(council, payloads=PAYLOADS[3::30])

    assert found.faults == []


@SQLITE
@pytest.mark.slow
def test_a_browser_without_a_policy_runs_none_of_them(council: Served) -> None:
    stored = Stored(council, PAYLOADS[::10])
    stored.store()
    listening = Site(council)
    site = listening.start()
    with CHROMIUM.lent() as browser:
        paths = [f"/desk/referrals/{story['referral_ref']}" for story in stored.stories]
        faults = in_chromium(stored, browser, site, broker_of(council), paths)
    listening.stop()

    assert faults == []


def test_there_are_sixty_and_each_would_be_seen() -> None:
    assert len(set(PAYLOADS)) == 60
    live = [payload for payload in PAYLOADS if payload.startswith(("<s", "<i", "<d", "<v", "<b", "<o", "<e"))]

    assert [payload for payload in live if not ran_in(f"<p>{payload}</p>")] == []
    assert ran_in("<p>&lt;script&gt;xss()&lt;/script&gt;</p>") == []
