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
        self._instant = instant.astimezone(UTC)

    def read(self, session: Session) -> datetime:
        return self._instant


class SteppedClock:
    """Stands still until it is moved, and is never moved back."""

    def __init__(self, instant: datetime) -> None:
        self._instant = instant.astimezone(UTC)

    def read(self, session: Session) -> datetime:
        return self._instant

    def move_to(self, instant: datetime) -> None:
        if instant < self._instant:
            raise ValueError("a stepped clock never goes back")
        self._instant = instant.astimezone(UTC)

    def step(self, delta: timedelta) -> datetime:
        self.move_to(self._instant + delta)
        return self._instant


class ClockMap(SQLModel, table=True):
    """The one row that says how demonstration time runs: shown = origin + (real - real_origin) x rate."""

    __tablename__ = "clock_map"

    id: int = Field(default=1, primary_key=True, sa_column_kwargs={"autoincrement": False})
    real_origin: datetime = utc_column()
    origin: datetime = utc_column()
    rate: int


class AcceleratedClock:
    """An affine map of the database's clock; its numbers are a row, so that all processes agree."""

    def __init__(self) -> None:
        self._real = DatabaseClock()
        self._map: tuple[datetime, datetime, int] | None = None

    def start(self, session: Session, *, origin: datetime, rate: int) -> None:
        """Let demonstration time run from `origin` at `rate` times the real pace, from now on."""
        if rate < 1:
            raise ValueError("an accelerated clock runs at least at the real pace")
        session.merge(ClockMap(id=1, real_origin=self._real.read(session), origin=origin, rate=rate))
        session.flush()
        self._map = None

    def read(self, session: Session) -> datetime:
        if self._map is None:
            row = session.get(ClockMap, 1)
            if row is None:
                raise LookupError("no accelerated clock was started in this database")
            self._map = (row.real_origin, row.origin, row.rate)
        real_origin, origin, rate = self._map
        return origin + (self._real.read(session) - real_origin) * rate
