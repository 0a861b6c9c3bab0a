"""The history of steps ends where the tables are, on both databases."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, Table, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlmodel import SQLModel

import web.tables
from dps.kernel.database import Database
from dps.kernel.errors import Misconfigured
from dps.migrations import history

PRODUCT = ("dps", "bidding", "web")


@pytest.fixture
def empty(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    yield database
    database.dispose()


def product_tables() -> list[Table]:
    """The tables of the engine, without those that test modules make for themselves."""
    mappers = SQLModel._sa_registry.mappers
    named = {mapper.local_table for mapper in mappers if mapper.class_.__module__.split(".")[0] in PRODUCT}
    return [table for table in SQLModel.metadata.sorted_tables if table in named]


def test_an_empty_database_gets_every_table(empty: Database) -> None:
    before, after = history.migrate(empty, web.tables.metadata)

    assert (before, after) == (None, history.newest())
    assert {table.name for table in product_tables()} <= set(inspect(empty.engine).get_table_names())
    history.refuse_outdated(empty)


def test_a_second_time_does_nothing(empty: Database) -> None:
    history.migrate(empty, web.tables.metadata)

    assert history.migrate(empty, web.tables.metadata) == (history.newest(), history.newest())


def test_two_processes_that_migrate_at_once_make_each_step_once(empty: Database) -> None:
    other = Database(empty.url.render_as_string(hide_password=False))
    with ThreadPoolExecutor(2) as both:
        made = list(both.map(lambda database: history.migrate(database, web.tables.metadata), (empty, other)))
    other.dispose()

    assert sorted(before or "" for before, _ in made) == ["", history.newest()]


def test_alembic_finds_no_difference_to_the_metadata(empty: Database) -> None:
    history.migrate(empty, web.tables.metadata)
    names = {table.name for table in product_tables()}

    def is_ours(item: Any, name: str | None, kind: str, _reflected: bool, _other: Any) -> bool:
        return kind != "table" or name in names

    with empty.engine.connect() as connection:
        options = {"compare_type": True, "include_object": is_ours}
        differences = compare_metadata(MigrationContext.configure(connection, opts=options), web.tables.metadata)

    assert differences == []


def test_steps_and_metadata_make_the_same_database(empty: Database) -> None:
    """Alembic compares no CHECK and no condition of an index: here the databases themselves are compared."""
    with empty.engine.begin() as connection:
        SQLModel.metadata.create_all(connection, tables=product_tables())
        from_metadata = shape_of(connection)
        SQLModel.metadata.drop_all(connection, tables=product_tables())

    history.migrate(empty, web.tables.metadata)

    with empty.engine.connect() as connection:
        from_steps = shape_of(connection)
    assert from_metadata
    assert from_steps == from_metadata


def shape_of(connection: Connection) -> list[str]:
    """Every column, constraint, index and trigger of a database, in the database's own words."""
    if connection.dialect.name == "sqlite":
        query = "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'alembic%'"
        statements = connection.execute(text(query)).scalars().all()
        # A column that a later step adds stands in the line of the one before it.
        return sorted(
            f"{statement.splitlines()[0]} {part.strip().rstrip(',')}"
            for statement in statements
            for line in statement.splitlines()
            for part in re.split(r", (?=[a-z_]+ [A-Z])", line)
        )
    queries = (
        "SELECT conrelid::regclass || ' ' || conname || ' ' || pg_get_constraintdef(oid) FROM pg_constraint "
        "WHERE connamespace = 'public'::regnamespace AND conrelid <> 0",
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'",
        "SELECT concat_ws(' ', table_name, column_name, data_type, character_maximum_length, is_nullable, "
        "column_default) FROM information_schema.columns WHERE table_schema = 'public'",
        "SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
        "SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace",
    )
    lines = [line for query in queries for line in connection.execute(text(query)).scalars()]
    return sorted(line for line in lines if "alembic_version" not in line)


def test_a_database_without_tables_is_refused_with_what_to_do(empty: Database) -> None:
    with pytest.raises(Misconfigured, match="run `dps migrate`"):
        history.refuse_outdated(empty)


def test_a_database_of_a_newer_release_is_left_alone(empty: Database) -> None:
    history.migrate(empty, web.tables.metadata)
    with empty.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(Misconfigured, match="newer release"):
        history.refuse_outdated(empty)
    with pytest.raises(Misconfigured, match="newer release"):
        history.migrate(empty, web.tables.metadata)


def test_a_step_that_fails_leaves_nothing_behind(empty: Database) -> None:
    with empty.engine.begin() as connection:
        connection.execute(text("CREATE TABLE award (id INTEGER)"))

    with pytest.raises(DBAPIError, match="award"):
        history.migrate(empty, web.tables.metadata)

    assert history.revision_of(empty) is None
    assert [name for name in inspect(empty.engine).get_table_names() if name != "alembic_version"] == ["award"]
