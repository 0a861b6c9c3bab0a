"""Databases that hold every table of the engine, quickly made empty again.

Making some sixty tables takes a good part of a second, and so does copying a PostgreSQL database; emptying the
tables that were written to takes a few milliseconds.
"""

import shutil
from pathlib import Path
from typing import Any

from sqlalchemy import event
from sqlalchemy.util import LRUCache
from sqlmodel import SQLModel

from dps.kernel.database import Database
from dps.migrations.history import newest
from tests.support.postgres import Cluster

# As `replica` neither foreign keys nor triggers are asked, so the order of tables and an append-only trail do not
# matter. Sequences begin again, so that ids do not tell which test ran before.
_EMPTY = """
DO $$
DECLARE
    found regclass;
BEGIN
    SET LOCAL session_replication_role = replica;
    FOR found IN SELECT oid FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0
    LOOP
        EXECUTE 'DELETE FROM ' || found;
    END LOOP;
    PERFORM setval(quote_ident(sequencename)::regclass, start_value, false) FROM pg_sequences
        WHERE schemaname = 'public' AND last_value IS NOT NULL;
END $$
"""


class Compiled:
    """What SQLAlchemy has compiled for one kind of database.

    Each engine would compile every statement anew, which takes longer than to ask it.
    """

    def __init__(self) -> None:
        self._dialect: Any = None
        self._cache: LRUCache[Any, Any] = LRUCache(4_000)

    def share(self, database: Database) -> None:
        """Let this database ask what was compiled for the ones before, and add to it."""
        self._dialect = self._dialect or database.engine.dialect
        for engine in (database.engine, database._read.kw["bind"]):
            engine.dialect, engine._compiled_cache = self._dialect, self._cache


class SqliteSchema:
    """A file with every table, copied for each test."""

    def __init__(self, folder: Path) -> None:
        self._compiled = Compiled()
        self._template = folder / "template.sqlite3"
        database = Database(f"sqlite:///{self._template}")
        self._tables = create_tables(database)
        database.dispose()

    def database(self, path: Path) -> Database:
        shutil.copy(self._template, path)
        database = Database(f"sqlite:///{path}")
        event.listen(database.engine, "connect", _trust_the_cache)
        self._compiled.share(database)
        if SQLModel.metadata.tables.keys() - self._tables:
            create_tables(database)
        return database


class PostgresqlSchema:
    """One database with every table, emptied for each test."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster
        self._name = cluster.create()
        self._tables: set[str] = set()
        self._compiled = Compiled()

    def database(self) -> Database:
        self._cluster.disconnect(self._name)
        database = Database(self._cluster.url(self._name))
        self._compiled.share(database)
        if SQLModel.metadata.tables.keys() - self._tables:
            self._tables = create_tables(database)
        with database.engine.begin() as connection:
            connection.exec_driver_sql(_EMPTY)
        return database


def create_tables(database: Database) -> set[str]:
    """Make the tables that the database lacks, those of test modules among them; the names of all."""
    # Not at the top: a test of the kernel alone does not load every room.
    from web.tables import metadata

    metadata.create_all(database.engine)
    return set(metadata.tables)


def _trust_the_cache(connection: object, _record: object) -> None:
    """A test's file need not survive a power cut: leave out the waits for the disk."""
    connection.execute("PRAGMA synchronous=OFF")  # type: ignore[attr-defined]


def stamp(database: Database) -> None:
    """Let a database with every table say which release's they are, as one that was migrated does."""
    with database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL)")
        connection.exec_driver_sql(f"INSERT INTO alembic_version VALUES ('{newest()}')")
