"""A desk's work queue: every referral that is not over, and where it waits. One SELECT; the places are derived."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from bidding.awards.records import LIVE, Award, AwardState
from bidding.referrals import PRIORITY, Referral, ReferralState
from bidding.rounds import Round, RoundState
from dps.kernel.actors import Actor
from dps.packages.packages import Package
from dps.schemes.model import Urgency

SOON = timedelta(hours=2)
_OVER = (ReferralState.PLACED, ReferralState.PLACED_OTHERWISE, ReferralState.WITHDRAWN)


class Place(StrEnum):
    """Where a referral waits. It may stand in several places."""

    APPROVE = "approve"
    PUBLISH = "publish"
    UNFILLED = "unfilled"
    CLOSING_SOON = "closing_soon"
    SEEKING = "seeking"
    DECIDING = "deciding"
    ANSWER = "answer"
    CAME_BACK = "came_back"
    ESCALATED = "escalated"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Waiting:
    """One referral in the queue. `since` is when it began to wait for a provider, or was written down."""

    referral: str
    scheme: str
    lot: str
    locality: str
    urgency: str
    state: ReferralState
    weekly_minutes: int | None
    since: datetime | None
    stage: str | None
    closes_at: datetime | None
    award: str | None
    award_state: str | None
    provider: str | None
    answer_by: datetime | None
    places: frozenset[Place]


def work_queue(session: Session, actor: Actor, now: datetime) -> list[Waiting]:
    """Everything of this authority that is not over: hospital discharge and crisis first, then the longest wait."""
    last = select(func.max(Round.id)).where(Round.referral_id == Referral.id).correlate(Referral).scalar_subquery()
    is_live = col(Award.state).in_(LIVE) & col(Award.ended_at).is_(None)
    # Columns and no rows: what a package and a round hold beside these is long, and would be read for every line.
    query = (
        select(  # type: ignore[call-overload, misc]
            Referral.ref,
            Referral.scheme,
            Referral.urgency,
            Referral.state,
            Referral.cycle,
            Referral.seeking_since,
            Referral.published_at,
            Package.lot,
            Package.locality,
            Package.weekly_minutes,
            Round.stage_key,
            Round.stage_no,
            col(Round.state).label("round_state"),
            Round.closes_at,
            col(Award.ref).label("award"),
            col(Award.state).label("award_state"),
            Award.provider,
            Award.answer_by,
            Award.confirm_by,
        )
        .join(Package, col(Package.id) == col(Referral.package_id))
        .outerjoin(Round, col(Round.id) == last)
        .outerjoin(Award, (col(Award.referral_id) == col(Referral.id)) & is_live)
        .where(Referral.authority == actor.authority, col(Referral.state).not_in(_OVER))
        .order_by(col(Referral.id))
    )
    found = [_waiting(row, now) for row in session.exec(query)]
    return sorted(found, key=lambda one: (PRIORITY[Urgency(one.urgency)], one.since or now))


def counts(queue: Iterable[Waiting]) -> dict[Place, int]:
    """How many wait in each place."""
    found = dict.fromkeys(Place, 0)
    for one in queue:
        for place in one.places:
            found[place] += 1
    return found


def places_of(
    state: ReferralState,
    *,
    cycle: int,
    stage_no: int | None,
    round_state: RoundState | None,
    closes_at: datetime | None,
    award_state: AwardState | None,
    now: datetime,
) -> frozenset[Place]:
    """Where a referral waits, by its latest round, its live award and the time: a due round counts as closed."""
    match state:
        case ReferralState.DRAFT | ReferralState.READY:
            return frozenset({Place.PUBLISH})
        case ReferralState.HELD:
            return frozenset({Place.HELD})
        case ReferralState.UNFILLED:
            return frozenset({Place.UNFILLED})
    found = {Place.CAME_BACK} if cycle > 1 else set()
    if stage_no is not None and stage_no > 0:
        found.add(Place.ESCALATED)
    if award_state is AwardState.PROPOSED:
        found.add(Place.APPROVE)
    elif award_state is not None:
        found.add(Place.ANSWER)
    elif round_state is RoundState.PUBLISHED and (closes_at is None or now < closes_at):
        found.add(Place.SEEKING)
        if closes_at is not None and closes_at - now <= SOON:
            found.add(Place.CLOSING_SOON)
    else:
        found.add(Place.DECIDING)
    return frozenset(found)


def _waiting(row: Any, now: datetime) -> Waiting:
    due = {AwardState.OFFERED: row.answer_by, AwardState.ACCEPTED: row.confirm_by}.get(row.award_state)
    return Waiting(
        referral=row.ref,
        scheme=row.scheme,
        lot=row.lot,
        locality=row.locality,
        urgency=row.urgency,
        state=row.state,
        weekly_minutes=row.weekly_minutes,
        since=row.seeking_since or row.published_at,
        stage=row.stage_key,
        closes_at=row.closes_at if row.round_state is RoundState.PUBLISHED else None,
        award=row.award,
        award_state=str(row.award_state) if row.award_state is not None else None,
        provider=row.provider,
        answer_by=due,
        places=places_of(
            row.state,
            cycle=row.cycle,
            stage_no=row.stage_no,
            round_state=row.round_state,
            closes_at=row.closes_at,
            award_state=row.award_state,
            now=now,
        ),
    )
