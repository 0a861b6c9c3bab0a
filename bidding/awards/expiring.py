"""What the clock does with awards: an offer not answered, an acceptance not confirmed, a provider that was suspended.

Each is true at its instant whether a sweep has written it down or not; the sweep asks the next in line.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, or_, select

from bidding.asking import assess_standing
from bidding.awards.cases import WHOLE, Case, end, lock_in_line, locked_with_bundle
from bidding.awards.offering import route_of, settle
from bidding.awards.records import Award, AwardState, live_award
from bidding.referrals import Referral
from dps.kernel.actors import CLOCK
from dps.kernel.ports import Ports
from dps.register.membership import Membership, MembershipState
from dps.register.suspensions import Suspension, SuspensionState


def due_awards(session: Session, now: datetime) -> list[int]:
    """Ids of offers not answered and acceptances not confirmed in time, the earliest end first."""
    query = (
        select(Award.id, Award.state, Award.answer_by, Award.confirm_by)
        .where(
            or_(
                (col(Award.state) == AwardState.OFFERED) & (col(Award.answer_by) <= now),
                (col(Award.state) == AwardState.ACCEPTED) & (col(Award.confirm_by) <= now),
            )
        )
        .order_by(col(Award.id))
    )
    found = [
        (answer_by if state is AwardState.OFFERED else confirm_by, id_)
        for id_, state, answer_by, confirm_by in session.exec(query)
    ]
    return [id_ for instant, id_ in sorted((instant, id_) for instant, id_ in found if instant and id_)]


def expire_due(session: Session, ports: Ports, award_id: int) -> bool:
    """Record that an offer was not answered, or an acceptance not confirmed, in time. False: nothing to do."""
    cases = _locked(session, award_id)
    award = cases[0].award
    now = ports.clock.read(session)
    if award.due is None or now < award.due:
        return False
    words = "was not answered in time" if award.state is AwardState.OFFERED else "was not confirmed in time"
    _expire(session, ports, cases, now, f"The offer {words}.")
    return True


_NOW: Any = sa.bindparam("now")
_SUSPENDED = sa.exists().where(
    col(Suspension.state) == SuspensionState.IMPOSED,
    col(Suspension.scheme) == col(Award.scheme),
    col(Suspension.provider_ref) == col(Award.provider),
    col(Suspension.starts_at) <= _NOW,
    or_(col(Suspension.ends_at).is_(None), col(Suspension.ends_at) > _NOW),
)
_REMOVED = sa.exists().where(
    col(Membership.state) == MembershipState.REMOVED,
    col(Membership.scheme) == col(Award.scheme),
    col(Membership.provider_ref) == col(Award.provider),
)
# Built once: every sweep asks them.
_BARRED = (
    sa.select(col(Award.id))
    .where(col(Award.state) == AwardState.OFFERED, or_(_SUSPENDED, _REMOVED))
    .order_by(col(Award.id))
)


def barred_offers(session: Session, now: datetime) -> list[int]:
    """Ids of unanswered offers to providers that are suspended, or were removed somewhere, since they were made.

    Whether that bars them from this package is for `lapse_barred` to say.
    """
    return list(session.execute(_BARRED, {"now": now}).scalars())


def lapse_barred(session: Session, ports: Ports, award_id: int) -> bool:
    """Let an unanswered offer lapse whose provider may not take part any more. False where it still may."""
    cases = _locked(session, award_id)
    award = cases[0].award
    now = ports.clock.read(session)
    if award.state is not AwardState.OFFERED:
        return False
    standing = assess_standing(session, cases[0].round_, cases[0].scheme, award.provider, now, route=route_of(award))
    if not standing.reasons:
        return False
    _expire(session, ports, cases, now, "The provider may no longer take part.")
    return True


def cancel_live_award(session: Session, ports: Ports, referral: Referral, now: datetime, *, reason: str) -> None:
    """End whatever award is alive because its referral was held or withdrawn; no next in line is asked.

    The other packages of its bundle are offered to their own next in line.
    """
    found = live_award(session, referral.id)
    if found is None or found.state is AwardState.CONFIRMED:
        return
    cases = locked_with_bundle(session, found)
    lock_in_line(session, cases)
    named, *others = cases
    end(session, named.award, "expire", CLOCK, now, reason)
    for case in others:
        end(session, case.award, "expire", CLOCK, now, WHOLE)
    for case in others:
        settle(session, ports, case.round_, case.referral, now, cause="a package of the bundle was taken out")


def _locked(session: Session, award_id: int) -> tuple[Case, ...]:
    found = session.get(Award, award_id, populate_existing=True)
    assert found is not None
    cases = locked_with_bundle(session, found)
    lock_in_line(session, cases)
    return cases


def _expire(session: Session, ports: Ports, cases: Sequence[Case], now: datetime, words: str) -> None:
    for case in cases:
        end(session, case.award, "expire", CLOCK, now, words if case is cases[0] else WHOLE)
    for case in cases:
        settle(session, ports, case.round_, case.referral, now, cause=words)
