"""A handful of seeds of the whole engine; `make faults-long` plays thousands, and prints the seed that fails."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bidding.histories import Worlds
from tests.faults.simulation import simulate
from tests.support.schema import SqliteSchema


@pytest.fixture
def worlds(sqlite_schema: SqliteSchema, tmp_path: Path) -> Iterator[Worlds]:
    made = Worlds(sqlite_schema.database, tmp_path, copies=True)
    yield made
    made.close()


@pytest.mark.database
@pytest.mark.slow
def test_no_seed_loses_doubles_oversells_or_is_early(worlds: Worlds) -> None:
    played = [simulate(worlds, seed) for seed in range(6)]

    assert {one.seed: one.faults for one in played if one.faults} == {}
    assert sum(one.deaths for one in played) > 0
    told = {" ".join(line.split()[:2]) for one in played for line in one.trace}
    assert {"clock change", "clock back", "mail away"} <= told


@pytest.mark.database
def test_a_seed_plays_the_same_story_again(worlds: Worlds) -> None:
    first, again, other = (simulate(worlds, seed, steps=25) for seed in (3, 3, 4))

    assert first.trace == again.trace
    assert first.digest != other.digest
