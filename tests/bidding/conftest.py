"""The councils that the competition's tests are played in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from dps.kernel.database import Database
from dps.schemes.loader import preset
from tests.bidding.histories import Worlds
from tests.support.schema import PostgresqlSchema, SqliteSchema
from tests.support.world import World, with_open_lists


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    """St Helens: a sealed mini-competition for each package, awarded package by package."""
    return World(database, tmp_path)


@pytest.fixture
def ranked(database: Database, tmp_path: Path) -> World:
    """St Helens with several holders of the end-of-life contract, who are asked one after another."""
    return World(database, tmp_path, scheme=with_open_lists(preset("st-helens")))


@pytest.fixture
def liverpool(database: Database, tmp_path: Path) -> World:
    """Liverpool: an acceptance window for preferred providers, then sealed bids, awarded jointly."""
    return World(database, tmp_path, scheme="liverpool")


@pytest.fixture
def worlds(database_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Worlds]:
    """A council of its own for each example of a stateful test."""
    if database_kind == "sqlite":
        sqlite: SqliteSchema = request.getfixturevalue("sqlite_schema")
        made = Worlds(sqlite.database, tmp_path, copies=True)
    else:
        postgresql: PostgresqlSchema = request.getfixturevalue("postgresql_schema")
        made = Worlds(lambda _: postgresql.database(), tmp_path, copies=False)
    yield made
    made.close()
