"""The councils that the competition's tests are played in."""

from pathlib import Path

import pytest

from dps.kernel.database import Database
from tests.support.world import World


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    """St Helens: a sealed mini-competition for each package, awarded package by package."""
    return World(database, tmp_path)


@pytest.fixture
def liverpool(database: Database, tmp_path: Path) -> World:
    """Liverpool: an acceptance window for preferred providers, then sealed bids, awarded jointly."""
    return World(database, tmp_path, scheme="liverpool")
