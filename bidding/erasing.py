"""Erasing a person as the competition allows it: not while a provider is still sought for one of their packages."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from bidding.referrals import OPEN, Referral, ReferralState, still_sought
from dps.contracts.contracts import IN_FORCE, Contract, ContractState
from dps.kernel.actors import Actor
from dps.kernel.ports import Ports
from dps.packages.erasure import ERASING, ErasureReason, erase
from dps.packages.packages import Package
from dps.packages.persons import find_person


def erase_person(session: Session, ports: Ports, *, person_ref: str, reason: ErasureReason, actor: Actor) -> None:
    """Destroy the person's key and all that it sealed, for good; `dps.packages.erasure.scrub` clears the files.

    StillServed while a contract is in force, StillSought while a referral is open.
    """
    person = find_person(session, person_ref, actor=actor)
    now = ports.clock.read(session)
    erase(session, person, reason=reason, actor=actor, now=now, still_sought=still_sought)


@dataclass(frozen=True, slots=True)
class KnownPerson:
    """What is known of a person without opening anything: by references, each with its state, in order."""

    person: str
    registered_at: datetime
    erased_at: datetime | None
    are_files_cleared: bool
    referrals: Sequence[tuple[str, ReferralState]]
    contracts: Sequence[tuple[str, ContractState]]

    @property
    def open_referrals(self) -> list[str]:
        """What keeps the person from being erased: each is withdrawn or placed first."""
        return [ref for ref, state in self.referrals if state in OPEN]

    @property
    def running_contracts(self) -> list[str]:
        """The same: each has to be over first."""
        return [ref for ref, state in self.contracts if state in IN_FORCE]


def known_of(session: Session, *, person_ref: str, actor: Actor) -> KnownPerson:
    """What whoever may erase a person sees before they do; NotFound for another authority's."""
    actor.needs("erase a person", *ERASING)
    person = find_person(session, person_ref, actor=actor)
    own = select(Package.id).where(Package.person_id == person.id)
    referrals = select(Referral.ref, Referral.state).where(col(Referral.package_id).in_(own))
    contracts = select(Contract.ref, Contract.state).where(col(Contract.package_id).in_(own))
    return KnownPerson(
        person=person.ref,
        registered_at=person.registered_at,
        erased_at=person.erased_at,
        are_files_cleared=person.cleared_at is not None,
        referrals=[(ref, ReferralState(state)) for ref, state in session.exec(referrals.order_by(col(Referral.id)))],
        contracts=[(ref, ContractState(state)) for ref, state in session.exec(contracts.order_by(col(Contract.id)))],
    )
