"""A referral as whoever writes it down sees it: all of its facts, and what is still missing."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlmodel import Session, col, select

from bidding.referrals import Referral, ReferralState, referral_of
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.errors import PersonErased
from dps.kernel.ports import Ports
from dps.packages import readiness
from dps.packages.facts import FreeText, PackageFacts
from dps.packages.linking import linked_with
from dps.packages.packages import Package, free_text_of, person_of, telltales_of
from dps.packages.readiness import Readiness
from dps.packages.telltales import Found
from dps.register.providers import Provider
from dps.schemes.model import Scheme


@dataclass(frozen=True, slots=True)
class Drafted:
    """What stands in a referral; `words` is None once the person is erased. `linked` holds (referral, how).

    `is_with_requester`: it was not sent to the brokers yet. `telltales` is what in unconfirmed words may tell who the
    person is.
    """

    referral: str
    person: str
    state: ReferralState
    is_with_requester: bool
    edition: str
    facts: PackageFacts
    words: FreeText | None
    are_words_confirmed: bool
    telltales: tuple[Found, ...]
    identity_given: tuple[str, ...]
    gaps: Readiness
    is_start_over: bool
    linked: tuple[tuple[str, str], ...]


def drafted(session: Session, ports: Ports, *, referral_ref: str, scheme: Scheme, actor: Actor) -> Drafted:
    """For brokers of the referral's authority, and for its requester; NotFound to any other."""
    actor.needs("write a referral", Role.BROKER, Role.APPROVER, Role.REQUESTER)
    referral = referral_of(session, referral_ref, actor)
    package = session.get(Package, referral.package_id)
    assert package is not None
    person = person_of(session, package)
    today = ports.clock.read(session).astimezone(LONDON).date()
    try:
        words: FreeText | None = free_text_of(session, ports.keyring, package)
    except PersonErased:
        words = None
    is_confirmed = package.free_text_confirmed_by is not None
    return Drafted(
        referral=referral.ref,
        person=person.ref,
        state=referral.state,
        is_with_requester=referral.is_with_requester,
        edition=package.edition,
        facts=package.facts,
        words=words,
        are_words_confirmed=is_confirmed,
        telltales=() if is_confirmed or words is None else telltales_of(session, ports.keyring, package),
        identity_given=tuple(person.identity_given),
        gaps=readiness.missing(package, person, scheme.lot(package.lot), today),
        is_start_over=readiness.is_start_over(package, today),
        linked=_linked(session, package),
    )


def _linked(session: Session, package: Package) -> tuple[tuple[str, str], ...]:
    others = {other.id: str(other.linked_as) for other in linked_with(session, package)}
    query = select(Referral).where(col(Referral.package_id).in_(others)).order_by(col(Referral.id))
    return tuple((referral.ref, others[referral.package_id]) for referral in session.exec(query)) if others else ()


def stated_skills(session: Session, scheme: Scheme) -> list[str]:
    """Every skill that a lot of the scheme asks for or that a provider has stated: what a need may be chosen from."""
    found = {skill for lot in scheme.lots for skill in lot.skills}
    for skills in session.exec(select(Provider.skills)):
        found |= set(skills or ())
    return sorted(found)


def providers_by_name(session: Session) -> Sequence[tuple[str, str]]:
    """(reference, name) of every provider, by name: to choose one from."""
    query = select(Provider.ref, Provider.name).order_by(col(Provider.name), col(Provider.id))
    return session.exec(query).all()
