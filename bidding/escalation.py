"""Escalation: a round without award makes the next stage's round, in the transaction that decides it.

The ladder's end makes the referral `unfilled`: on the brokers' list with every reason, and on the open list. It
restarts at the scheme's interval. Nobody has to remember any of it.
"""

from datetime import datetime

from sqlmodel import Session, col, select

from bidding.concluding import conclude_bids
from bidding.referrals import Referral, ReferralState
from bidding.rounds import EligibilityReport, Outcome, Round, RoundState, decide
from bidding.stages import open_stage
from dps.kernel.actors import CLOCK, Actor
from dps.kernel.outbox import post
from dps.kernel.ports import Ports
from dps.kernel.states import advance
from dps.schemes.stored import rules_by_hash


def exhaust(
    session: Session, ports: Ports, round_: Round, referral: Referral, now: datetime, *, cause: str
) -> Round | None:
    """Decide a round that found nobody and open the next stage. None where the ladder ends, unfilled."""
    decide(session, round_, Outcome.EXHAUSTED, CLOCK, now, cause=cause)
    conclude_bids(session, ports, round_, now, winner=None)
    return climb(session, ports, referral, round_, now)


def climb(session: Session, ports: Ports, referral: Referral, predecessor: Round, now: datetime) -> Round | None:
    """Open the stages after `predecessor`, skipping those where nobody is eligible, until somebody is asked."""
    stages = referral.stages
    current = predecessor
    for stage_no in range(predecessor.stage_no + 1, len(stages)):
        current = open_stage(session, ports, referral, stage_no=stage_no, predecessor=current, now=now)
        if current.state is RoundState.PUBLISHED:
            return current
    _leave_unfilled(session, ports, referral, current, now)
    return None


def begin_ladder(
    session: Session, ports: Ports, referral: Referral, now: datetime, *, predecessor: Round | None
) -> Round | None:
    """Start a new cycle at the first stage. Returns the round that asks somebody, if any."""
    referral.cycle += 1
    session.add(referral)
    session.flush()
    first = open_stage(session, ports, referral, stage_no=0, predecessor=predecessor, now=now)
    if first.state is RoundState.PUBLISHED:
        return first
    return climb(session, ports, referral, first, now)


def _leave_unfilled(session: Session, ports: Ports, referral: Referral, last: Round, now: datetime) -> None:
    reasons = session.exec(
        select(EligibilityReport.eligible, EligibilityReport.assessed).where(EligibilityReport.round_id == last.id)
    ).first()
    facts = {"last_round": last.ref, "eligible": reasons[0] if reasons else 0, "assessed": reasons[1] if reasons else 0}
    advance(session, referral, "exhaust", CLOCK, now, unfilled_at=now, facts=facts)
    post(
        session,
        ports.entropy,
        recipient=f"authority:{referral.authority}",
        kind="referral_unfilled",
        about=referral.ref,
        now=now,
    )


def restart(session: Session, ports: Ports, referral: Referral, actor: Actor, now: datetime) -> Round | None:
    """Ask the whole ladder again, after the scheme's interval or because a broker says so."""
    advance(session, referral, "restart", actor, now, unfilled_at=None, seeking_since=now)
    last = session.exec(
        select(Round).where(Round.referral_id == referral.id).order_by(col(Round.id).desc()).limit(1)
    ).first()
    return begin_ladder(session, ports, referral, now, predecessor=last)


def due_restarts(session: Session, now: datetime) -> list[int]:
    """Unfilled referrals whose scheme's restart interval has passed."""
    due: list[int] = []
    query = select(Referral).where(col(Referral.state) == ReferralState.UNFILLED).order_by(col(Referral.id))
    for referral in session.exec(query):
        if referral.rule_hash is None or referral.unfilled_at is None or referral.id is None:
            continue
        scheme = rules_by_hash(session, referral.rule_hash)
        if now >= scheme.unfilled.restart.end(referral.unfilled_at, scheme.calendar()):
            due.append(referral.id)
    return due
