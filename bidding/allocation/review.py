"""What a run that was not counted left over waits for a broker, and says so (law 6).

Its awards wait for an approval like any other; the packages that nobody got wait here, because a greedy answer or one
cut short by the clock may have missed somebody who could serve them.
"""

from sqlmodel import Session, col, select

from bidding.allocation.runs import AllocationRun
from bidding.awards.interests import refuse_interested
from bidding.awards.offering import settle
from bidding.awards.records import live_award
from bidding.referrals import Referral, locked_referral
from bidding.rounds import Round, RoundState, current_round
from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.database import locked_one
from dps.kernel.errors import NoSuchStep
from dps.kernel.ports import Ports


def go_on(session: Session, ports: Ports, *, referral_ref: str, actor: Actor) -> None:
    """Let a package that an uncounted run left over go on: to the reserves in the published order, then up the ladder.

    NoSuchStep where nothing of the referral waits for this.
    """
    actor.needs("let a package go on", Role.BROKER)
    referral = locked_referral(session, referral_ref, actor)
    waiting = _waiting(session, referral)
    if waiting is None:
        raise NoSuchStep(kind="Referral", ref=referral.ref, state=str(referral.state), step="go on")
    refuse_interested(session, waiting, actor, "let this package go on")
    now = ports.clock.read(session)
    audit.append(session, waiting.stream, "round.left_over_seen", actor, now, {"referral": referral.ref})
    settle(session, ports, waiting, referral, now, cause="a broker let go on what an uncounted run had left over")


def is_left_over(session: Session, referral: Referral) -> bool:
    """Whether the referral waits for a broker to let it go on; nothing is locked, `go_on` looks again."""
    found = current_round(session, referral.id)
    return found is not None and _is_left(session, found, referral)


def _waiting(session: Session, referral: Referral) -> Round | None:
    """The referral's round that an uncounted run has left without an award, locked."""
    found = current_round(session, referral.id)
    if found is None or found.closing_id is None:
        return None
    round_ = locked_one(session, Round, found.id)
    return round_ if _is_left(session, round_, referral) else None


def _is_left(session: Session, round_: Round, referral: Referral) -> bool:
    uncounted = select(AllocationRun.id).where(
        AllocationRun.closing_id == round_.closing_id,
        col(AllocationRun.finished_at).is_not(None),
        col(AllocationRun.counted).is_(False),
    )
    is_left = round_.state is RoundState.CLOSED and live_award(session, referral.id) is None
    return is_left and session.exec(uncounted).first() is not None
