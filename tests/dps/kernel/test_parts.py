"""A trail proved in parts, by several processes, gets the same report as one proved by one (acceptance 4)."""

from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from dps.kernel import parts
from dps.kernel.audit import append
from dps.kernel.database import Database
from dps.kernel.keys import Keyring
from dps.kernel.parts import verify_in_parts, verify_quickly
from dps.kernel.verify import TrailReport, verify_trail
from tests.dps.kernel.samples import BROKER, NOON
from tests.dps.kernel.trail import CHECKPOINTS, EVENTS, STREAMS, a_trail
from tests.support.tampering import unguard

Refuse = Callable[..., TrailReport]


@pytest.fixture
def trail(database: Database, keyring: Keyring) -> Database:
    a_trail(database, keyring)
    return database


@pytest.fixture
def alone_never(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever falls back on one process fails."""

    def never(*_: Any) -> TrailReport:
        raise AssertionError("the parts did not do")

    monkeypatch.setattr(parts, "verify_trail", never)


def in_parts(database: Database, keyring: Keyring, number: int = 8, pool: Executor | None = None) -> TrailReport:
    with pool or ThreadPoolExecutor(2) as workers, database.reading() as session:
        return verify_in_parts(session, keyring.public_keys, workers, parts=number)


def alone(database: Database, keyring: Keyring) -> TrailReport:
    with database.reading() as session:
        return verify_trail(session, keyring.public_keys)


def change(database: Database, *statements: str) -> None:
    with database.engine.begin() as connection:
        unguard(connection)
        for statement in statements:
            connection.execute(text(statement))


@pytest.mark.parametrize("number", [1, 5, 40])
def test_however_it_is_cut_a_whole_trail_is_whole(
    trail: Database, keyring: Keyring, alone_never: None, number: int
) -> None:
    report = in_parts(trail, keyring, number)

    assert (report.faults, report.events, report.streams, report.checkpoints) == ([], EVENTS, STREAMS, CHECKPOINTS)


def test_an_empty_trail_is_whole(database: Database, keyring: Keyring, alone_never: None) -> None:
    assert in_parts(database, keyring) == TrailReport()


def test_a_fault_in_any_part_is_found_and_named_as_by_one_process(trail: Database, keyring: Keyring) -> None:
    """Events changed, and put into another stream: one of each part, and where two meet."""
    for id_ in (*range(1, EVENTS, 2), EVENTS):
        for tamper, mend in (
            ("UPDATE audit_event SET actor = 'USR-FORGER' WHERE id = :id", "UPDATE audit_event SET actor = :actor"),
            ("UPDATE audit_event SET stream = 'RND-9' WHERE id = :id", "UPDATE audit_event SET stream = :stream"),
        ):
            with trail.engine.begin() as connection:
                unguard(connection)
                row = connection.execute(text("SELECT * FROM audit_event WHERE id = :id"), {"id": id_}).mappings().one()
                connection.execute(text(tamper), {"id": id_})
            one, several = alone(trail, keyring), in_parts(trail, keyring)
            assert (one.ok, one) == (False, several)
            with trail.engine.begin() as connection:
                unguard(connection)
                connection.execute(text(f"{mend} WHERE hash = :hash"), dict(row))

    assert in_parts(trail, keyring).ok


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_event WHERE id = 1",
        "DELETE FROM audit_event WHERE id = 16",
        "DELETE FROM audit_event WHERE stream = 'BID-1'",
        "DELETE FROM audit_head WHERE stream = 'RND-4'",
        "UPDATE audit_head SET signed_seq = 1 WHERE stream = 'RND-1'",
        "UPDATE audit_checkpoint SET signature = 'x' WHERE seq = 2",
        "UPDATE audit_checkpoint_head SET hash = 'x' WHERE checkpoint_seq = 2",
    ],
)
def test_whatever_else_is_missing_is_named_alike(trail: Database, keyring: Keyring, statement: str) -> None:
    change(trail, statement)

    one, several = alone(trail, keyring), in_parts(trail, keyring)

    assert (one.ok, one) == (False, several)


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_what_can_not_be_read_any_more_is_named_alike(trail: Database, keyring: Keyring) -> None:
    change(
        trail, "UPDATE audit_event SET actor = x'ff00' WHERE id = 9", "UPDATE audit_event SET seq = 'two' WHERE id = 3"
    )

    assert in_parts(trail, keyring) == alone(trail, keyring)


def test_the_parts_look_at_one_instant_while_others_write(
    trail: Database, keyring: Keyring, alone_never: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    prove = parts.prove

    def later(part: parts.Part) -> parts.Proved | None:
        with trail.transaction() as writer:
            append(writer, "RND-1", "round.look", BROKER, NOON)
        return prove(part)

    monkeypatch.setattr(parts, "prove", later)

    report = in_parts(trail, keyring, 3)

    assert (report.faults, report.events) == ([], EVENTS)


def test_a_process_that_dies_leaves_the_proof_to_this_one(trail: Database, keyring: Keyring) -> None:
    class Dying(ThreadPoolExecutor):
        def map(self, *_: Any, **__: Any) -> Any:
            raise BrokenExecutor

    report = in_parts(trail, keyring, pool=Dying(1))

    assert (report.ok, report.events) == (True, EVENTS)


@pytest.mark.slow
@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_processes_of_their_own_prove_a_long_trail(
    trail: Database, keyring: Keyring, alone_never: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parts, "FEW", 3)
    with trail.reading() as session:
        report = verify_quickly(session, keyring.public_keys, processes=2)

    assert (report.faults, report.events) == ([], EVENTS)
