"""One award with what it belongs to, locked; the awards of a bundle together, because they move together.

Locks are taken in one order: referral, award, round, then the provider and its ledger.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from bidding.awards.records import Award, award_of, bundled_with
from bidding.bids.records import ScoredBid
from bidding.referrals import Referral
from bidding.rounds import Invitation, Round
from dps.kernel.actors import CLOCK, Actor
from dps.kernel.database import locked
from dps.kernel.errors import TooLate
from dps.kernel.states import advance
from dps.register import holds
from dps.register.providers import Provider
from dps.register.standing import lock_standing
from dps.schemes.model import Mode, Scheme
from dps.schemes.stored import rules_by_hash

WHOLE = "Its bundle is taken as a whole or not at all."


@dataclass(frozen=True, slots=True)
class Case:
    """An award, its referral, its round and the rules under which the round was published."""

    award: Award
    referral: Referral
    round_: Round
    scheme: Scheme


def locked_cases(session: Session, ref: str, actor: Actor) -> tuple[Case, ...]:
    """The named award first, then the live ones of its bundle, as they are after the wait."""
    return locked_with_bundle(session, award_of(session, ref, actor))


def locked_with_bundle(session: Session, named: Award) -> tuple[Case, ...]:
    """The same for an award that is at hand."""
    awards = [named, *bundled_with(session, named)]
    referrals = {row.id: row for row in locked(session, Referral, *(award.referral_id for award in awards))}
    locked(session, Award, *(award.id for award in awards))
    rounds = {row.id: row for row in locked(session, Round, *(award.round_id for award in awards))}
    return tuple(
        Case(
            award=award,
            referral=referrals[award.referral_id],
            round_=rounds[award.round_id],
            scheme=rules_by_hash(session, rounds[award.round_id].rule_hash),
        )
        for award in awards
        if award is named or award.is_live
    )


def lock_in_line(session: Session, cases: Sequence[Case]) -> None:
    """Lock every provider that the end of these awards may concern: their own, and whoever is next in line.

    In order of id, before any of them is locked by itself: of two settlements that hand each other's packages on, each
    would else wait for the provider that the other holds.
    """
    rounds = [case.round_.id for case in cases]
    scored = select(ScoredBid.provider).where(col(ScoredBid.round_id).in_(rounds), col(ScoredBid.is_valid).is_(True))
    called = (
        select(Invitation.provider)
        .join(Round, col(Round.id) == col(Invitation.round_id))
        .where(col(Round.id).in_(rounds), Round.mode == Mode.RANKED_OFFER)
    )
    own = [case.award.provider for case in cases]
    concerned = col(Provider.ref).in_(own) | col(Provider.ref).in_(scored) | col(Provider.ref).in_(called)
    lock_standing(session, [id_ for id_ in session.exec(select(Provider.id).where(concerned)) if id_ is not None])


def refuse_ended(award: Award, now: datetime) -> None:
    """What was not answered or confirmed in time has ended, whatever a sweep has recorded (law 1)."""
    if award.due is not None and now >= award.due:
        raise TooLate(closes_at=award.due, now=now)


def end(
    session: Session,
    award: Award,
    step: str,
    actor: Actor,
    now: datetime,
    reason: str | None,
    facts: Mapping[str, Any] | None = None,
) -> None:
    """End an award and give its hours back. `reason` is one of the engine's own sentences, not what somebody wrote."""
    advance(session, award, step, actor, now, ended_at=now, end_reason=reason, facts=facts)
    if holds.hold_of(session, award.ref) is not None:
        holds.release(session, award_ref=award.ref, actor=CLOCK, now=now)
