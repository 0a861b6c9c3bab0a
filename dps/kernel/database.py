"""One database, opened twice: for commands (`transaction`) and for looks (`reading`).

SQLite keeps its promises only if every write transaction begins `BEGIN IMMEDIATE`: a deferred one that reads first
and writes later loses updates or fails half-way. PostgreSQL keeps READ COMMITTED, whatever the server's default, and
row locks (`locked`).
"""

import sqlite3
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import URL, Engine, and_, bindparam, create_engine, event, make_url, text, tuple_
from sqlalchemy.engine import Connection
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import SessionTransaction, sessionmaker
from sqlmodel import Session, SQLModel, select

from dps.kernel.errors import Misconfigured
from dps.kernel.logs import log

SQLModel.metadata.naming_convention = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}

Answer = TypeVar("Answer")
Row = TypeVar("Row", bound=SQLModel)

_READING = "dps_reading"
_KEPT = "dps_kept"
_TRIES = 5
# Of one process, kept once opened: those beyond a smaller pool would be opened and closed for each request of a burst.
_CONNECTIONS = 15
_UNDONE = ("40001", "40P01")  # serialization_failure, deadlock_detected
_AWAY = ("08", "53", "57", "58")  # classes: connection, resources such as disk space, operator, system
_SQLITE_AWAY = (5, 6, 8, 10, 13, 14)  # busy, locked, read-only, input or output, full, can't be opened
_FIRST_PAUSE_S = 0.2
_SWITCH_TRIES = 500
_SWITCH_PAUSE_S = 0.02


def database_url(address: str) -> URL:
    """The address of a database that this engine works on; ValueError with what is wrong.

    `postgresql://` and `postgres://` are read as `postgresql+psycopg://`.
    """
    try:
        url = make_url(address)
    except ArgumentError:
        raise ValueError("is not a database address such as sqlite:///dps.sqlite3") from None
    if url.drivername in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in ("sqlite", "sqlite+pysqlite", "postgresql+psycopg"):
        raise ValueError(f"names {url.drivername}: use sqlite or postgresql")
    if url.get_backend_name() == "sqlite" and url.database in (None, "", ":memory:"):
        raise ValueError("names no file: a database in memory is lost with its process")
    return url


class Database:
    """An engine and its two ways in. `url` is an SQLAlchemy URL of SQLite or PostgreSQL.

    A commit waits until the disk has it. One of a database that is not `durable` survives the end of the process and
    not that of the machine: for what can be played again from its seed, and for nothing else.
    """

    def __init__(self, url: str, *, pool_size: int = _CONNECTIONS, durable: bool = True) -> None:
        try:
            self.url = database_url(url)
        except ValueError as fault:
            raise Misconfigured(reason=f"DPS_DATABASE_URL {fault}.") from None
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        make = _sqlite_engine if self.is_sqlite else _postgresql_engine
        self.engine = make(self.url, pool_size, durable=durable)
        self._write = sessionmaker(self.engine, class_=Session, expire_on_commit=False, autoflush=True)
        self._read = sessionmaker(
            self.engine.execution_options(**{_READING: True}), class_=Session, expire_on_commit=False, autoflush=False
        )
        event.listen(self._write, "after_soft_rollback", _forget_what_was_undone)
        event.listen(self._write, "loaded_as_persistent", _keep)
        event.listen(self._write, "pending_to_persistent", _keep)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One command: everything in it is committed together, or nothing is."""
        with self._write.begin() as session:
            yield session

    def run(self, command: Callable[[Session], Answer]) -> Answer:
        """Run `command` in one transaction; what the database itself undid is run again, because nothing of it is kept.

        That is a deadlock, a serialization failure or a lost connection; a server that starts again is waited for, for
        three seconds in all. Where a lost connection hid that the commit was kept, the second run finds it done:
        commands are guarded, and writes carry a key (law 4).
        """
        for attempt in range(1, _TRIES):
            try:
                with self.transaction() as session:
                    return command(session)
            except DBAPIError as fault:
                if not is_passing(fault):
                    raise
                log().warning("transaction.retried", attempt=attempt)
                if not _is_undone(fault):
                    time.sleep(_FIRST_PAUSE_S * 2 ** (attempt - 1))
        with self.transaction() as session:
            return command(session)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One consistent look; nothing can be written through it, and what was read stays readable afterwards."""
        with self._read() as session:
            yield session

    def dispose(self) -> None:
        self.engine.dispose()


def _sqlite_engine(url: URL, pool_size: int, *, durable: bool) -> Engine:
    # The driver keeps 128 prepared statements unless told: a council's day has more, and each would be prepared anew.
    driver = {"timeout": 30, "check_same_thread": False, "cached_statements": 2_000}
    engine = create_engine(url, pool_size=pool_size, max_overflow=0, connect_args=driver)

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        # The driver must not begin transactions itself: `_begin` below does, in the right way.
        connection.isolation_level = None
        _write_ahead(connection)
        for pragma in (f"synchronous={'FULL' if durable else 'OFF'}", "secure_delete=ON", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # Straight to the driver: this runs in every transaction, and says nothing that a statement's care is for.
        driver: Any = connection.connection.dbapi_connection
        reading = connection.get_execution_options().get(_READING, False)
        driver.execute("PRAGMA query_only=ON" if reading else "PRAGMA query_only=OFF")
        driver.execute("BEGIN DEFERRED" if reading else "BEGIN IMMEDIATE")

    return engine


def _write_ahead(connection: Any) -> None:
    """Let the file keep a write-ahead log. SQLite does not wait for this switch: who meets it made looks again."""
    for _ in range(_SWITCH_TRIES):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            time.sleep(_SWITCH_PAUSE_S)
        else:
            return
    connection.execute("PRAGMA journal_mode=WAL")


def _postgresql_engine(url: URL, pool_size: int, *, durable: bool) -> Engine:
    engine = create_engine(
        url, pool_size=pool_size, max_overflow=0, pool_pre_ping=True, isolation_level="READ COMMITTED"
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        # Where commits wait, the server's own setting stands: whoever replicates may ask for more than its disk.
        if not durable:
            connection.execute("SET synchronous_commit = off")
            connection.commit()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        if connection.get_execution_options().get(_READING, False):
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")

    return engine


def is_away(fault: BaseException) -> bool:
    """Whether the database can't be reached, or can't store anything, at this moment: it is nobody's mistake.

    Whether a command whose commit got no answer was kept, nobody knows then.
    """
    if not isinstance(fault, DBAPIError):
        return isinstance(fault, PoolTimeout)
    if isinstance(fault.orig, sqlite3.Error):
        return getattr(fault.orig, "sqlite_errorcode", 0) & 0xFF in _SQLITE_AWAY
    return fault.connection_invalidated or _never_connected(fault) or _sqlstate(fault)[:2] in _AWAY


def is_passing(fault: BaseException) -> bool:
    """Whether the database itself undid the transaction, so that the same command may be run again."""
    return isinstance(fault, DBAPIError) and (
        fault.connection_invalidated or _is_undone(fault) or _never_connected(fault)
    )


def _is_undone(fault: DBAPIError) -> bool:
    return _sqlstate(fault) in _UNDONE


def _never_connected(fault: DBAPIError) -> bool:
    """A server that is not there, or not yet, says so before there is a state to name."""
    return isinstance(fault, OperationalError) and not isinstance(fault.orig, sqlite3.Error) and not _sqlstate(fault)


def _sqlstate(fault: DBAPIError) -> str:
    return getattr(fault.orig, "sqlstate", None) or ""


def _keep(session: Session, row: Any) -> None:
    # A session holds its rows weakly. Kept until the transaction ends, the row that one rule of a command has read is
    # the row that the next rule sees, and is not read again.
    session.info.setdefault(_KEPT, []).append(row)


def _forget_what_was_undone(session: Session, ended: SessionTransaction) -> None:
    # A guarded update changes rows in memory without SQLAlchemy's notice: after its savepoint they are read anew.
    if ended.nested:
        session.expire_all()


def find(session: Session, row: type[Row], *, fresh: bool = False, lock: bool = False, **columns: Any) -> Row | None:
    """The row whose columns have these values, if there is one; where there may be several, the first by id."""
    return next(iter(find_all(session, row, fresh=fresh, lock=lock, **columns)), None)


def find_all(
    session: Session,
    row: type[Row],
    *,
    order: tuple[str, ...] = ("id",),
    fresh: bool = False,
    lock: bool = False,
    **columns: Any,
) -> Sequence[Row]:
    """The rows whose columns have these values (a collection: one of its values), in `order`.

    `fresh` reads rows anew that this transaction has read before; `lock` locks them, and reads them as they are after
    the wait. One statement a question, built once: to build one takes as long as to ask it.
    """
    values = {name: one_or_many(value) for name, value in columns.items()}
    many = frozenset(name for name, value in values.items() if isinstance(value, list))
    query = _finding(row, tuple(sorted(columns)), many, order, fresh or lock, lock)
    found: Sequence[Row] = session.exec(query, params=values).all()
    return found


def one_or_many(value: Any) -> Any:
    """A value, or a list of any number but one: an IN is spelled out anew each time, and most ask for one alone."""
    if not isinstance(value, list | tuple | set | frozenset):
        return value
    return next(iter(value)) if len(value) == 1 else list(value)


@cache
def _finding(
    row: type[Row], names: tuple[str, ...], many: frozenset[str], order: tuple[str, ...], fresh: bool, lock: bool
) -> Any:
    columns = row.__table__.c  # type: ignore[attr-defined]
    rules = [
        columns[name].in_(bindparam(name, expanding=True)) if name in many else columns[name] == bindparam(name)
        for name in names
    ]
    query: Any = select(row).where(*rules).order_by(*(columns[name] for name in order))
    if lock:
        query = query.with_for_update(key_share=True)
    return query.execution_options(populate_existing=True) if fresh else query


def is_one_of_pairs(left: Any, right: Any) -> Any:
    """The rule that two columns have the values of one of the pairs that `those` gives, for a query built once.

    Each column is asked by itself too: SQLite finds columns in an index and not pairs, for which it reads the table.
    """
    return and_(
        left.in_(bindparam("lefts", expanding=True)),
        right.in_(bindparam("rights", expanding=True)),
        tuple_(left, right).in_(bindparam("pairs", expanding=True)),
    )


def those(pairs: Collection[tuple[Any, Any]]) -> dict[str, Any]:
    """These pairs, as a query with `is_one_of_pairs` takes them."""
    return {
        "pairs": sorted(pairs),
        "lefts": sorted({left for left, _ in pairs}),
        "rights": sorted({right for _, right in pairs}),
    }


def locked(session: Session, row: type[Row], *ids: int | None, shared: bool = False) -> Sequence[Row]:
    """The rows with these ids, locked in order of id until the transaction ends, as they are *after* the wait.

    `shared` lets other sharers in and keeps exclusive lockers out. SQLite's write transactions exclude each other
    anyway. Read the clock after this, in a statement of its own.
    """
    wanted = one_or_many(ids)
    found: Sequence[Row] = session.exec(_locking(row, shared, isinstance(wanted, list)), params={"ids": wanted}).all()
    return found


@cache
def _locking(row: type[Row], shared: bool, many: bool) -> Any:
    """Built once per table: every command locks something."""
    key = row.__table__.c.id  # type: ignore[attr-defined]
    asked: Any = bindparam("ids", expanding=many)
    query = select(row).where(key.in_(asked) if many else key == asked).order_by(key)
    # Without `key_share` a lock would also stop whoever only inserts a row that names this one, and who may itself hold
    # what we wait for: a bid names the closing that waits for the bid's round.
    return query.with_for_update(read=shared, key_share=not shared).execution_options(populate_existing=True)


_AT_IT = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:what, 0))")


def alone_at(session: Session, what: str) -> bool:
    """Whether nobody else is at work on `what`; from now until this transaction ends, others are told that we are.

    Nobody waits and no row is locked: several workers share what is due instead of queueing for the first of it. It
    guards nothing, the rows' own locks do. On SQLite whoever writes is alone anyway.
    """
    if session.get_bind().dialect.name != "postgresql":
        return True
    return bool(session.connection().execute(_AT_IT, {"what": what}).scalar_one())


def locked_one(session: Session, row: type[Row], id_: int | None, *, shared: bool = False) -> Row:
    """The row with this id, locked; it must exist."""
    found = locked(session, row, id_, shared=shared)
    if not found:
        raise LookupError(f"no {row.__name__} with id {id_}")
    return found[0]
