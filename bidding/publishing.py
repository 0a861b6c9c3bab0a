"""What brokers do with a referral: make ready, publish, hold, resume, withdraw, broker again; `amending` changes it.

The term of the scheme and the readiness list of the urgency are asked before anything is published; the ladder and
the rule hash are frozen then, and a later publication of other rules changes nothing for this referral.
"""

from datetime import date, datetime
from typing import Any

from sqlmodel import Session

from bidding.awards.expiring import cancel_live_award
from bidding.awards.offering import call_first
from bidding.concluding import cancel_round
from bidding.custody import refuse_without_custodians
from bidding.escalation import begin_ladder, is_restart_due, restart, resume_at
from bidding.first_visit import move_start
from bidding.offers import lapse_open_offers
from bidding.otherwise.records import Lapse, lapse_placement
from bidding.referrals import Referral, ReferralState, locked_referral, refuse_once_sent
from bidding.rounds import Round, RoundState, current_round
from bidding.ties import FACT, refuse_seeking_again, tell_of_tie, tied_stop
from dps.kernel.actors import CLOCK, Actor
from dps.kernel.calendar import LONDON
from dps.kernel.database import locked_one
from dps.kernel.errors import BadInput, LimitPassed, NotReady
from dps.kernel.ports import Ports
from dps.kernel.states import advance
from dps.law.bases import basis_of
from dps.law.watch import refuse_passed_limits
from dps.packages import readiness
from dps.packages.packages import Package, note_referred, person_of
from dps.packages.remarks import said, write_remark
from dps.schemes.loader import rule_hash
from dps.schemes.model import Scheme
from dps.schemes.stored import rules_by_hash


def _package(session: Session, referral: Referral) -> Package:
    package = session.get(Package, referral.package_id)
    assert package is not None
    return package


def make_ready(session: Session, ports: Ports, *, referral_ref: str, scheme: Scheme, actor: Actor) -> None:
    """Say that a draft can be published; raises NotReady naming everything that is missing."""
    referral = locked_referral(session, referral_ref, actor)
    now = ports.clock.read(session)
    _refuse_other_scheme(referral, scheme)
    _refuse_gaps(session, _package(session, referral), scheme, now.astimezone(LONDON).date())
    advance(session, referral, "make_ready", actor, now, with_requester_since=None)


def _refuse_other_scheme(referral: Referral, scheme: Scheme) -> None:
    if scheme.key != referral.scheme:
        raise BadInput(f"this referral is one of {referral.scheme}, not of {scheme.key}", field="scheme")


def _refuse_gaps(session: Session, package: Package, scheme: Scheme, today: date) -> None:
    gaps = readiness.missing(package, person_of(session, package), scheme.lot(package.lot), today).for_publication
    # A basis that was chosen and is not in force today is as open as none.
    is_open = basis_of(package.funding, package.facts.legal_basis, scheme.legal_basis, today) is None
    unchosen = [readiness.Gap.LEGAL_BASIS] if is_open else []
    if lacking := dict.fromkeys([*gaps, *unchosen]):
        raise NotReady(missing=[readiness.WORDS[gap] for gap in lacking])


def publish(session: Session, ports: Ports, *, referral_ref: str, scheme: Scheme, actor: Actor) -> Round | None:
    """Publish a ready referral under the scheme's published rules and open its ladder. Returns the open round, if any.

    The rules must have been published (`schemes.stored.publish_rules`). Raises OutOfTerm, NotReady.
    """
    referral = locked_referral(session, referral_ref, actor)
    now = ports.clock.read(session)
    _refuse_other_scheme(referral, scheme)
    package = _package(session, referral)
    hash_ = rule_hash(scheme)
    frozen = rules_by_hash(session, hash_)
    today = now.astimezone(LONDON).date()
    refuse_passed_limits(session, frozen, hash_, today)
    _refuse_gaps(session, package, frozen, today)
    ladder = frozen.ladder(package.lot, package.urgency)
    refuse_without_custodians(session, package, frozen, ladder, today)
    advance(
        session,
        referral,
        "publish",
        actor,
        now,
        published_at=now,
        seeking_since=now,
        rule_hash=hash_,
        ladder=ladder.model_dump(mode="json"),
        version=package.version,
        facts={"rule_hash": hash_, "stages": [stage.key for stage in ladder.stages]},
    )
    note_referred(session, package, now=now)
    opened = begin_ladder(session, ports, referral, now, predecessor=None)
    return call_first(session, ports, opened, referral, now, cause="the referral was published")


def _refuse_seeking(session: Session, referral: Referral, now: datetime) -> None:
    """OutOfTerm or LimitPassed where the rules of a referral may no longer be published under: nor may it seek again.

    Otherwise a right to publish that the law withdrew would be walked round by holding a referral and resuming it.
    """
    assert referral.rule_hash is not None
    frozen = rules_by_hash(session, referral.rule_hash)
    refuse_passed_limits(session, frozen, referral.rule_hash, now.astimezone(LONDON).date())


def hold(session: Session, ports: Ports, *, referral_ref: str, reason: str, actor: Actor) -> None:
    """Stop seeking for now: the open round is cancelled, its sealed bids lapse unopened.

    Of what somebody with a tie to who was asked does, here and in `withdraw`, the approvers are told (`ties`).
    """
    referral = locked_referral(session, referral_ref, actor)
    now = ports.clock.read(session)
    is_tied = tied_stop(session, actor, referral, "hold", now)
    _move_because(session, ports, referral, "hold", reason, actor, now, is_tied=is_tied)
    _stop_seeking(session, ports, referral, now, "The referral was held.")


def resume(session: Session, ports: Ports, *, referral_ref: str, actor: Actor) -> Round | None:
    """Seek again from the stage where it was held, with a new round; another person than one with a tie does."""
    referral = locked_referral(session, referral_ref, actor)
    refuse_seeking_again(session, actor, referral)
    now = ports.clock.read(session)
    advance(session, referral, "resume", actor, now, seeking_since=now)
    last = current_round(session, referral.id)
    assert last is not None
    _refuse_seeking(session, referral, now)
    opened = resume_at(session, ports, referral, last, now)
    return call_first(session, ports, opened, referral, now, cause="seeking was resumed")


def withdraw(session: Session, ports: Ports, *, referral_ref: str, reason: str, actor: Actor) -> None:
    """End the search for good; invited providers are told, their sealed bids lapse unopened.

    A requester withdraws what it has not sent yet, and nothing else.
    """
    referral = locked_referral(session, referral_ref, actor)
    refuse_once_sent(referral, actor)
    now = ports.clock.read(session)
    is_tied = tied_stop(session, actor, referral, "withdraw", now)
    _move_because(session, ports, referral, "withdraw", reason, actor, now, is_tied=is_tied, with_requester_since=None)
    _stop_seeking(session, ports, referral, now, "The referral was withdrawn.")
    lapse_placement(session, ports, referral, now, Lapse.WITHDRAWN)


def _move_because(
    session: Session,
    ports: Ports,
    referral: Referral,
    step: str,
    reason: str,
    actor: Actor,
    now: datetime,
    *,
    is_tied: bool,
    **columns: Any,
) -> None:
    """Move a referral for a reason in somebody's own words, which stay under the person's key."""
    referral.STEPS.step(referral.state, step, referral.ref)
    package, about = _package(session, referral), referral.ref
    remark = write_remark(
        session, ports.keyring, ports.entropy, package, about=about, step=step, words=said(reason), actor=actor, now=now
    )
    advance(session, referral, step, actor, now, facts={**remark.facts, **(FACT if is_tied else {})}, **columns)
    if is_tied:
        tell_of_tie(session, ports, referral, now)


def _stop_seeking(session: Session, ports: Ports, referral: Referral, now: datetime, why: str) -> None:
    """End the live award, the open round and the offers on the open list."""
    cancel_live_award(session, ports, referral, now, reason=why)
    lapse_open_offers(session, referral, now)
    found = current_round(session, referral.id)
    if found is not None and found.state in _UNDECIDED:
        cancel_round(session, ports, locked_one(session, Round, found.id), now, reason=why)


_UNDECIDED = (RoundState.PLANNED, RoundState.PUBLISHED, RoundState.CLOSED)


def restart_unfilled(session: Session, ports: Ports, *, referral_ref: str, actor: Actor) -> Round | None:
    """Ask the whole ladder of an unfilled referral again."""
    referral = locked_referral(session, referral_ref, actor)
    now = ports.clock.read(session)
    _refuse_seeking(session, referral, now)
    lapse_open_offers(session, referral, now)
    lapse_placement(session, ports, referral, now, Lapse.RESTARTED)
    opened = restart(session, ports, referral, actor, now)
    return call_first(session, ports, opened, referral, now, cause="the ladder was restarted")


def restart_due(session: Session, ports: Ports, referral_id: int) -> bool:
    """The same by the clock, once the scheme's interval has passed; False where there is nothing to do."""
    referral = locked_one(session, Referral, referral_id)
    now = ports.clock.read(session)
    if referral.state is not ReferralState.UNFILLED or referral.unfilled_at is None or referral.rule_hash is None:
        return False
    if not is_restart_due(rules_by_hash(session, referral.rule_hash), referral.unfilled_at, now):
        return False
    try:
        _refuse_seeking(session, referral, now)
    except LimitPassed:
        # Nothing is due before somebody does what the law asks: it is found again by the sweep after that.
        return False
    restart_unfilled(session, ports, referral_ref=referral.ref, actor=CLOCK)
    return True


def broker_again(
    session: Session,
    ports: Ports,
    referral: Referral,
    actor: Actor,
    now: datetime,
    *,
    cause: str,
    start_from: date | None = None,
) -> Round | None:
    """After a hand-back or a failed start: the package is brokered again at once, as a new cycle of its ladder.

    `start_from` is the day from which another provider is needed, where that is known; else at once.
    """
    advance(session, referral, "broker_again", actor, now, placed_at=None, seeking_since=now, facts={"cause": cause})
    if start_from is not None:
        move_start(session, ports, referral, _package(session, referral), now, start_from)
    opened = begin_ladder(session, ports, referral, now, predecessor=current_round(session, referral.id))
    return call_first(session, ports, opened, referral, now, cause=cause)
