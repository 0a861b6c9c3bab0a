"""After the award, at the desk: a contract's story, changes to decide, statements that two people make and pay."""

from datetime import date, time, timedelta
from pathlib import Path

import pytest

from dps.contracts.contracts import Contract
from dps.contracts.deliveries.matching import VisitRecord
from dps.contracts.deliveries.recording import record_deliveries
from dps.contracts.payment.visits import VisitOutcome
from dps.contracts.statements.moving import agree_statement, query_statement
from dps.contracts.statements.records import Statement
from dps.contracts.variations.records import Variation, VariationKind, VariationState
from dps.kernel.actors import Actor
from dps.kernel.database import Database
from dps.kernel.references import Kind, new_reference
from dps.packages.schedule import parse_schedule
from tests.scenarios.serving import Care
from tests.web.pages.test_desk import at_the_desk
from tests.web.served import Served
from web.security.accounts import Part

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])


@pytest.fixture
def running(served: Served) -> tuple[str, Actor]:
    """A contract whose first visit was ten days ago, and who serves it."""
    return served.world.in_care(since=timedelta(days=10))


def proposed(served: Served, contract: str) -> str:
    """A provider's proposal of half the week, as a scheme with reviews would have let it write one; its reference."""
    world = served.world
    (row,) = world.rows(Contract, Contract.ref == contract)
    week = parse_schedule("Mon-Sun 07:30-09:30 15m personal_care")
    ref = new_reference(Kind.VARIATION, world.ports.entropy)
    with world.database.transaction() as session:
        session.add(
            Variation(
                ref=ref,
                contract_id=row.id or 0,
                kind=VariationKind.PROPOSAL,
                state=VariationState.PROPOSED,
                from_day=world.now.date() + timedelta(days=2),
                reason="more_independent",
                schedule=week.to_dict(),
                weekly_minutes=week.weekly_minutes,
                weekly_pence=2800,
                asked_at=world.now,
                asked_by="somebody",
            )
        )
    return ref


def test_a_change_is_agreed_to_or_refused_with_a_reason(served: Served, running: tuple[str, Actor]) -> None:
    contract, _ = running
    broker, approver = at_the_desk(served), at_the_desk(served, Part.APPROVER)
    refused = proposed(served, contract)
    waiting, counted = approver.open("/desk/contracts").text, approver.open("/desk").text
    approver.open(f"/desk/variations/{refused}/refusal")

    without = approver.send(f"/desk/variations/{refused}/refusal")
    approver.send(f"/desk/variations/{refused}/refusal", reason="The person still needs it.")
    agreed = proposed(served, contract)
    broker.open(f"/desk/contracts/{contract}")
    broker.send(f"/desk/variations/{agreed}/agreement")
    story = broker.open(f"/desk/contracts/{contract}").text

    assert "<dt>Who pays</dt><dd>Council</dd>" in story
    assert f"{contract}#{refused}" in waiting
    assert "<strong>1</strong><span>change of contracts to decide" in counted
    assert without.status_code == 400
    states = {one.ref: str(one.state) for one in served.world.rows(Variation)}
    assert states == {refused: "refused", agreed: "agreed"}
    assert "1 hour 45 minutes a week for £28.00" in story


def test_a_contract_tells_its_story_and_visits_that_were_not_as_planned(
    served: Served, running: tuple[str, Actor]
) -> None:
    contract, _ = running
    world = served.world
    day = world.now.date() - timedelta(days=3)
    missed = VisitRecord(visit_ref="visit-1", day=day, outcome=VisitOutcome.MISSED, planned_start=time(8))
    world.run(record_deliveries, contract_ref=contract, records=[missed], scheme=world.scheme, actor=world.broker)
    broker = at_the_desk(served)

    listed = broker.open("/desk/contracts").text
    story = broker.open(f"/desk/contracts/{contract}").text

    assert contract in listed
    assert "Ash Homecare" in story
    assert "1 visit of 1 recorded" in story
    assert "Nothing was changed since it was agreed." in story


def test_a_statement_is_made_by_a_broker_agreed_by_the_provider_and_paid_by_an_approver(
    served: Served, running: tuple[str, Actor]
) -> None:
    contract, winner = running
    world = served.world
    broker, approver = at_the_desk(served), at_the_desk(served, Part.APPROVER)
    path = f"/desk/contracts/{contract}"
    broker.open(path)
    first = world.now.date() - timedelta(days=9)
    last = first + timedelta(days=6)

    ahead = broker.send(f"{path}/statements", first_day=first.isoformat(), last_day="2030-01-01")
    made = broker.send(f"{path}/statements", first_day=first.isoformat(), last_day=last.isoformat())
    (statement,) = world.rows(Statement)
    broker.open(path)
    again = broker.send(f"{path}/statements", first_day=first.isoformat(), last_day=last.isoformat())
    world.run(agree_statement, statement_ref=statement.ref, actor=winner)
    waiting = approver.open("/desk/contracts").text
    asked = approver.open(f"/desk/statements/{statement.ref}").text
    paid = approver.send(f"/desk/statements/{statement.ref}/payment")

    assert (ahead.status_code, again.status_code) == (400, 400)
    assert "Its provider has to agree" in made.text
    assert "No visit of these days is recorded" in made.text
    assert statement.ref in waiting
    assert "<dt>Who pays</dt><dd>Council</dd>" in asked
    assert "It is paid and stands as it is" in paid.text
    assert world.rows(Statement)[0].state == "paid"


def test_a_queried_statement_is_withdrawn_and_its_days_are_stated_anew(
    served: Served, running: tuple[str, Actor]
) -> None:
    contract, winner = running
    world = served.world
    broker = at_the_desk(served)
    day = (world.now.date() - timedelta(days=5)).isoformat()
    broker.open(f"/desk/contracts/{contract}")
    broker.send(f"/desk/contracts/{contract}/statements", first_day=day, last_day=day)
    (statement,) = world.rows(Statement)
    world.run(query_statement, statement_ref=statement.ref, actor=winner)

    queried = broker.open(f"/desk/statements/{statement.ref}").text
    broker.send(f"/desk/statements/{statement.ref}/withdrawal")
    broker.open(f"/desk/contracts/{contract}")
    broker.send(f"/desk/contracts/{contract}/statements", first_day=day, last_day=day)

    assert "Its provider does not agree." in queried
    assert [str(one.state) for one in world.rows(Statement)] == ["withdrawn", "made"]


def test_where_the_rules_name_a_review_the_contract_says_by_when(database: Database, tmp_path: Path) -> None:
    with Served(database, tmp_path, "worcestershire") as council:
        world = council.world
        oak = world.provider("Synthetic Oak")
        referral = world.referral()
        world.bid(oak, referral, pence=1700)
        world.close(referral)
        care = Care(world, referral, oak)

        said = at_the_desk(council).open(f"/desk/contracts/{care.ref}").text

    assert care.first == date(2017, 10, 5)
    assert "<dt>Review by</dt><dd>Thu 16 November 2017</dd>" in said
