"""Every room's table of steps, walked from every state by everybody; and no other line writes a state."""

import re
from datetime import UTC, datetime
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import Session, select

import bidding
from bidding import offers
from bidding.awards.records import Award
from bidding.bids.records import Bid
from bidding.closings import Closing
from bidding.offers import OpenOffer
from bidding.otherwise import deciding
from bidding.otherwise.records import Placement, PlacementState
from bidding.questions import Question, ask
from bidding.referrals import Referral
from bidding.rounds import Invitation, Round
from dps.kernel.actors import Actor, Role
from dps.kernel.errors import Forbidden, NoSuchStep
from dps.kernel.states import Stateful, StateTable, advance
from tests.support.world import World

NOON = datetime(2019, 3, 4, 12, tzinfo=UTC)
ROOM = Path(bidding.__file__).parent
TABLES: tuple[type[Any], ...] = (Referral, Round, Invitation, Closing, Bid, Award, OpenOffer, Placement, Question)


def test_every_step_leads_where_its_table_says_and_for_nobody_else(world: World) -> None:
    """One row of each kind, made by the real commands; all of it is undone."""
    oak = world.provider("Synthetic Oak")
    placed, unfilled = world.referral(), world.referral()
    content = world.content(placed, 1600)
    world.send(oak, [world.round(placed).ref], content)
    world.run(ask, round_ref=world.round(placed).ref, words="Is there a hoist?", actor=oak)
    while world.state(unfilled) == "seeking":
        world.close(unfilled)
    world.run(offers.make_open_offer, referral_ref=unfilled, content=content, actor=oak)
    world.run(
        deciding.propose,
        referral_ref=unfilled,
        how="in_house",
        weekly_pence=1,
        reason="Synthetic: our own carers.",
        actor=world.broker,
    )

    with world.database.transaction() as session:
        for table in TABLES:
            row = session.exec(select(table).limit(1)).one()
            for state in sorted({step.source for step in row.STEPS.steps} | {step.target for step in row.STEPS.steps}):
                _put(session, row, state)
                for name, role in product(row.STEPS.names, Role):
                    said = _said(row.STEPS, state, name, role)
                    assert _tried(session, row, name, role) == said
                    if isinstance(said, str):
                        _put(session, row, state)
        session.rollback()


def _put(session: Session, row: Stateful, state: Any) -> None:
    table = type(row)
    session.execute(update(table).where(table.id == row.id).values(state=state, **_rest(table, state)))
    session.refresh(row)


def _rest(table: type[Any], state: Any) -> dict[str, Any]:
    """What a table insists that a row says besides in this state."""
    if table is not Placement:
        return {}
    is_decided = state != PlacementState.PROPOSED
    return {
        "decided_by": "another" if is_decided else None,
        "decided_at": NOON if is_decided else None,
        "lapsed_because": "restarted" if state == PlacementState.LAPSED else None,
    }


def _tried(session: Session, row: Stateful, name: str, role: Role) -> object:
    steps = row.STEPS
    rest = _rest(type(row), steps.step(row.state, name, "").target) if steps.allows(row.state, name) else {}
    try:
        advance(session, row, name, Actor(ref="somebody", role=role), NOON, **rest)
    except (NoSuchStep, Forbidden) as refused:
        return type(refused)
    return row.state


def _said(steps: StateTable, state: Any, name: str, role: Role) -> object:
    if not steps.allows(state, name):
        return NoSuchStep
    step = steps.step(state, name, "")
    return step.target if role in step.movers else Forbidden


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__tablename__)
def test_every_state_can_be_reached_and_every_step_has_a_mover(table: type[Any]) -> None:
    steps: StateTable = table.STEPS
    reached = {steps.start} | {step.target for step in steps.steps}

    # A ranked offer's invitations wait for their turn from the beginning.
    assert {step.source for step in steps.steps} - reached <= {"waiting"}
    assert all(step.movers for step in steps.steps)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.__tablename__)
def test_every_step_is_taken_by_some_command(table: type[Any]) -> None:
    code = "\n".join(path.read_text() for path in ROOM.rglob("*.py"))

    for name in table.STEPS.names:
        assert len(re.findall(rf'"{name}"', code)) > sum(1 for step in table.STEPS.steps if step.name == name)


def test_no_other_line_assigns_a_state() -> None:
    assigned = [
        f"{path.name}: {line.strip()}"
        for path in ROOM.rglob("*.py")
        for line in path.read_text().splitlines()
        if re.search(r"\.state = |\.values\(state|setattr\(.*state", line)
    ]

    assert assigned == []
