"""Law 1: where many invitations did not arrive, the broker is told while there is time, once."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from bidding.rounds import UNREACHED
from dps.kernel.database import Database
from dps.kernel.outbox import OutboxMessage, deliver
from tests.support.race import race
from tests.support.world import World
from tests.web.sending.office import Told, reader
from web.security.accounts import Part
from web.sending.carrying import LetterRound
from web.sending.silence import Reach, SilenceWatch, is_silence, look_at, reach_of
from web.sending.sorting import Sorter

OPENS, CLOSES = datetime(2019, 3, 4, 8, tzinfo=UTC), datetime(2019, 3, 4, 12, tzinfo=UTC)
QUARTER = datetime(2019, 3, 4, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("asked", "unreached", "now", "told"),
    [
        (3, 1, QUARTER, True),
        (3, 1, QUARTER - timedelta(microseconds=1), False),
        (3, 1, CLOSES - timedelta(microseconds=1), True),
        (3, 1, CLOSES, False),
        (4, 1, QUARTER, False),
        (1, 1, QUARTER, True),
        (0, 0, QUARTER, False),
    ],
)
def test_a_third_unreached_after_a_quarter_of_the_window_is_silence(
    asked: int, unreached: int, now: datetime, told: bool
) -> None:
    assert is_silence(Reach(asked, unreached), opens_at=OPENS, closes_at=CLOSES, now=now) is told


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


def invite(world: World) -> str:
    """A round with two providers of whom one can be written to; returns its reference."""
    reached = world.provider("Reached").provider
    reader(world, Part.PROVIDER_USER, "ann", provider=reached)
    world.provider("Nobody there")
    reader(world, Part.BROKER, "bob")
    referral = world.referral()
    with world.database.transaction() as session:
        deliver(session, Sorter(world.ports.entropy, spool=None), world.now)
    LetterRound(world.database, world.ports, [Told()]).make()
    return referral


def told(world: World) -> list[str]:
    return [message.about for message in world.rows(OutboxMessage, OutboxMessage.kind == UNREACHED)]


def test_the_broker_is_told_once_and_by_a_letter_of_its_own(world: World) -> None:
    round_ = world.round(invite(world))
    assert round_.closes_at is not None

    watches = [SilenceWatch(world.database, world.ports) for _ in range(2)]
    early = watches[0].warn()
    world.clock.move_to(round_.opens_at + (round_.closes_at - round_.opens_at) / 4)
    warned = race([watch.warn for watch in watches])
    again = SilenceWatch(world.database, world.ports).warn()

    assert (early, sorted(map(str, warned)), again) == (0, ["0", "1"], 0)
    assert told(world) == [round_.ref]
    (event,) = world.events(f"round.{UNREACHED}")
    assert (event.stream, event.body) == (round_.ref, {"asked": 2, "unreached": 1})
    with world.database.reading() as session:
        assert reach_of(session, round_.ref) == {round_.ref: Reach(asked=2, unreached=1)}


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_nobody_is_told_where_every_invitation_became_a_file(world: World) -> None:
    world.provider("Nobody there")
    referral = world.referral()
    with world.database.transaction() as session:
        deliver(session, Sorter(world.ports.entropy, spool=world.postman), world.now)
    round_ = world.round(referral)
    assert round_.closes_at is not None

    world.clock.move_to(round_.closes_at - timedelta(minutes=1))

    assert SilenceWatch(world.database, world.ports).warn() == 0
    assert told(world) == []


def test_a_round_is_looked_at_once(world: World) -> None:
    round_ = world.round(invite(world))
    assert round_.closes_at is not None
    world.clock.move_to(look_at(round_.opens_at, round_.closes_at))
    watch = SilenceWatch(world.database, world.ports)
    watch.warn()
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        asked.append(statement)

    event.listen(world.database.engine, "before_cursor_execute", note)
    watch.warn()
    event.remove(world.database.engine, "before_cursor_execute", note)

    assert asked != []
    assert [one for one in asked if "outbox_message" in one] == []
