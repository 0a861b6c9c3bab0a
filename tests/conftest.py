"""What every test may ask for: a database of each kind, and the shared data where it is present."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from dps.kernel.collecting import spare_what_is_loaded
from dps.kernel.database import Database
from dps.kernel.keys import Keyring, create_keys, load_keyring
from tests.support.postgres import Cluster, find_binaries
from tests.support.schema import PostgresqlSchema, SqliteSchema

ROOT = Path(__file__).resolve().parents[1]
SHARED_DATA = ROOT.parent / "shared" / "data"

# No test is timed: a machine at work elsewhere must not turn one red. CI draws the same examples in every run.
settings.register_profile(
    "full", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=bool(os.environ.get("CI"))
)
settings.register_profile("quick", settings.get_profile("full"), max_examples=20)
settings.load_profile("full")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL cluster of this test process, started when the first test needs it."""
    with Cluster(find_binaries()) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def keyring(tmp_path_factory: pytest.TempPathFactory) -> Keyring:
    """The keys of an installation, for what needs no more of it."""
    folder = tmp_path_factory.mktemp("installation")
    create_keys(folder / "keys", folder / "identities")
    return load_keyring(folder / "keys")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """Which database a test runs on: each in turn, or the one that a test names.

    `@pytest.mark.parametrize("database_kind", ["postgresql"])` above a test is how it names one.
    """
    kind: str = request.param
    return kind


@pytest.fixture
def database_url(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database of this test alone, without tables; where tables are wanted, `database` is quicker."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.sqlite3'}"
        return
    cluster: Cluster = request.getfixturevalue("postgres")
    name = cluster.create()
    yield cluster.url(name)
    cluster.drop(name)


@pytest.fixture
def database(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """A database with every table and no row; `database.url` is what another process opens it by."""
    if database_kind == "sqlite":
        sqlite: SqliteSchema = request.getfixturevalue("sqlite_schema")
        opened = sqlite.database(tmp_path / "test.sqlite3")
    else:
        postgresql: PostgresqlSchema = request.getfixturevalue("postgresql_schema")
        opened = postgresql.database()
    yield opened
    opened.dispose()


@pytest.fixture(scope="session")
def sqlite_schema(tmp_path_factory: pytest.TempPathFactory) -> SqliteSchema:
    return SqliteSchema(tmp_path_factory.mktemp("schema"))


@pytest.fixture(scope="session")
def postgresql_schema(postgres: Cluster) -> PostgresqlSchema:
    return PostgresqlSchema(postgres)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real rows and figures beside the repository; a test without it is skipped and says so."""
    if not SHARED_DATA.is_dir():
        pytest.skip(f"left out: {SHARED_DATA} is not here")
    return SHARED_DATA


def pytest_collection_finish() -> None:
    """What the tests have imported is there until the end."""
    spare_what_is_loaded()


def pytest_sessionfinish() -> None:
    """End the browser that tests shared, where one of them needed it."""
    shared = sys.modules.get("tests.web.pages.chromium")
    if shared is not None:
        shared.CHROMIUM.end()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what needs a database, and which, so that `-m` can leave it out."""
    for item in items:
        fixtures = getattr(item, "fixturenames", ())
        kind = item.callspec.params.get("database_kind") if hasattr(item, "callspec") else None
        if kind == "postgresql" or "postgres" in fixtures:
            item.add_marker(pytest.mark.postgresql)
        if "database_kind" in fixtures or "postgres" in fixtures:
            item.add_marker(pytest.mark.database)
