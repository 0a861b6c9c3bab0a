"""The trail stays as it was written, whatever SQL is sent (law 3)."""

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from dps.kernel.audit import append, sign_checkpoint
from dps.kernel.database import Database
from dps.kernel.keys import Keyring
from dps.migrations import history
from tests.dps.kernel.samples import BROKER, NOON
from tests.dps.kernel.trail import EVENTS, a_trail, report_on
from web.tables import metadata

CHANGES = (
    "UPDATE audit_event SET actor = 'USR-FORGER' WHERE id = 1",
    "UPDATE audit_event SET actor = actor",
    "DELETE FROM audit_event WHERE stream = 'RND-1' AND seq = 1",
    "DELETE FROM audit_event",
    "UPDATE audit_checkpoint SET signature = '' WHERE seq = 1",
    "DELETE FROM audit_checkpoint_head WHERE checkpoint_seq = 1",
    "UPDATE audit_checkpoint_head SET hash = ''",
)
OF_SQLITE = (
    "INSERT OR REPLACE INTO audit_event SELECT * FROM audit_event WHERE id = 1",
    "REPLACE INTO audit_event SELECT 99, stream, seq, at, 'USR-FORGER', role, kind, body, previous_hash, hash "
    "FROM audit_event WHERE id = 1",
    "REPLACE INTO audit_checkpoint SELECT * FROM audit_checkpoint WHERE seq = 1",
    "REPLACE INTO audit_checkpoint_head SELECT * FROM audit_checkpoint_head",
    "INSERT INTO audit_event SELECT * FROM audit_event WHERE true ON CONFLICT (id) DO UPDATE SET actor = 'USR-FORGER'",
)
OF_POSTGRESQL = (
    "TRUNCATE audit_event",
    "TRUNCATE audit_checkpoint CASCADE",
    "DELETE FROM audit_event WHERE false",
    "INSERT INTO audit_event SELECT * FROM audit_event ON CONFLICT (id) DO UPDATE SET actor = 'USR-FORGER'",
)


def is_refused(database: Database, statement: str) -> bool:
    try:
        with database.engine.begin() as connection:
            connection.execute(text(statement))
    except IntegrityError as refused:
        return "append-only" in str(refused.orig)
    return False


def let_happen(database: Database) -> list[str]:
    """Those of the changes that the database did not refuse."""
    changes = (*CHANGES, *(OF_SQLITE if database.is_sqlite else OF_POSTGRESQL))
    return [statement for statement in changes if not is_refused(database, statement)]


def test_no_statement_changes_or_takes_away_what_was_written(database: Database, keyring: Keyring) -> None:
    a_trail(database, keyring)

    assert let_happen(database) == []

    with database.transaction() as session:
        append(session, "RND-1", "round.look", BROKER, NOON)
        sign_checkpoint(session, keyring.signing, NOON)
    report = report_on(database, keyring)
    assert (report.faults, report.events) == ([], EVENTS + 1)


def test_a_database_brought_up_by_its_history_refuses_alike(database_url: str, keyring: Keyring) -> None:
    database = Database(database_url)
    history.migrate(database, metadata)
    a_trail(database, keyring)

    assert let_happen(database) == []

    database.dispose()
