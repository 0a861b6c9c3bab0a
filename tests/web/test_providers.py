"""`dps import providers FILE` as an operator types it: tried first, every fault at its cell, then all or nothing."""

import csv
import json
from collections.abc import Callable, Sequence
from datetime import date, time
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import typer
from sqlmodel import col, func, select
from typer.testing import CliRunner, Result

from dps.kernel.audit import AuditEvent
from dps.kernel.database import Database
from dps.register.membership import Membership
from dps.register.providers import Location, Provider
from dps.schemes.loader import preset
from dps.schemes.model import Rating
from tests.support.keys import put_keys
from tests.support.schema import stamp
from web.providers import import_providers

HEADER = (
    *("name", "company number", "location name", "regulator_id", "place", "lad", "rating", "registered_on"),
    *("skills", "service_from", "service_until"),
)
ADMITTED = (*HEADER, "lists", "lots", "localities")
SCHEME = preset("worcestershire")
PLACE = (SCHEME.lists[0].key, SCHEME.lots[0].key, ", ".join(place.key for place in SCHEME.localities[:2]))
EMBER = ("Ember Home Care", "1234567", "Ember House", "1-101", "WR1 1AA", "E07000237", "Good", "14/06/2015")
ALSO_EMBER = ("Ember Home Care", "01234567", "Ember Lodge", "1-102", "wr11", "", "", "2016-01-31")
SOLE = ("A. Reed", "", "A. Reed", "1-103", "WR2 4", "", "requires improvement", "2017-02-01")

Import = Callable[..., Result]


@pytest.fixture
def database_url(database: Database) -> str:
    """A database of this release, without a row."""
    stamp(database)
    return database.url.render_as_string(hide_password=False)


@pytest.fixture
def run(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Import:
    """Runs `dps import providers …`."""
    put_keys(tmp_path / "keys", tmp_path / "identities")
    monkeypatch.setenv("DPS_DEMO", "true")
    monkeypatch.setenv("DPS_DATABASE_URL", database_url)
    monkeypatch.setenv("DPS_KEYS_DIR", str(tmp_path / "keys"))
    app = typer.Typer()
    app.command("providers")(import_providers)
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def a_csv(folder: Path, *rows: Sequence[str], header: Sequence[str] = ADMITTED) -> Path:
    path = folder / "providers.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([header, *(tuple(row) + ("",) * (len(header) - len(row)) for row in rows)])
    return path


def count(database_url: str, table: Any) -> int:
    database = Database(database_url)
    with database.reading() as session:
        found = session.exec(select(func.count()).select_from(table)).one()
    database.dispose()
    return found


def test_a_file_is_tried_and_nothing_is_written(run: Import, database_url: str, tmp_path: Path) -> None:
    result = run(a_csv(tmp_path, EMBER, ALSO_EMBER, SOLE, header=HEADER))

    assert result.exit_code == 0, result.output
    assert "2 providers, 3 locations, 0 memberships to write." in result.stdout
    assert [count(database_url, table) for table in (Provider, Location, AuditEvent)] == [0, 0, 0]


def test_what_was_tried_is_written_when_it_is_asked_for(run: Import, database_url: str, tmp_path: Path) -> None:
    with_hours = (*EMBER, "dementia, end-of-life", "22:00", "07:00", *PLACE)

    result = run(a_csv(tmp_path, with_hours, ALSO_EMBER, SOLE), "--scheme", "worcestershire", "--write", "--json")

    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout)["memberships"] == 2
    database = Database(database_url)
    with database.reading() as session:
        ember = session.exec(select(Provider).where(Provider.company_number == "01234567")).one()
        locations = session.exec(select(Location).order_by(col(Location.regulator_id))).all()
        members = session.exec(select(Membership.provider_ref)).all()
        assert (ember.skills, ember.service_from_minute, ember.service_until_minute) == (
            ["dementia", "end-of-life"],
            1320,
            1860,
        )
        assert [(one.sector, one.district, one.rating, one.registered_on) for one in locations] == [
            ("WR1 1", "WR1", Rating.GOOD, date(2015, 6, 14)),
            (None, "WR11", Rating.NOT_RATED, date(2016, 1, 31)),
            ("WR2 4", "WR2", Rating.REQUIRES_IMPROVEMENT, date(2017, 2, 1)),
        ]
        assert members == [ember.ref, ember.ref]
    database.dispose()


def test_the_same_file_again_changes_nothing(run: Import, database_url: str, tmp_path: Path) -> None:
    file = a_csv(tmp_path, (*EMBER, "", "", "", *PLACE), ALSO_EMBER, SOLE)
    run(file, "--scheme", "worcestershire", "--write")
    before = [count(database_url, table) for table in (Provider, Location, Membership)]

    result = run(file, "--scheme", "worcestershire", "--write", "--json")

    again = json.loads(result.stdout)
    assert [again[key] for key in ("providers", "locations", "memberships")] == [0, 0, 0]
    assert [again[key] for key in ("providers_known", "locations_known")] == [2, 3]
    assert [count(database_url, table) for table in (Provider, Location, Membership)] == before == [2, 3, 2]


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_every_fault_is_named_with_its_row_and_column(run: Import, database_url: str, tmp_path: Path) -> None:
    file = a_csv(
        tmp_path,
        EMBER,
        (
            "",
            "XX1",
            "Lodge",
            "1-102",
            "nowhere",
            "E0700",
            "splendid",
            "31/02/2016",
            "PEG, dementia!",
            "25:00",
            "",
            "none",
        ),
        ("Elm Care", "01234567", "Elm", "1-101", "WR2", "", "", "2016-01-01"),
        ("Oak Care", "", "Oak", "1-104", "WR2", "", "", "2016-01-01", "", "09:00"),
    )

    result = run(file, "--scheme", "worcestershire", "--write", "--json")

    faults = [(fault["row"], fault["column"]) for fault in json.loads(result.stdout)["faults"]]
    assert result.exit_code == 2
    assert faults == [
        (3, "company_number"),
        (3, "lad"),
        (3, "name"),
        (3, "place"),
        (3, "rating"),
        (3, "registered_on"),
        (3, "service_from"),
        (3, "skills"),
        (4, "name"),
        (4, "regulator_id"),
        (5, "service_until"),
    ]
    assert count(database_url, Provider) == 0


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_fault_that_only_the_register_knows_writes_nothing(run: Import, database_url: str, tmp_path: Path) -> None:
    run(a_csv(tmp_path, EMBER, header=HEADER), "--write")
    claimed = ("Elm Care", "SC123456", "Elm", "1-101", "WR2", "", "", "2016-01-01")

    result = run(a_csv(tmp_path, SOLE, claimed, header=HEADER), "--write")

    assert result.exit_code == 2
    assert "row 3, regulator_id: Location 1-101 is on the register already" in result.stderr
    assert [count(database_url, table) for table in (Provider, Location)] == [1, 1]


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_places_are_those_of_the_scheme(run: Import, tmp_path: Path) -> None:
    file = a_csv(tmp_path, (*EMBER, "", "", "", PLACE[0], "no-such-lot", ""))

    result = run(file, "--scheme", "worcestershire", "--json")

    faults = {(fault["row"], fault["column"]) for fault in json.loads(result.stdout)["faults"]}
    assert faults == {(2, "lots"), (2, "localities")}


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_workbooks_days_times_and_numbers_are_read_as_they_are_shown(
    run: Import, database_url: str, tmp_path: Path
) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(HEADER)
    sheet.append(
        ("Ember", 1234567, "Ember House", "1-101", "WR1", None, "Good", date(2015, 6, 14), "", time(7), time(22, 30))
    )
    book.save(tmp_path / "providers.xlsx")

    result = run(tmp_path / "providers.xlsx", "--scheme", "worcestershire", "--write")

    assert result.exit_code == 0, result.output
    database = Database(database_url)
    with database.reading() as session:
        provider = session.exec(select(Provider)).one()
        location = session.exec(select(Location)).one()
        assert (provider.company_number, provider.service_from_minute, provider.service_until_minute) == (
            "01234567",
            420,
            1350,
        )
        assert location.registered_on == date(2015, 6, 14)
    database.dispose()


@pytest.mark.parametrize("database_kind", ["sqlite"])
@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["no-such-file.csv"], "no-such-file.csv"),
        (["{file}", "--scheme", "no-such-scheme"], "no-such-scheme"),
    ],
)
def test_what_can_not_be_read_ends_with_one_line(run: Import, tmp_path: Path, words: Sequence[str], said: str) -> None:
    file = a_csv(tmp_path, EMBER)

    result = run(*(word.format(file=file) for word in words))

    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_the_columns_of_a_scheme_are_unknown_without_one(run: Import, tmp_path: Path) -> None:
    result = run(a_csv(tmp_path, EMBER))
    other = run(a_csv(tmp_path, EMBER, header=(*HEADER, "colour")))

    assert result.exit_code == other.exit_code == 2
    assert "row 1, lists" in result.stderr
    assert "row 1, colour" in other.stderr
