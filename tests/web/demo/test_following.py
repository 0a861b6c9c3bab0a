"""What follows a contract in a demonstration: by each council's own rules to paid statements, judged by a stranger."""

from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlmodel import Session

from bidding import aftercare
from dps.contracts.outcomes import OutcomeReview
from dps.contracts.statements.records import Statement, StatementState
from dps.contracts.variations.records import Variation, VariationKind
from dps.kernel.database import Database
from dps.schemes.model import Mode
from tests.scenarios.serving import on_sqlite
from tests.support.world import World
from web.demo.following import Following
from web.demo.paid_checker import misstated


def served(database: Database, folder: Path, key: str, packages: int = 4) -> World:
    """A council in which this many packages are served since today, and three weeks of care after it were played."""
    world = World(database, folder, key)
    providers = [world.provider(f"Synthetic Provider {number}") for number in range(packages)]
    users = {user.provider: user for user in providers}
    lot = world.scheme.lots[0].key
    refs = [world.referral(lot=lot) for _ in range(packages)]
    if world.round(refs[0]).mode == Mode.SEALED_BID:
        for ref, provider in zip(refs, providers, strict=True):
            world.bid(provider, ref, pence=1800)
        world.close(refs[0])
    awards = [world.award(ref) for ref in refs]
    contracts = [(world.accept_and_confirm(one, users[one.provider]), users[one.provider]) for one in awards]
    world.step(days=3)
    for contract, user in contracts:
        world.run(aftercare.start_contract, contract_ref=contract, first_visit_on=world.now.date(), actor=user)
    Following(world.database, world.ports, world.clock, world.scheme, seed=7).play()
    return world


def counted(session: Session) -> int:
    return misstated(session.connection())


@pytest.mark.parametrize(
    ("key", "kinds"),
    [
        ("kent-flex", {VariationKind.FLEX}),
        ("cornwall", {VariationKind.PAUSE, VariationKind.INCREASE}),
        ("worcestershire", {VariationKind.PROPOSAL}),
    ],
)
def test_a_council_is_played_to_paid_statements_by_its_own_variations(
    database: Database, tmp_path: Path, key: str, kinds: set[VariationKind]
) -> None:
    world = served(database, tmp_path, key)

    statements = world.rows(Statement)
    assert {statement.state for statement in statements} == {StatementState.PAID}
    assert len(statements) == len(world.rows(OutcomeReview)) == 4
    assert sum(statement.pence for statement in statements) > 0
    assert {row.kind for row in world.rows(Variation)} == kinds
    with world.database.reading() as session:
        assert counted(session) == 0
    assert world.faults() == []


@on_sqlite
@pytest.mark.parametrize(
    "fault",
    [
        "UPDATE statement SET pence = pence + 1 WHERE id = 1",
        "UPDATE delivery SET delivered_minutes = 1, planned_minutes = planned_minutes WHERE id = 1",
        "UPDATE statement SET made_by = 'demo-approver-kent' WHERE id = 1",
        "UPDATE statement SET contract_id = 2 WHERE id = 1",
    ],
)
def test_the_stranger_sees_what_was_changed(database: Database, tmp_path: Path, fault: str) -> None:
    world = served(database, tmp_path, "kent-flex", packages=2)
    with world.database.transaction() as session:
        session.execute(sa.text(fault))

    with world.database.reading() as session:
        assert counted(session) > 0
