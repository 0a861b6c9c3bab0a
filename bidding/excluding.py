"""Keeping a provider from one person, confidentially, from the referral that a broker works on (law 7).

It holds for every package of the person from the next stage on, and is asked again at each award. The provider only
ever learns that it was not invited.
"""

from dataclasses import dataclass

from sqlmodel import Session

from bidding.referrals import referral_of
from bidding.ties import refuse_excluding
from dps.kernel.actors import Actor
from dps.kernel.ports import Ports
from dps.packages import exclusions
from dps.packages.exclusions import Reason, disclose_reasons, refs_in_force
from dps.packages.packages import Package, person_of
from dps.packages.persons import Person, Purpose
from dps.register.interests import refuse_tied


@dataclass(frozen=True, slots=True, repr=False)
class Excluded:
    """One exclusion in force, with its reason opened."""

    ref: str
    provider: str
    reason: Reason

    def __repr__(self) -> str:
        return f"Excluded({self.ref}, withheld)"


def exclude(session: Session, ports: Ports, *, referral_ref: str, provider: str, reason: Reason, actor: Actor) -> None:
    """Keep a provider from the person of a referral; AlreadyExcluded where it is.

    Who declared a tie to another provider of the scheme does not: NeedsSecondPerson.
    """
    refuse_excluding(session, actor, referral_of(session, referral_ref, actor).scheme, provider)
    exclusions.exclude(
        session,
        ports.keyring,
        ports.entropy,
        _person(session, referral_ref, actor),
        provider=provider,
        reason=reason,
        actor=actor,
        now=ports.clock.read(session),
    )


def lift(session: Session, ports: Ports, *, referral_ref: str, exclusion_ref: str, actor: Actor) -> None:
    """Let it serve the person again; the exclusion and its reason stay on record. Who is tied to it does not."""
    person = _person(session, referral_ref, actor)
    for named, ref in refs_in_force(session, person).items():
        if ref == exclusion_ref:
            refuse_tied(session, actor, named, "let it serve the person again")
    exclusions.lift(session, person, exclusion_ref, actor=actor, now=ports.clock.read(session))


def excluded(session: Session, ports: Ports, *, referral_ref: str, actor: Actor) -> list[Excluded]:
    """Who is kept from the person, and why, the first one first; the look is recorded."""
    person = _person(session, referral_ref, actor)
    refs = refs_in_force(session, person)
    reasons = disclose_reasons(
        session,
        ports.keyring,
        person,
        actor=actor,
        purpose=Purpose.ARRANGING_CARE,
        now=ports.clock.read(session),
    )
    return [Excluded(ref, provider, reasons[provider]) for provider, ref in refs.items()]


def _person(session: Session, referral_ref: str, actor: Actor) -> Person:
    package = session.get_one(Package, referral_of(session, referral_ref, actor).package_id)
    return person_of(session, package)
