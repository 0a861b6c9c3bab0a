"""Mass run-off: a suspended provider's whole caseload is taken from it and brokered again, once."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from bidding.looking.run_offs import Moved
from bidding.referrals import ReferralState
from bidding.run_off import RunOff, RunOffCase, advice, move_case, run_off
from dps.contracts.contracts import Contract, ContractState
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.database import Database
from dps.kernel.errors import BadInput, Conflict, Forbidden, NeedsSecondPerson, NotFound, RuleNotMet
from dps.packages.packages import Package
from dps.register.interests import declare_interest
from dps.register.suspensions import RunningContracts, Suspension, SuspensionScope, lift, suspend, suspension_of
from tests.scenarios.serving import Care, on_sqlite
from tests.support.world import World


@pytest.fixture
def council(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path, "st-helens")


@pytest.fixture
def oak(council: World) -> Actor:
    return council.provider("Synthetic Oak")


def serving(council: World, provider: Actor, number: int) -> list[Care]:
    """People in this provider's care, each from three days after the last."""
    found = []
    for _ in range(number):
        referral = council.referral()
        council.bid(provider, referral, pence=1700)
        council.close(referral)
        found.append(Care(council, referral, provider))
    return found


def suspended(council: World, provider: Actor, way: RunningContracts) -> Suspension:
    return council.run(
        suspend,
        provider_id=council.row_of(provider).id or 0,
        scheme=council.scheme,
        scope=SuspensionScope.ALL,
        running_contracts=way,
        because="It fails.",
        actor=council.officer,
    )


def test_a_caseload_is_transferred_by_a_day_and_brokered_again_at_once(council: World, oak: Actor) -> None:
    cares = serving(council, oak, 2)
    elm = council.provider("Synthetic Elm")
    suspension = suspended(council, oak, RunningContracts.TRANSFER)
    last_day = cares[0].today + timedelta(days=14)
    request = {"suspension_ref": suspension.ref, "actor": council.broker}

    decided = council.run(run_off, **request, last_day=last_day)
    council.timetable.sweep()

    assert decided.cases == 2
    for care in cares:
        assert (care.contract.state, care.contract.last_day) == (ContractState.HANDED_BACK, last_day)
        assert care.contract.over_because == "provider_failing"
    packages = council.rows(Package)
    assert {package.earliest_start for package in packages} == {last_day + timedelta(days=1)}  # no day without care
    referrals = {event.body["referral"] for event in council.events("round.publish")}
    assert len(referrals) == 2
    for referral in sorted(referrals):
        assert council.invited(referral) == {elm.provider}
    assert all(case.moved_at is not None for case in council.rows(RunOffCase))
    assert council.timetable.sweep().done.get("run_offs") is None
    with pytest.raises(Conflict):
        council.run(run_off, **request, last_day=last_day)
    assert council.faults() == []


def test_two_sweeps_move_a_case_once(council: World, oak: Actor) -> None:
    serving(council, oak, 1)
    suspension = suspended(council, oak, RunningContracts.TRANSFER)
    day = council.now.astimezone(LONDON).date()
    council.run(run_off, suspension_ref=suspension.ref, last_day=day, actor=council.broker)
    (case,) = council.rows(RunOffCase)

    moved = [council.run(move_case, case_id=case.id or 0) for _ in range(2)]

    assert moved == [True, False]
    assert len(council.events("contract.hand_back")) == 1


@on_sqlite
def test_to_end_at_once_is_an_approvers(council: World, oak: Actor) -> None:
    (care,) = serving(council, oak, 1)
    suspension = suspended(council, oak, RunningContracts.END_NOW)
    tied = Actor(ref="approver-tied", role=Role.APPROVER, authority=council.authority)
    council.run(declare_interest, provider=oak.provider or "", actor=tied)
    for actor, refusal in ((council.broker, Forbidden), (tied, NeedsSecondPerson)):
        with pytest.raises(refusal):
            council.run(run_off, suspension_ref=suspension.ref, actor=actor)

    council.run(run_off, suspension_ref=suspension.ref, actor=council.second)
    council.timetable.sweep()

    assert (care.contract.state, care.contract.last_day) == (ContractState.HANDED_BACK, care.today)


@on_sqlite
def test_what_may_go_on_is_not_moved_nor_what_is_no_longer_suspended(council: World, oak: Actor) -> None:
    serving(council, oak, 1)
    day = council.now.astimezone(LONDON).date()
    goes_on = suspended(council, oak, RunningContracts.CONTINUE)
    with pytest.raises(RuleNotMet, match="go on"):
        council.run(run_off, suspension_ref=goes_on.ref, last_day=day, actor=council.broker)
    lifted = suspended(council, oak, RunningContracts.TRANSFER)
    with pytest.raises(BadInput, match="name a day from"):
        council.run(run_off, suspension_ref=lifted.ref, last_day=day + timedelta(days=43), actor=council.broker)
    with council.database.transaction() as session:
        known = suspension_of(session, lifted.ref, council.officer)
        lift(session, council.ports, known, scheme=council.scheme, because="Mended.", actor=council.officer)

    with pytest.raises(RuleNotMet, match="not in force"):
        council.run(run_off, suspension_ref=lifted.ref, last_day=day, actor=council.broker)
    with pytest.raises(NotFound):
        council.run(run_off, suspension_ref="SUS-0000-0000-0000", last_day=day, actor=council.broker)
    assert council.rows(RunOff) == []


@on_sqlite
def test_advice_says_who_could_take_a_caseload_over_and_moves_nothing(council: World, oak: Actor) -> None:
    cares = serving(council, oak, 3)
    elm = council.provider("Synthetic Elm", hours=7)  # room for two of three
    suspension = suspended(council, oak, RunningContracts.TRANSFER)

    with council.database.reading() as session:
        found = advice(session, council.ports, suspension_ref=suspension.ref, actor=council.broker)

    assert set(found.eligible) == {care.ref for care in cares}
    assert sorted(found.takers.values()) == [elm.provider, elm.provider]
    assert len(found.left) == 1
    assert {contract.state for contract in council.rows(Contract)} == {ContractState.ACTIVE}


@on_sqlite
def test_advice_keeps_a_localitys_people_together(council: World, oak: Actor) -> None:
    serving(council, oak, 2)
    for name in ("Elm", "Ash"):
        council.provider(f"Synthetic {name}", hours=7)
    suspension = suspended(council, oak, RunningContracts.TRANSFER)

    with council.database.reading() as session:
        found = advice(session, council.ports, suspension_ref=suspension.ref, actor=council.broker)

    assert (len(found.takers), len(set(found.takers.values()))) == (2, 1)


@pytest.mark.parametrize(
    ("last_day", "starts_on", "days"),
    [
        (date(2019, 7, 19), date(2019, 7, 20), 0),
        (date(2019, 7, 19), date(2019, 7, 22), 2),
        (date(2019, 7, 19), date(2019, 7, 18), 0),
        (None, date(2019, 7, 22), 0),
        (date(2019, 7, 19), None, 0),
    ],
)
def test_days_without_care_lie_between_the_last_day_here_and_the_first_there(
    last_day: date | None, starts_on: date | None, days: int
) -> None:
    case = Moved("CON-1", "lot", "place", last_day, "REF-1", ReferralState.PLACED, "CON-2", starts_on)

    assert case.days_between == days
