"""One award with what it belongs to, locked; the awards of a bundle together, because they move together.

Locks are taken in one order: referral, award, round, then the provider and its ledger.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlmodel import Session

from bidding.awards.records import Award, award_of, bundled_with
from bidding.referrals import Referral
from bidding.rounds import Round
from dps.kernel.actors import CLOCK, Actor
from dps.kernel.database import locked
from dps.kernel.errors import TooLate
from dps.kernel.states import advance
from dps.register import holds
from dps.schemes.model import Scheme
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
