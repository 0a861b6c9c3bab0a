"""A small trail with checkpoints, and a way to tamper with it past every rule of the database."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from sqlalchemy import text
from sqlmodel import Session

from dps.kernel.actors import CLOCK
from dps.kernel.audit import append, sign_checkpoint
from dps.kernel.database import Database
from dps.kernel.keys import Keyring
from dps.kernel.verify import TrailReport, verify_trail
from tests.dps.kernel.samples import BROKER, NOON
from tests.support.tampering import unguard

# A round is the streams written to, then whether a checkpoint is signed: the last three events stay unsigned.
ROUNDS = [
    ("RND-1 RND-2 RND-1", True),
    ("RND-1 BID-1 RND-2 BID-1 RND-1", True),
    ("RND-3", True),
    ("RND-2 RND-1 RND-3 BID-1", True),
    ("RND-1 RND-4", False),
]
EVENTS, STREAMS, CHECKPOINTS = 16, 5, 4


def a_trail(database: Database, keyring: Keyring) -> None:
    """Sixteen events of five streams; four checkpoints, after which three more events came."""
    now = NOON
    with database.transaction() as session:
        for streams, is_signed in ROUNDS:
            for stream in streams.split():
                now += timedelta(minutes=1, microseconds=7)
                append(session, stream, "round.look", BROKER, now, {"ref": stream, "note": "é", "n": [1, None, True]})
            if is_signed:
                sign_checkpoint(session, keyring.signing, now)
        append(session, "RND-4", "round.close", CLOCK, now)


@contextmanager
def tampering(database: Database) -> Iterator[Session]:
    """A transaction that is taken back at its end, in which no foreign key and no trigger is asked."""
    with database.transaction() as session:
        unguard(session.connection())
        yield session
        session.rollback()


def report_on(database: Database, keyring: Keyring, *statements: str) -> TrailReport:
    """What the verifier finds after these statements."""
    with tampering(database) as session:
        for statement in statements:
            assert session.execute(text(statement)).rowcount > 0, statement  # type: ignore[attr-defined]
        return verify_trail(session, keyring.public_keys)
