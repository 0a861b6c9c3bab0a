"""A council served, and an installation operated from the command line."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest
import structlog

from dps.kernel.database import Database
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
    given = {
        "DPS_SECRET": "made-up-for-tests-made-up-for-tests",
        "DPS_DATABASE_URL": database_url,
        "DPS_KEYS_DIR": str(tmp_path / "keys"),
        "DPS_IDENTITIES_DIR": str(tmp_path / "identities"),
        "DPS_SPOOL_DIR": str(tmp_path / "spool"),
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    preset = files("dps.schemes").joinpath("presets/st-helens.toml").read_text()
    (tmp_path / "ours.toml").write_text(preset.replace("ends = 2022-12-01", "ends = 2199-12-01"))
    return tmp_path


@pytest.fixture
def installed(environment: Path) -> Path:
    """The same after `dps init`."""
    result = dps("init", "--scheme", str(environment / "ours.toml"))
    assert result.exit_code == 0, result.output
    return environment
