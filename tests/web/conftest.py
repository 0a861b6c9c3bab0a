"""A council served, and an installation operated from the command line."""

import shutil
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
import structlog
from sqlalchemy import make_url

from dps.kernel.database import Database
from tests.support.postgres import Cluster
from tests.web.served import Served, dps


@pytest.fixture(autouse=True)
def logs_as_they_were() -> Iterator[None]:
    """A command run in this process writes its logs to a screen that is gone after the test."""
    yield
    structlog.reset_defaults()


@pytest.fixture
def served(database: Database, tmp_path: Path) -> Iterator[Served]:
    """St Helens with its application; nobody has a key yet but who asks for one."""
    with Served(database, tmp_path) as council:
        yield council


@pytest.fixture
def environment(tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation's settings, nothing made yet; its folder, where `ours.toml` is a scheme that runs for long."""
    prepare(tmp_path, database_url, monkeypatch)
    return tmp_path


def prepare(folder: Path, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "DPS_SECRET": "made-up-for-tests-made-up-for-tests",
        "DPS_DATABASE_URL": database_url,
        "DPS_KEYS_DIR": str(folder / "keys"),
        "DPS_IDENTITIES_DIR": str(folder / "identities"),
        "DPS_SPOOL_DIR": str(folder / "spool"),
        "DPS_NOTES_DIR": str(folder / "notes"),
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    preset = files("dps.schemes").joinpath("presets/st-helens.toml").read_text()
    (folder / "ours.toml").write_text(preset.replace("ends = 2022-12-01", "ends = 2199-12-01"))


@pytest.fixture
def installed(environment: Path, database_url: str, database_kind: str, request: pytest.FixtureRequest) -> Path:
    """The same after `dps init`: done once on each kind of database, and copied for each test."""
    url = make_url(database_url)
    if database_kind == "sqlite":
        made: Path = request.getfixturevalue("made_on_sqlite")
        shutil.copy(made / "database.sqlite3", str(url.database))
    else:
        made, template = request.getfixturevalue("made_on_postgresql")
        cluster: Cluster = request.getfixturevalue("postgres")
        cluster.renew(str(url.database), template)
    for folder in ("keys", "identities"):
        shutil.copytree(made / folder, environment / folder)
    return environment


@pytest.fixture(scope="session")
def made_on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of an installation on SQLite."""
    folder = tmp_path_factory.mktemp("made")
    initialise(folder, f"sqlite:///{folder / 'database.sqlite3'}")
    return folder


@pytest.fixture(scope="session")
def made_on_postgresql(tmp_path_factory: pytest.TempPathFactory, postgres: Cluster) -> tuple[Path, str]:
    """The folder of an installation on PostgreSQL, and its database."""
    folder, database = tmp_path_factory.mktemp("made"), postgres.create()
    initialise(folder, postgres.url(database))
    return folder, database


def initialise(folder: Path, database_url: str) -> None:
    """Run `dps init` once."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        prepare(folder, database_url, monkeypatch)
        result = dps("init", "--scheme", str(folder / "ours.toml"))
    assert result.exit_code == 0, result.output
