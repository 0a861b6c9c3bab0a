"""What people do with an award: approve, accept, confirm, and every way in which they let it fall through.

Locks are taken in one order: referral, award, then the provider and its ledger. What follows from a move (the reserve,
the next stage, the contract) happens in the same transaction; consequences are written as the clock's. The awards of a
bundle move together: they are taken as a whole or not at all.
"""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlmodel import Session, select

from bidding.asking import assess_standing, package_of
from bidding.awards.cases import WHOLE, Case, end, lock_in_line, locked_cases, refuse_ended
from bidding.awards.interests import refuse_interested
from bidding.awards.line import in_line, standing_bids
from bidding.awards.offering import offer_if_approved, propose, route_of, settle
from bidding.awards.records import Award, AwardState, Source
from bidding.concluding import conclude_bids
from bidding.first_visit import first_left
from bidding.rounds import Outcome, decide
from bidding.waypoints import Waypoint
from dps.contracts.contracts import create_contract
from dps.kernel import audit
from dps.kernel.actors import CLOCK, Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.errors import NeedsSecondPerson, NoSuchStep, NotEligible, NotFound, NotReady
from dps.kernel.money import RateCard
from dps.kernel.outbox import post
from dps.kernel.ports import Ports
from dps.kernel.states import advance
from dps.packages import readiness
from dps.packages.packages import person_of
from dps.packages.remarks import Remark, said, words_of, write_remark
from dps.register import holds
from matching.eligibility import words as spoken

# The council's people


def approve(session: Session, ports: Ports, *, award_ref: str, actor: Actor) -> None:
    """Say yes to a proposed award. Each approval is another person's; who typed a bid of the round can't give one."""
    actor.needs("approve an award", Role.BROKER, Role.APPROVER)
    cases = locked_cases(session, award_ref, actor)
    award = cases[0].award
    lock_in_line(session, cases)
    now = ports.clock.read(session)
    if award.state is not AwardState.PROPOSED:
        raise NoSuchStep(kind="Award", ref=award.ref, state=str(award.state), step="approve")
    refuse_interested(session, cases[0].round_, actor, "approve", award.provider)
    if actor.ref in award.approved_by:
        raise NeedsSecondPerson(actor=actor.ref, step="approve")
    award.approvals = [*award.approvals, {"by": actor.ref, "at": now.isoformat()}]
    session.add(award)
    session.flush()
    audit.append(session, award.stream, "award.approved", actor, now, {"approvals": len(award.approved_by)})
    if not offer_if_approved(session, ports, award, now):
        for case in cases:
            settle(session, ports, case.round_, case.referral, now, cause="the provider can no longer take it")


def refused_by_person(session: Session, ports: Ports, *, award_ref: str, reason: str, actor: Actor) -> None:
    """The person said no; this is not held against the provider. Who has an interest in the round records none."""
    actor.needs("record a person's refusal", Role.BROKER, Role.APPROVER)
    cases = locked_cases(session, award_ref, actor)
    for case in cases:
        refuse_interested(session, case.round_, actor, "record a person's refusal", case.award.provider)
    _fall_through(session, ports, cases, "refuse", actor, said(reason))


def overturn(
    session: Session, ports: Ports, *, award_ref: str, reason: str, actor: Actor, instead: str | None = None
) -> bool:
    """Overturn an award before it is confirmed; a second person must ask for the same. True once it is done.

    `instead` overrides the order: it names the standing bid of the round that is awarded in this one's place, at once.
    Without it the next in line is asked. What the first person gave as the reason stands, and the bidder reads it; why
    the second agrees is kept beside it, for the council and its auditors.
    """
    actor.needs("overturn an award", Role.BROKER, Role.APPROVER)
    words = said(reason)
    cases = locked_cases(session, award_ref, actor)
    award, round_ = cases[0].award, cases[0].round_
    now = ports.clock.read(session)
    award.STEPS.step(award.state, "overturn", award.ref)
    refuse_ended(award, now)
    refuse_interested(session, round_, actor, "overturn", award.provider)
    asked = [one for one in award.approvals if "overturn" in one and one["instead"] == instead]
    if any(one["by"] == actor.ref for one in asked):
        raise NeedsSecondPerson(actor=actor.ref, step="overturn")
    if not asked:
        if instead is not None and instead not in {bid.ref for _, bid in standing_bids(session, round_, now)}:
            raise NotFound(kind="standing bid", ref=instead)
        remark = _remark(session, ports, cases[0], "ask_overturn", words, actor, now)
        ask = {"by": actor.ref, "at": now.isoformat(), "overturn": remark.ref, "instead": instead}
        award.approvals = [*award.approvals, ask]
        session.add(award)
        session.flush()
        audit.append(session, award.stream, "award.overturn_asked", actor, now, {"instead": instead, **remark.facts})
        return False
    agreed = _remark(session, ports, cases[0], "agree_overturn", words, actor, now)
    award.approvals = [*award.approvals, asked[0] | {"by": actor.ref, "at": now.isoformat(), "overturn": agreed.ref}]
    session.add(award)
    session.flush()
    audit.append(session, award.stream, "award.overturn_agreed", actor, now, {"instead": instead, **agreed.facts})
    words = _words_of_first(session, ports, cases[0], asked[0]["overturn"])
    _fall_through(session, ports, cases, "overturn", actor, words, override=(instead, (asked[0]["by"], actor.ref)))
    return True


def _words_of_first(session: Session, ports: Ports, case: Case, ref: str) -> str:
    """What the first of two people gave as the reason; while a referral is open its person is not erased."""
    remark = session.exec(select(Remark).where(Remark.ref == ref)).one()
    words = words_of(ports.keyring, person_of(session, package_of(session, case.round_)), remark)
    assert words is not None
    return words


# The provider


def accept(session: Session, ports: Ports, *, award_ref: str, actor: Actor) -> None:
    """Take the offer, in time; a bundle is taken as a whole."""
    actor.needs("accept an award", Role.PROVIDER)
    cases = locked_cases(session, award_ref, actor)
    now = ports.clock.read(session)
    for case in cases:
        award, scheme = case.award, case.scheme
        award.STEPS.step(award.state, "accept", award.ref)
        refuse_ended(award, now)
        standing = assess_standing(session, case.round_, scheme, award.provider, now, route=route_of(award))
        if standing.reasons:
            raise NotEligible(reasons=spoken.for_provider(standing))
        confirm_by = scheme.award.confirmation.end(now, scheme.calendar())
        advance(session, award, "accept", actor, now, accepted_at=now, confirm_by=confirm_by)
        _tell_authority(session, ports, award, "award_accepted", now)


def confirm(session: Session, ports: Ports, *, award_ref: str, actor: Actor) -> str:
    """Confirm after reading the person's file: the contract is made, the referral is placed. Returns its reference.

    A bundle is confirmed as a whole: each of its packages gets its own contract.
    """
    actor.needs("confirm an award", Role.PROVIDER)
    cases = locked_cases(session, award_ref, actor)
    now = ports.clock.read(session)
    for case in cases:
        case.award.STEPS.step(case.award.state, "confirm", case.award.ref)
        refuse_ended(case.award, now)
    gaps = dict.fromkeys(gap for case in cases for gap in _gaps(session, case, now.astimezone(LONDON).date()))
    if gaps:
        raise NotReady(missing=[readiness.WORDS[gap] for gap in gaps])
    contract, *_ = [_confirm_one(session, ports, case, actor, now) for case in cases]
    return contract


def _gaps(session: Session, case: Case, today: date) -> Sequence[readiness.Gap]:
    package = package_of(session, case.round_)
    lot = case.scheme.lot(package.lot)
    return readiness.missing(package, person_of(session, package), lot, today).for_confirmation


def _confirm_one(session: Session, ports: Ports, case: Case, actor: Actor, now: datetime) -> str:
    award = case.award
    advance(session, award, "confirm", actor, now)
    holds.commit(session, award_ref=award.ref, actor=CLOCK, now=now)
    contract = create_contract(
        session,
        ports.entropy,
        package=package_of(session, case.round_),
        award_ref=award.ref,
        provider=award.provider,
        weekly_minutes=award.weekly_minutes,
        weekly_pence=award.weekly_pence,
        card=RateCard.from_dict(award.card),
        starts_on=first_left(award.starts_on, now.astimezone(LONDON).date()),
        actor=CLOCK,
        now=now,
    )
    ports.reached(Waypoint.CONTRACT_MADE)
    facts = {"award": award.ref, "contract": contract.ref}
    advance(session, case.referral, "place", CLOCK, now, placed_at=now, facts=facts)
    decide(session, case.round_, Outcome.ACCEPTED, CLOCK, now, cause="the award was confirmed")
    conclude_bids(session, ports, case.round_, now, winner=award)
    return contract.ref


def decline(session: Session, ports: Ports, *, award_ref: str, reason: str, actor: Actor) -> None:
    """Say no to an offer; the reserve is asked at once. A bundle is declined as a whole."""
    actor.needs("decline an award", Role.PROVIDER)
    _fall_through(session, ports, locked_cases(session, award_ref, actor), "decline", actor, said(reason))


def give_back(session: Session, ports: Ports, *, award_ref: str, reason: str, actor: Actor) -> None:
    """Return an accepted award after disclosure or own assessment, with a reason.

    Within the scheme's hours it is not held against the provider; the trail says whether it was.
    """
    actor.needs("return an award", Role.PROVIDER)
    _fall_through(session, ports, locked_cases(session, award_ref, actor), "return", actor, said(reason))


# Falling through


def _fall_through(
    session: Session,
    ports: Ports,
    cases: Sequence[Case],
    step: str,
    actor: Actor,
    words: str,
    *,
    override: tuple[str | None, tuple[str, str]] | None = None,
) -> None:
    """End an award and its bundle, then ask the next in line of each package, or the bid that two people chose."""
    named, *others = cases
    award = named.award
    lock_in_line(session, cases)
    now = ports.clock.read(session)
    award.STEPS.step(award.state, step, award.ref)
    refuse_ended(award, now)
    remark = _remark(session, ports, named, step, words, actor, now)
    end(session, award, step, actor, now, None, {**_held_against(named, step, now), **remark.facts})
    for case in others:
        # The words are about the named one's person, and stand under that person's key alone.
        if actor.role is Role.PROVIDER:
            end(session, case.award, step, actor, now, WHOLE, _held_against(case, step, now))
        else:
            end(session, case.award, "expire", CLOCK, now, WHOLE)
    _tell_authority(session, ports, award, f"award_{step}", now)
    ports.reached(Waypoint.AWARD_ENDED)
    if override is not None and override[0] is not None:
        _award_instead(session, ports, named, override[0], override[1], now)
    for case in cases:
        settle(session, ports, case.round_, case.referral, now, cause=f"the award was ended: {step}")


def _held_against(case: Case, step: str, now: datetime) -> dict[str, bool]:
    """Whether a return came within the scheme's hours."""
    if step != "return" or case.award.accepted_at is None:
        return {}
    return {"without_penalty": now < case.award.accepted_at + timedelta(hours=case.scheme.award.return_hours)}


def _award_instead(
    session: Session, ports: Ports, case: Case, bid_ref: str, people: tuple[str, str], now: datetime
) -> None:
    chosen = [(scored, bid) for scored, bid in standing_bids(session, case.round_, now) if bid.ref == bid_ref]
    if not chosen:
        raise NotFound(kind="standing bid", ref=bid_ref)
    award = propose(
        session,
        ports,
        round_=case.round_,
        referral=case.referral,
        scheme=case.scheme,
        line=in_line(session, case.round_, *chosen[0]),
        source=Source.OVERRIDE,
        now=now,
        reason="Two people overturned the award before it and chose this bid.",
    )
    award.approvals = [{"by": person, "at": now.isoformat()} for person in people]
    session.add(award)
    session.flush()
    if not offer_if_approved(session, ports, award, now):
        raise NotEligible(reasons=(award.end_reason or "",))


def _tell_authority(session: Session, ports: Ports, award: Award, kind: str, now: datetime) -> None:
    recipient = f"authority:{award.authority}"
    post(session, ports.entropy, recipient=recipient, kind=kind, about=award.ref, now=now)


def _remark(session: Session, ports: Ports, case: Case, step: str, words: str, actor: Actor, now: datetime) -> Remark:
    package, about = package_of(session, case.round_), case.award.ref
    return write_remark(
        session, ports.keyring, ports.entropy, package, about=about, step=step, words=words, actor=actor, now=now
    )
