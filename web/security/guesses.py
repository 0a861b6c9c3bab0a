"""Guesses at passwords and codes, counted in the database so that all web processes count together.

At most ten within any five minutes for one name, whoever guesses and whether the name exists. A right guess counts
too: nobody can tell from the count whether they were near.
"""

from datetime import datetime, timedelta

from sqlalchemy import delete
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, select

from dps.kernel.columns import id_column, json_column, utc_column
from dps.kernel.errors import TooManyGuesses
from dps.kernel.keys import Keyring

MOST = 10
WITHIN = timedelta(minutes=5)


class Guesses(SQLModel, table=True):
    """The instants of the latest guesses for one name, which stands here as a keyed digest."""

    __tablename__ = "guesses"

    id: int | None = id_column()
    name_digest: str = Field(unique=True, max_length=64)
    instants: list[str] = json_column()
    last_at: datetime = utc_column(index=True)


def count_guess(session: Session, keyring: Keyring, *, name: str, now: datetime) -> None:
    """Count one guess before it is looked at, in a transaction of its own; TooManyGuesses beyond the tenth."""
    session.execute(delete(Guesses).where(col(Guesses.last_at) < now - WITHIN))
    row = _locked(session, keyring.fingerprint(b"guess", name.encode()), now)
    recent = [text for text in row.instants if now - datetime.fromisoformat(text) < WITHIN]
    if len(recent) >= MOST:
        raise TooManyGuesses(until=datetime.fromisoformat(recent[0]) + WITHIN)
    row.instants, row.last_at = [*recent, now.isoformat()], now
    session.add(row)


def _locked(session: Session, digest: str, now: datetime) -> Guesses:
    query = select(Guesses).where(Guesses.name_digest == digest).with_for_update()
    found = session.exec(query).first()
    if found is not None:
        return found
    try:
        with session.begin_nested():
            row = Guesses(name_digest=digest, instants=[], last_at=now)
            session.add(row)
        return row
    except IntegrityError:
        # Another guess at the same name made the row a moment ago.
        return session.exec(query.execution_options(populate_existing=True)).one()
