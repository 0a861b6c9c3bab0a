"""Two people place a package outside the competition: a broker proposes it with price and reason, an approver decides.

Nobody decides alone: who proposed, who typed a bid of the last round, and who declared an interest in a provider that
was asked or is named now is refused. A provider that must not serve this person, or is suspended here, is refused when
it is proposed and again when it is approved.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlmodel import Session

from bidding.awards.interests import refuse_interested
from bidding.offers import lapse_open_offers
from bidding.otherwise.records import (
    PROPOSED,
    REFUSED,
    Lapse,
    Placement,
    PlacementState,
    lapse_placement,
    locked_placement,
    tell_authority,
)
from bidding.referrals import Referral, locked_referral
from bidding.rounds import current_round
from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.database import find
from dps.kernel.errors import BadInput, NeedsSecondPerson
from dps.kernel.money import amount
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.kernel.states import advance
from dps.packages.exclusions import excluded_by_person
from dps.packages.packages import Package
from dps.packages.remarks import Remark, said, write_remark
from dps.register.providers import Provider
from dps.register.suspensions import barring
from dps.schemes.stored import rules_by_hash

LEAST_REASON = 10
"""Characters: a sentence, so that the approver has something to go by."""


def propose(
    session: Session,
    ports: Ports,
    *,
    referral_ref: str,
    how: str,
    weekly_pence: int,
    reason: str,
    actor: Actor,
    provider: str | None = None,
) -> Placement:
    """Ask an approver to close an unfilled referral that was placed outside the engine, in a way the scheme names.

    `weekly_pence` is what it costs a week, `provider` who serves, where the register holds it. One waits at a time: a
    newer proposal takes the older one's place.
    """
    actor.needs("propose to place it otherwise", Role.BROKER)
    referral = locked_referral(session, referral_ref, actor)
    now = ports.clock.read(session)
    referral.STEPS.step(referral.state, "place_otherwise", referral.ref)
    assert referral.rule_hash is not None
    allowed = rules_by_hash(session, referral.rule_hash).unfilled.placed_otherwise
    for field, fault in unsaid(how, reason, allowed).items():
        raise BadInput(fault, field=field)
    pence = amount(weekly_pence, field="weekly_pence")
    words = said(reason)
    package = _package(session, referral)
    _refuse_barred(session, package, provider, now)
    _refuse_involved(session, referral, actor, "propose this", provider)
    lapse_placement(session, ports, referral, now, Lapse.REPLACED)
    placement = Placement(
        ref=new_reference(Kind.PLACEMENT, ports.entropy),
        referral_id=referral.id or 0,
        referral_ref=referral.ref,
        state=PlacementState.PROPOSED,
        how=how,
        provider=provider,
        weekly_pence=pence,
        proposed_by=actor.ref,
        proposed_at=now,
    )
    session.add(placement)
    session.flush()
    remark = _remark(session, ports, package, placement, PROPOSED, words, actor, now)
    facts = {"ref": placement.ref, "how": how, "provider": provider, "weekly_pence": pence, **remark.facts}
    audit.append(session, placement.stream, "placement.proposed", actor, now, facts)
    tell_authority(session, ports, referral, placement, "placement_to_approve", now)
    return placement


def unsaid(how: str, reason: str, allowed: Sequence[str]) -> dict[str, str]:
    """What a proposal does not say as it must, by field: a way that the scheme allows, and why. Pure."""
    faults = {}
    if how not in allowed:
        ways = ", ".join(allowed) or "no other way"
        faults["how"] = f"the published rules allow: {ways}"
    if len(reason.strip()) < LEAST_REASON:
        faults["reason"] = "say in a sentence why it is placed in this way"
    return faults


def approve(session: Session, ports: Ports, *, placement_ref: str, actor: Actor) -> None:
    """Say yes: the referral is placed otherwise, and offers on the open list end. Another person's than the asker's."""
    placement, referral = locked_placement(session, placement_ref, actor)
    now = ports.clock.read(session)
    _refuse_asker(placement, actor, "approve")
    _refuse_barred(session, _package(session, referral), placement.provider, now)
    _refuse_involved(session, referral, actor, "approve", placement.provider)
    advance(session, placement, "approve", actor, now, decided_by=actor.ref, decided_at=now)
    facts = {"placement": placement.ref, **placement.terms}
    advance(session, referral, "place_otherwise", actor, now, placed_at=now, facts=facts)
    lapse_open_offers(session, referral, now)
    tell_authority(session, ports, referral, placement, "placement_approved", now)


def refuse(session: Session, ports: Ports, *, placement_ref: str, reason: str, actor: Actor) -> None:
    """Say no, and why; the package stays unfilled and is sought as before."""
    words = said(reason)
    placement, referral = locked_placement(session, placement_ref, actor)
    now = ports.clock.read(session)
    _refuse_asker(placement, actor, "refuse")
    remark = _remark(session, ports, _package(session, referral), placement, REFUSED, words, actor, now)
    advance(session, placement, "refuse", actor, now, facts=remark.facts, decided_by=actor.ref, decided_at=now)
    tell_authority(session, ports, referral, placement, "placement_refused", now)


def withdraw(session: Session, ports: Ports, *, placement_ref: str, actor: Actor) -> None:
    """A broker takes a proposal back before it was decided."""
    placement, _ = locked_placement(session, placement_ref, actor)
    now = ports.clock.read(session)
    advance(session, placement, "withdraw", actor, now, decided_by=actor.ref, decided_at=now)


def _refuse_asker(placement: Placement, actor: Actor, step: str) -> None:
    """Who may not take the step from here is told so first; then whoever asked for it."""
    placement.STEPS.step(placement.state, step, placement.ref)
    actor.needs(f"{step} this placement", Role.APPROVER)
    if actor.ref == placement.proposed_by:
        raise NeedsSecondPerson(actor=actor.ref, step=step)


def _refuse_barred(session: Session, package: Package, provider: str | None, now: datetime) -> None:
    """BadInput where the register does not know the provider, it is kept from this person, or it is suspended here."""
    if provider is None:
        return
    row = find(session, Provider, ref=provider)
    if row is None or row.id is None:
        raise BadInput("there is no such provider in the register", field="provider")
    if provider in excluded_by_person(session, [package.person_id]).get(package.person_id, frozenset()):
        raise BadInput("this provider must not serve this person", field="provider")
    if barring(session, row.id, package.scheme, package.lot, package.locality, now) is not None:
        raise BadInput("this provider is suspended here and takes no new work", field="provider")


def _refuse_involved(session: Session, referral: Referral, actor: Actor, step: str, provider: str | None) -> None:
    last = current_round(session, referral.id)
    assert last is not None  # what is unfilled was asked for, or nobody could be asked
    refuse_interested(session, last, actor, step, *([provider] if provider else []))


def _package(session: Session, referral: Referral) -> Package:
    package = session.get(Package, referral.package_id)
    assert package is not None
    return package


def _remark(
    session: Session,
    ports: Ports,
    package: Package,
    placement: Placement,
    step: str,
    words: str,
    actor: Actor,
    now: datetime,
) -> Remark:
    return write_remark(
        session,
        ports.keyring,
        ports.entropy,
        package,
        about=placement.ref,
        step=step,
        words=words,
        actor=actor,
        now=now,
    )
