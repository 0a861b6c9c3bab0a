"""`dps` as an operator meets it: help everywhere, one clear line for what is refused, telling exit codes."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Collection, Mapping
from contextlib import closing
from pathlib import Path

import pytest
import typer
from sqlalchemy import make_url, text

from dps.kernel.database import Database
from dps.migrations import history
from dps.places import packaged
from dps.places.editions import Edition
from tests.conftest import ROOT
from tests.support.tampering import unguard
from tests.web.served import dps
from web.cli import COMMANDS
from web.deliveries_file import COLUMNS as OF_DELIVERIES
from web.provider_rows import ADMITTED, NEEDED, OPTIONAL
from web.referrals_file import COLUMNS as OF_REFERRALS
from web.tables import metadata


def commands(loaded: object, name: str) -> list[list[str]]:
    """The path of every command below `name`."""
    if not isinstance(loaded, typer.Typer):
        return [[name]]
    own = [[name, command.name or ""] for command in loaded.registered_commands]
    groups = [group.typer_instance for group in loaded.registered_groups]
    below = [[name, *path] for group in groups if group for path in commands(group, str(group.info.name))]
    return [[name], *own, *below]


def test_every_command_has_its_help() -> None:
    paths = [path for name, (load, _) in COMMANDS.items() for path in commands(load(), name)]

    for path in paths:
        result = dps(*path, "--help")

        assert result.exit_code == 0, (path, result.output)
        assert "Usage" in result.output
    assert ["keys", "api", "create"] in paths


@pytest.mark.parametrize(
    ("what", "columns"),
    [
        ("providers", (*NEEDED, *OPTIONAL, *ADMITTED)),
        ("register", (*NEEDED, *OPTIONAL, *ADMITTED)),
        ("referrals", OF_REFERRALS),
        ("deliveries", tuple(OF_DELIVERIES)),
    ],
)
def test_the_help_of_an_import_names_every_column(what: str, columns: tuple[str, ...]) -> None:
    said = " ".join(dps("import", what, "--help").output.split())

    assert [column for column in columns if not re.search(rf"\b{column}\b", said)] == []
    assert "(needed)" in said


def test_the_list_of_commands_says_what_each_is_for() -> None:
    result = dps("--help")

    listed = re.findall(r"^│ ([\w-]+) +(\S.*?) *│$", result.output, re.MULTILINE)
    assert {name: words for name, words in listed if name in COMMANDS} == {
        name: words for name, (_, words) in COMMANDS.items()
    }


def test_the_version_is_one_line() -> None:
    result = dps("--version")

    assert (result.exit_code, len(result.output.splitlines())) == (0, 1)


def test_an_installation_is_made_and_made_again_without_change(environment: Path) -> None:
    first = dps("init", "--scheme", str(environment / "ours.toml"))
    keys = {path.name: path.read_bytes() for path in (environment / "keys").iterdir()}
    second = dps("init", "--scheme", str(environment / "ours.toml"))

    assert (first.exit_code, second.exit_code) == (0, 0), first.output + second.output
    assert "Keys: made" in first.output
    assert "Rules: those of st-helens published" in first.output
    assert "Keys: there already" in second.output
    assert f"at step {history.newest()} already" in second.output
    assert "loaded already" in second.output
    assert "stand already" in second.output
    assert {path.name: path.read_bytes() for path in (environment / "keys").iterdir()} == keys


@pytest.mark.parametrize("database_kind", ["sqlite"])
@pytest.mark.parametrize(
    ("arguments", "changes", "words"),
    [
        (["migrate"], {"DPS_SECRET": "short"}, "DPS_SECRET is too short"),
        (["migrate"], {"DPS_DATABASE_URL": "mysql://somewhere"}, "use sqlite or postgresql"),
        (["migrate"], {"DPS_DATABASE_URL": "sqlite:////nowhere/at/all.sqlite3"}, "does not exist"),
        (["work"], {}, "No identity in"),
        (["serve"], {}, "is missing: run `dps keys create`"),
        (["audit", "verify"], {}, "is missing: run `dps keys create`"),
        (["init", "--scheme", "nowhere"], {}, "There is no preset scheme"),
        (["import", "referrals", "nowhere.csv", "--scheme", "st-helens"], {}, "is missing"),
        (["import", "referrals", "nowhere.csv", "--scheme", "st-helens", "--publish"], {}, "--write"),
    ],
)
def test_what_makes_no_sense_is_said_in_one_line_and_exits_2(
    environment: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], changes: Mapping[str, str], words: str
) -> None:
    for name, value in changes.items():
        monkeypatch.setenv(name, value)

    result = dps(*arguments)

    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_postcodes_are_read_before_the_database_is_locked(
    environment: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, looked = packaged.read, []

    def while_another_writes(districts: Collection[str]) -> Edition:
        with closing(sqlite3.connect(str(make_url(database_url).database), timeout=0)) as other:
            other.execute("BEGIN IMMEDIATE")  # refused while somebody else writes
            looked.append(len(districts))
        return read(districts)

    monkeypatch.setattr(packaged, "read", while_another_writes)

    result = dps("init", "--scheme", str(environment / "ours.toml"))

    assert (result.exit_code, len(looked)) == (0, 1), result.output


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_preset_whose_term_is_over_makes_all_but_its_rules_and_the_next_step_is_named(environment: Path) -> None:
    result = dps("init", "--scheme", "st-helens")

    assert result.exit_code == 0
    assert "Rules: those of st-helens are not published. The scheme st-helens runs from 2016-12-01" in result.stdout
    assert "Next: `dps init --scheme st-helens --starts-on YYYY-MM-DD --ends-on YYYY-MM-DD`" in result.stdout
    assert "Ready" not in result.stdout


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_preset_is_published_with_the_councils_own_term(environment: Path) -> None:
    own = ("--starts-on", "2024-04-01", "--ends-on", "2199-04-01")
    result = dps("init", "--scheme", "liverpool", *own)
    again = dps("init", "--scheme", "liverpool", *own)

    assert (result.exit_code, again.exit_code) == (0, 0), result.output
    assert "Rules: those of liverpool published" in result.stdout
    assert "stand already" in again.stdout
    assert "Ready: `dps serve`" in result.stdout


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_term_that_the_rules_do_not_allow_is_refused_before_anything_is_made(environment: Path) -> None:
    result = dps("init", "--scheme", "st-helens", "--starts-on", "2099-04-01", "--ends-on", "2024-04-01")

    assert result.exit_code == 2
    assert "term" in result.stderr
    assert not (environment / "keys").exists()


@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_a_database_that_does_not_answer_is_one_line_and_exits_1(
    environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DPS_DATABASE_URL", f"postgresql://nobody@/nothing?host={environment}")

    result = dps("migrate")

    assert result.exit_code == 1
    assert result.stderr.startswith("The database can't be used: ")
    assert len(result.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_database_without_tables_is_not_served(environment: Path) -> None:
    dps("keys", "create")

    result = dps("serve")

    assert result.exit_code == 2
    assert "run `dps migrate`" in result.stderr


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_web_process_refuses_to_be_given_the_identities(environment: Path) -> None:
    result = dps("serve", "--without-worker")

    assert result.exit_code == 2
    assert "DPS_IDENTITIES_DIR" in result.stderr


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_keys_are_made_once_and_rotated_by_adding(environment: Path) -> None:
    made, again = dps("keys", "create"), dps("keys", "create")
    before = set((environment / "identities").iterdir())
    rotated = dps("keys", "rotate")

    signing = dps("keys", "rotate", "--signing")

    assert (made.exit_code, again.exit_code, rotated.exit_code, signing.exit_code) == (0, 2, 0, 0)
    assert len(json.loads((environment / "keys" / "signing.pub.json").read_text())) == 2
    assert "Back both folders up" in made.output
    assert before < set((environment / "identities").iterdir())


def test_an_api_key_is_made_listed_and_revoked(installed: Path) -> None:
    made = dps("keys", "api", "create", "--label", "a look", "--role", "broker", "--authority", "st-helens", "--json")
    name, key = (json.loads(made.stdout)[field] for field in ("name", "key"))
    listed = dps("keys", "api", "list", "--json")
    revoked = dps("keys", "api", "revoke", name)
    after = json.loads(dps("keys", "api", "list", "--json").stdout)

    assert key.startswith("dps_")
    assert key not in listed.stdout
    assert [(row["name"], row["for"], row["in_force"]) for row in json.loads(listed.stdout)] == [
        (name, "st-helens", True)
    ]
    assert revoked.exit_code == 0
    assert [row["in_force"] for row in after] == [False]


@pytest.mark.parametrize("database_kind", ["sqlite"])
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--role", "broker"], "works for one authority"),
        (["--role", "broker", "--authority", "nowhere"], "There is no authority"),
        (["--role", "provider"], "names its provider"),
        (["--role", "provider", "--provider", "PRV-0000-0000-0000"], "There is no provider"),
        (["--role", "clock"], "nobody but the worker"),
        (["--role", "auditor", "--account", "USR-1"], "is no reference"),
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(installed: Path, arguments: list[str], words: str) -> None:
    result = dps("keys", "api", "create", "--label", "a look", *arguments)

    assert result.exit_code == 2
    assert words in result.stderr
    assert json.loads(dps("keys", "api", "list", "--json").stdout) == []


def test_the_audit_names_every_fault_and_exits_1(installed: Path, database_url: str) -> None:
    clean = dps("audit", "verify", "--json")
    database = Database(database_url)
    with database.engine.begin() as connection:
        unguard(connection)
        connection.execute(text("UPDATE audit_event SET actor = 'nobody' WHERE id = 1"))
    database.dispose()

    by_auditor = dps("audit", "verify", "--public-keys", str(installed / "keys" / "signing.pub.json"))
    as_json = dps("audit", "verify", "--json")

    assert (clean.exit_code, json.loads(clean.stdout)["ok"]) == (0, True)
    assert by_auditor.exit_code == as_json.exit_code == 1
    assert "it was changed after it was written" in by_auditor.stderr
    assert json.loads(as_json.stdout)["faults"]


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_file_that_holds_no_public_keys_is_refused(installed: Path) -> None:
    (installed / "other.json").write_text("[1, 2]")

    result = dps("audit", "verify", "--public-keys", str(installed / "other.json"))

    assert result.exit_code == 2
    assert result.stderr.strip() == "other.json: is no file of public keys such as signing.pub.json"


def test_migrate_makes_and_then_leaves_alone(environment: Path, database_url: str) -> None:
    made, again = dps("migrate"), dps("migrate")

    step = history.newest()
    assert made.output == f"Database: made, at step {step}.\n"
    assert again.output == f"Database: at step {step} already.\n"
    database = Database(database_url)
    assert history.migrate(database, metadata)[0] == history.newest()
    database.dispose()


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_real_process_says_the_same(environment: Path) -> None:
    """The exit code and the streams as a shell sees them; no traceback."""
    command = [sys.executable, "-m", "web.cli", "audit", "verify"]

    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, env=dict(os.environ))

    assert ended.returncode == 2
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 1


def test_a_receipt_is_checked_without_a_database(installed: Path) -> None:
    nothing, keys = installed / "receipt.json", installed / "keys" / "signing.pub.json"
    nothing.write_text('{"format": "dps-receipt-1", "key_id": "0000000000000000"}')

    faulty = dps("audit", "verify", "--receipt", str(nothing), "--public-keys", str(keys))
    missing = dps("audit", "verify", "--receipt", str(installed / "none.json"), "--public-keys", str(keys))
    stray = dps("audit", "verify", "--closing", str(nothing))

    assert faulty.exit_code == 1
    assert "is not among the public keys" in faulty.stderr
    assert (missing.exit_code, stray.exit_code) == (2, 2)
    assert "none.json" in missing.stderr


def test_a_pack_of_no_award_says_so_and_writes_nothing(installed: Path) -> None:
    result = dps("audit", "pack", "AWD-0000-0000-0000", "--out", str(installed / "pack.zip"), "--no-replay")

    assert result.exit_code == 2
    assert not (installed / "pack.zip").exists()


def test_the_retention_schedule_changes_nothing_unless_told_to(installed: Path) -> None:
    listed = dps("retention", "--json")
    erased = dps("retention", "--erase")

    assert json.loads(listed.stdout) == {"due": [], "erased": 0, "kept": []}
    assert (erased.exit_code, erased.stdout) == (0, "Nobody is due: everybody's time still runs.\n")
