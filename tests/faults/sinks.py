"""Everywhere that bytes come to rest: the database's files, its log, its dump, a copy, log lines, messages, folders."""

import base64
import io
import os
import re
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, suppress
from pathlib import Path
from unittest.mock import patch

import psycopg
import structlog
from psycopg import sql
from typer.testing import CliRunner

from dps.kernel.database import Database
from dps.kernel.logs import configure
from tests.support.postgres import find_binaries
from tests.support.schema import stamp
from web.cli import app

Sink = tuple[str, bytes]


def log_began(database: Database) -> str:
    """Where PostgreSQL's log stands now: what was written before is another test's."""
    if database.is_sqlite:
        return ""
    with _asked(database) as connection:
        (name,) = connection.execute("SELECT pg_walfile_name(pg_current_wal_lsn())").fetchone() or ("",)
        return str(name)


def of_database(database: Database, log_from: str = "") -> Iterator[Sink]:
    """Every byte in which the database keeps, logs or tells its rows."""
    yield from _of_sqlite(database) if database.is_sqlite else _of_postgresql(database, log_from)


def _of_sqlite(database: Database) -> Iterator[Sink]:
    path = Path(str(database.url.database))
    for suffix in ("", "-wal", "-shm"):
        file = path.with_name(path.name + suffix)
        if file.exists():
            yield f"database file{suffix}", file.read_bytes()
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        yield "dump", "\n".join(connection.iterdump()).encode()
    connection.close()


def _of_postgresql(database: Database, log_from: str) -> Iterator[Sink]:
    with _asked(database) as connection:
        connection.execute("CHECKPOINT")
        row = connection.execute(
            "SELECT current_setting('data_directory'), oid FROM pg_database WHERE datname = current_database()"
        ).fetchone()
        assert row is not None
        folder, oid = Path(row[0]), row[1]
        files = [file for file in sorted((folder / "base" / str(oid)).rglob("*")) if file.is_file()]
        log = [file for file in sorted((folder / "pg_wal").iterdir()) if file.is_file() and file.name >= log_from]
        for file in [*files, *log]:
            # The server writes some anew at any time (pg_internal.init): what is gone by now holds nothing.
            with suppress(FileNotFoundError):
                yield f"data directory {file.relative_to(folder)}", file.read_bytes().rstrip(b"\0")
        # Row by row too: a long value may lie compressed in its file.
        for table in connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall():
            rows = connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(table[0]))).fetchall()
            cells = (cell if isinstance(cell, bytes) else str(cell).encode() for row in rows for cell in row)
            yield f"table {table[0]}", b"\n".join(cells)
    yield "dump", _dumped(database)


def _dumped(database: Database) -> bytes:
    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    program = find_binaries() / "pg_dump"
    return subprocess.run([str(program), "--dbname", url], capture_output=True, check=True).stdout


def _asked(database: Database) -> psycopg.Connection:
    url = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(url, autocommit=True)


def of_folder(name: str, folder: Path) -> Iterator[Sink]:
    """Every file below a folder."""
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            yield f"{name} {file.name}", file.read_bytes()


@contextmanager
def logged() -> Iterator[io.StringIO]:
    """Every line that is logged meanwhile, at the most talkative level."""
    lines = io.StringIO()
    with redirect_stderr(lines):
        configure("debug")
        try:
            yield lines
        finally:
            structlog.reset_defaults()


def digests(database: Database, log_from: str = "") -> Iterator[bytes]:
    """Every stored value that could be somebody's digest, however it is written."""
    for _where, content in of_database(database, log_from):
        for token in set(re.findall(rb"[0-9a-fA-F]{32,128}", content)):
            if len(token) % 2 == 0:
                yield bytes.fromhex(token.decode())
        for token in set(re.findall(rb"[0-9A-Za-z+/_-]{22,88}", content)):
            if len(token) % 4 != 1:
                yield base64.urlsafe_b64decode(token.replace(b"+", b"-").replace(b"/", b"_") + b"=" * (-len(token) % 4))


def copied(database: Database, keys_dir: Path, to: Path) -> Iterator[Sink]:
    """What `dps backup database` writes, unpacked."""
    # The tests' tables are made without their history, which the command asks for.
    stamp(database)
    given = {
        "DPS_DATABASE_URL": database.url.render_as_string(hide_password=False),
        "DPS_KEYS_DIR": str(keys_dir),
        "DPS_SECRET": "made-up-for-tests-made-up-for-tests",
        "PATH": f"{find_binaries()}{os.pathsep}{os.environ['PATH']}",
    }
    try:
        with patch.dict(os.environ, given):
            done = CliRunner().invoke(app, ["backup", "database", str(to)])
    finally:
        with database.engine.begin() as connection:
            connection.exec_driver_sql("DROP TABLE alembic_version")
    if done.exit_code:
        raise RuntimeError(f"the copy failed: {done.output}")
    yield "backup", to.read_bytes()
    yield "backup's seal", to.with_name(f"{to.name}.sha256").read_bytes()
    if not database.is_sqlite:
        program = str(find_binaries() / "pg_restore")
        yield "backup, unpacked", subprocess.run([program, "-f", "-", str(to)], capture_output=True, check=True).stdout
