"""The clock: the only reader of the machine's time.

A command reads it *after* its locks, with the session that holds them: `now = clock.read(session)` (law 1). On
PostgreSQL several processes then agree, because the database answers; SQLite's file is on the machine anyway.
"""

from datetime import UTC, datetime, timedelta
from typing import Protocol

from sqlalchemy import text
from sqlmodel import Field, Session, SQLModel

from dps.kernel.columns import utc_column


class Clock(Protocol):
    """Aware UTC time, to the microsecond."""

    def read(self, session: Session) -> datetime: ...


class SystemClock:
    """The machine's own clock."""

    def read(self, session: Session) -> datetime:
        return datetime.now(UTC)


class DatabaseClock:
    """The database's clock where it has one (`clock_timestamp()`, not the start of the transaction)."""

    def read(self, session: Session) -> datetime:
        if session.get_bind().dialect.name == "postgresql":
            read: datetime = session.execute(text("SELECT clock_timestamp()")).scalar_one()
            return read.astimezone(UTC)
        return datetime.now(UTC)


class FrozenClock:
    """Always the same instant."""

    def __init__(self, instant: datetime) -> None:
        self._instant = _in_utc(instant)

    def read(self, session: Session) -> datetime:
        return self._instant


class SteppedClock:
    """Stands still until it is moved, and is never moved back."""

    def __init__(self, instant: datetime) -> None:
        self._instant = _in_utc(instant)

    @property
    def instant(self) -> datetime:
        """Where it stands."""
        return self._instant

    def read(self, session: Session) -> datetime:
        return self._instant

    def move_to(self, instant: datetime) -> None:
        if _in_utc(instant) < self._instant:
            raise ValueError("a stepped clock never goes back")
        self._instant = _in_utc(instant)

    def step(self, delta: timedelta) -> datetime:
        self.move_to(self._instant + delta)
        return self._instant


def _in_utc(instant: datetime) -> datetime:
    # Python would read a naive time as one of the machine's own zone.
    if instant.tzinfo is None:
        raise TypeError(f"an aware datetime is needed, not {instant!r}")
    return instant.astimezone(UTC)


class ClockMap(SQLModel, table=True):
    """The one row that says how demonstration time runs: shown = origin + (real - real_origin) x rate."""

    __tablename__ = "clock_map"

    id: int = Field(default=1, primary_key=True, sa_column_kwargs={"autoincrement": False})
    real_origin: datetime = utc_column()
    origin: datetime = utc_column()
    rate: int


class AcceleratedClock:
    """An affine map of the database's clock; its numbers are a row, so that all processes agree.

    The row is looked at on each read: another process may have started the clock again.
    """

    def __init__(self) -> None:
        self._real = DatabaseClock()

    def start(self, session: Session, *, origin: datetime, rate: int) -> None:
        """Let demonstration time run from `origin` at `rate` times the real pace, from now on."""
        if rate < 1:
            raise ValueError("an accelerated clock runs at least at the real pace")
        session.merge(ClockMap(id=1, real_origin=self._real.read(session), origin=_in_utc(origin), rate=rate))
        session.flush()

    def read(self, session: Session) -> datetime:
        row = session.get(ClockMap, 1)
        if row is None:
            raise LookupError("no accelerated clock was started in this database")
        return row.origin + (self._real.read(session) - row.real_origin) * row.rate


def machine_time() -> datetime:
    """The machine's own time, for what happens while no database can be asked."""
    return datetime.now(UTC)
