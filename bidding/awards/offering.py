"""Proposing an award and offering it: to the winner of a run, to the reserve, to the first of a published order.

Whoever falls out of the line makes room for the next in the same transaction, so that no package ever waits for
somebody to notice. Locks are taken in one order: referral, award, then the provider and its ledger.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlmodel import Session

from bidding.asking import assess_at_award, block_serving, package_of, provider_id, visit_hours
from bidding.awards.line import InLine, approvals_needed, next_in_line
from bidding.awards.records import Award, AwardState, Source, bundled_with, live_award
from bidding.bids.records import Bid
from bidding.block_hours import is_block_round
from bidding.escalation import exhaust
from bidding.first_visit import first_left
from bidding.referrals import Referral
from bidding.rounds import InvitationState, Round, invitations_of
from bidding.waypoints import Waypoint
from dps.kernel import audit
from dps.kernel.actors import CLOCK, Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.errors import NoCapacity
from dps.kernel.outbox import post
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.kernel.states import advance
from dps.kernel.windows import Window
from dps.packages.schedule import Schedule
from dps.register import holds
from dps.schemes.model import Mode, Scheme, Urgency
from dps.schemes.stored import rules_by_hash
from matching.eligibility import DirectRoute
from matching.eligibility import words as spoken


def propose(
    session: Session,
    ports: Ports,
    *,
    round_: Round,
    referral: Referral,
    scheme: Scheme,
    line: InLine,
    source: Source,
    now: datetime,
    run_ref: str | None = None,
    reason: str | None = None,
    proposed_by: Actor = CLOCK,
) -> Award:
    """Write down who is to get the package; nothing leaves the house yet."""
    hours = visit_hours(Schedule.from_dict(package_of(session, round_).schedule))
    award = Award(
        ref=new_reference(Kind.AWARD, ports.entropy),
        referral_id=referral.id or 0,
        round_id=round_.id or 0,
        bid_id=line.bid_id,
        run_ref=run_ref,
        bundle=line.bundle,
        source=source,
        reason=reason,
        provider=line.provider,
        authority=referral.authority,
        scheme=referral.scheme,
        lot=round_.lot,
        locality=round_.locality,
        weekly_pence=line.weekly_pence,
        weekly_minutes=line.weekly_minutes,
        card=line.card.to_dict(),
        starts_on=line.starts_on,
        from_minute=hours.start,
        until_minute=hours.end,
        needs_person=line.needs_person,
        already_accepted=line.already_accepted,
        state=AwardState.PROPOSED,
        proposed_at=now,
        approvals=[] if proposed_by.role is Role.CLOCK else [{"by": proposed_by.ref, "at": now.isoformat()}],
    )
    session.add(award)
    session.flush()
    facts = {
        "referral": referral.ref,
        "round": round_.ref,
        "provider": line.provider,
        "source": str(source),
        "weekly_pence": line.weekly_pence,
        "run": run_ref,
    }
    audit.append(session, award.stream, "award.proposed", proposed_by, now, facts)
    return award


def settle(session: Session, ports: Ports, round_: Round, referral: Referral, now: datetime, *, cause: str) -> None:
    """Offer a round's package to the next in line; where nobody is, exhaust the round and go on up the ladder."""
    current: Round | None = round_
    while current is not None and live_award(session, referral.id) is None:
        scheme = rules_by_hash(session, current.rule_hash)
        line = next_in_line(session, current, scheme, now)
        if line is None:
            successor = exhaust(session, ports, current, referral, now, cause=cause)
            current = successor if successor is not None and _asks_in_turn(successor) else None
            continue
        award = propose(
            session,
            ports,
            round_=current,
            referral=referral,
            scheme=scheme,
            line=line,
            source=_source(current),
            now=now,
        )
        offer_if_approved(session, ports, award, now)


def _source(round_: Round) -> Source:
    if is_block_round(round_):
        return Source.BLOCK_HOURS
    return Source.RANKED_OFFER if round_.mode == Mode.RANKED_OFFER else Source.RESERVE


def _asks_in_turn(round_: Round) -> bool:
    return round_.mode == Mode.RANKED_OFFER or is_block_round(round_)


def call_first(
    session: Session, ports: Ports, opened: Round | None, referral: Referral, now: datetime, *, cause: str
) -> Round | None:
    """Where a stage that was `opened`, or a block's unused hours, asks one after another, offer it to the first."""
    if opened is not None and _asks_in_turn(opened):
        settle(session, ports, opened, referral, now, cause=cause)
    return opened


def offer_if_approved(session: Session, ports: Ports, award: Award, now: datetime) -> bool:
    """Offer the award, its whole bundle with it, once enough people have approved; until then it waits on the desk.

    False where the provider can no longer take it: the award has ended, its bundle too, and the caller settles what
    follows.
    """
    if award.state is not AwardState.PROPOSED:
        # It was offered or given up together with another award of its bundle.
        return award.is_live
    together = [award, *bundled_with(session, award)]
    waiting = [one for one in together if len(one.approved_by) < _approvals_needed(session, one)]
    if award in waiting:
        recipient = f"authority:{award.authority}"
        post(session, ports.entropy, recipient=recipient, kind="award_to_approve", about=award.ref, now=now)
    if waiting:
        return True
    causes = _causes(session, together, now) or _reserve(session, together, now)
    for one in together:
        if causes:
            _give_up(session, one, now, causes)
        else:
            _offer(session, ports, one, now)
    return not causes


def _approvals_needed(session: Session, award: Award) -> int:
    return approvals_needed(
        rules_by_hash(session, round_of_award(session, award).rule_hash).award,
        weekly_pence=award.weekly_pence,
        needs_person=award.needs_person,
        source=Source(award.source),
    )


def round_of_award(session: Session, award: Award) -> Round:
    """The round that an award was proposed in."""
    found = session.get(Round, award.round_id)
    assert found is not None
    return found


def _causes(session: Session, together: Sequence[Award], now: datetime) -> dict[str, str]:
    """Why these awards can't be offered now: the words of each cause, by its code."""
    found: dict[str, str] = {}
    refs = [award.ref for award in together]
    for award in together:
        bid = session.get(Bid, award.bid_id) if award.bid_id else None
        if bid is not None and now >= bid.valid_until:
            found["bid_ended"] = "The bid stood until a day that is over."
        round_ = round_of_award(session, award)
        assessment = assess_at_award(
            session,
            round_,
            rules_by_hash(session, round_.rule_hash),
            award.provider,
            now,
            counted=Source(award.source) is Source.ALLOCATION,
            leave_out=refs,
            route=route_of(award),
        )
        found |= {reason.code: spoken.for_broker(reason) for reason in assessment.reasons}
    return found


def _reserve(session: Session, together: Sequence[Award], now: datetime) -> dict[str, str]:
    """Hold the hours of all of them, or of none."""
    for award in together:
        try:
            holds.reserve(
                session,
                provider_id=provider_id(session, award.provider),
                authority=award.authority,
                locality=award.locality,
                minutes=award.weekly_minutes,
                award_ref=award.ref,
                actor=CLOCK,
                now=now,
                out_of=_block_of(session, award),
            )
        except NoCapacity as short:
            return {short.code: str(short)}
    return {}


def _block_of(session: Session, award: Award) -> str | None:
    """The block whose unused hours this award is for. NoCapacity where it is over."""
    if route_of(award) is not DirectRoute.BLOCK_HOURS:
        return None
    block = block_serving(session, award.scheme, package_of(session, round_of_award(session, award)), award.provider)
    if block is None:
        raise NoCapacity(
            provider=award.provider, locality=award.locality, free_minutes=0, asked_minutes=award.weekly_minutes
        )
    return block.ref


def _give_up(session: Session, award: Award, now: datetime, causes: Mapping[str, str]) -> None:
    """End a proposed award whose provider can no longer take it: the words are a broker's, the trail keeps codes."""
    words = " ".join(causes.values())
    advance(session, award, "expire", CLOCK, now, ended_at=now, end_reason=words, facts={"causes": sorted(causes)})
    if holds.hold_of(session, award.ref) is not None:
        holds.release(session, award_ref=award.ref, actor=CLOCK, now=now)


def _offer(session: Session, ports: Ports, award: Award, now: datetime) -> None:
    round_ = round_of_award(session, award)
    referral = session.get(Referral, award.referral_id)
    assert referral is not None
    scheme = rules_by_hash(session, round_.rule_hash)
    answer_by = _time_to_answer(award, round_, referral, scheme).end(now, scheme.calendar())
    starts_on = first_left(award.starts_on, now.astimezone(LONDON).date())
    facts = {"answer_by": answer_by.isoformat(), "provider": award.provider, "starts_on": starts_on.isoformat()}
    stands = {"offered_at": now, "answer_by": answer_by, "starts_on": starts_on}
    advance(session, award, "offer", CLOCK, now, facts=facts, **stands)
    for invitation in invitations_of(session, round_.id):
        if invitation.provider == award.provider and invitation.state is InvitationState.WAITING:
            advance(session, invitation, "invite", CLOCK, now, invited_at=now)
    if award.already_accepted:
        # The provider accepted in the window; it is told, not asked again.
        confirm_by = scheme.award.confirmation.end(now, scheme.calendar())
        advance(session, award, "accept", CLOCK, now, accepted_at=now, confirm_by=confirm_by)
    kind = "award_won" if award.already_accepted else "award_offered"
    post(session, ports.entropy, recipient=f"provider:{award.provider}", kind=kind, about=award.ref, now=now)
    ports.reached(Waypoint.AWARD_OFFERED)


def _time_to_answer(award: Award, round_: Round, referral: Referral, scheme: Scheme) -> Window:
    """A ranked stage's window is the time that each provider has in its turn; other offers go by their urgency."""
    if award.source == Source.RANKED_OFFER:
        return referral.stages[round_.stage_no].window
    return scheme.award.acceptance[Urgency(referral.urgency)]


def route_of(award: Award) -> DirectRoute | None:
    """By which direct route an award goes round the competition, if it does."""
    if award.source == Source.BLOCK_HOURS:
        return DirectRoute.BLOCK_HOURS
    return DirectRoute(award.reason) if award.source == Source.DIRECT_AWARD and award.reason else None
