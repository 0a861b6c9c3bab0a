"""Messages leave with the transaction that caused them, once, however many workers carry (law 3)."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from sqlmodel import Session, col, select

from dps.kernel import ending
from dps.kernel.database import Database
from dps.kernel.entropy import SeededEntropy
from dps.kernel.outbox import Delivery, OutboxMessage, deliver, due, post
from tests.dps.kernel.samples import NOON
from tests.support.race import race

MINUTE = timedelta(minutes=1)


class Killed(BaseException):
    """The worker is gone, without a chance to do anything about it."""


@dataclass
class Bag:
    """A postman that keeps the references of what it carried, and can't carry those it is told not to."""

    carried: list[str] = field(default_factory=list)
    refuses: dict[str, Exception] = field(default_factory=dict)

    def carry(self, message: OutboxMessage) -> None:
        if message.about in self.refuses:
            raise self.refuses[message.about]
        self.carried.append(message.ref)


def posted(database: Database, *about: str, now: datetime = NOON) -> list[str]:
    """Post a message about each of these; returns their references."""
    entropy = SeededEntropy(",".join(about))
    with database.transaction() as session:
        return [
            post(session, entropy, recipient="provider:PRV-1", kind="round.published", about=one, now=now)
            for one in about
        ]


def carry(database: Database, bag: Bag, now: datetime, *, attempts: int = 12) -> int:
    with database.transaction() as session:
        return deliver(session, bag, now, attempts=attempts)


def outbox(database: Database) -> list[OutboxMessage]:
    with database.reading() as session:
        return list(session.exec(select(OutboxMessage).order_by(col(OutboxMessage.id))))


# Posting


def test_a_message_is_queued_with_what_it_speaks_of(database: Database) -> None:
    with database.transaction() as session:
        post(
            session,
            SeededEntropy("test"),
            recipient="authority:eastshire",
            kind="round.closed",
            about="RND-1",
            now=NOON,
            facts={"rounds": 3},
        )

    [message] = outbox(database)
    assert message.ref.startswith("MSG-")
    assert (message.recipient, message.kind, message.about) == ("authority:eastshire", "round.closed", "RND-1")
    assert (message.facts, message.posted_at, message.delivery) == ({"rounds": 3}, NOON, Delivery.QUEUED)


def test_a_command_that_fails_posts_nothing(database: Database) -> None:
    def post_and_fail() -> None:
        with database.transaction() as session:
            post(session, SeededEntropy("test"), recipient="provider:PRV-1", kind="test", about="RND-1", now=NOON)
            ending.write(session)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        post_and_fail()

    assert outbox(database) == []


# Carrying


def test_what_is_due_is_carried_once_in_the_order_it_was_posted(database: Database) -> None:
    later = posted(database, "RND-3", now=NOON + MINUTE)
    first = posted(database, "RND-1", "RND-2")
    bag = Bag()

    counts = [carry(database, bag, NOON + MINUTE) for _ in range(2)]

    assert (counts, bag.carried) == ([3, 0], [*first, *later])
    assert {(message.delivery, message.delivered_at) for message in outbox(database)} == {
        (Delivery.SENT, NOON + MINUTE)
    }


def test_a_message_is_not_carried_before_its_time(database: Database) -> None:
    posted(database, "RND-1", now=NOON + MINUTE)
    bag = Bag()

    assert carry(database, bag, NOON + MINUTE - timedelta(microseconds=1)) == 0
    assert carry(database, bag, NOON + MINUTE) == 1


def test_at_most_so_many_are_claimed_at_once(database: Database) -> None:
    posted(database, *(f"RND-{number}" for number in range(7)))

    with database.transaction() as session:
        counts = [deliver(session, Bag(), NOON, limit=3) for _ in range(4)]

    assert counts == [3, 3, 1, 0]


# Failing


def test_a_message_that_fails_is_tried_again_at_a_distance_that_doubles_up_to_an_hour(database: Database) -> None:
    posted(database, "RND-1")
    bag, now, waits = Bag(refuses={"RND-1": ConnectionRefusedError()}), NOON, []

    for _ in range(9):
        assert carry(database, bag, now) == 0
        [message] = outbox(database)
        waits.append((message.not_before - now) // MINUTE)
        assert carry(database, bag, message.not_before - timedelta(microseconds=1)) == 0
        assert outbox(database)[0].attempts == message.attempts
        now = message.not_before

    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    assert (message.attempts, message.last_error, message.delivery) == (9, "ConnectionRefusedError", Delivery.QUEUED)
    assert carry(database, Bag(), now) == 1


def test_a_message_is_given_up_after_so_many_attempts(database: Database) -> None:
    posted(database, "RND-1")
    bag = Bag(refuses={"RND-1": TimeoutError()})

    now = NOON
    for _ in range(3):
        carry(database, bag, now, attempts=3)
        now = outbox(database)[0].not_before

    assert (outbox(database)[0].delivery, outbox(database)[0].attempts) == (Delivery.GIVEN_UP, 3)
    assert carry(database, Bag(), now + timedelta(days=1)) == 0


def test_a_mail_server_may_be_down_for_a_day_and_loses_nothing(database: Database) -> None:
    [ref] = posted(database, "RND-1")
    down, up, now = Bag(refuses={"RND-1": ConnectionRefusedError()}), Bag(), NOON
    while now < NOON + timedelta(days=1):
        with database.transaction() as session:
            deliver(session, down, now)
        now = outbox(database)[0].not_before

    with database.transaction() as session:
        deliver(session, up, now)

    assert up.carried == [ref]


def test_no_number_of_attempts_is_too_great_to_count_the_next_distance(database: Database) -> None:
    posted(database, "RND-1")
    with database.transaction() as session:
        session.exec(select(OutboxMessage)).one().attempts = 1000

    carry(database, Bag(refuses={"RND-1": ConnectionRefusedError()}), NOON, attempts=10_000)

    assert outbox(database)[0].not_before == NOON + 60 * MINUTE


@pytest.mark.parametrize("fault", [ConnectionResetError(), ValueError("no such address"), UnicodeError("é")])
def test_one_message_that_can_not_be_carried_holds_up_no_other(database: Database, fault: Exception) -> None:
    first, _, last = posted(database, "RND-1", "RND-2", "RND-3")
    bag = Bag(refuses={"RND-2": fault})

    counts = [carry(database, bag, NOON) for _ in range(2)]

    assert (counts, bag.carried) == ([2, 0], [first, last])
    assert [message.last_error for message in outbox(database)] == [None, type(fault).__name__, None]


def test_what_was_carried_before_a_crash_is_carried_again_as_the_same_message(database: Database) -> None:
    refs = posted(database, "RND-1", "RND-2")
    bag = Bag()

    def carry_and_die() -> None:
        with database.transaction() as session:
            deliver(session, bag, NOON)
            raise Killed

    with pytest.raises(Killed):
        carry_and_die()
    carry(database, bag, NOON)
    carry(database, bag, NOON)

    assert bag.carried == [*refs, *refs]
    assert [(message.attempts, message.delivery) for message in outbox(database)] == [(1, Delivery.SENT)] * 2


# Many workers


@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_a_worker_skips_what_another_is_carrying(database: Database) -> None:
    refs = posted(database, "RND-1", "RND-2", "RND-3")

    with database.transaction() as one, database.transaction() as other:
        here, there = refs_due(one, limit=2), refs_due(other, limit=2)

    assert (here, there) == (refs[:2], refs[2:])


def refs_due(session: Session, limit: int) -> list[str]:
    return [message.ref for message in due(session, NOON, limit)]


def test_many_workers_carry_each_message_exactly_once(database: Database) -> None:
    refs = posted(database, *(f"RND-{number}" for number in range(800)))
    bag = Bag()

    def work() -> int:
        carried = 0
        while any(message.delivery is Delivery.QUEUED for message in outbox(database)):
            carried += carry(database, bag, NOON)
        return carried

    outcomes = race([work] * 4)

    assert Counter(bag.carried) == Counter(refs)
    assert sum(outcome for outcome in outcomes if isinstance(outcome, int)) == 800
