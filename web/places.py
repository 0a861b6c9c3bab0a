"""`dps places`: load the postcode directory, propose which localities are neighbours."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy import inspect
from sqlmodel import Session, col, select

from dps.kernel.database import Database
from dps.kernel.errors import DpsError, Misconfigured
from dps.kernel.settings import read_settings
from dps.places import loading, onspd, packaged
from dps.places.directory import DirectoryEntry
from dps.places.editions import Edition, councils_by_district, positions_by_sector
from dps.places.loading import Loaded
from dps.places.localities import districts_of
from dps.places.neighbours import LEAST_BOUNDARY_M, shared_boundaries
from dps.places.postcodes import parse_district
from dps.schemes.loader import preset, presets
from dps.schemes.model import Scheme
from dps.schemes.stored import SchemeRules, rules_by_hash
from web.assembly import clock_of
from web.commands.naming import scheme_named
from web.commands.speaking import BAD_INPUT, OPERATOR, AsJson, say_json

# A council with this share of a district's postcodes is said to have all of it: a few always lie over the border.
_WHOLE_DISTRICT = 0.95

app = typer.Typer(name="places", help="Postcodes and localities.", no_args_is_help=True)


@app.command("load")
def load(
    file: Annotated[
        Path | None, typer.Argument(help="An ONSPD or NSPL file (CSV or ZIP); without one, the packaged ONS directory.")
    ] = None,
    schemes: Annotated[
        list[str] | None,
        typer.Option("--scheme", help="Load what this scheme needs: its key or file. May be repeated."),
    ] = None,
    districts: Annotated[
        list[str] | None, typer.Option("--district", help="Load this postcode district. May be repeated.")
    ] = None,
    everything: Annotated[bool, typer.Option("--all", help="Load every district of the directory.")] = False,
    vintage: Annotated[str | None, typer.Option(help="The file's edition, such as 2026-02.")] = None,
    replace: Annotated[
        bool, typer.Option(help="Let the packaged directory replace districts whose live postcodes are known.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Load whole postcode districts: those of the published schemes, unless told otherwise."""
    with _refusals_said(), _database() as database:
        wanted = None if everything else _districts(database, schemes or [], districts or [])
        edition = _read(file, wanted, vintage)
        with database.transaction() as session:
            loaded = loading.load(
                session, edition, OPERATOR, clock_of(read_settings()).read(session), replace_better=replace
            )
        councils = councils_by_district(edition.units)
        if as_json:
            say_json(asdict(loaded) | {"councils": councils})
            return
        for line in _report(loaded, councils):
            typer.echo(line)


@app.command("neighbours")
def neighbours(
    scheme: Annotated[str, typer.Argument(help="The key of a scheme that comes with the engine, or a scheme file.")],
    file: Annotated[
        Path | None, typer.Option(help="Take the postcodes from this ONSPD or NSPL file: it knows the live ones.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Propose which localities are neighbours, and show where the scheme states otherwise."""
    with _refusals_said():
        rows = list(_proposals(scheme_named(scheme), file))
        if as_json:
            say_json(rows)
            return
        for row in rows:
            for line in _proposal(row):
                typer.echo(line)


def _districts(database: Database, schemes: list[str], districts: list[str]) -> frozenset[str]:
    """The districts named, and those of the schemes named; with neither, those of all published schemes."""
    named = frozenset(parse_district(district) for district in districts)
    needed = [scheme_named(name) for name in schemes]
    if not schemes and not districts:
        with database.reading() as session:
            needed = _published(session) or [preset(key) for key in presets()]
    return named.union(*(districts_of(scheme.localities) for scheme in needed))


def _published(session: Session) -> list[Scheme]:
    hashes = session.exec(select(SchemeRules.rule_hash).order_by(col(SchemeRules.id)))
    return [rules_by_hash(session, rule_hash) for rule_hash in hashes]


def _read(file: Path | None, districts: Collection[str] | None, vintage: str | None) -> Edition:
    if file is None:
        return packaged.read(packaged.known_districts() if districts is None else districts)
    columns = (TextColumn("Reading {task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        task = shown.add_task(file.name, total=None)
        return onspd.read(
            file,
            districts,
            vintage=vintage,
            progress=lambda done, total: shown.update(task, completed=done, total=total),
        )


def _report(loaded: Loaded, councils: dict[str, dict[str, int]]) -> Iterator[str]:
    yield (
        f"{loaded.postcodes} postcodes of {len(loaded.districts)} districts loaded from "
        f"{loaded.source} {loaded.vintage} (SHA-256 {loaded.sha256[:12]})"
    )
    counts = {
        "have ended": loaded.terminated,
        "have no position": loaded.without_position,
        "lie on the Irish Grid": loaded.irish_grid,
        "of abolished districts were left out": loaded.left_out,
        "were listed before and are no more": loaded.vanished,
    }
    yield from (f"  {count} {words}" for words, count in counts.items() if count)
    if loaded.kept:
        yield f"  kept as they were, their live postcodes being known: {', '.join(loaded.kept)} (--replace replaces)"
    for district in loaded.districts:
        shares = councils.get(district, {})
        if shares and max(shares.values()) < _WHOLE_DISTRICT * sum(shares.values()):
            parts = ", ".join(f"{code} {count}" for code, count in shares.items())
            yield f"  {district} is split between councils: {parts}"


def _proposals(scheme: Scheme, file: Path | None) -> Iterator[dict[str, Any]]:
    """One row a locality: the metres it shares with each proposed neighbour, and where the scheme says otherwise."""
    edition = _read(file, districts_of(scheme.localities), None)
    sides = shared_boundaries(scheme.localities, positions_by_sector(edition.units))
    for locality in scheme.localities:
        metres = {
            (set(pair) - {locality.key}).pop(): length
            for pair, length in sides.items()
            if locality.key in pair and length >= LEAST_BOUNDARY_M
        }
        yield {
            "locality": locality.key,
            "proposed": dict(sorted(metres.items())),
            "only_proposed": sorted(set(metres) - set(locality.neighbours)),
            "only_stated": sorted(set(locality.neighbours) - set(metres)),
        }


def _proposal(row: dict[str, Any]) -> Iterator[str]:
    shared = [f"{key} ({metres / 1000:.1f} km)" for key, metres in row["proposed"].items()]
    yield f"{row['locality']}: {', '.join(shared) or 'no neighbour found'}"
    if row["only_proposed"]:
        yield f"  not stated by the scheme: {', '.join(row['only_proposed'])}"
    if row["only_stated"]:
        yield f"  stated by the scheme only: {', '.join(row['only_stated'])}"


@contextmanager
def _database() -> Iterator[Database]:
    database = Database(read_settings().database_url)
    try:
        if not inspect(database.engine).has_table(str(DirectoryEntry.__tablename__)):
            raise Misconfigured(reason="The database has no tables yet: run `dps migrate` first.")
        yield database
    finally:
        database.dispose()


@contextmanager
def _refusals_said() -> Iterator[None]:
    """What is refused ends the command with its words and exit code 2, without a traceback."""
    try:
        yield
    except DpsError as refused:
        typer.echo(str(refused), err=True)
        raise typer.Exit(BAD_INPUT) from None
