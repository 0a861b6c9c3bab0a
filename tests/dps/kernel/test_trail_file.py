"""The trail as a file: written whole, checked by what knows nothing of the engine, and no tampering goes unseen."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from dps.kernel.actors import Actor, Role
from dps.kernel.audit import append, sign_checkpoint
from dps.kernel.database import Database
from dps.kernel.keys import SigningKey
from dps.kernel.trail_check import check
from dps.kernel.trail_file import trail_lines
from tests.faults.tampering import tampered

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
BROKER = Actor(ref="USR-1", role=Role.BROKER, authority="westshire")
KEY = SigningKey(bytes(range(32)))
KEYS = {KEY.key_id: KEY.public.hex()}


def written(database: Database, *, events: int, unsigned: int = 0) -> list[str]:
    """A trail of so many events in seven streams, signed every ten and at its end, but for the last ones."""
    for number in range(events + unsigned):
        at = NOON + timedelta(seconds=number)
        with database.transaction() as session:
            body = {"ref": f"REF-{number % 7}", "words": "naïve “é”", "list": [number, None, True]}
            append(session, f"REF-{number % 7}", "round.close", BROKER, at, body)
            if number < events and (number % 10 == 9 or number == events - 1):
                sign_checkpoint(session, KEY, at)
    with database.reading() as session:
        return list(trail_lines(session))


def test_what_is_exported_is_checked_by_what_knows_nothing_of_the_engine(database: Database) -> None:
    lines = written(database, events=23, unsigned=2)

    found = check(lines, KEYS)

    assert (found.events, found.checkpoints, found.faults) == (25, 3, [])
    assert check(lines, {}).faults == [f"checkpoint {seq}: its signature does not hold" for seq in (1, 2, 3)]


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_every_tampering_is_found(database: Database) -> None:
    found = tampered(written(database, events=40), KEYS, times=100)

    assert found.faults == []


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_an_empty_trail_is_whole_and_an_empty_file_is_none(database: Database) -> None:
    with database.reading() as session:
        lines = list(trail_lines(session))

    assert check(lines, KEYS).faults == []
    assert len(check([], KEYS).faults) == 1


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_trail_that_was_cut_back_lacks_the_checkpoint_that_somebody_knows(database: Database) -> None:
    before, after = written(database, events=20), written(database, events=20)
    signed = [json.loads(line)["checkpoint"]["hash"] for line in after if line.startswith('{"checkpoint":{')]
    known = signed[-1]

    assert check(before, KEYS).faults == []
    assert len(check(before, KEYS, known=known).faults) == 1
    assert check(after, KEYS, known=known).faults == []
