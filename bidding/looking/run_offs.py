"""Suspensions that say what becomes of running contracts, and how far each council has carried that out."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import and_, func
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from bidding.referrals import Referral, ReferralState
from bidding.run_off import RunOff, RunOffCase, caseload
from dps.contracts.contracts import IN_FORCE, Contract
from dps.kernel.actors import Actor, Role
from dps.kernel.errors import NotFound
from dps.register.providers import Provider
from dps.register.suspensions import RunningContracts, Suspension, SuspensionState


@dataclass(frozen=True, slots=True)
class SeenRunOff:
    """One suspension and what one authority decided under it; `last_day` None: nothing yet."""

    suspension: str
    provider: str
    name: str
    scheme: str
    way: RunningContracts
    starts_at: datetime
    ref: str | None
    last_day: date | None
    cases: int
    moved: int


def run_offs(
    session: Session, schemes: Collection[str], *, actor: Actor, provider: str | None = None
) -> list[SeenRunOff]:
    """Suspensions in force or to come that do not let running contracts go on, and every run-off of this authority.

    The latest suspension first; those of one provider where it is named.
    """
    actor.needs("look at run-offs", Role.BROKER, Role.APPROVER, Role.REGISTER_OFFICER)
    query = (
        select(Suspension, Provider.name, RunOff, func.count(col(RunOffCase.id)), func.count(col(RunOffCase.moved_at)))  # type: ignore[call-overload]
        .join(Provider, col(Provider.id) == col(Suspension.provider_id))
        .outerjoin(
            RunOff,
            and_(col(RunOff.suspension_id) == col(Suspension.id), col(RunOff.authority) == actor.authority),
        )
        .outerjoin(RunOffCase, col(RunOffCase.run_off_id) == col(RunOff.id))
        .where(
            col(Suspension.scheme).in_(schemes),
            col(Suspension.running_contracts) != RunningContracts.CONTINUE,
            (col(Suspension.state) == SuspensionState.IMPOSED) | col(RunOff.id).is_not(None),
        )
        .group_by(
            *Suspension.__table__.columns,  # type: ignore[attr-defined]
            col(Provider.name),
            *RunOff.__table__.columns,  # type: ignore[attr-defined]
        )
        .order_by(col(Suspension.id).desc())
    )
    if provider is not None:
        query = query.where(Suspension.provider_ref == provider)
    return [_seen(*row) for row in session.exec(query)]


@dataclass(frozen=True, slots=True)
class GoingOn:
    """A suspension in force that lets running contracts go on, and how many of one authority run under it."""

    provider: str
    name: str
    starts_at: datetime
    contracts: int


def going_on(session: Session, schemes: Collection[str], now: datetime, *, actor: Actor) -> list[GoingOn]:
    """What a desk has to know of and not to decide, the latest suspension first."""
    actor.needs("look at run-offs", Role.BROKER, Role.APPROVER)
    assert actor.authority is not None
    query = (
        select(Suspension, Provider.name)
        .join(Provider, col(Provider.id) == col(Suspension.provider_id))
        .where(col(Suspension.scheme).in_(schemes), Suspension.state == SuspensionState.IMPOSED)
        .order_by(col(Suspension.id).desc())
    )
    imposed = session.exec(query).all()
    moving = [one for one, _ in imposed if one.running_contracts is not RunningContracts.CONTINUE]
    found = []
    for one, name in imposed:
        if one.running_contracts is RunningContracts.CONTINUE and one.bites(now):
            others = [other for other in moving if (other.provider_id, other.scheme) == (one.provider_id, one.scheme)]
            contracts = [
                contract
                for contract in caseload(session, one, authority=actor.authority)
                if not any(other.covers(contract.lot, contract.locality) for other in others)
            ]
            if contracts:
                found.append(GoingOn(one.provider_ref, name, one.starts_at, len(contracts)))
    return found


@dataclass(frozen=True, slots=True)
class Moved:
    """What became of one contract of a caseload: its last day, where its package is sought, who serves it from when.

    `last_day` None: care had not begun, or the contract waits to be moved.
    """

    contract: str
    lot: str
    locality: str
    last_day: date | None
    referral: str
    state: ReferralState
    successor: str | None
    starts_on: date | None

    @property
    def days_between(self) -> int:
        """Days without care between the last one here and the first one there."""
        if self.last_day is None or self.starts_on is None:
            return 0
        return max(0, (self.starts_on - self.last_day).days - 1)


def moved(session: Session, run_off_ref: str) -> list[Moved]:
    """Each contract of a decided run-off, in the order in which they were agreed."""
    later = aliased(Contract)
    query = (
        select(Contract, Referral.ref, Referral.state, later.ref, later.starts_on)  # type: ignore[call-overload]
        .join(RunOffCase, col(RunOffCase.contract_id) == col(Contract.id))
        .join(RunOff, col(RunOff.id) == col(RunOffCase.run_off_id))
        .join(Referral, col(Referral.package_id) == col(Contract.package_id))
        .outerjoin(
            later,
            and_(
                col(later.package_id) == col(Contract.package_id),
                col(later.id) > col(Contract.id),
                col(later.state).in_(IN_FORCE),
            ),
        )
        .where(RunOff.ref == run_off_ref)
        .order_by(col(Contract.id))
    )
    return [Moved(one.ref, one.lot, one.locality, one.last_day, *rest) for one, *rest in session.exec(query)]


@dataclass(frozen=True, slots=True)
class Case:
    """One contract of a caseload."""

    contract: str
    lot: str
    locality: str
    weekly_minutes: int


def run_off_of(
    session: Session, suspension_ref: str, schemes: Collection[str], *, actor: Actor
) -> tuple[SeenRunOff, list[Case]]:
    """One suspension and what is in its caseload now, for the actor's own authority; NotFound for a stranger."""
    actor.needs("look at run-offs", Role.BROKER, Role.APPROVER)
    found = next((one for one in run_offs(session, schemes, actor=actor) if one.suspension == suspension_ref), None)
    if found is None or actor.authority is None:
        raise NotFound(kind="suspension", ref=suspension_ref)
    suspension = session.exec(select(Suspension).where(Suspension.ref == suspension_ref)).one()
    contracts = caseload(session, suspension, authority=actor.authority)
    return found, [Case(one.ref, one.lot, one.locality, one.weekly_minutes) for one in contracts]


def _seen(suspension: Suspension, name: str, decided: RunOff | None, cases: int, moved: int) -> SeenRunOff:
    return SeenRunOff(
        suspension=suspension.ref,
        provider=suspension.provider_ref,
        name=name,
        scheme=suspension.scheme,
        way=suspension.running_contracts,
        starts_at=suspension.starts_at,
        ref=decided.ref if decided else None,
        last_day=decided.last_day if decided else None,
        cases=cases,
        moved=moved,
    )
