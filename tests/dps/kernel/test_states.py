"""The one writer of states: every pair of state and step, the guard, and the event that goes with it."""

from itertools import product
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy.exc import StatementError
from sqlmodel import Session, col, select

from dps.kernel.actors import Role
from dps.kernel.audit import AuditEvent
from dps.kernel.database import Database, locked_one
from dps.kernel.errors import DpsError, Forbidden, NoSuchStep, StateChanged
from dps.kernel.states import StateTable, advance
from tests.dps.kernel.samples import ACTORS, APPROVER, BROKER, NOON, Door, SampleDoor
from tests.support.race import race

RUNNERS = 8
STEPS = SampleDoor.STEPS
LISTED = {
    (Door.NEW, "open"): (Door.OPEN, {Role.BROKER}),
    (Door.OPEN, "shut"): (Door.SHUT, {Role.BROKER, Role.CLOCK}),
    (Door.SHUT, "open"): (Door.OPEN, {Role.APPROVER}),
    (Door.OPEN, "take_out"): (Door.GONE, {Role.REGISTER_OFFICER}),
    (Door.SHUT, "take_out"): (Door.GONE, {Role.REGISTER_OFFICER}),
}


def a_door(database: Database, state: Door = Door.NEW) -> SampleDoor:
    with database.transaction() as session:
        door = SampleDoor(ref="DOOR-1", state=state)
        session.add(door)
    return door


def door_now(database: Database) -> SampleDoor:
    with database.reading() as session:
        return session.exec(select(SampleDoor)).one()


def events(database: Database) -> list[AuditEvent]:
    with database.reading() as session:
        return list(session.exec(select(AuditEvent).order_by(col(AuditEvent.id))))


# The table


@pytest.mark.parametrize(("state", "step"), list(product(Door, (*STEPS.names, "vanish"))))
def test_a_row_moves_exactly_by_the_steps_that_its_table_lists(database: Database, state: Door, step: str) -> None:
    a_door(database, state)
    expected: dict[Role, Any] = dict.fromkeys(Role, (NoSuchStep, state))
    if (state, step) in LISTED:
        target, movers = LISTED[state, step]
        expected = {role: (None, target) if role in movers else (Forbidden, state) for role in Role}

    outcomes = {}
    for role, actor in ACTORS.items():
        with database.transaction() as session:
            door = session.exec(select(SampleDoor)).one()
            outcomes[role] = (refusal(session, door, step, actor), door.state)
            session.rollback()

    assert outcomes == expected
    assert STEPS.allows(state, step) is ((state, step) in LISTED)


def refusal(session: Session, door: SampleDoor, step: str, actor: Any) -> type[DpsError] | None:
    try:
        advance(session, door, step, actor, NOON)
    except DpsError as refused:
        return type(refused)
    return None


def test_the_steps_have_names_in_the_order_of_the_table() -> None:
    assert STEPS.names == ("open", "shut", "take_out")


def test_a_step_is_listed_once_from_each_state() -> None:
    with pytest.raises(ValueError, match="door: a step is listed twice"):
        StateTable(
            "door",
            Door.NEW,
            (Door.NEW, "open", Door.OPEN, (Role.BROKER,)),
            (Door.NEW, "open", Door.SHUT, (Role.CLOCK,)),
        )


def test_the_table_draws_itself() -> None:
    assert STEPS.diagram() == (
        "stateDiagram-v2\n"
        "    [*] --> new\n"
        "    new --> open: open (broker)\n"
        "    open --> shut: shut (broker, clock)\n"
        "    shut --> open: open (approver)\n"
        "    open --> gone: take out (register officer)\n"
        "    shut --> gone: take out (register officer)\n"
        "    gone --> [*]"
    )


# What a step writes


def test_a_step_sets_its_columns_and_writes_one_event(database: Database) -> None:
    a_door(database)

    with database.transaction() as session:
        door = session.exec(select(SampleDoor)).one()
        advance(session, door, "open", BROKER, NOON, facts={"key": "KEY-1"}, opened_at=NOON, opened_by=BROKER.ref)
        in_memory = door.model_dump()

    [event] = events(database)
    assert (door.state, door.opened_at, door.opened_by) == (Door.OPEN, NOON, BROKER.ref)
    assert in_memory == door_now(database).model_dump()
    assert (event.stream, event.kind, event.actor, event.role, event.at) == (
        ("DOOR-1", "door.open", BROKER.ref, "broker", NOON)
    )
    assert event.body == {"ref": "DOOR-1", "from": "new", "to": "open", "key": "KEY-1"}


def test_a_row_can_be_moved_again_in_the_transaction_that_made_it(database: Database) -> None:
    with database.transaction() as session:
        door = SampleDoor(ref="DOOR-1", state=Door.NEW)
        session.add(door)
        advance(session, door, "open", BROKER, NOON)
        advance(session, door, "shut", BROKER, NOON)
        advance(session, door, "open", APPROVER, NOON)

    assert door_now(database).state is Door.OPEN
    assert [event.body["to"] for event in events(database)] == ["open", "shut", "open"]


def test_other_changes_of_the_row_go_with_the_step(database: Database) -> None:
    a_door(database)

    with database.transaction() as session:
        door = locked_one(session, SampleDoor, 1)
        door.opened_by = "USR-EARLIER"
        advance(session, door, "open", BROKER, NOON, opened_at=NOON)

    assert (door_now(database).opened_by, door_now(database).opened_at) == ("USR-EARLIER", NOON)


@pytest.mark.parametrize(("step", "actor"), [("shut", BROKER), ("open", APPROVER)], ids=["no step", "not theirs"])
def test_a_refused_step_leaves_no_event(database: Database, step: str, actor: Any) -> None:
    a_door(database)

    with pytest.raises(DpsError), database.transaction() as session:
        advance(session, session.exec(select(SampleDoor)).one(), step, actor, NOON)

    assert (door_now(database).state, events(database)) == (Door.NEW, [])


def test_a_step_whose_event_can_not_be_written_is_not_taken(database: Database) -> None:
    a_door(database)

    with pytest.raises(TypeError, match="no float is stored"), database.transaction() as session:
        advance(session, session.exec(select(SampleDoor)).one(), "open", BROKER, NOON, facts={"share": 0.5})

    assert (door_now(database).state, events(database)) == (Door.NEW, [])


def test_a_step_that_sets_nonsense_is_not_taken(database: Database) -> None:
    a_door(database)

    with pytest.raises(StatementError), database.transaction() as session:
        advance(session, session.get_one(SampleDoor, 1), "open", BROKER, NOON, opened_at=NOON.replace(tzinfo=None))

    assert (door_now(database).state, events(database)) == (Door.NEW, [])


def test_refusals_say_what_is_refused_to_whom() -> None:
    door = SampleDoor(ref="DOOR-1", state=Door.NEW)

    with pytest.raises(NoSuchStep, match=r"^Door DOOR-1 is new: it can't shut\.$"):
        advance(Session(), door, "shut", BROKER, NOON)
    with pytest.raises(Forbidden, match=r"^USR-APPROVER may not open this door\.$"):
        advance(Session(), door, "open", APPROVER, NOON)


# Who comes second


def test_of_many_who_take_the_same_step_one_does_and_the_others_are_told(database: Database) -> None:
    a_door(database)
    together = Barrier(RUNNERS)

    def take() -> None:
        with database.reading() as session:
            door = session.exec(select(SampleDoor)).one()
        together.wait()
        with database.transaction() as session:
            advance(session, door, "open", BROKER, NOON, opened_by=BROKER.ref)

    outcomes = race([take] * RUNNERS)

    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["NoneType", *["StateChanged"] * (RUNNERS - 1)]
    assert (door_now(database).state, len(events(database))) == (Door.OPEN, 1)


def test_who_looked_too_early_is_told_to_look_again(database: Database) -> None:
    stale = a_door(database)
    with database.transaction() as session:
        advance(session, locked_one(session, SampleDoor, 1), "open", BROKER, NOON, opened_by="USR-FIRST")

    words = r"^Door DOOR-1 has changed meanwhile; look again\.$"
    with pytest.raises(StateChanged, match=words), database.transaction() as session:
        advance(session, stale, "open", BROKER, NOON, opened_by="USR-SECOND")

    assert (stale.state, door_now(database).opened_by, len(events(database))) == (Door.NEW, "USR-FIRST", 1)


def test_a_step_taken_back_with_its_savepoint_does_not_show_in_the_row(database: Database) -> None:
    a_door(database)

    with database.transaction() as session:
        door = session.exec(select(SampleDoor)).one()
        savepoint = session.begin_nested()
        advance(session, door, "open", BROKER, NOON, opened_by=BROKER.ref)
        savepoint.rollback()

        assert (door.state, door.opened_by) == (Door.NEW, None)

    assert (door_now(database).state, events(database)) == (Door.NEW, [])
