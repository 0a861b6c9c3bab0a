"""`dps accounts`: who may sign in."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dps.kernel.clock import AcceleratedClock, DatabaseClock
from tests.web.served import dps
from web.assembly import opened
from web.security.accounts import every_account

SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])


@SQLITE
def test_an_account_is_added_listed_asked_to_choose_another_password_and_closed(installed: Path) -> None:
    added = dps(
        "accounts", "add", "Ann@Example.org", "--name", "Ann", "--part", "broker", "--authority", "st-helens", "--json"
    )
    made = json.loads(added.stdout)
    renewed = dps("accounts", "new-password", "ann@example.org")
    closed = dps("accounts", "close", "ann@example.org")
    late = dps("accounts", "new-password", "ann@example.org")
    (row,) = json.loads(dps("accounts", "list", "--json").stdout)

    assert (late.exit_code, "closed for good" in late.stderr) == (2, True)
    assert made["email"] == "ann@example.org"
    assert made["link"].startswith(f"http://127.0.0.1:8000/sign-in/invitations/{made['account']}/")
    assert renewed.stdout.strip().rpartition("/")[0] == made["link"].rpartition("/")[0]
    assert renewed.stdout.strip() != made["link"]
    assert closed.exit_code == 0
    assert (row["account"], row["part"], row["for"], row["closed"]) == (made["account"], "broker", "st-helens", True)


@SQLITE
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--part", "broker"), "works for one authority"),
        (("--part", "broker", "--authority", "nowhere"), "There is no authority"),
        (("--part", "provider_user"), "names its provider"),
        (("--part", "provider_user", "--provider", "PRV-0000-0000-0000"), "provider"),
    ],
)
def test_an_account_that_makes_no_sense_is_refused_in_one_line(
    installed: Path, arguments: tuple[str, ...], words: str
) -> None:
    result = dps("accounts", "add", "ann@example.org", "--name", "Ann", *arguments)

    assert result.exit_code == 2
    assert words in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert json.loads(dps("accounts", "list", "--json").stdout) == []


@SQLITE
def test_an_address_has_one_account(installed: Path) -> None:
    arguments = ("--name", "Ann", "--part", "auditor")
    dps("accounts", "add", "ann@example.org", *arguments)

    again = dps("accounts", "add", " ANN@example.org", *arguments)

    assert again.exit_code == 1
    assert "already" in again.stderr


@SQLITE
def test_a_link_is_good_for_a_week_of_real_time_in_a_demonstration_too(
    installed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with opened() as installation, installation.database.transaction() as session:
        AcceleratedClock().start(session, origin=datetime(2019, 3, 4, tzinfo=UTC), rate=60)
    for name, value in {"DPS_DEMO": "1", "DPS_CLOCK": "accelerated"}.items():
        monkeypatch.setenv(name, value)

    dps("accounts", "add", "ann@example.org", "--name", "Ann", "--part", "auditor")

    with opened() as installation, installation.database.reading() as session:
        (account,) = every_account(session)
        assert account.is_invited(DatabaseClock().read(session))
