"""One command, one transaction; looks that change nothing; and no update lost on either database."""

import gc
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlmodel import Session, col, select

from dps.kernel.clock import DatabaseClock
from dps.kernel.database import Database, alone_at, locked, locked_one
from dps.kernel.errors import Misconfigured
from tests.dps.kernel.samples import SampleCount, SampleThing, a_thing
from tests.dps.kernel.waiting import begun_and_waiting
from tests.support.race import race

ON_POSTGRESQL = pytest.mark.parametrize("database_kind", ["postgresql"])
ON_SQLITE = pytest.mark.parametrize("database_kind", ["sqlite"])


@pytest.fixture
def counts(database: Database) -> Database:
    """A database with three counts that stand at nothing."""
    with database.transaction() as session:
        session.add_all(SampleCount(id=id_) for id_ in (1, 2, 3))
    return database


def numbers(database: Database) -> list[int]:
    with database.reading() as session:
        return list(session.exec(select(SampleCount.number).order_by(col(SampleCount.id))))


# Writing


def test_a_command_that_fails_leaves_nothing(counts: Database) -> None:
    def fail_half_way() -> None:
        with counts.transaction() as session:
            locked_one(session, SampleCount, 1).number = 5
            session.flush()
            locked_one(session, SampleCount, 2).number = 1 // 0

    with pytest.raises(ZeroDivisionError):
        fail_half_way()

    assert numbers(counts) == [0, 0, 0]


def test_no_update_is_lost_when_many_read_change_and_write(counts: Database) -> None:
    def add_many() -> None:
        for _ in range(40):
            with counts.transaction() as session:
                locked_one(session, SampleCount, 1).number += 1

    outcomes = race([add_many] * 4)

    assert (outcomes, numbers(counts)) == ([None] * 4, [160, 0, 0])


@ON_SQLITE
def test_a_write_transaction_keeps_other_writers_out_from_its_first_read(counts: Database) -> None:
    impatient = sqlite3.connect(str(counts.url.database), timeout=0)

    with counts.transaction() as session:
        session.get(SampleCount, 1)
        with pytest.raises(sqlite3.OperationalError, match="database is locked"):
            impatient.execute("BEGIN IMMEDIATE")

    impatient.execute("BEGIN IMMEDIATE")
    impatient.close()


@ON_SQLITE
def test_two_who_read_before_they_write_follow_each_other(counts: Database) -> None:
    """Begun deferred, the later of them is told "database is locked" and its change is gone."""

    def double_and_add() -> None:
        for _ in range(100):
            with counts.transaction() as session:
                count = session.get_one(SampleCount, 1)
                count.number = count.number + 1

    outcomes = race([double_and_add] * 2)

    assert (outcomes, numbers(counts)) == ([None] * 2, [200, 0, 0])


# Looking


@pytest.mark.parametrize(
    "statement", ["UPDATE sample_count SET number = 9", "DELETE FROM sample_count", "CREATE TABLE another (id INTEGER)"]
)
def test_nothing_is_written_through_a_look(counts: Database, statement: str) -> None:
    def write() -> None:
        with counts.reading() as session:
            session.execute(text(statement))
            session.commit()

    with pytest.raises(DBAPIError):
        write()

    assert numbers(counts) == [0, 0, 0]


def test_a_row_changed_in_a_look_is_not_stored(counts: Database) -> None:
    def change() -> None:
        with counts.reading() as session:
            session.get_one(SampleCount, 1).number = 9
            session.commit()

    with pytest.raises(DBAPIError):
        change()

    assert numbers(counts) == [0, 0, 0]


def test_a_connection_that_was_looked_through_can_write_again(counts: Database) -> None:
    narrow = Database(counts.url.render_as_string(hide_password=False), pool_size=1)
    numbers(narrow)

    with narrow.transaction() as session:
        session.get_one(SampleCount, 1).number = 9

    assert numbers(narrow) == [9, 0, 0]
    narrow.dispose()


def test_a_look_sees_one_instant_throughout(counts: Database) -> None:
    with counts.reading() as session:
        first = session.exec(select(SampleCount.number).order_by(col(SampleCount.id))).all()
        with counts.transaction() as writer:
            locked_one(writer, SampleCount, 1).number = 9
        second = session.exec(select(SampleCount.number).order_by(col(SampleCount.id))).all()

    assert (first, second, numbers(counts)) == ([0, 0, 0], [0, 0, 0], [9, 0, 0])


def test_readers_and_a_writer_do_not_wait_for_each_other(counts: Database) -> None:
    with counts.reading() as early:
        early.get(SampleCount, 1)
        with counts.transaction() as session:
            locked_one(session, SampleCount, 1).number = 9
            session.flush()
            while_writing = numbers(counts)

    assert (while_writing, numbers(counts)) == ([0, 0, 0], [9, 0, 0])


def test_what_was_read_can_be_looked_at_afterwards(counts: Database) -> None:
    with counts.transaction() as session:
        written = locked_one(session, SampleCount, 1)
        written.number = 9
    with counts.reading() as session:
        read = session.get_one(SampleCount, 1)

    assert (written.number, read.number) == (9, 9)


# Locking


def test_rows_are_locked_in_the_order_of_their_ids(counts: Database) -> None:
    with counts.transaction() as session:
        assert [row.id for row in locked(session, SampleCount, 3, 1, 2)] == [1, 2, 3]


def test_a_row_that_was_read_stays_with_its_session_until_the_end(counts: Database) -> None:
    with counts.transaction() as session:
        first = id(session.get_one(SampleCount, 1))
        gc.collect()

        assert [id(row) for row in session.identity_map.values()] == [first]


@ON_POSTGRESQL
def test_two_share_work_out_without_a_wait_and_each_piece_is_free_again_afterwards(counts: Database) -> None:
    with counts.transaction() as one, counts.transaction() as other:
        found = alone_at(one, "closing 1"), alone_at(other, "closing 1"), alone_at(other, "closing 2")

    with counts.transaction() as later:
        assert alone_at(later, "closing 1")
    assert found == (True, False, True)


def test_a_row_to_be_locked_must_exist(counts: Database) -> None:
    with counts.transaction() as session:
        assert locked(session, SampleCount, 9) == []
        for id_ in (9, None):
            with pytest.raises(LookupError, match=f"no SampleCount with id {id_}"):
                locked_one(session, SampleCount, id_)


@ON_POSTGRESQL
def test_a_locked_row_is_as_it_stands_after_the_wait(counts: Database) -> None:
    def read_then_lock() -> tuple[int, int]:
        with counts.transaction() as session:
            row = session.get_one(SampleCount, 1)
            before = row.number
            return before, locked_one(session, SampleCount, 1).number

    with ThreadPoolExecutor(1) as pool:
        with counts.transaction() as session:
            locked_one(session, SampleCount, 1).number = 9
            session.flush()
            waiting = begun_and_waiting(pool, counts, read_then_lock)

        assert waiting.result() == (0, 9)


@ON_POSTGRESQL
def test_the_clock_read_after_a_lock_is_later_than_the_wait(counts: Database) -> None:
    clock = DatabaseClock()

    def lock_then_read() -> Any:
        with counts.transaction() as session:
            locked_one(session, SampleCount, 1)
            return clock.read(session)

    with ThreadPoolExecutor(1) as pool:
        with counts.transaction() as session:
            locked_one(session, SampleCount, 1)
            waiting = begun_and_waiting(pool, counts, lock_then_read)
            released_at = clock.read(session)

        assert waiting.result() > released_at


@ON_POSTGRESQL
@pytest.mark.parametrize(("first", "second", "waits"), [(True, True, False), (True, False, True), (False, True, True)])
def test_sharers_keep_out_only_who_wants_a_row_alone(counts: Database, first: bool, second: bool, waits: bool) -> None:
    with counts.transaction() as session, counts.transaction() as other:
        other.execute(text("SET LOCAL lock_timeout = '50ms'"))
        locked_one(session, SampleCount, 1, shared=first)

        assert waits_for(other, shared=second) is waits


@ON_POSTGRESQL
def test_a_locked_row_can_be_named_by_a_new_one(database: Database) -> None:
    """Whoever inserts the new one may hold what the locker waits for."""
    with database.transaction() as session:
        session.add(a_thing(id=1))

    with database.transaction() as session, database.transaction() as other:
        other.execute(text("SET LOCAL lock_timeout = '1s'"))
        locked_one(session, SampleThing, 1)
        other.add(a_thing(id=2, other_id=1))
        other.flush()


def waits_for(session: Session, *, shared: bool) -> bool:
    try:
        locked_one(session, SampleCount, 1, shared=shared)
    except OperationalError:
        session.rollback()
        return True
    return False


# What the database undid itself


@ON_POSTGRESQL
def test_of_two_commands_that_deadlock_both_are_done_in_the_end(counts: Database) -> None:
    both_hold_one, begun = Barrier(2), []

    def add_to(first: int, second: int) -> None:
        def command(session: Session) -> None:
            begun.append(first)
            locked_one(session, SampleCount, first).number += 1
            if begun.count(first) == 1:
                both_hold_one.wait()
            locked_one(session, SampleCount, second).number += 1

        counts.run(command)

    outcomes = race([lambda: add_to(1, 2), lambda: add_to(2, 1)])

    assert outcomes == [None, None]
    assert numbers(counts) == [2, 2, 0]
    assert len(begun) > 2


@ON_POSTGRESQL
def test_a_command_whose_connection_was_cut_is_run_again(counts: Database) -> None:
    tries = []

    def command(session: Session) -> int:
        locked_one(session, SampleCount, 1).number += 1
        session.flush()
        tries.append(session.execute(text("SELECT pg_backend_pid()")).scalar_one())
        if len(tries) == 1:
            with counts.transaction() as other:
                other.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": tries[0]})
            session.execute(text("SELECT 1"))
        return len(tries)

    assert counts.run(command) == 2
    assert numbers(counts) == [1, 0, 0]


def test_a_command_that_fails_by_itself_is_not_run_again(counts: Database) -> None:
    tries = []

    def command(session: Session) -> None:
        tries.append(session)
        session.execute(text("SELECT number FROM nowhere"))

    with pytest.raises(DBAPIError):
        counts.run(command)

    assert len(tries) == 1


@ON_POSTGRESQL
def test_a_command_that_is_undone_every_time_fails_in_the_end(counts: Database) -> None:
    tries = []

    def command(session: Session) -> None:
        tries.append(session)
        session.execute(text("DO $$ BEGIN RAISE EXCEPTION 'again' USING ERRCODE = 'serialization_failure'; END $$"))

    with pytest.raises(OperationalError):
        counts.run(command)

    assert len(tries) == 5


# How a database is opened


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Database]:
    database = Database(f"sqlite:///{tmp_path / 'dps.sqlite3'}")
    yield database
    database.dispose()


@pytest.mark.parametrize(
    ("pragma", "value"), [("journal_mode", "wal"), ("synchronous", 2), ("secure_delete", 1), ("foreign_keys", 1)]
)
def test_sqlite_is_opened_durable_and_strict(fresh: Database, pragma: str, value: object) -> None:
    with fresh.transaction() as session:
        assert session.execute(text(f"PRAGMA {pragma}")).scalar_one() == value


def test_only_what_can_be_played_again_is_kept_without_waiting_for_the_disk(database_url: str) -> None:
    is_sqlite = database_url.startswith("sqlite")
    # The tests' own server waits for nothing.
    url = database_url if is_sqlite else f"{database_url}&options=-csynchronous_commit%3Don"
    asked = text("PRAGMA synchronous" if is_sqlite else "SHOW synchronous_commit")
    found = []
    for durable in (True, False):
        database = Database(url, durable=durable)
        with database.transaction() as session:
            found.append(session.execute(asked).scalar_one())
        database.dispose()

    assert found == ([2, 0] if is_sqlite else ["on", "off"])


def test_a_deleted_text_does_not_stay_in_the_file(fresh: Database, tmp_path: Path) -> None:
    with fresh.transaction() as session:
        session.execute(text("CREATE TABLE note (words TEXT)"))
        session.execute(text("INSERT INTO note VALUES ('a canary that sang')"))
    with fresh.transaction() as session:
        session.execute(text("DELETE FROM note"))
    with fresh.engine.connect() as connection:
        connection.connection.driver_connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # type: ignore[union-attr]

    left = b"".join(file.read_bytes() for file in tmp_path.iterdir())

    assert b"canary" not in left


@ON_POSTGRESQL
def test_postgresql_is_asked_for_its_isolation_whatever_the_servers_default_is(database_url: str) -> None:
    database = Database(f"{database_url}&options=-cdefault_transaction_isolation%3Dserializable")
    asked = text("SELECT current_setting('transaction_isolation'), current_setting('transaction_read_only')")

    with database.transaction() as writer, database.reading() as reader:
        modes = tuple(writer.execute(asked).one()), tuple(reader.execute(asked).one())

    database.dispose()
    assert modes == (("read committed", "off"), ("repeatable read", "on"))


@ON_POSTGRESQL
@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgresql_is_reached_by_each_of_its_names(database_url: str, scheme: str) -> None:
    database = Database(f"{scheme}://{database_url.partition('://')[2]}")

    with database.reading() as session:
        assert session.execute(text("SELECT 1")).scalar_one() == 1
    database.dispose()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("nonsense", "is not a database address"),
        ("", "is not a database address"),
        ("mysql://localhost/dps", "names mysql: use sqlite or postgresql"),
        ("postgresql+asyncpg://localhost/dps", r"names postgresql\+asyncpg"),
        ("sqlite+aiosqlite:///dps.sqlite3", r"names sqlite\+aiosqlite"),
        ("sqlite://", "in memory"),
        ("sqlite:///:memory:", "in memory"),
    ],
)
def test_an_address_that_this_engine_can_not_work_on_is_refused(url: str, words: str) -> None:
    with pytest.raises(Misconfigured, match=f"DPS_DATABASE_URL.*{words}"):
        Database(url)
