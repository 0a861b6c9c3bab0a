"""Moving an award: approve, accept, confirm, and every way it falls through.

Locks are taken in one order: referral, award, then the provider and its ledger. What follows from a move (the reserve,
the next stage, the contract) happens in the same transaction; consequences are written as the clock's.
"""

from datetime import datetime, timedelta

from sqlmodel import Session, select

from bidding.asking import assess_at_award
from bidding.awards.offering import offer_if_approved, route_of, settle
from bidding.awards.records import Award, AwardState, Interest, award_of, live_award
from bidding.bids.records import Bid, BidRound
from bidding.concluding import conclude_bids
from bidding.referrals import Referral
from bidding.rounds import Invitation, Outcome, Round, decide
from dps.contracts.contracts import create_contract
from dps.kernel import audit
from dps.kernel.actors import CLOCK, Actor, Role
from dps.kernel.database import locked_one
from dps.kernel.errors import BadInput, NeedsSecondPerson, NoSuchStep, NotEligible, NotReady, TooLate
from dps.kernel.money import RateCard
from dps.kernel.outbox import post
from dps.kernel.ports import Ports
from dps.kernel.states import advance
from dps.packages import readiness
from dps.packages.packages import Package, person_of
from dps.register import holds
from dps.schemes.model import Scheme
from dps.schemes.stored import rules_by_hash


def _locked(session: Session, ref: str, actor: Actor) -> tuple[Award, Referral, Round, Scheme]:
    award = award_of(session, ref, actor)
    referral = locked_one(session, Referral, award.referral_id)
    award = locked_one(session, Award, award.id)
    round_ = locked_one(session, Round, award.round_id)
    return award, referral, round_, rules_by_hash(session, round_.rule_hash)


def approve(session: Session, ports: Ports, *, award_ref: str, actor: Actor) -> None:
    """Say yes to a proposed award. Each approval is another person's; who typed a bid of the round can't give one."""
    actor.needs("approve an award", Role.BROKER, Role.APPROVER)
    award, referral, round_, scheme = _locked(session, award_ref, actor)
    now = ports.clock.read(session)
    if award.state is not AwardState.PROPOSED:
        raise NoSuchStep(kind="Award", ref=award.ref, state=str(award.state), step="approve")
    refuse_interested(session, round_, actor, "approve")
    if any(approval["by"] == actor.ref for approval in award.approvals):
        raise NeedsSecondPerson(actor=actor.ref, step="approve")
    award.approvals = [*award.approvals, {"by": actor.ref, "at": now.isoformat()}]
    session.add(award)
    audit.append(session, award.stream, "award.approved", actor, now, {"approvals": len(award.approvals)})
    session.flush()
    if not offer_if_approved(session, ports, award, referral, round_, scheme, now):
        settle(session, ports, round_, referral, now, cause="the proposed provider can no longer take it")


def refuse_interested(session: Session, round_: Round, actor: Actor, step: str) -> None:
    """Refuse who typed a bid of this round, or declared an interest in one of its providers (law 9)."""
    typed = session.exec(
        select(Bid.id)
        .join(BidRound, BidRound.bid_id == Bid.id)  # type: ignore[arg-type]
        .where(BidRound.round_id == round_.id, Bid.typed_by == actor.ref)
    ).first()
    interested = session.exec(
        select(Interest.id)
        .join(Invitation, Invitation.provider == Interest.provider)  # type: ignore[arg-type]
        .where(Invitation.round_id == round_.id, Interest.account == actor.ref)
    ).first()
    if typed is not None or interested is not None:
        raise NeedsSecondPerson(actor=actor.ref, step=step)


def accept(session: Session, ports: Ports, *, award_ref: str, actor: Actor) -> None:
    """Take the offer, in time; a bundle is taken as a whole."""
    actor.needs("accept an award", Role.PROVIDER)
    for ref in _bundle_refs(session, award_ref, actor):
        award, _, round_, scheme = _locked(session, ref, actor)
        now = ports.clock.read(session)
        if award.state is AwardState.OFFERED and award.answer_by is not None and now >= award.answer_by:
            raise TooLate(closes_at=award.answer_by, now=now)
        reasons = assess_at_award(
            session, round_, scheme, award.provider, now, counted=True, standing=True, route=route_of(award)
        )
        if reasons:
            raise NotEligible(reasons=reasons)
        confirm_by = scheme.award.confirmation.end(now, scheme.calendar())
        advance(session, award, "accept", actor, now, accepted_at=now, confirm_by=confirm_by)
        post(
            session,
            ports.entropy,
            recipient=f"authority:{award.authority}",
            kind="award_accepted",
            about=award.ref,
            now=now,
        )


def confirm(session: Session, ports: Ports, *, award_ref: str, actor: Actor) -> str:
    """Confirm after reading the person's file: the contract is made, the referral is placed. Returns its reference."""
    actor.needs("confirm an award", Role.PROVIDER)
    award, referral, round_, scheme = _locked(session, award_ref, actor)
    now = ports.clock.read(session)
    if award.state is AwardState.ACCEPTED and award.confirm_by is not None and now >= award.confirm_by:
        raise TooLate(closes_at=award.confirm_by, now=now)
    package = _package(session, referral)
    gaps = readiness.missing(package, person_of(session, package), scheme.lot(package.lot)).for_confirmation
    if gaps:
        raise NotReady(missing=[readiness.WORDS[gap] for gap in gaps])
    advance(session, award, "confirm", actor, now)
    holds.commit(session, award_ref=award.ref, actor=CLOCK, now=now)
    contract = create_contract(
        session,
        ports.entropy,
        package=package,
        award_ref=award.ref,
        provider=award.provider,
        weekly_minutes=award.weekly_minutes,
        weekly_pence=award.weekly_pence,
        card=RateCard.from_dict(award.card),
        starts_on=award.starts_on,
        actor=CLOCK,
        now=now,
    )
    advance(session, referral, "place", CLOCK, now, placed_at=now, facts={"award": award.ref, "contract": contract.ref})
    decide(session, round_, Outcome.ACCEPTED, CLOCK, now, cause="the award was confirmed")
    conclude_bids(session, ports, round_, now, winner=award)
    return contract.ref


def decline(session: Session, ports: Ports, *, award_ref: str, reason: str, actor: Actor) -> None:
    """Say no to an offer; the reserve is asked at once. A bundle is declined as a whole."""
    actor.needs("decline an award", Role.PROVIDER)
    for ref in _bundle_refs(session, award_ref, actor):
        _fall_through(session, ports, ref, "decline", actor, _words(reason))


def give_back(session: Session, ports: Ports, *, award_ref: str, reason: str, actor: Actor) -> None:
    """Return an accepted award after disclosure or own assessment, with a reason.

    Within the scheme's hours it is not held against the provider; the trail says whether it was.
    """
    actor.needs("return an award", Role.PROVIDER)
    award, _, _, scheme = _locked(session, award_ref, actor)
    now = ports.clock.read(session)
    limit = timedelta(hours=scheme.award.return_hours)
    in_time = award.accepted_at is not None and now < award.accepted_at + limit
    facts = {"without_penalty": in_time}
    audit.append(session, award.stream, "award.return_asked", actor, now, facts)
    _fall_through(session, ports, award_ref, "return", actor, _words(reason))


def refused_by_person(session: Session, ports: Ports, *, award_ref: str, reason: str, actor: Actor) -> None:
    """The person said no; this is not held against the provider."""
    actor.needs("record a person's refusal", Role.BROKER, Role.APPROVER)
    _fall_through(session, ports, award_ref, "refuse", actor, _words(reason))


def overturn(session: Session, ports: Ports, *, award_ref: str, reason: str, actor: Actor) -> bool:
    """Overturn an award before it is confirmed; a second person must ask for the same. True once it is done."""
    actor.needs("overturn an award", Role.BROKER, Role.APPROVER)
    award, _, round_, _ = _locked(session, award_ref, actor)
    now = ports.clock.read(session)
    refuse_interested(session, round_, actor, "overturn")
    asked = [approval for approval in award.approvals if "overturn" in approval]
    if not award.STEPS.allows(award.state, "overturn"):
        raise NoSuchStep(kind="Award", ref=award.ref, state=str(award.state), step="overturn")
    if not asked:
        award.approvals = [*award.approvals, {"by": actor.ref, "at": now.isoformat(), "overturn": _words(reason)}]
        session.add(award)
        audit.append(session, award.stream, "award.overturn_asked", actor, now, {"reason": _words(reason)})
        return False
    if asked[0]["by"] == actor.ref:
        raise NeedsSecondPerson(actor=actor.ref, step="overturn")
    _fall_through(session, ports, award_ref, "overturn", actor, asked[0]["overturn"])
    return True


def expire_due(session: Session, ports: Ports, award_id: int) -> bool:
    """Record that an offer was not answered, or an acceptance not confirmed, in time. False: nothing to do."""
    award = session.get(Award, award_id, populate_existing=True)
    assert award is not None
    award, referral, round_, _ = _locked(session, award.ref, CLOCK)
    now = ports.clock.read(session)
    end = {AwardState.OFFERED: award.answer_by, AwardState.ACCEPTED: award.confirm_by}.get(award.state)
    if end is None or now < end:
        return False
    words = "was not answered in time" if award.state is AwardState.OFFERED else "was not confirmed in time"
    _end(session, award, "expire", CLOCK, now, f"The offer {words}.")
    settle(session, ports, round_, referral, now, cause=words)
    return True


def _fall_through(session: Session, ports: Ports, ref: str, step: str, actor: Actor, reason: str) -> None:
    award, referral, round_, _ = _locked(session, ref, actor)
    now = ports.clock.read(session)
    if award.state is AwardState.OFFERED and award.answer_by is not None and now >= award.answer_by:
        raise TooLate(closes_at=award.answer_by, now=now)
    _end(session, award, step, actor, now, reason)
    post(
        session, ports.entropy, recipient=f"authority:{award.authority}", kind=f"award_{step}", about=award.ref, now=now
    )
    settle(session, ports, round_, referral, now, cause=f"the award was ended: {step}")


def _end(session: Session, award: Award, step: str, actor: Actor, now: datetime, reason: str) -> None:
    advance(session, award, step, actor, now, ended_at=now, end_reason=reason, facts={"reason": reason})
    if holds.hold_of(session, award.ref) is not None:
        holds.release(session, award_ref=award.ref, actor=CLOCK, now=now)


def cancel_live_award(session: Session, referral: Referral, now: datetime, *, reason: str) -> None:
    """End whatever award is alive because its referral was held or withdrawn; no next in line is asked."""
    award = live_award(session, referral.id)
    if award is None or award.state is AwardState.CONFIRMED:
        return
    _end(session, award, "expire", CLOCK, now, reason)


def _bundle_refs(session: Session, award_ref: str, actor: Actor) -> list[str]:
    award = award_of(session, award_ref, actor)
    if award.bundle is None:
        return [award_ref]
    query = select(Award).where(Award.bundle == award.bundle).order_by(Award.referral_id)  # type: ignore[arg-type]
    return [one.ref for one in session.exec(query) if one.state is award.state]


def _package(session: Session, referral: Referral) -> Package:
    package = session.get(Package, referral.package_id)
    assert package is not None
    return package


def _words(reason: str) -> str:
    if not 3 <= len(reason.strip()) <= 2000:
        raise BadInput("give the reason in 3 to 2,000 characters", field="reason")
    return reason.strip()
