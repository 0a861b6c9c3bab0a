"""Bringing a database to this release's shape, and refusing to work with one of another shape.

The history only goes forward: the way back from a release is the backup made before it.
"""

from functools import cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData

from dps.kernel.database import Database
from dps.kernel.errors import Misconfigured

# Any number will do, as long as nobody else takes an advisory lock by it.
_ONE_AT_A_TIME = 0x647073


def config(**attributes: Any) -> Config:
    """Alembic's configuration of this history; `attributes` are what `env.py` reads."""
    made = Config()
    made.set_main_option("script_location", str(Path(__file__).parent))
    made.set_main_option("path_separator", "os")
    made.attributes.update(attributes)
    return made


def newest() -> str:
    """The last step that this release knows."""
    head = _steps().get_current_head()
    assert head is not None
    return head


@cache
def _steps() -> ScriptDirectory:
    """Every step of this release, read once in a process: to read them takes longer than to ask a database."""
    return ScriptDirectory.from_config(config())


def revision_of(database: Database) -> str | None:
    """The last step this database has made; None for one without tables."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def migrate(database: Database, metadata: MetaData) -> tuple[str | None, str]:
    """Make every step that is missing, in one transaction. Returns the step before and the step after.

    Two processes that migrate at once wait for each other, and the second finds nothing to do.
    """
    _refuse_newer(revision_of(database))
    with database.engine.begin() as connection:
        if not database.is_sqlite:
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_ONE_AT_A_TIME})")
        before = MigrationContext.configure(connection).get_current_revision()
        if before != newest():
            command.upgrade(config(connection=connection, metadata=metadata), "head")
    return before, newest()


def refuse_outdated(database: Database) -> None:
    """Misconfigured unless the database has exactly this release's shape."""
    revision = revision_of(database)
    _refuse_newer(revision)
    if revision is None:
        raise Misconfigured(reason="The database has no tables yet: run `dps migrate`, or `dps init` for everything.")
    if revision != newest():
        raise Misconfigured(reason=f"The database stands at step {revision}, not {newest()}: run `dps migrate`.")


def _refuse_newer(revision: str | None) -> None:
    known = {step.revision for step in _steps().walk_revisions()}
    if revision is not None and revision not in known:
        raise Misconfigured(reason=f"The database stands at step {revision}, which only a newer release knows.")


def includes(name: str | None, kind: str, _parents: Any) -> bool:
    """What belongs to the history: everything but Alembic's own table."""
    return not (kind == "table" and name == "alembic_version")
