"""`dps backup` and `dps restore`: the database, the keys and the identities, each into a file of its own.

They are three commands so that they end up in three places: whoever holds all of them can open live bids. A copy is of
one instant, carries the SHA-256 of what it holds, and is put back only where nothing stands.
"""

import hashlib
import json
import os
import sqlite3
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import URL, inspect

from dps.kernel.database import Database, database_url
from dps.kernel.errors import BadInput, Misconfigured
from dps.kernel.keys import load_keyring
from dps.kernel.settings import Settings, read_settings
from dps.migrations.history import revision_of

backup = typer.Typer(
    name="backup", help="Copy the database, the keys, the identities: each apart.", no_args_is_help=True
)
restore = typer.Typer(name="restore", help="Put a copy back where nothing stands.", no_args_is_help=True)

To = Annotated[Path, typer.Argument(help="The file to write; it must not exist.")]
From = Annotated[Path, typer.Argument(help="A file that `dps backup` wrote.")]

_SEAL = ".sha256"


@backup.command("database")
def backup_database(to: To) -> None:
    """Copy the database as it is at one instant, while everything goes on."""
    settings = read_settings()
    url = database_url(settings.database_url)
    database = Database(settings.database_url)
    try:
        revision = revision_of(database)
    finally:
        database.dispose()
    if revision is None:
        raise Misconfigured(reason="There is no installation in this database: nothing to copy.")
    kind = url.get_backend_name()
    _written(to, _sqlite_copied(url) if kind == "sqlite" else _dumped(url), kind=kind, revision=revision)


@backup.command("keys")
def backup_keys(to: To) -> None:
    """Copy the keys that web processes and workers share: without them nothing stored under them can be read."""
    settings = read_settings()
    load_keyring(settings.keys_dir)
    _written(to, _packed(settings.keys_dir), kind="keys")


@backup.command("identities")
def backup_identities(to: To) -> None:
    """Copy the worker's identities: without them live bids can never be opened. Keep this file apart from the rest."""
    settings = read_settings()
    if not any(settings.identities_dir.glob("*")):
        raise Misconfigured(reason=f"{settings.identities_dir} holds no identity.")
    _written(to, _packed(settings.identities_dir), kind="identities")


@restore.command("database")
def restore_database(copy: From) -> None:
    """Put a database back into DPS_DATABASE_URL, which must be empty; then run `dps audit verify`."""
    settings = read_settings()
    url = database_url(settings.database_url)
    kind = url.get_backend_name()
    _checked(copy, kind)
    if kind == "sqlite":
        target = Path(str(url.database))
        if target.exists():
            raise BadInput("there is a database already: move it away first", file=str(target))
        with sqlite3.connect(copy) as source, sqlite3.connect(target) as put:
            source.backup(put)
        source.close()
        put.close()
    else:
        _refuse_tables(settings)
        whole = ["--no-owner", "--exit-on-error", "--single-transaction"]
        _run(["pg_restore", *whole, "--dbname", _dsn(url), str(copy)], url)
    typer.echo(
        "The database is back. Run `dps audit verify` before anything is served. Whoever was erased after this copy "
        "was made is in it again: erase them anew (`dps erase`; a newer export of the trail names them)."
    )


@restore.command("keys")
def restore_keys(copy: From) -> None:
    """Put the shared keys back into DPS_KEYS_DIR, which must not hold any."""
    settings = read_settings()
    _unpacked(copy, settings.keys_dir, kind="keys")
    load_keyring(settings.keys_dir)
    typer.echo(f"The keys are back in {settings.keys_dir}.")


@restore.command("identities")
def restore_identities(copy: From) -> None:
    """Put the worker's identities back into DPS_IDENTITIES_DIR, which must not hold any."""
    settings = read_settings()
    _unpacked(copy, settings.identities_dir, kind="identities")
    typer.echo(f"The identities are back in {settings.identities_dir}.")


def _written(to: Path, write: Callable[[Path], None], **facts: Any) -> None:
    """Write under another name first, so that a file with its name is always whole; beside it what it must hash to."""
    if to.exists():
        raise BadInput("this file is there already", file=str(to))
    fresh = to.with_name(f"{to.name}.new")
    fresh.unlink(missing_ok=True)
    os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        write(fresh)
        digest = _sha256(fresh)
        seal = to.with_name(to.name + _SEAL)
        seal.write_text(json.dumps({"sha256": digest, **facts}, sort_keys=True) + "\n")
        fresh.replace(to)
    finally:
        fresh.unlink(missing_ok=True)
    typer.echo(f"{to}: {to.stat().st_size:,} bytes, SHA-256 {digest}.")


def _checked(copy: Path, kind: str) -> None:
    """Refuse what is not a whole copy of this kind."""
    seal = copy.with_name(copy.name + _SEAL)
    try:
        facts = json.loads(seal.read_text())
    except (OSError, ValueError):
        raise BadInput("is not there, or is no seal: it lies beside the copy", file=str(seal)) from None
    if facts.get("kind") != kind:
        raise BadInput(f"this is a copy of {facts.get('kind')}, and {kind} is wanted", file=str(copy))
    if not copy.is_file() or _sha256(copy) != facts.get("sha256"):
        raise BadInput("this copy is not whole: its SHA-256 differs from its seal's", file=str(copy))


def _sqlite_copied(url: URL) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        # Into an empty file; a reader's view, so that no writer waits and the write-ahead log is in it.
        with sqlite3.connect(f"file:{url.database}?mode=ro", uri=True) as source:
            source.execute("VACUUM INTO ?", (str(path),))
        source.close()

    return write


def _dumped(url: URL) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        _run(["pg_dump", "--format=custom", "--no-owner", "--file", str(path), "--dbname", _dsn(url)], url)

    return write


def _run(command: list[str], url: URL) -> None:
    """A program of PostgreSQL's; the password goes by the environment, where no list of processes shows it."""
    environment = {**os.environ, **({"PGPASSWORD": str(url.password)} if url.password else {})}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise Misconfigured(reason=f"{command[0]} is not on PATH: install PostgreSQL's client programs.") from None
    if done.returncode:
        said = done.stderr.strip().splitlines() or ["no word of why"]
        raise Misconfigured(reason=f"{command[0]} failed: {said[-1]}")


def _dsn(url: URL) -> str:
    return url.set(drivername="postgresql", password=None).render_as_string()


def _refuse_tables(settings: Settings) -> None:
    database = Database(settings.database_url)
    try:
        if inspect(database.engine).get_table_names():
            raise BadInput("there are tables in this database already: use an empty one", file="DPS_DATABASE_URL")
    finally:
        database.dispose()


def _packed(folder: Path) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with tarfile.open(path, "w") as pack:
            for file in sorted(folder.rglob("*")):
                if file.is_file():
                    pack.add(file, arcname=str(file.relative_to(folder)))

    return write


def _unpacked(copy: Path, folder: Path, *, kind: str) -> None:
    _checked(copy, kind)
    if folder.exists() and any(folder.iterdir()):
        raise BadInput("there is something already: nothing is overwritten", file=str(folder))
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with tarfile.open(copy) as pack:
        pack.extractall(folder, filter="data")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
