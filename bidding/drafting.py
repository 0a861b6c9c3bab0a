"""Writing a referral down and changing it: begin, change, copy, split in two, link a household.

One `change` for all of a referral's life: a draft is simply rewritten; once it is published, what no bid rests on is
corrected and told, and anything else is an amendment with its own rules (`amending`). Who is written down,
where they live and what is said of them stays under the person's key.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace

from sqlmodel import Session

from bidding.amending import amend, tell_correction
from bidding.referrals import (
    Referral,
    ReferralState,
    locked_referral,
    open_referral,
    referral_of,
    refuse_once_sent,
)
from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.errors import BadInput, CannotAmend, NotACorrection, NothingChanged
from dps.kernel.money import round_half_up
from dps.kernel.outbox import post
from dps.kernel.ports import Ports
from dps.packages import amendments
from dps.packages.facts import Confidential, FreeText, LinkKind, PackageFacts
from dps.packages.identity import Identity
from dps.packages.linking import link
from dps.packages.packages import (
    Package,
    confirm_free_text,
    create_package,
    disclose_confidential,
    free_text_of,
    person_of,
)
from dps.packages.persons import Person, Purpose, correct_identity, register_person
from dps.packages.schedule import Schedule
from dps.schemes.model import Scheme

UNPUBLISHED = (ReferralState.DRAFT, ReferralState.READY)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What somebody wants a referral to say; None leaves a part as it is."""

    facts: PackageFacts | None = None
    confidential: Confidential | None = None
    free_text: FreeText | None = None
    identity: Identity | None = None


def begin(
    session: Session,
    ports: Ports,
    *,
    identity: Identity,
    facts: PackageFacts,
    confidential: Confidential,
    free_text: FreeText | None = None,
    scheme: Scheme,
    actor: Actor,
    person: Person | None = None,
) -> tuple[Referral, Package, Person]:
    """Write down a person (unless they are known), what they need, and a draft to place it."""
    now = ports.clock.read(session)
    if person is None:
        assert actor.authority is not None
        person = register_person(
            session,
            ports.keyring,
            ports.entropy,
            authority=actor.authority,
            identity=identity,
            actor=actor,
            now=now,
        )
    package = create_package(
        session,
        ports.keyring,
        ports.entropy,
        person,
        facts=facts,
        confidential=confidential,
        free_text=free_text,
        scheme=scheme,
        actor=actor,
        now=now,
    )
    return open_referral(session, ports, package=package, actor=actor), package, person


def change(
    session: Session,
    ports: Ports,
    *,
    referral_ref: str,
    wanted: Wanted,
    edition: str | None = None,
    scheme: Scheme,
    actor: Actor,
) -> None:
    """Make a referral say this, in the way that its state asks for; nothing happens where it says so already.

    StateChanged if the package is no longer of `edition`, CannotAmend where it can't be changed any more, or by its
    requester no more.
    """
    referral = locked_referral(session, referral_ref, actor)
    refuse_once_sent(referral, actor)
    package = _package(session, referral)
    if wanted.identity is not None:
        _correct_person(session, ports, package, wanted.identity, actor)
    if wanted.facts is None and wanted.confidential is None and wanted.free_text is None:
        return
    now = ports.clock.read(session)
    parts = {"facts": wanted.facts, "confidential": wanted.confidential, "free_text": wanted.free_text}
    rest = {"edition": edition, "scheme": scheme, "actor": actor, "now": now}
    try:
        corrected = amendments.correct(session, ports.keyring, package, **parts, **rest)  # type: ignore[arg-type]
    except NothingChanged:
        return
    except NotACorrection:
        if referral.state in UNPUBLISHED:
            amendments.amend(session, ports.keyring, package, **parts, **rest)  # type: ignore[arg-type]
            _keep_urgency(session, referral, package)
            return
        amend(
            session,
            ports,
            referral_ref=referral_ref,
            facts=wanted.facts or package.facts,
            confidential=wanted.confidential,
            free_text=wanted.free_text,
            edition=edition,
            actor=actor,
        )
    else:
        if referral.state not in UNPUBLISHED:
            tell_correction(session, ports, referral, corrected.changed, actor, now)


def copy(session: Session, ports: Ports, *, referral_ref: str, scheme: Scheme, actor: Actor) -> str:
    """A new draft for the same person that asks for the same; returns its reference."""
    return _twin(session, ports, referral_of(session, referral_ref, actor), None, scheme, actor)[0].ref


def split(
    session: Session, ports: Ports, *, referral_ref: str, taken: Collection[int], scheme: Scheme, actor: Actor
) -> str:
    """Part a package before it is published: the visits numbered in `taken`, from 0, become a second one's.

    Both parts are linked, so that everybody sees that they are one person's. Returns the second referral.
    """
    referral = locked_referral(session, referral_ref, actor)
    if referral.state not in UNPUBLISHED:
        raise CannotAmend(ref=referral.ref, reason="it is published: only a draft is parted")
    package = _package(session, referral)
    here, there = parted(package.facts, taken)
    now = ports.clock.read(session)
    twin, second = _twin(session, ports, referral, there, scheme, actor)
    amendments.amend(
        session,
        ports.keyring,
        package,
        facts=here,
        scheme=scheme,
        actor=actor,
        now=now,
    )
    link(session, [package, second], kind=LinkKind.SPLIT_PACKAGE, actor=actor, now=now)
    return twin.ref


def parted(facts: PackageFacts, taken: Collection[int]) -> tuple[PackageFacts, PackageFacts]:
    """What is asked for in two: what stays, and what is `taken`; BadInput where one of them were empty. Pure.

    A budget is parted as the care is, by carer-minutes, so that both parts together cost what was allowed.
    """
    visits = facts.schedule.visits if facts.schedule else ()
    if len(visits) < 2:
        raise BadInput("a package is parted by its visits, and this one has fewer than two lines", field="taken")
    second = [visit for number, visit in enumerate(visits) if number in taken]
    first = [visit for number, visit in enumerate(visits) if number not in taken]
    if not first or not second:
        raise BadInput("choose at least one visit for the second part, and leave one", field="taken")
    here, there = (replace(facts, schedule=Schedule.of(part)) for part in (first, second))
    if facts.budget_pence is not None:
        minutes, moved = facts.weekly_minutes or 1, there.weekly_minutes or 0
        over = round_half_up(facts.budget_pence * moved, minutes)
        here, there = replace(here, budget_pence=facts.budget_pence - over), replace(there, budget_pence=over)
    return here, there


def link_household(session: Session, ports: Ports, *, referral_ref: str, other_ref: str, actor: Actor) -> None:
    """Link two people of one household, whose packages are published each by itself."""
    referrals = [referral_of(session, ref, actor) for ref in (referral_ref, other_ref)]
    for referral in referrals:
        refuse_once_sent(referral, actor)
    packages = [_package(session, referral) for referral in referrals]
    link(session, packages, kind=LinkKind.HOUSEHOLD, actor=actor, now=ports.clock.read(session))


def confirm_words(session: Session, ports: Ports, *, referral_ref: str, edition: str, actor: Actor) -> None:
    """Say that the words of this edition tell nobody who the person is."""
    package = _package(session, locked_referral(session, referral_ref, actor))
    confirm_free_text(session, package, edition=edition, actor=actor, now=ports.clock.read(session))


def send(session: Session, ports: Ports, *, referral_ref: str, actor: Actor) -> None:
    """Hand a requester's own draft to the brokers, complete or not; they are told. CannotAmend where they have it."""
    actor.needs("send a referral to the brokers", Role.REQUESTER)
    referral = locked_referral(session, referral_ref, actor)
    refuse_once_sent(referral, actor)
    now = ports.clock.read(session)
    referral.with_requester_since = None
    session.add(referral)
    session.flush()
    audit.append(session, referral.stream, "referral.sent_to_brokers", actor, now, {"package": referral.package_ref})
    post(
        session,
        ports.entropy,
        recipient=f"authority:{referral.authority}",
        kind="referral_requested",
        about=referral.ref,
        now=now,
    )


def note_requester(session: Session, ports: Ports, *, referral_ref: str, account: str, actor: Actor) -> None:
    """Let the account of whoever asked for this package follow it; the caller has made sure that it is one."""
    actor.needs("name who asked for a package", Role.BROKER)
    referral = locked_referral(session, referral_ref, actor)
    referral.requested_by = account
    session.add(referral)
    session.flush()
    audit.append(
        session, referral.stream, "referral.requester_noted", actor, ports.clock.read(session), {"account": account}
    )


def _twin(
    session: Session, ports: Ports, referral: Referral, facts: PackageFacts | None, scheme: Scheme, actor: Actor
) -> tuple[Referral, Package]:
    """A draft of the same person with the same words and facts, or with these, followed by whoever asked for it."""
    package = _package(session, referral)
    now = ports.clock.read(session)
    second = create_package(
        session,
        ports.keyring,
        ports.entropy,
        person_of(session, package),
        facts=facts or package.facts,
        confidential=disclose_confidential(
            session, ports.keyring, package, actor=actor, purpose=Purpose.ARRANGING_CARE, now=now
        ),
        free_text=free_text_of(session, ports.keyring, package),
        scheme=scheme,
        actor=actor,
        now=now,
    )
    twin = open_referral(session, ports, package=second, actor=actor)
    if referral.requested_by is not None:
        note_requester(session, ports, referral_ref=twin.ref, account=referral.requested_by, actor=actor)
    return twin, second


def _correct_person(session: Session, ports: Ports, package: Package, identity: Identity, actor: Actor) -> None:
    person = person_of(session, package)
    try:
        correct_identity(session, ports.keyring, person, identity=identity, actor=actor, now=ports.clock.read(session))
    except NothingChanged:
        return


def _keep_urgency(session: Session, referral: Referral, package: Package) -> None:
    if referral.urgency != package.urgency:
        referral.urgency = package.urgency
        session.add(referral)
        session.flush()


def _package(session: Session, referral: Referral) -> Package:
    package = session.get(Package, referral.package_id)
    assert package is not None
    return package
