"""The procedure of a bad day, walked through: copy, lose everything, put back, prove, go on."""

import os
import shutil
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from dps.kernel.database import database_url
from dps.kernel.settings import read_settings
from tests.support.postgres import find_binaries
from tests.web.served import dps


@pytest.fixture(autouse=True)
def client_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    """PostgreSQL's own programs, where the tests' server has them."""
    monkeypatch.setenv("PATH", f"{find_binaries()}{os.pathsep}{os.environ['PATH']}")


def copies(folder: Path) -> dict[str, Path]:
    return {part: folder / f"{part}.copy" for part in ("database", "keys", "identities")}


def test_everything_is_copied_lost_put_back_and_proved(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dps("accounts", "add", "ann@example.org", "--name", "Ann", "--part", "auditor")
    before = dps("accounts", "list", "--json").stdout
    for part, copy in copies(installed).items():
        result = dps("backup", part, str(copy))
        assert result.exit_code == 0, result.output

    lost = read_settings()
    shutil.rmtree(lost.keys_dir)
    shutil.rmtree(lost.identities_dir)
    elsewhere(monkeypatch, installed, lost.database_url)
    restored = [dps("restore", part, str(copy)) for part, copy in copies(installed).items()]
    proved = dps("audit", "verify")

    assert [result.exit_code for result in restored] == [0, 0, 0], [result.output for result in restored]
    assert proved.exit_code == 0, proved.output
    assert dps("accounts", "list", "--json").stdout == before
    assert dps("work", "--once").exit_code == 0


def elsewhere(monkeypatch: pytest.MonkeyPatch, folder: Path, url: str) -> None:
    """Another, empty database of the same kind."""
    if url.startswith("sqlite"):
        monkeypatch.setenv("DPS_DATABASE_URL", f"sqlite:///{folder / 'other.sqlite3'}")
        return
    engine = create_engine(database_url(url), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()


def test_nothing_that_stands_is_overwritten(installed: Path) -> None:
    files = copies(installed)
    for part, copy in files.items():
        dps("backup", part, str(copy))

    again = [dps("backup", part, str(copy)) for part, copy in files.items()]
    over = [dps("restore", part, str(copy)) for part, copy in files.items()]

    assert {result.exit_code for result in [*again, *over]} == {2}
    assert all(len(result.stderr.strip().splitlines()) == 1 for result in [*again, *over])


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_copy_that_is_not_whole_or_of_another_kind_is_refused(installed: Path) -> None:
    files = copies(installed)
    for part, copy in files.items():
        dps("backup", part, str(copy))
    shutil.rmtree(read_settings().keys_dir)

    other = dps("restore", "keys", str(files["identities"]))
    with files["keys"].open("r+b") as file:
        file.seek(600)
        file.write(b"?")
    damaged = dps("restore", "keys", str(files["keys"]))
    files["keys"].with_name("keys.copy.sha256").unlink()
    unsealed = dps("restore", "keys", str(files["keys"]))

    assert "is wanted" in other.stderr
    assert "not whole" in damaged.stderr
    assert "no seal" in unsealed.stderr
    assert not read_settings().keys_dir.exists()


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_no_copy_can_be_read_by_others_and_the_database_s_holds_no_key(installed: Path) -> None:
    files = copies(installed)
    for part, copy in files.items():
        dps("backup", part, str(copy))

    secrets = [file.read_bytes() for file in read_settings().identities_dir.iterdir()]
    apart = files["database"].read_bytes() + files["keys"].read_bytes()

    assert {copy.stat().st_mode & 0o077 for copy in files.values()} == {0}
    assert secrets
    assert not any(secret in apart for secret in secrets)
