"""Standing: who serves whom, and how much was won where."""

from datetime import timedelta

import pytest
from sqlmodel import Session

from dps.contracts.contracts import Contract, ContractState, hand_back
from dps.contracts.reasons import HandBackReason
from dps.contracts.standing import (
    TIE_WINDOW,
    contract_in_force,
    contract_of_award,
    incumbents,
    minutes_won,
    running_contracts,
)
from dps.kernel.database import Database
from dps.packages.facts import Confidential
from tests.dps.contracts.cases import TODAY, a_contract, a_contract_in
from tests.dps.packages.cases import BROKER, ENTROPY, NOON, OTHER_PROVIDER_REF, PROVIDER_REF, a_package

IN_FORCE = {ContractState.PENDING, ContractState.ACTIVE, ContractState.SUSPENDED}
MOMENT = timedelta(microseconds=1)


def _elsewhere(session: Session, **agreed: object) -> Contract:
    package = a_package(
        session, facts={"locality": "hills", "sector": "L9 1"}, confidential=Confidential(postcode="L9 1AA")
    )
    return a_contract(session, package, **agreed)  # type: ignore[arg-type]


def test_minutes_won_are_summed_by_provider_and_locality(database: Database) -> None:
    with database.transaction() as session:
        a_contract(session, weekly_minutes=100)
        a_contract(session, weekly_minutes=20)
        a_contract(session, provider=OTHER_PROVIDER_REF, weekly_minutes=3)
        _elsewhere(session, weekly_minutes=50)

        won = minutes_won(session, scheme="westshire", until=NOON)

        assert won == {
            (PROVIDER_REF, "harbour"): 120,
            (OTHER_PROVIDER_REF, "harbour"): 3,
            (PROVIDER_REF, "hills"): 50,
        }
        assert minutes_won(session, scheme="eastshire", until=NOON) == {}


def test_twenty_eight_days_end_now_and_begin_after_the_same_instant(database: Database) -> None:
    with database.transaction() as session:
        for at, minutes in (
            (NOON, 1),
            (NOON + MOMENT, 10),
            (NOON - TIE_WINDOW, 100),
            (NOON - TIE_WINDOW + MOMENT, 1000),
        ):
            a_contract(session, weekly_minutes=minutes, now=at)

        assert minutes_won(session, scheme="westshire", until=NOON) == {(PROVIDER_REF, "harbour"): 1001}


@pytest.mark.parametrize("state", ContractState)
def test_what_was_won_counts_whatever_became_of_it_and_what_is_in_force_is_held(
    database: Database, state: ContractState
) -> None:
    with database.transaction() as session:
        contract = a_contract_in(session, state)
        held = {(PROVIDER_REF, "harbour"): 210}

        assert minutes_won(session, scheme="westshire", until=NOON) == held
        assert incumbents(session, scheme="westshire") == (held if state in IN_FORCE else {})
        assert contract_in_force(session, contract.package_id) == (contract if state in IN_FORCE else None)
        assert contract_of_award(session, contract.award_ref) is contract


def test_a_provider_is_bound_until_the_last_day(database: Database) -> None:
    with database.transaction() as session:
        contract = a_contract_in(session, ContractState.ACTIVE)
        a_contract_in(session, ContractState.FAILED_TO_START)
        a_contract(session, provider=OTHER_PROVIDER_REF)
        last_day = TODAY + timedelta(days=7)
        hand_back(session, ENTROPY, contract, reason=HandBackReason.SAFETY, last_day=last_day, actor=BROKER, now=NOON)

        on_the_day = running_contracts(session, PROVIDER_REF, on=last_day)
        after = running_contracts(session, PROVIDER_REF, on=last_day + timedelta(days=1))

    assert ([running.ref for running in on_the_day], list(after)) == ([contract.ref], [])
