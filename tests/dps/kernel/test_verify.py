"""The verifier finds whatever was done to the trail, and says where (law 3, acceptance 4)."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from sqlmodel import Session

from dps.kernel.audit import append, sign_checkpoint
from dps.kernel.database import Database
from dps.kernel.keys import Keyring, create_keys, load_keyring, rotate_signing_key
from dps.kernel.verify import verify_trail
from tests.dps.kernel.hands import COLUMNS, HANDS, change_value, compute_anew, is_done, rows
from tests.dps.kernel.samples import BROKER, NOON
from tests.dps.kernel.trail import CHECKPOINTS, EVENTS, STREAMS, a_trail, report_on, tampering
from tests.support.tampering import unguard


@pytest.fixture
def trail(database: Database, keyring: Keyring) -> Database:
    a_trail(database, keyring)
    with database.engine.begin() as connection:
        unguard(connection)
    return database


def test_a_whole_trail_has_no_fault(trail: Database, keyring: Keyring) -> None:
    with trail.reading() as session:
        report = verify_trail(session, keyring.public_keys)

    assert (report.faults, report.ok) == ([], True)
    assert (report.events, report.streams, report.checkpoints) == (EVENTS, STREAMS, CHECKPOINTS)


def test_an_empty_trail_is_whole(database: Database, keyring: Keyring) -> None:
    assert report_on(database, keyring).ok


def test_a_trail_without_checkpoints_is_checked_by_its_chains(database: Database, keyring: Keyring) -> None:
    with database.transaction() as session:
        for _ in range(3):
            append(session, "RND-1", "round.look", BROKER, NOON)

    assert report_on(database, keyring).ok
    assert not report_on(database, keyring, "UPDATE audit_event SET actor = 'USR-2' WHERE seq = 2").ok


# One fault at a time, and its words


@pytest.mark.parametrize(
    ("statements", "fault"),
    [
        (
            ["UPDATE audit_event SET kind = 'round.Look' WHERE stream = 'RND-1' AND seq = 3"],
            "stream RND-1, event 3: it was changed after it was written",
        ),
        (
            ["UPDATE audit_event SET body = body || ' ' WHERE stream = 'RND-4' AND seq = 2"],
            "stream RND-4, event 2: it was changed after it was written",
        ),
        (
            ["DELETE FROM audit_event WHERE stream = 'RND-1' AND seq = 3"],
            "stream RND-1, event 4: event 3 is missing",
        ),
        (
            ["DELETE FROM audit_event WHERE stream = 'RND-2' AND seq = 1"],
            "stream RND-2, event 2: event 1 is missing",
        ),
        (
            [
                "UPDATE audit_event SET seq = 99 WHERE stream = 'RND-1' AND seq = 2",
                "UPDATE audit_event SET seq = 2 WHERE stream = 'RND-1' AND seq = 3",
                "UPDATE audit_event SET seq = 3 WHERE stream = 'RND-1' AND seq = 99",
            ],
            "stream RND-1, event 2: it was changed after it was written",
        ),
        (
            [
                "UPDATE audit_event SET id = 99 WHERE stream = 'RND-1' AND seq = 2",
            ],
            "stream RND-1, event 3: event 2 is missing",
        ),
        (
            ["DELETE FROM audit_event WHERE stream = 'RND-2' AND seq = 3"],
            "stream RND-2: its events end at 2, its head says 3",
        ),
        (
            [
                "DELETE FROM audit_event WHERE stream = 'RND-2' AND seq = 3",
                "UPDATE audit_head SET seq = 2, hash = ("
                "SELECT hash FROM audit_event WHERE stream = 'RND-2' AND seq = 2) WHERE stream = 'RND-2'",
            ],
            "stream RND-2, event 3: a checkpoint signed it, and it is gone",
        ),
        (
            ["DELETE FROM audit_event WHERE stream = 'BID-1'", "DELETE FROM audit_head WHERE stream = 'BID-1'"],
            "stream BID-1, event 3: a checkpoint signed it, and it is gone",
        ),
        (["DELETE FROM audit_head WHERE stream = 'RND-4'"], "stream RND-4: it has events but no head"),
        (
            ["UPDATE audit_head SET signed_seq = 1000 WHERE stream = 'RND-4'"],
            "stream RND-4: checkpoints signed it to another event than its head says",
        ),
        (
            [
                "DELETE FROM audit_checkpoint_head WHERE checkpoint_seq = 2",
                "DELETE FROM audit_checkpoint WHERE seq = 2",
            ],
            "checkpoint 3: checkpoint 2 is missing",
        ),
        (
            [
                "DELETE FROM audit_checkpoint_head WHERE checkpoint_seq = 4",
                "DELETE FROM audit_checkpoint WHERE seq = 4",
            ],
            "stream RND-3: checkpoints signed it to another event than its head says",
        ),
        (["DELETE FROM audit_checkpoint WHERE seq = 4"], "stream RND-3: checkpoints signed it to another event"),
        (
            ["DELETE FROM audit_checkpoint_head", "DELETE FROM audit_checkpoint"],
            "stream RND-1: checkpoints signed it to another event than its head says",
        ),
        (
            ["DELETE FROM audit_checkpoint_head WHERE checkpoint_seq = 2 AND stream = 'BID-1'"],
            "checkpoint 2: its content does not match its hash",
        ),
        (
            ["UPDATE audit_checkpoint SET key_id = '0000000000000000' WHERE seq = 3"],
            "checkpoint 3: signed with the unknown key 0000000000000000",
        ),
        (
            [
                "UPDATE audit_checkpoint SET signature = ("
                "    SELECT signature FROM audit_checkpoint WHERE seq = 1"
                ") WHERE seq = 2"
            ],
            "checkpoint 2: its signature does not hold",
        ),
        (["UPDATE audit_checkpoint SET signature = '–' WHERE seq = 2"], "checkpoint 2: its signature does not hold"),
        (
            ["UPDATE audit_checkpoint SET signature = signature || ' ' WHERE seq = 2"],
            "checkpoint 2: its signature does not hold",
        ),
    ],
)
def test_what_was_done_to_the_trail_is_named(
    trail: Database, keyring: Keyring, statements: list[str], fault: str
) -> None:
    report = report_on(trail, keyring, *statements)

    assert any(line.startswith(fault) for line in report.faults), report.faults


@pytest.mark.parametrize(("table", "column"), COLUMNS)
def test_a_changed_value_of_any_column_of_any_row_is_found(
    trail: Database, keyring: Keyring, table: str, column: str
) -> None:
    with trail.reading() as session:
        count = len(rows(session, table))

    for number in range(count):
        with tampering(trail) as session:
            if is_done(lambda session=session, number=number: change_value(session, table, column, number, 0)):  # type: ignore[misc]
                assert not verify_trail(session, keyring.public_keys).ok


def test_a_chain_computed_anew_from_a_forged_event_is_not_what_was_signed(trail: Database, keyring: Keyring) -> None:
    with tampering(trail) as session:
        compute_anew(session, "RND-1", 2, actor="USR-FORGER")

        report = verify_trail(session, keyring.public_keys)

    assert report.faults[0] == "stream RND-1, event 2: it is not what a checkpoint signed"


def test_a_chain_computed_anew_after_the_last_signed_event_would_need_its_place_to_change(
    trail: Database, keyring: Keyring
) -> None:
    """What no checkpoint covers yet can be forged as a whole: the reason why the worker signs each minute."""
    with tampering(trail) as session:
        compute_anew(session, "RND-4", 1, actor="USR-FORGER")
        assert verify_trail(session, keyring.public_keys).ok

        sign_checkpoint(session, keyring.signing, NOON + timedelta(days=1))
        compute_anew(session, "RND-4", 1, actor="USR-OTHER")
        assert not verify_trail(session, keyring.public_keys).ok


def test_a_checkpoint_forged_with_another_key_is_found(trail: Database, keyring: Keyring, tmp_path: Any) -> None:
    create_keys(tmp_path / "keys", tmp_path / "identities")
    forger = load_keyring(tmp_path / "keys").signing

    with tampering(trail) as session:
        append(session, "RND-1", "round.look", BROKER, NOON)
        sign_checkpoint(session, forger, NOON)
        stranger = verify_trail(session, keyring.public_keys)
        session.execute(text("UPDATE audit_checkpoint SET key_id = :id"), {"id": keyring.signing.key_id})
        disguised = verify_trail(session, keyring.public_keys)

    assert stranger.faults == [f"checkpoint 5: signed with the unknown key {forger.key_id}"]
    assert disguised.faults == ["checkpoint 5: its signature does not hold"]


def test_what_an_old_key_signed_stays_proven_after_the_key_was_rotated(database: Database, tmp_path: Any) -> None:
    create_keys(tmp_path / "keys", tmp_path / "identities")
    a_trail(database, load_keyring(tmp_path / "keys"))
    rotate_signing_key(tmp_path / "keys")
    keyring = load_keyring(tmp_path / "keys")
    with database.transaction() as session:
        append(session, "RND-1", "round.look", BROKER, NOON)
        sign_checkpoint(session, keyring.signing, NOON)

    with database.reading() as session:
        report = verify_trail(session, keyring.public_keys)

    assert (report.faults, report.checkpoints) == ([], CHECKPOINTS + 1)


def test_the_verifier_sees_one_instant_while_others_write(trail: Database, keyring: Keyring) -> None:
    with trail.reading() as session:
        session.execute(text("SELECT 1 FROM audit_head")).all()
        with trail.transaction() as writer:
            append(writer, "RND-1", "round.look", BROKER, NOON)
            sign_checkpoint(writer, keyring.signing, NOON)

        report = verify_trail(session, keyring.public_keys)

    assert (report.faults, report.events) == ([], EVENTS)


# What can't even be read


@pytest.mark.parametrize("database_kind", ["sqlite"])
@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE audit_event SET at = 'yesterday' WHERE id = 3",
        "UPDATE audit_event SET at = at + 0.5 WHERE id = 3",
        "UPDATE audit_event SET at = 9e18 WHERE id = 3",
        "UPDATE audit_event SET at = 9000000000000000000 WHERE id = 3",
        "UPDATE audit_event SET seq = 'two' WHERE id = 3",
        "UPDATE audit_event SET actor = x'ff00' WHERE id = 3",
        "UPDATE audit_event SET stream = x'ff00' WHERE id = 3",
        "UPDATE audit_event SET body = CAST(x'7bff7d' AS TEXT) WHERE id = 3",
        "UPDATE audit_checkpoint SET at = 'yesterday' WHERE seq = 2",
        "UPDATE audit_checkpoint_head SET seq = 'two' WHERE checkpoint_seq = 2 AND stream = 'BID-1'",
        "UPDATE audit_head SET seq = 'two' WHERE stream = 'BID-1'",
    ],
)
def test_a_value_that_is_no_longer_of_its_kind_is_a_fault_and_no_crash(
    trail: Database, keyring: Keyring, damage: str
) -> None:
    assert not report_on(trail, keyring, damage).ok


@pytest.mark.parametrize("database_kind", ["postgresql"])
@pytest.mark.parametrize("instant", ["infinity", "-infinity", "4000-01-01 BC", "12000-01-01"])
def test_an_instant_that_no_clock_shows_is_a_fault_and_no_crash(
    trail: Database, keyring: Keyring, instant: str
) -> None:
    assert not report_on(trail, keyring, f"UPDATE audit_event SET at = '{instant}' WHERE id = 3").ok


# Anything at random


@pytest.mark.parametrize(
    "number_of_edits",
    [60, pytest.param(2000, marks=[pytest.mark.slow, pytest.mark.timeout(900)])],
)
def test_every_random_edit_deletion_reorder_and_truncation_is_found(
    trail: Database, keyring: Keyring, number_of_edits: int
) -> None:
    @settings(max_examples=number_of_edits)
    @given(st.sampled_from(HANDS), st.data())
    def is_found(hand: Callable[[Session, Any], None], data: Any) -> None:
        with tampering(trail) as session:
            assume(is_done(lambda: hand(session, data.draw)))
            assert not verify_trail(session, keyring.public_keys).ok

    is_found()
    with trail.reading() as session:
        assert verify_trail(session, keyring.public_keys).ok
