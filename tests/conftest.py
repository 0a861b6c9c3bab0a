"""What every test may ask for: a database of each kind, and the shared data where it is present."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from tests.support.postgres import Cluster, find_binaries

ROOT = Path(__file__).resolve().parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"
DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]

# No test is timed: a machine at work elsewhere must not turn one red. CI draws the same examples in every run.
settings.register_profile(
    "dps", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=bool(os.environ.get("CI"))
)
settings.load_profile("dps")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL cluster of this test process, started when the first test needs it."""
    with Cluster(find_binaries()) as cluster:
        yield cluster


@pytest.fixture(params=DATABASES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database of this test alone; the test runs once on SQLite and once on PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'test.sqlite'}"
        return
    cluster: Cluster = request.getfixturevalue("postgres")
    name = cluster.create()
    yield cluster.url(name)
    cluster.drop(name)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real rows and figures beside the repository; a test without it is skipped and says so."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"left out: {SHARED_DATA} is not here")
    return SHARED_DATA
