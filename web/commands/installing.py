"""`dps init` and `dps migrate`: from nothing to an installation that can publish, and from one release to the next.

Both can be run again at any time: what is there is left as it is, and each line says which it was.
"""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from dps.kernel.database import Database
from dps.kernel.errors import LimitPassed, Misconfigured, OutOfTerm
from dps.kernel.keys import create_keys, load_keyring
from dps.kernel.settings import Settings, read_settings
from dps.law.watch import publish_new_rules
from dps.migrations.history import migrate as bring_up_to_date
from dps.places import packaged
from dps.places.directory import loaded_districts
from dps.places.loading import load as load_places
from dps.places.localities import districts_of
from dps.schemes.loader import rule_hash, with_term
from dps.schemes.model import Scheme
from dps.schemes.published import standing_rules
from web.assembly import clock_of
from web.commands.keys import BACK_UP
from web.commands.naming import scheme_named
from web.commands.speaking import OPERATOR
from web.tables import metadata

DAYS = ["%Y-%m-%d"]

_working = Console(stderr=True)


def init(
    schemes: Annotated[
        list[str],
        typer.Option("--scheme", help="A scheme to buy under: its key or its file. May be repeated."),
    ],
    starts_on: Annotated[
        datetime | None, typer.Option(formats=DAYS, help="The first day of your own term, in place of the scheme's.")
    ] = None,
    ends_on: Annotated[
        datetime | None, typer.Option(formats=DAYS, help="The day on which your own term is over, if it has one.")
    ] = None,
) -> None:
    """Make an installation: keys, database, the schemes' postcodes, and their published rules. May be run again.

    The presets carry the terms of the papers they were written from, which are over: give your own.
    """
    wanted = [_in_term(scheme_named(name), starts_on, ends_on) for name in schemes]
    settings = read_settings()
    _keys(settings)
    database = Database(settings.database_url)
    try:
        typer.echo(_migrated(database))
        for scheme in wanted:
            with _working.status(f"Loading the postcodes of {scheme.key} …"):
                words = _places(database, scheme, settings)
            typer.echo(words)
        over = [scheme for scheme in wanted if not _published(database, scheme, settings)]
    finally:
        database.dispose()
    if over:
        named = " ".join(f"--scheme {scheme.key}" for scheme in over)
        typer.echo(f"Next: `dps init {named} --starts-on YYYY-MM-DD --ends-on YYYY-MM-DD` publishes your own term.")
    else:
        typer.echo("Ready: `dps serve` starts the web process and the worker.")


def migrate() -> None:
    """Bring the database to this release's shape, in one transaction; back it up first."""
    database = Database(read_settings().database_url)
    try:
        typer.echo(_migrated(database))
    finally:
        database.dispose()


def _in_term(scheme: Scheme, starts_on: datetime | None, ends_on: datetime | None) -> Scheme:
    if starts_on is None and ends_on is None:
        return scheme
    starts = starts_on.date() if starts_on else scheme.term.starts
    return with_term(scheme, starts=starts, ends=ends_on.date() if ends_on else None)


def _keys(settings: Settings) -> None:
    if settings.keys_dir.is_dir() and any(settings.keys_dir.iterdir()):
        load_keyring(settings.keys_dir)
        typer.echo(f"Keys: there already in {settings.keys_dir}, left as they are.")
        return
    create_keys(settings.keys_dir, settings.identities_dir)
    typer.echo(f"Keys: made in {settings.keys_dir}, the worker's identity in {settings.identities_dir}.")
    typer.echo(f"      {BACK_UP}")


def _migrated(database: Database) -> str:
    _make_folder(database)
    with _working.status("Bringing the database up to date …"):
        before, after = bring_up_to_date(database, metadata)
    if before == after:
        return f"Database: at step {after} already."
    return f"Database: made, at step {after}." if before is None else f"Database: brought from {before} to {after}."


def _make_folder(database: Database) -> None:
    """SQLite makes its file, but not the folder that it lies in."""
    if database.is_sqlite and database.url.database:
        folder = Path(database.url.database).parent
        if not folder.is_dir():
            raise Misconfigured(reason=f"DPS_DATABASE_URL lies in the folder {folder}, which does not exist.")


def _places(database: Database, scheme: Scheme, settings: Settings) -> str:
    with database.reading() as session:
        missing = districts_of(scheme.localities) - loaded_districts(session)
    if not missing:
        return f"Places: every district of {scheme.key} is loaded already."
    # Read before anything is locked: where bids are received meanwhile, none waits for a file.
    edition = packaged.read(missing)
    with database.transaction() as session:
        loaded = load_places(session, edition, OPERATOR, clock_of(settings).read(session))
    return f"Places: {loaded.postcodes} postcodes of {len(loaded.districts)} districts loaded for {scheme.key}."


def _published(database: Database, scheme: Scheme, settings: Settings) -> bool:
    """Publish the rules of a scheme and say so; False where its term is over, so that nothing can be published."""
    digest = rule_hash(scheme)
    try:
        with database.transaction() as session:
            stood = any(rules.rule_hash == digest for rules in standing_rules(session))
            publish_new_rules(session, scheme, OPERATOR, clock_of(settings).read(session))
    except OutOfTerm as over:
        typer.echo(f"Rules: those of {scheme.key} are not published. {over}")
        return False
    except LimitPassed:
        typer.echo(f"Rules: those of {scheme.key} are not published.")
        raise
    state = "stand already" if stood else "published"
    typer.echo(f"Rules: those of {scheme.key} {state}, {digest[:12]}.")
    return True
