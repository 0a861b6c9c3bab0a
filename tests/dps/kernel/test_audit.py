"""The trail: one gapless chain per stream, whoever writes, and checkpoints that hold nobody up (law 3)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, StatementError
from sqlmodel import Session, col, select

from dps.kernel import ending
from dps.kernel.actors import CLOCK
from dps.kernel.audit import ZERO_HASH, AuditEvent, AuditHead, Checkpoint, CheckpointHead, append, sign_checkpoint
from dps.kernel.database import Database
from dps.kernel.keys import Keyring
from dps.kernel.verify import verify_trail
from tests.dps.kernel.samples import BROKER, NOON, Door
from tests.dps.kernel.waiting import begun_and_waiting
from tests.support.race import race

ON_POSTGRESQL = pytest.mark.parametrize("database_kind", ["postgresql"])


def events(database: Database, stream: str = "RND-1") -> list[AuditEvent]:
    with database.reading() as session:
        return list(
            session.exec(select(AuditEvent).where(AuditEvent.stream == stream).order_by(col(AuditEvent.seq))).all()
        )


def write(database: Database, *streams: str, **body: Any) -> None:
    with database.transaction() as session:
        for stream in streams:
            append(session, stream, "round.look", BROKER, NOON, body)


def assert_whole(database: Database, keyring: Keyring, events: int) -> None:
    with database.reading() as session:
        report = verify_trail(session, keyring.public_keys)
    assert (report.faults, report.events) == ([], events)


# One chain per stream


def test_each_event_names_the_one_before_it_in_its_stream(database: Database) -> None:
    write(database, "RND-1", "RND-2", "RND-1")
    write(database, "RND-1")

    first, second, third = events(database)
    [other] = events(database, "RND-2")
    assert [event.seq for event in (first, second, third, other)] == [1, 2, 3, 1]
    assert [event.previous_hash for event in (first, second, third, other)] == (
        [ZERO_HASH, first.hash, second.hash, ZERO_HASH]
    )


def test_the_head_of_a_stream_is_its_last_event(database: Database) -> None:
    write(database, "RND-1", "RND-2", "RND-1")

    with database.reading() as session:
        heads = {head.stream: (head.seq, head.hash) for head in session.exec(select(AuditHead))}
    assert heads == {"RND-1": (2, events(database)[-1].hash), "RND-2": (1, events(database, "RND-2")[-1].hash)}


def test_an_event_tells_who_did_what_when_to_what(database: Database) -> None:
    body = {"ref": "RND-1", "to": Door.OPEN, "bids": ("BID-1", "BID-2"), "note": "é"}

    with database.transaction() as session:
        append(session, "RND-1", "round.close", CLOCK, NOON, body)

    [event] = events(database)
    assert (event.actor, event.role, event.kind, event.at) == ("clock", "clock", "round.close", NOON)
    assert event.body == {"ref": "RND-1", "to": "open", "bids": ["BID-1", "BID-2"], "note": "é"}


def test_an_event_taken_back_with_its_command_leaves_no_gap(database: Database, keyring: Keyring) -> None:
    write(database, "RND-1")
    with database.transaction() as session:
        append(session, "RND-1", "round.look", BROKER, NOON)
        append(session, "RND-2", "round.look", BROKER, NOON)
        session.rollback()
    write(database, "RND-1", "RND-2")

    assert [event.seq for event in events(database)] == [1, 2]
    assert_whole(database, keyring, events=3)


def _say_and_break_a_rule(session: Session) -> None:
    append(session, "RND-1", "round.look", BROKER, NOON, {"number": 4})
    session.add_all([AuditHead(stream="RND-9", seq=1, hash=ZERO_HASH), AuditHead(stream="RND-9", seq=1, hash="")])


def test_an_event_taken_back_with_its_savepoint_is_never_written(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        append(session, "RND-1", "round.look", BROKER, NOON, {"number": 1})
        with session.begin_nested() as savepoint:
            append(session, "RND-1", "round.look", BROKER, NOON, {"number": 2})
            savepoint.rollback()
        with session.begin_nested():
            append(session, "RND-1", "round.look", BROKER, NOON, {"number": 3})
        with pytest.raises(IntegrityError), session.begin_nested():
            _say_and_break_a_rule(session)

    assert [event.body["number"] for event in events(database)] == [1, 3]
    assert_whole(database, keyring, events=2)


def test_what_a_command_said_of_several_streams_stands_in_the_order_in_which_it_was_said(database: Database) -> None:
    write(database, "RND-2", "BID-1", "RND-2", "AWD-1")

    with database.reading() as session:
        streams = session.exec(select(AuditEvent.stream).order_by(col(AuditEvent.id))).all()
    assert list(streams) == ["RND-2", "BID-1", "RND-2", "AWD-1"]


@ON_POSTGRESQL
def test_writers_of_the_same_streams_in_opposite_orders_never_stop_each_other(
    database: Database, keyring: Keyring
) -> None:
    write(database, "RND-1", "RND-2")

    def there_and_back(streams: tuple[str, str]) -> None:
        for _ in range(20):
            write(database, *streams)

    outcomes = race([lambda: there_and_back(("RND-1", "RND-2")), lambda: there_and_back(("RND-2", "RND-1"))] * 4)

    assert outcomes == [None] * 8
    assert_whole(database, keyring, events=2 + 8 * 20 * 2)


def test_one_instant_told_in_two_zones_is_one_event(database: Database, keyring: Keyring) -> None:
    london = ZoneInfo("Europe/London")

    with database.transaction() as session:
        append(session, "RND-1", "round.look", BROKER, NOON.astimezone(london))
        append(session, "RND-2", "round.look", BROKER, NOON)
        sign_checkpoint(session, keyring.signing, NOON.astimezone(london))

    assert [event.at for event in (*events(database), *events(database, "RND-2"))] == [NOON, NOON]
    assert_whole(database, keyring, events=2)


@pytest.mark.parametrize(
    ("at", "body", "words"),
    [
        (NOON.replace(tzinfo=None), {}, "an aware datetime is needed"),
        (NOON, {"price": 12.5}, "no float is stored"),
        (NOON, {"days": {1, 2}}, "not JSON serializable"),
    ],
)
def test_what_has_no_exact_text_is_no_event(database: Database, at: Any, body: Any, words: str) -> None:
    with pytest.raises((TypeError, StatementError), match=words), database.transaction() as session:
        append(session, "RND-1", "round.look", BROKER, at, body)

    assert events(database) == []


def test_the_database_holds_one_event_of_a_number(database: Database) -> None:
    write(database, "RND-1")
    with database.reading() as session:
        first = {**session.execute(text("SELECT * FROM audit_event")).mappings().one()}

    with pytest.raises(IntegrityError), database.engine.begin() as connection:
        connection.execute(
            text(f"INSERT INTO audit_event ({', '.join(first)}) VALUES ({', '.join(f':{name}' for name in first)})"),
            {**first, "id": 99},
        )


# Many writers


def test_many_writers_of_one_stream_leave_one_gapless_chain(database: Database, keyring: Keyring) -> None:
    def write_many() -> None:
        for number in range(25):
            write(database, "RND-1", number=number)

    outcomes = race([write_many] * 8)

    assert outcomes == [None] * 8
    assert [event.seq for event in events(database)] == list(range(1, 201))
    assert_whole(database, keyring, events=200)


def test_writers_who_begin_a_stream_at_once_follow_each_other(database: Database, keyring: Keyring) -> None:
    for number in range(10):
        outcomes = race([lambda stream=f"RND-{number}": write(database, stream)] * 4)  # type: ignore[misc]

        assert outcomes == [None] * 4

    assert_whole(database, keyring, events=40)


@ON_POSTGRESQL
@pytest.mark.parametrize(("is_kept", "seqs"), [(True, [1, 2]), (False, [1])])
def test_who_begins_a_stream_second_waits_to_see_whether_it_began(
    database: Database, keyring: Keyring, is_kept: bool, seqs: list[int]
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as session:
            append(session, "RND-1", "round.look", BROKER, NOON)
            ending.write(session)
            second = begun_and_waiting(pool, database, lambda: write(database, "RND-1"))
            assert not second.done()
            if not is_kept:
                session.rollback()
        second.result()

    assert [event.seq for event in events(database)] == seqs
    assert_whole(database, keyring, events=len(seqs))


# Checkpoints


def test_a_checkpoint_signs_each_head_that_moved_since_the_last(database: Database, keyring: Keyring) -> None:
    write(database, "RND-1", "RND-2", "RND-1")
    with database.transaction() as session:
        first = sign_checkpoint(session, keyring.signing, NOON)
    write(database, "RND-2", "BID-1")
    with database.transaction() as session:
        second = sign_checkpoint(session, keyring.signing, NOON + timedelta(minutes=1))

    with database.reading() as session:
        heads = session.exec(select(CheckpointHead.checkpoint_seq, CheckpointHead.stream, CheckpointHead.seq)).all()
    assert first is not None
    assert second is not None
    assert sorted(heads) == [(1, "RND-1", 2), (1, "RND-2", 1), (2, "BID-1", 1), (2, "RND-2", 2)]
    assert (first.heads, second.heads, first.previous_hash, second.previous_hash) == (2, 2, ZERO_HASH, first.hash)
    assert second.key_id == keyring.signing.key_id
    assert_whole(database, keyring, events=5)


def test_where_nothing_moved_nothing_is_signed(database: Database, keyring: Keyring) -> None:
    write(database, "RND-1")

    with database.transaction() as session:
        signed = [sign_checkpoint(session, keyring.signing, NOON) is not None for _ in range(3)]

    assert signed == [True, False, False]


def test_events_of_the_same_transaction_are_signed_with_it(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        append(session, "CLO-1", "closing.close", CLOCK, NOON)
        checkpoint = sign_checkpoint(session, keyring.signing, NOON)

    assert checkpoint is not None
    assert checkpoint.heads == 1


@ON_POSTGRESQL
def test_who_signs_waits_for_no_writer(database: Database, keyring: Keyring) -> None:
    """A writer holds one stream and comes to want another: a signer who held that one and waited would stop both."""
    write(database, "RND-1", "RND-2")

    with database.transaction() as writer:
        append(writer, "RND-1", "round.look", BROKER, NOON)
        ending.write(writer)
        with database.transaction() as signer:
            signer.execute(text("SET LOCAL lock_timeout = '1s'"))
            during = sign_checkpoint(signer, keyring.signing, NOON)
        append(writer, "RND-2", "round.look", BROKER, NOON)
    with database.transaction() as session:
        after = sign_checkpoint(session, keyring.signing, NOON)

    assert during is not None
    assert after is not None
    assert (during.heads, after.heads) == (1, 2)
    assert_whole(database, keyring, events=4)


@ON_POSTGRESQL
def test_of_two_who_sign_at_once_the_later_signs_the_rest(database: Database, keyring: Keyring) -> None:
    def sign() -> Checkpoint | None:
        with database.transaction() as session:
            return sign_checkpoint(session, keyring.signing, NOON)

    write(database, "RND-1")
    with ThreadPoolExecutor(1) as pool:
        with database.transaction() as session:
            first = sign_checkpoint(session, keyring.signing, NOON)
            write(database, "RND-2")
            later = begun_and_waiting(pool, database, sign)
        second = later.result()

    assert first is not None
    assert second is not None
    assert (first.seq, first.heads, second.seq, second.heads) == (1, 1, 2, 1)
    assert_whole(database, keyring, events=2)


def test_writers_and_signers_at_once_leave_a_whole_trail(database: Database, keyring: Keyring) -> None:
    def write_many(*streams: str) -> None:
        for _ in range(15):
            write(database, *streams)

    def sign_many() -> None:
        for _ in range(15):
            with database.transaction() as session:
                sign_checkpoint(session, keyring.signing, NOON)

    outcomes = race([lambda: write_many("RND-1", "RND-2"), lambda: write_many("RND-1", "RND-3"), sign_many, sign_many])

    assert outcomes == [None] * 4
    assert_whole(database, keyring, events=60)
