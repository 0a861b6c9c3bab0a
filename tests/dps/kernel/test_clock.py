"""The clock: one instant for everybody, read after the locks, and never back."""

from collections.abc import Iterator
from dataclasses import FrozenInstanceError, fields
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event, text
from sqlmodel import Session

from dps.kernel.clock import AcceleratedClock, Clock, ClockMap, DatabaseClock, FrozenClock, SteppedClock, SystemClock
from dps.kernel.database import Database
from dps.kernel.entropy import SeededEntropy
from dps.kernel.keys import Keyring
from dps.kernel.ports import Ports
from tests.dps.kernel.samples import NOON

LONDON = ZoneInfo("Europe/London")
AUTUMN = datetime(2019, 10, 27, 1, 30, tzinfo=LONDON)
NO_SESSION = Session()
NAIVE = datetime(2019, 6, 12, 11, 0)  # noqa: DTZ001 - this is what is refused


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.transaction() as opened:
        yield opened


# The real clocks


@pytest.mark.parametrize("clock", [SystemClock(), DatabaseClock()])
def test_a_real_clock_tells_utc_and_never_goes_back_between_two_reads(clock: Clock, session: Session) -> None:
    first, second = clock.read(session), clock.read(session)

    assert first.tzinfo is UTC
    assert first <= second


@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_postgresql_tells_the_time_of_the_reading_not_of_the_transaction(session: Session) -> None:
    began = session.execute(text("SELECT transaction_timestamp()")).scalar_one()

    first, second = DatabaseClock().read(session), DatabaseClock().read(session)

    assert began < first < second


@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_postgresql_answers_for_all_not_the_machine_that_asks(database: Database) -> None:
    asked: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *call: asked.append(call[2]))

    with database.transaction() as session:
        DatabaseClock().read(session)

    assert len(asked) == 1


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_sqlite_leaves_the_answer_to_the_machine(session: Session) -> None:
    before, read, after = SystemClock().read(session), DatabaseClock().read(session), SystemClock().read(session)

    assert before <= read <= after


# The clocks of tests and demonstrations


def test_a_frozen_clock_always_tells_the_same_instant_in_utc() -> None:
    clock = FrozenClock(NOON.astimezone(LONDON))

    assert (clock.read(NO_SESSION), clock.read(NO_SESSION).tzinfo) == (NOON, UTC)


@pytest.mark.parametrize(
    "read_naive",
    [
        lambda: FrozenClock(NAIVE),
        lambda: SteppedClock(NAIVE),
        lambda: SteppedClock(NOON).move_to(NAIVE),
    ],
    ids=["frozen", "stepped", "moved"],
)
def test_no_clock_takes_an_instant_without_a_zone(read_naive: object) -> None:
    assert callable(read_naive)

    with pytest.raises(TypeError, match="aware"):
        read_naive()


@given(st.lists(st.timedeltas(min_value=timedelta(days=-400), max_value=timedelta(days=400)), max_size=20))
def test_a_stepped_clock_stands_where_its_latest_step_forward_led(steps: list[timedelta]) -> None:
    clock, latest = SteppedClock(NOON), NOON

    for step in steps:
        target = clock.read(NO_SESSION) + step
        if step < timedelta(0):
            with pytest.raises(ValueError, match="never goes back"):
                clock.step(step)
        else:
            assert clock.step(step) == target
            latest = target

        assert clock.read(NO_SESSION) == latest


def test_a_stepped_clock_goes_through_the_hour_that_comes_twice() -> None:
    clock = SteppedClock(AUTUMN)

    clock.move_to(AUTUMN.replace(fold=1))

    assert clock.read(NO_SESSION) == datetime(2019, 10, 27, 1, 30, tzinfo=UTC)
    with pytest.raises(ValueError, match="never goes back"):
        clock.move_to(AUTUMN)


# The accelerated clock


def shown_between(clock: Clock, session: Session) -> tuple[datetime, datetime, datetime]:
    """What the clock shows, between the earliest and the latest that the database's map allows."""
    row = session.get(ClockMap, 1)
    assert row is not None
    real = DatabaseClock()
    before, shown, after = real.read(session), clock.read(session), real.read(session)
    earliest, latest = (row.origin + (instant - row.real_origin) * row.rate for instant in (before, after))
    return earliest, shown, latest


def test_an_accelerated_clock_runs_from_its_origin_at_its_rate(session: Session) -> None:
    clock = AcceleratedClock()

    clock.start(session, origin=NOON, rate=3600)

    earliest, shown, latest = shown_between(clock, session)
    assert NOON <= earliest <= shown <= latest


def test_two_processes_read_one_accelerated_clock_from_the_database(database: Database) -> None:
    here, there = AcceleratedClock(), AcceleratedClock()
    with database.transaction() as session:
        here.start(session, origin=NOON, rate=60_000)

    with database.reading() as session:
        readings = [clock.read(session) for clock in (here, there, here, there)]

    assert readings == sorted(readings)
    assert readings[0] >= NOON


def test_a_clock_started_again_elsewhere_is_read_anew(database: Database) -> None:
    here, there = AcceleratedClock(), AcceleratedClock()
    later = NOON + timedelta(days=300)
    with database.transaction() as session:
        here.start(session, origin=NOON, rate=1)
        here.read(session)

    with database.transaction() as session:
        there.start(session, origin=later, rate=1)

    with database.reading() as session:
        assert here.read(session) >= later


def test_a_start_that_is_taken_back_changes_no_reading(database: Database) -> None:
    clock = AcceleratedClock()
    with database.transaction() as session:
        clock.start(session, origin=NOON, rate=1)

    with database.transaction() as session:
        clock.start(session, origin=NOON + timedelta(days=300), rate=1)
        clock.read(session)
        session.rollback()

    with database.reading() as session:
        assert clock.read(session) < NOON + timedelta(days=1)


def test_an_accelerated_clock_counts_elapsed_time_across_a_clock_change(session: Session) -> None:
    clock = AcceleratedClock()

    clock.start(session, origin=AUTUMN, rate=1)

    assert clock.read(session).tzinfo is UTC
    assert clock.read(session) >= AUTUMN.astimezone(UTC)


def test_an_accelerated_clock_that_nobody_started_tells_no_time(session: Session) -> None:
    with pytest.raises(LookupError, match="no accelerated clock was started"):
        AcceleratedClock().read(session)


@pytest.mark.parametrize("rate", [0, -1])
def test_an_accelerated_clock_is_not_slowed_down_or_turned_back(session: Session, rate: int) -> None:
    with pytest.raises(ValueError, match="at least at the real pace"):
        AcceleratedClock().start(session, origin=NOON, rate=rate)


# Ports


def test_the_ports_hold_nothing_that_opens_a_bid_and_can_not_be_exchanged(keyring: Keyring) -> None:
    ports = Ports(clock=FrozenClock(NOON), entropy=SeededEntropy("test"), keyring=keyring)

    assert {field.name for field in fields(ports)} == {"clock", "entropy", "keyring", "reached"}
    with pytest.raises(FrozenInstanceError):
        ports.clock = SystemClock()  # type: ignore[misc]
