"""Escalation: a round without award makes the next stage's round, in the transaction that decides it.

The ladder's end makes the referral `unfilled`: on the brokers' list with every reason, and on the open list. It
restarts at the scheme's interval. Nobody has to remember any of it.
"""

from datetime import datetime

from sqlmodel import Session, col, func, select

from bidding.block_hours import ask_blocks, is_block_round
from bidding.concluding import conclude_bids
from bidding.first_visit import move_passed_start
from bidding.referrals import Referral, ReferralState
from bidding.rounds import EligibilityReport, Outcome, Round, RoundState, decide
from bidding.stages import open_stage
from bidding.waypoints import Waypoint
from dps.kernel.actors import CLOCK, Actor
from dps.kernel.calendar import LONDON
from dps.kernel.outbox import post
from dps.kernel.ports import Ports
from dps.kernel.states import advance
from dps.schemes.model import Mode, Scheme
from dps.schemes.stored import rules_by_hash


def exhaust(
    session: Session, ports: Ports, round_: Round, referral: Referral, now: datetime, *, cause: str
) -> Round | None:
    """Decide a round that found nobody and open the next stage. None where the ladder ends, unfilled."""
    decide(session, round_, Outcome.EXHAUSTED, CLOCK, now, cause=cause)
    conclude_bids(session, ports, round_, now, winner=None)
    ports.reached(Waypoint.ROUND_EXHAUSTED)
    return climb(session, ports, referral, round_, now)


def climb(session: Session, ports: Ports, referral: Referral, predecessor: Round, now: datetime) -> Round | None:
    """Open the stages after `predecessor`, skipping those where nobody is eligible, until somebody is asked."""
    return _ask(session, ports, referral, _stage_after(session, predecessor), predecessor, now)


def begin_ladder(
    session: Session, ports: Ports, referral: Referral, now: datetime, *, predecessor: Round | None
) -> Round | None:
    """Start a new cycle at the first stage. Returns the round that asks somebody, if any."""
    referral.cycle += 1
    session.add(referral)
    session.flush()
    return _ask(session, ports, referral, 0, predecessor, now)


def resume_at(session: Session, ports: Ports, referral: Referral, last: Round, now: datetime) -> Round | None:
    """Ask again from the stage of `last`, in the same cycle. Returns the round that asks somebody, if any."""
    return _ask(session, ports, referral, last.stage_no, last, now)


def _stage_after(session: Session, predecessor: Round) -> int:
    """The next stage; one that a direct award had cut short is asked again, because nobody had answered it.

    Unused hours of blocks are offered before a stage.
    """
    if is_block_round(predecessor):
        return predecessor.stage_no
    before = session.get(Round, predecessor.predecessor_id) if predecessor.predecessor_id else None
    cut_short = predecessor.mode == Mode.DIRECT_AWARD and before is not None and before.state is RoundState.CANCELLED
    return predecessor.stage_no if cut_short else predecessor.stage_no + 1


def _ask(
    session: Session, ports: Ports, referral: Referral, first: int, predecessor: Round | None, now: datetime
) -> Round | None:
    """Open stage after stage from `first` until one asks somebody; beyond the scheme's term none is opened.

    Whoever has unused hours of a block is asked before each of them, but for the one that follows such a round. A
    search that goes on after the days on which the first visit was wanted asks for other days (`first_visit`).
    """
    assert referral.rule_hash is not None
    last = predecessor
    scheme = rules_by_hash(session, referral.rule_hash)
    if scheme.is_in_term(now.astimezone(LONDON).date()):
        if predecessor is not None and first < len(referral.stages):
            move_passed_start(session, ports, referral, now)
        for stage_no in range(first, len(referral.stages)):
            if last is None or last.cycle != referral.cycle or not is_block_round(last):
                unused = ask_blocks(session, ports, referral, scheme, stage_no=stage_no, predecessor=last, now=now)
                if unused is not None:
                    return unused
            last = open_stage(session, ports, referral, stage_no=stage_no, predecessor=last, now=now)
            ports.reached(Waypoint.STAGE_OPENED)
            if last.state is RoundState.PUBLISHED:
                return last
    assert last is not None
    _leave_unfilled(session, ports, referral, last, now)
    return None


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
    advance(session, referral, "restart", actor, now, unfilled_at=None)
    last = session.exec(
        select(Round).where(Round.referral_id == referral.id).order_by(col(Round.id).desc()).limit(1)
    ).first()
    return begin_ladder(session, ports, referral, now, predecessor=last)


def due_restarts(session: Session, now: datetime) -> list[int]:
    """Unfilled referrals whose scheme's restart interval has passed, in order of id.

    The oldest of each scheme's rules is asked about first: where it may wait, so may all the others.
    """
    waits = (col(Referral.state) == ReferralState.UNFILLED, col(Referral.rule_hash).is_not(None))
    oldest = select(Referral.rule_hash, func.min(Referral.unfilled_at)).where(*waits).group_by(col(Referral.rule_hash))
    due: list[int] = []
    for rule_hash, since in session.exec(oldest).all():
        if rule_hash is None or since is None or not is_restart_due(rules_by_hash(session, rule_hash), since, now):
            continue
        scheme = rules_by_hash(session, rule_hash)
        query = select(Referral.id, Referral.unfilled_at).where(*waits, Referral.rule_hash == rule_hash)
        for id_, unfilled_at in session.exec(query):
            if id_ is not None and unfilled_at is not None and is_restart_due(scheme, unfilled_at, now):
                due.append(id_)
    return sorted(due)


def is_restart_due(scheme: Scheme, unfilled_at: datetime, now: datetime) -> bool:
    """Whether the interval has passed since then, and the scheme still runs."""
    return now >= scheme.unfilled.restart.end(unfilled_at, scheme.calendar()) and scheme.is_in_term(
        now.astimezone(LONDON).date()
    )
