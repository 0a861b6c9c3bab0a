"""Whatever is changed in stored bids, events and closings is found, each on both databases."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, select

from bidding.bids import submitting
from bidding.bids.records import Bid
from bidding.closings import Closing, ExtensionReason
from bidding.deadline import extend
from bidding.proof import verify
from dps.kernel.audit import AuditHead
from dps.kernel.database import Database
from dps.kernel.entropy import SystemEntropy
from dps.kernel.keys import SigningKey
from tests.support.tampering import unguard
from tests.support.world import World

# What a row holds that nobody signed: its own number.
UNSIGNED = {"id"}
# SQLite keeps them as numbers, of which every other than nought is a yes.
YES_OR_NO = {("closing", "published"), ("scored_bid", "is_valid")}


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    """A closing with a winner, a loser, a replaced and a withdrawn bid; another that still gathers."""
    world = World(database, tmp_path)
    first, second, third = (world.provider(name) for name in ("First", "Second", "Third"))
    decided = world.referral()
    world.bid(first, decided, pence=1600)
    world.bid(second, decided, pence=1700)
    world.bid(second, decided, pence=1710)
    withdrawn = world.bid(third, decided, pence=1720)
    with database.transaction() as session:
        submitting.withdraw(session, world.ports, bid_ref=withdrawn["bid"], actor=third)
    world.step(hours=8)
    world.bid(first, world.referral(), pence=1650)
    world.timetable.sign_checkpoint()
    return world


@pytest.fixture
def tampering(world: World) -> Iterator[Session]:
    """A session whose changes are never kept, and that no trigger stops."""
    if world.database.is_sqlite:
        with world.database.engine.begin() as connection:
            unguard(connection)
    with Session(world.database.engine) as session:
        if not world.database.is_sqlite:
            unguard(session.connection())
        yield session
        session.rollback()


def faults(session: Session, world: World) -> list[str]:
    session.expire_all()
    trail, bids = verify(session, world.ports.keyring.public_keys)
    return [*trail.faults, *bids.faults]


def test_an_untouched_database_has_no_fault(world: World) -> None:
    with world.database.reading() as session:
        trail, bids = verify(session, world.ports.keyring.public_keys)

    assert (trail.faults, bids.faults) == ([], [])
    assert (bids.bids, bids.closings) == (5, 2)


@pytest.mark.parametrize("table", ["bid", "opened_bid", "scored_bid", "audit_event", "closing"])
def test_one_changed_value_is_found_in_every_column(world: World, tampering: Session, table: str) -> None:
    """Every row, every column: the database refuses the change, or the proof finds it."""
    unfound, looked_at = [], 0
    columns = list(tampering.execute(text(f"SELECT * FROM {table} LIMIT 1")).mappings().one())
    ids = tampering.execute(text(f"SELECT id FROM {table} ORDER BY id")).scalars().all()
    assert faults(tampering, world) == []
    for id_ in (ids[0], ids[len(ids) // 2], ids[-1]):
        for column in columns:
            if column in UNSIGNED:
                continue
            value = tampering.execute(text(f"SELECT {column} FROM {table} WHERE id = {id_}")).scalar_one()
            if (table, column) in YES_OR_NO:
                value = bool(value)
            change = text(f"UPDATE {table} SET {column} = :value WHERE id = {id_}")
            with suppress(DBAPIError), tampering.begin_nested() as kept:
                tampering.execute(change, {"value": changed(value)})
                looked_at += 1
                if not faults(tampering, world):
                    unfound.append((id_, column, value))
                kept.rollback()

    assert looked_at > len(columns)
    assert unfound == []
    assert faults(tampering, world) == []


def changed(value: Any) -> Any:
    """The least other value of the same type: one byte, one unit."""
    match value:
        case bool():
            return not value
        case int():
            return value + 1
        case bytes() | memoryview():
            return bytes(value)[:-1] + bytes([bytes(value)[-1] ^ 1])
        case datetime():
            return value + timedelta(microseconds=1)
        case str():
            middle = len(value) // 2
            return value[:middle] + ("x" if value[middle] != "x" else "y") + value[middle + 1 :]
        case None:
            return "x"
    raise AssertionError(type(value))


@pytest.mark.parametrize("state", ["sealed", "withdrawn", "unsuccessful", "lapsed"])
def test_a_bid_moved_to_another_state_is_found(world: World, tampering: Session, state: str) -> None:
    winner = tampering.exec(select(Bid).where(Bid.state == "opened").limit(1)).one()
    tampering.execute(text(f"UPDATE bid SET state = '{state}' WHERE id = {winner.id}"))

    assert any(winner.ref in fault for fault in faults(tampering, world))


def test_one_flipped_byte_of_a_ciphertext_is_found(world: World, tampering: Session) -> None:
    bid = tampering.exec(select(Bid).order_by(Bid.id).limit(1)).one()  # type: ignore[arg-type]
    for place in (0, len(bid.ciphertext) // 2, len(bid.ciphertext) - 1):
        altered = bytearray(bid.ciphertext)
        altered[place] ^= 1
        tampering.execute(
            text("UPDATE bid SET ciphertext = :altered WHERE id = :id"), {"altered": bytes(altered), "id": bid.id}
        )

        assert f"bid {bid.ref}: its ciphertext is not what was received" in faults(tampering, world)


def test_a_bid_taken_away_is_found(world: World, tampering: Session) -> None:
    bid = tampering.exec(select(Bid).where(Bid.state == "withdrawn")).one()
    ref = bid.ref
    tampering.execute(text(f"DELETE FROM bid_round WHERE bid_id = {bid.id}"))
    tampering.execute(text(f"DELETE FROM bid WHERE id = {bid.id}"))

    assert f"bid {ref}: the trail received it, and it is gone" in faults(tampering, world)


def test_a_bid_and_its_whole_trail_taken_away_are_found(world: World, tampering: Session) -> None:
    """The manifest of the closing and the checkpoint both still name them."""
    bid = tampering.exec(select(Bid).where(Bid.state == "opened").limit(1)).one()
    ref, stream = bid.ref, bid.invitation_ref
    tampering.execute(text(f"UPDATE award SET bid_id = NULL WHERE bid_id = {bid.id}"))
    for table, column in (("scored_bid", "bid_id"), ("opened_bid", "bid_id"), ("bid_round", "bid_id"), ("bid", "id")):
        tampering.execute(text(f"DELETE FROM {table} WHERE {column} = {bid.id}"))
    for table in ("audit_event", "audit_head"):
        tampering.execute(text(f"DELETE FROM {table} WHERE stream = '{stream}'"))

    found = faults(tampering, world)

    assert any(stream in fault and "signed" in fault for fault in found)
    assert any("the manifest of closing" in fault and ref in fault for fault in found)


def test_a_cut_tail_is_found_even_where_the_head_was_cut_with_it(world: World, tampering: Session) -> None:
    head = tampering.exec(select(AuditHead).where(AuditHead.seq > 1).limit(1)).one()
    before = tampering.execute(
        text(f"SELECT hash FROM audit_event WHERE stream = '{head.stream}' AND seq = {head.seq - 1}")
    ).scalar_one()
    tampering.execute(text(f"DELETE FROM audit_event WHERE stream = '{head.stream}' AND seq = {head.seq}"))
    tampering.execute(
        text(f"UPDATE audit_head SET seq = {head.seq - 1}, hash = '{before}' WHERE stream = '{head.stream}'")
    )

    assert any(head.stream in fault and "a checkpoint signed" in fault for fault in faults(tampering, world))


def test_a_receipt_signed_by_somebody_else_is_found(world: World, tampering: Session) -> None:
    stranger = SigningKey(SystemEntropy().token(32))

    _, bids = verify(tampering, {stranger.key_id: stranger.public})

    assert sum("signed with the unknown key" in fault for fault in bids.faults) == 5


def test_text_that_is_no_json_any_more_is_a_fault_and_no_crash(world: World, tampering: Session) -> None:
    tampering.execute(text("UPDATE bid SET receipt = '{' WHERE id = 1"))

    assert any("can't be read any more" in fault for fault in faults(tampering, world))


@pytest.mark.parametrize("table", ["bid", "opened_bid"])
def test_a_byte_that_changes_no_meaning_is_a_changed_byte(world: World, tampering: Session, table: str) -> None:
    column = {"bid": "receipt", "opened_bid": "content"}[table]
    tampering.execute(text(f"UPDATE {table} SET {column} = {column} || ' '"))

    assert len([fault for fault in faults(tampering, world) if "is not written as it was" in fault]) > 1


def test_a_moved_closing_has_no_fault_and_can_not_pass_for_the_published_one(world: World, tampering: Session) -> None:
    (closing,) = world.rows(Closing, Closing.state == "gathering")
    later, reason = closing.closes_at + timedelta(hours=1), ExtensionReason.SYSTEM_UNAVAILABLE
    world.run(extend, closing_ref=closing.ref, until=later, reason=reason, actor=world.broker)
    world.timetable.sign_checkpoint()
    assert faults(tampering, world) == []

    tampering.execute(text(f"UPDATE closing SET published = true WHERE id = {closing.id}"))

    found = f"closing {closing.ref}: the trail says otherwise of whether it is a published one"
    assert faults(tampering, world) == [found]
