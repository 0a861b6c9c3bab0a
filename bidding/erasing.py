"""Erasing a person as the competition allows it: not while a provider is still sought for one of their packages."""

from sqlmodel import Session

from bidding.referrals import still_sought
from dps.kernel.actors import Actor
from dps.kernel.ports import Ports
from dps.packages.erasure import ErasureReason, erase
from dps.packages.persons import find_person


def erase_person(session: Session, ports: Ports, *, person_ref: str, reason: ErasureReason, actor: Actor) -> None:
    """Destroy the person's key and all that it sealed, for good; `dps.packages.erasure.scrub` clears the files.

    StillServed while a contract is in force, StillSought while a referral is open.
    """
    person = find_person(session, person_ref, actor=actor)
    now = ports.clock.read(session)
    erase(session, person, reason=reason, actor=actor, now=now, still_sought=still_sought)
