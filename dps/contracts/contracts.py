"""The contract: one provider serves one package, from the award that was confirmed to the last visit.

A contract serves one package at a time and comes from one award. It starts with the first visit. Capacity is
committed and released, and a package brokered again, by whoever calls these commands (`bidding`). Source: design.md §4.
"""

from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, Session, SQLModel, col, select

from dps.contracts.reasons import EndReason, FailureReason, HandBackReason, SuspensionReason
from dps.kernel import audit, outbox
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.columns import (
    day_column,
    id_column,
    json_column,
    link_column,
    ref_column,
    state_column,
    utc_column,
    whole_column,
)
from dps.kernel.database import locked_one
from dps.kernel.entropy import Entropy
from dps.kernel.errors import AlreadyContracted, BadInput, StartCannotMove
from dps.kernel.money import RateCard
from dps.kernel.references import Kind, new_reference
from dps.kernel.states import StateTable, advance
from dps.packages.packages import Package
from dps.schemes.model import Scheme
from dps.schemes.wording import count


class ContractState(StrEnum):
    PENDING = "pending"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    FAILED_TO_START = "failed_to_start"
    ENDED = "ended"
    HANDED_BACK = "handed_back"


IN_FORCE = (ContractState.PENDING, ContractState.ACTIVE, ContractState.SUSPENDED)
"""Agreed and not over: the package is taken and the provider's hours are bound."""

_EITHER_SIDE = (Role.BROKER, Role.PROVIDER)

STEPS = StateTable(
    "contract",
    ContractState.PENDING,
    (ContractState.PENDING, "start", ContractState.ACTIVE, _EITHER_SIDE),
    (ContractState.PENDING, "move_start", ContractState.PENDING, _EITHER_SIDE),
    (ContractState.PENDING, "fail_to_start", ContractState.FAILED_TO_START, _EITHER_SIDE),
    (ContractState.ACTIVE, "suspend", ContractState.SUSPENDED, (Role.BROKER,)),
    (ContractState.SUSPENDED, "restart", ContractState.ACTIVE, (Role.BROKER,)),
    (ContractState.ACTIVE, "end", ContractState.ENDED, (Role.BROKER,)),
    (ContractState.SUSPENDED, "end", ContractState.ENDED, (Role.BROKER,)),
    (ContractState.ACTIVE, "hand_back", ContractState.HANDED_BACK, _EITHER_SIDE),
    (ContractState.SUSPENDED, "hand_back", ContractState.HANDED_BACK, _EITHER_SIDE),
)


class Contract(SQLModel, table=True):
    """What was agreed. `weekly_minutes` are carer-minutes, `card` is a RateCard's canonical form.

    `starts_on` is the day agreed now, `first_agreed_start` the day agreed at first. `last_day` is the last day of care,
    `over_because` why it never started, ended or came back (unknown where it was over before this was kept).
    """

    __tablename__ = "contract"
    __table_args__ = (
        CheckConstraint("weekly_minutes > 0 AND weekly_pence >= 0", name="amounts"),
        CheckConstraint("start_moves IN (0, 1)", name="start_moves_once"),
        CheckConstraint("(started_on IS NULL) = (state IN ('pending', 'failed_to_start'))", name="started_when_active"),
        CheckConstraint("(last_day IS NOT NULL) = (state IN ('ended', 'handed_back'))", name="last_day_when_over"),
        CheckConstraint("(suspended_on IS NOT NULL) = (state = 'suspended')", name="suspended_on_when_suspended"),
        Index(
            "uq_contract_package_in_force",
            "package_id",
            unique=True,
            sqlite_where=text("state IN ('pending', 'active', 'suspended')"),
            postgresql_where=text("state IN ('pending', 'active', 'suspended')"),
        ),
        Index("ix_contract_scheme_agreed", "scheme", "agreed_at"),
    )

    STEPS: ClassVar[StateTable] = STEPS

    id: int | None = id_column()
    ref: str = ref_column()
    state: ContractState = state_column(ContractState)
    award_ref: str = Field(max_length=24, unique=True)
    package_id: int = link_column("package.id")
    package_version: int = whole_column()
    provider: str = Field(max_length=24, index=True)
    authority: str = Field(max_length=40, index=True)
    scheme: str = Field(max_length=40)
    lot: str = Field(max_length=40)
    locality: str = Field(max_length=40)
    weekly_minutes: int = whole_column()
    weekly_pence: int = whole_column()
    card: Any = json_column()
    agreed_at: datetime = utc_column()
    first_agreed_start: date = day_column()
    starts_on: date = day_column()
    start_moves: int = whole_column(default=0)
    started_on: date | None = day_column(nullable=True)
    suspended_on: date | None = day_column(nullable=True)
    last_day: date | None = day_column(nullable=True)
    over_because: str | None = Field(default=None, max_length=40)

    @property
    def stream(self) -> str:
        return self.ref


# Commands


def create_contract(
    session: Session,
    entropy: Entropy,
    *,
    package: Package,
    award_ref: str,
    provider: str,
    weekly_minutes: int,
    weekly_pence: int,
    card: RateCard,
    starts_on: date,
    actor: Actor,
    now: datetime,
) -> Contract:
    """Agree the contract of a confirmed award; AlreadyContracted if the award or the package has one in force."""
    actor.needs("make a contract", Role.BROKER, Role.APPROVER, Role.PROVIDER, Role.CLOCK)
    actor.sees("package", package.ref, authority=package.authority, provider=provider)
    served = locked_one(session, Package, package.id)
    assert served.id is not None
    _refuse_second(session, served, award_ref)
    contract = Contract(
        ref=new_reference(Kind.CONTRACT, entropy),
        state=ContractState.PENDING,
        award_ref=award_ref,
        package_id=served.id,
        package_version=served.version,
        provider=provider,
        authority=served.authority,
        scheme=served.scheme,
        lot=served.lot,
        locality=served.locality,
        weekly_minutes=weekly_minutes,
        weekly_pence=weekly_pence,
        card=card.to_dict(),
        agreed_at=now,
        first_agreed_start=starts_on,
        starts_on=starts_on,
        start_moves=0,
    )
    session.add(contract)
    session.flush()
    facts = {"ref": contract.ref, "award": award_ref, "package": served.ref, "provider": provider}
    audit.append(session, contract.stream, "contract.agreed", actor, now, facts)
    return contract


def start(
    session: Session, entropy: Entropy, contract: Contract, *, first_visit_on: date, actor: Actor, now: datetime
) -> None:
    """Record the first visit, which lies in the past or today: the contract is active from then on."""
    _theirs(contract, actor)
    _refuse_future(first_visit_on, now, "first_visit_on")
    advance(session, contract, "start", actor, now, facts=_on(first_visit_on), started_on=first_visit_on)
    _tell(session, entropy, contract, "contract_started", actor, now)


def move_start(
    session: Session,
    entropy: Entropy,
    contract: Contract,
    *,
    starts_on: date,
    scheme: Scheme,
    actor: Actor,
    now: datetime,
) -> None:
    """Agree another day for the first visit: once, from today on, at most the scheme's days away from the first."""
    _theirs(contract, actor)
    current = locked_one(session, Contract, contract.id)
    reason = _why_start_stays(current, starts_on, scheme.award.start_moves_days, _today(now))
    # A contract that is not pending is refused by the state table, in its own words.
    if reason and current.state is ContractState.PENDING:
        raise StartCannotMove(ref=current.ref, reason=reason)
    facts = {"from_day": current.starts_on.isoformat()} | _on(starts_on)
    advance(session, current, "move_start", actor, now, facts=facts, starts_on=starts_on, start_moves=1)
    _tell(session, entropy, current, "contract_start_moved", actor, now)


def fail_to_start(
    session: Session, entropy: Entropy, contract: Contract, *, reason: FailureReason, actor: Actor, now: datetime
) -> None:
    """Record that care never began; the caller releases capacity and brokers the package again."""
    _theirs(contract, actor)
    advance(session, contract, "fail_to_start", actor, now, facts={"reason": reason}, over_because=reason.value)
    _tell(session, entropy, contract, "contract_failed_to_start", actor, now)


def suspend(
    session: Session,
    entropy: Entropy,
    contract: Contract,
    *,
    reason: SuspensionReason,
    from_day: date,
    actor: Actor,
    now: datetime,
) -> None:
    """Pause visits from `from_day` on, which lies in the past or today, and keep the provider's place."""
    _theirs(contract, actor)
    _refuse_future(from_day, now, "from_day")
    _refuse_before_start(contract, from_day, "from_day")
    facts = {"reason": reason} | _on(from_day)
    advance(session, contract, "suspend", actor, now, facts=facts, suspended_on=from_day)
    _tell(session, entropy, contract, "contract_suspended", actor, now)


def restart(session: Session, entropy: Entropy, contract: Contract, *, actor: Actor, now: datetime) -> None:
    """Let visits go on, without a competition."""
    _theirs(contract, actor)
    advance(session, contract, "restart", actor, now, suspended_on=None)
    _tell(session, entropy, contract, "contract_restarted", actor, now)


def end(
    session: Session,
    entropy: Entropy,
    contract: Contract,
    *,
    reason: EndReason,
    last_day: date,
    actor: Actor,
    now: datetime,
) -> None:
    """End the contract with its last day of care, in the past or today."""
    _theirs(contract, actor)
    _refuse_future(last_day, now, "last_day")
    _refuse_before_start(contract, last_day, "last_day")
    facts = {"reason": reason} | _on(last_day)
    over = {"last_day": last_day, "suspended_on": None, "over_because": reason.value}
    advance(session, contract, "end", actor, now, facts=facts, **over)
    _tell(session, entropy, contract, "contract_ended", actor, now)


def hand_back(
    session: Session,
    entropy: Entropy,
    contract: Contract,
    *,
    reason: HandBackReason,
    last_day: date,
    actor: Actor,
    now: datetime,
    days_short_of_notice: int = 0,
) -> None:
    """Give the contract back; the provider serves until `last_day`, which may lie ahead. The caller brokers again."""
    _theirs(contract, actor)
    _refuse_before_start(contract, last_day, "last_day")
    facts: dict[str, str | int] = {"reason": reason, **_on(last_day)}
    if days_short_of_notice:
        facts["days_short_of_notice"] = days_short_of_notice
    over = {"last_day": last_day, "suspended_on": None, "over_because": reason.value}
    advance(session, contract, "hand_back", actor, now, facts=facts, **over)
    _tell(session, entropy, contract, "contract_handed_back", actor, now)


def _theirs(contract: Contract, actor: Actor) -> None:
    actor.sees("contract", contract.ref, authority=contract.authority, provider=contract.provider)


def _refuse_second(session: Session, package: Package, award_ref: str) -> None:
    other = session.exec(
        select(Contract)
        .where(
            (col(Contract.award_ref) == award_ref)
            | ((col(Contract.package_id) == package.id) & col(Contract.state).in_(IN_FORCE))
        )
        .order_by(col(Contract.id))
    ).first()
    if other is not None:
        raise AlreadyContracted(package=package.ref, contract=other.ref)


def _why_start_stays(contract: Contract, starts_on: date, days: int, today: date) -> str | None:
    if contract.start_moves:
        return "it was moved before"
    if starts_on == contract.starts_on:
        return "it is that day already"
    if starts_on < today:
        return "the day is past"
    if abs(starts_on - contract.first_agreed_start) > timedelta(days=days):
        return f"it may move by at most {count(days, 'day')}"
    return None


def _refuse_future(day: date, now: datetime, field: str) -> None:
    if day > _today(now):
        raise BadInput("this day is still to come", field=field)


def _refuse_before_start(contract: Contract, day: date, field: str) -> None:
    if contract.started_on is not None and day < contract.started_on:
        raise BadInput("care had not started by then", field=field)


def _today(now: datetime) -> date:
    return now.astimezone(LONDON).date()


def _on(day: date) -> dict[str, str]:
    return {"day": day.isoformat()}


def _tell(session: Session, entropy: Entropy, contract: Contract, kind: str, actor: Actor, now: datetime) -> None:
    """Tell the other side."""
    by_provider = actor.role is Role.PROVIDER
    recipient = f"authority:{contract.authority}" if by_provider else f"provider:{contract.provider}"
    outbox.post(session, entropy, recipient=recipient, kind=kind, about=contract.ref, now=now)
