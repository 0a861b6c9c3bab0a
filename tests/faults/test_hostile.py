"""Heads, bodies and addresses that nobody sends in good faith: no fault of ours, no harm to others (line 13)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dps.kernel.database import Database
from tests.faults import hostile
from tests.web.served import Served

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def council(database: Database, tmp_path: Path) -> Iterator[Served]:
    with Served(database, tmp_path) as served:
        yield served


# The stricter of the two; `make faults-long` sends all on both.
@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_whatever_is_sent_to_the_web_process_is_refused_in_words_at_little_cost(
    council: Served, tmp_path: Path
) -> None:
    found = hostile.campaign(council, tmp_path, values=hostile.VALUES[:1])

    assert found.faults == []
    assert int(found.counted["answered"]) > 200
