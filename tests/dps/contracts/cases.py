"""Contracts for tests, in any state, made by the commands that make them."""

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from dps.contracts.contracts import (
    Contract,
    ContractState,
    create_contract,
    end,
    fail_to_start,
    hand_back,
    move_start,
    restart,
    start,
    suspend,
)
from dps.contracts.reasons import EndReason, FailureReason, HandBackReason, SuspensionReason
from dps.kernel.actors import CLOCK, Actor
from dps.kernel.money import Band, PriceBasis, RateCard
from dps.kernel.references import Kind, new_reference
from dps.packages.packages import Package
from tests.dps.packages.cases import BROKER, ENTROPY, NOON, PROVIDER_REF, SCHEME, a_package

CARD = RateCard.of(PriceBasis.PER_HOUR, {Band.WEEKDAY: 2100, Band.WEEKEND: 2300})
TODAY = NOON.date()
AGREED_START = date(2026, 3, 9)


def a_contract(
    session: Session,
    package: Package | None = None,
    *,
    provider: str = PROVIDER_REF,
    weekly_minutes: int = 210,
    actor: Actor = CLOCK,
    award_ref: str | None = None,
    now: datetime = NOON,
) -> Contract:
    """A pending contract for a new package, or for `package`, to start in a week."""
    return create_contract(
        session,
        ENTROPY,
        package=package or a_package(session),
        award_ref=award_ref or new_reference(Kind.AWARD, ENTROPY),
        provider=provider,
        weekly_minutes=weekly_minutes,
        weekly_pence=7350,
        card=CARD,
        starts_on=AGREED_START,
        actor=actor,
        now=now,
    )


COMMANDS: Mapping[str, Callable[[Session, Contract, Actor], None]] = {
    "start": lambda session, contract, actor: start(
        session, ENTROPY, contract, first_visit_on=TODAY, actor=actor, now=NOON
    ),
    "move_start": lambda session, contract, actor: move_start(
        session, ENTROPY, contract, starts_on=date(2026, 3, 12), scheme=SCHEME, actor=actor, now=NOON
    ),
    "fail_to_start": lambda session, contract, actor: fail_to_start(
        session, ENTROPY, contract, reason=FailureReason.STILL_IN_HOSPITAL, actor=actor, now=NOON
    ),
    "suspend": lambda session, contract, actor: suspend(
        session, ENTROPY, contract, reason=SuspensionReason.HOSPITAL, from_day=TODAY, actor=actor, now=NOON
    ),
    "restart": lambda session, contract, actor: restart(session, ENTROPY, contract, actor=actor, now=NOON),
    "end": lambda session, contract, actor: end(
        session, ENTROPY, contract, reason=EndReason.CARE_HOME, last_day=TODAY, actor=actor, now=NOON
    ),
    "hand_back": lambda session, contract, actor: hand_back(
        session, ENTROPY, contract, reason=HandBackReason.STAFFING, last_day=TODAY, actor=actor, now=NOON
    ),
}

PATHS: Mapping[ContractState, tuple[str, ...]] = {
    ContractState.PENDING: (),
    ContractState.ACTIVE: ("start",),
    ContractState.SUSPENDED: ("start", "suspend"),
    ContractState.FAILED_TO_START: ("fail_to_start",),
    ContractState.ENDED: ("start", "end"),
    ContractState.HANDED_BACK: ("start", "hand_back"),
}


def a_contract_in(session: Session, state: ContractState, **agreed: Any) -> Contract:
    """A contract brought into this state step by step."""
    contract = a_contract(session, **agreed)
    for step in PATHS[state]:
        COMMANDS[step](session, contract, BROKER)
    return contract
