"""What an accepted award leads to: disclosure to the winner, the first visit, a failed start, a hand-back.

A failed start and a hand-back broker the package again at once, in the same transaction.
"""

from datetime import date, datetime, timedelta

from sqlmodel import Session, select

from bidding.awards.records import Award, AwardState, award_of
from bidding.publishing import broker_again
from bidding.referrals import Referral
from bidding.rounds import Round
from dps.contracts import contracts
from dps.contracts.contracts import Contract, ContractState
from dps.contracts.reasons import FailureReason, HandBackReason
from dps.contracts.standing import find_contract
from dps.contracts.variations.ending import days_short_of_notice
from dps.contracts.variations.hours import release_hours
from dps.kernel.actors import CLOCK, Actor, Role
from dps.kernel.database import locked_one
from dps.kernel.errors import NoSuchStep, NotFound
from dps.kernel.ports import Ports
from dps.packages.facts import Confidential
from dps.packages.identity import Identity
from dps.packages.packages import Package, disclose_confidential, person_of
from dps.packages.persons import Purpose, disclose
from dps.register import holds
from dps.schemes.published import standing_scheme


def identity_for_winner(session: Session, ports: Ports, *, award_ref: str, actor: Actor) -> Identity:
    """Who the person is: to the winner alone, only after acceptance, each opening recorded (law 7)."""
    award, package, now = _won(session, ports, award_ref, actor)
    person = person_of(session, package)
    purpose = Purpose.HANDOVER
    return disclose(session, ports.keyring, person, actor=actor, purpose=purpose, now=now, winner=award.provider)


def place_of_care_for_winner(session: Session, ports: Ports, *, award_ref: str, actor: Actor) -> Confidential:
    """Where care is given and how one gets in: under the same rule, and recorded alike."""
    award, package, now = _won(session, ports, award_ref, actor)
    purpose = Purpose.HANDOVER
    return disclose_confidential(
        session, ports.keyring, package, actor=actor, purpose=purpose, now=now, winner=award.provider
    )


def _won(session: Session, ports: Ports, award_ref: str, actor: Actor) -> tuple[Award, Package, datetime]:
    """The award and its package, if this actor is the winner and has accepted; as if there were none to all others."""
    actor.needs("read a person's file", Role.PROVIDER)
    award = award_of(session, award_ref, actor)
    if award.state not in (AwardState.ACCEPTED, AwardState.CONFIRMED) or award.ended_at is not None:
        raise NotFound(kind="person", ref=award_ref)
    referral = session.get(Referral, award.referral_id)
    package = session.get(Package, referral.package_id) if referral else None
    assert package is not None
    now = ports.clock.read(session)
    if award.due is not None and now >= award.due:
        raise NotFound(kind="person", ref=award_ref)
    return award, package, now


def start_contract(session: Session, ports: Ports, *, contract_ref: str, first_visit_on: date, actor: Actor) -> None:
    """Record the first visit."""
    contract = find_contract(session, contract_ref, actor=actor)
    contract = locked_one(session, Contract, contract.id)
    now = ports.clock.read(session)
    contracts.start(session, ports.entropy, contract, first_visit_on=first_visit_on, actor=actor, now=now)


def move_start(session: Session, ports: Ports, *, contract_ref: str, starts_on: date, actor: Actor) -> None:
    """Agree another day for the first visit, once, within the scheme's days."""
    contract = find_contract(session, contract_ref, actor=actor)
    scheme = standing_scheme(session, contract.scheme)
    now = ports.clock.read(session)
    contracts.move_start(session, ports.entropy, contract, starts_on=starts_on, scheme=scheme, actor=actor, now=now)


def fail_to_start(
    session: Session, ports: Ports, *, contract_ref: str, reason: FailureReason, actor: Actor
) -> Round | None:
    """Care never began: the hours are released and the package is brokered again at once."""
    contract, award, referral = _locked(session, contract_ref, actor)
    now = ports.clock.read(session)
    contracts.fail_to_start(session, ports.entropy, contract, reason=reason, actor=actor, now=now)
    _close_award(session, award, now, f"failed to start: {reason}")
    return broker_again(session, ports, referral, CLOCK, now, cause=f"failed to start: {reason}")


def hand_back(
    session: Session, ports: Ports, *, contract_ref: str, reason: HandBackReason, last_day: date, actor: Actor
) -> Round | None:
    """The provider gives the contract back: the package is brokered again, at once, while care goes on until then."""
    contract, award, referral = _locked(session, contract_ref, actor)
    now = ports.clock.read(session)
    scheme = standing_scheme(session, contract.scheme)
    short = days_short_of_notice(scheme, reason=reason, told_at=now, last_day=last_day)
    contracts.hand_back(
        session,
        ports.entropy,
        contract,
        reason=reason,
        last_day=last_day,
        actor=actor,
        now=now,
        days_short_of_notice=short,
    )
    release_hours(session, contract, now=now)
    _close_award(session, award, now, f"handed back: {reason}")
    return broker_again(session, ports, referral, CLOCK, now, cause=f"handed back: {reason}")


def move_away(session: Session, ports: Ports, *, contract_ref: str, last_day: date, actor: Actor) -> Round | None:
    """The council takes a contract from a provider that fails: its package is brokered again, to go on the day after.

    No notice is counted: it is not the provider that gives up. What had not begun yet is brokered as a failed start.
    """
    contract, award, referral = _locked(session, contract_ref, actor)
    now = ports.clock.read(session)
    if contract.state is ContractState.PENDING:
        failed = FailureReason.PROVIDER_COULD_NOT
        contracts.fail_to_start(session, ports.entropy, contract, reason=failed, actor=actor, now=now)
        _close_award(session, award, now, f"failed to start: {failed}")
        return broker_again(session, ports, referral, CLOCK, now, cause=f"failed to start: {failed}")
    reason = HandBackReason.PROVIDER_FAILING
    contracts.hand_back(session, ports.entropy, contract, reason=reason, last_day=last_day, actor=actor, now=now)
    release_hours(session, contract, now=now)
    _close_award(session, award, now, f"handed back: {reason}")
    start_from = last_day + timedelta(days=1)
    return broker_again(session, ports, referral, CLOCK, now, cause=f"handed back: {reason}", start_from=start_from)


def _locked(session: Session, contract_ref: str, actor: Actor) -> tuple[Contract, Award, Referral]:
    contract = find_contract(session, contract_ref, actor=actor)
    award = session.exec(select(Award).where(Award.ref == contract.award_ref)).one()
    referral = locked_one(session, Referral, award.referral_id)
    award = locked_one(session, Award, award.id)
    if award.ended_at is not None:
        raise NoSuchStep(kind="Contract", ref=contract.ref, state=str(contract.state), step="be given back again")
    return locked_one(session, Contract, contract.id), award, referral


def _close_award(session: Session, award: Award, now: datetime, reason: str) -> None:
    """A confirmed award stays confirmed on the record; `ended_at` lets the referral have another."""
    award.ended_at, award.end_reason = now, reason
    session.add(award)
    session.flush()
    holds.release(session, award_ref=award.ref, actor=CLOCK, now=now)
