"""A desk's work queue: every referral that is not over, and where it waits. One SELECT; the places are derived."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

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
    query = (
        select(Referral, Package, Round, Award)
        .join(Package, col(Package.id) == col(Referral.package_id))
        .outerjoin(Round, col(Round.id) == last)
        .outerjoin(
            Award,
            (col(Award.referral_id) == col(Referral.id)) & col(Award.state).in_(LIVE) & col(Award.ended_at).is_(None),
        )
        .where(Referral.authority == actor.authority, col(Referral.state).not_in(_OVER))
        .order_by(col(Referral.id))
    )
    found = [_waiting(*row, now=now) for row in session.exec(query)]
    return sorted(found, key=lambda one: (PRIORITY[Urgency(one.urgency)], one.since or now, one.referral))


def counts(queue: Iterable[Waiting]) -> dict[Place, int]:
    """How many wait in each place."""
    found = dict.fromkeys(Place, 0)
    for one in queue:
        for place in one.places:
            found[place] += 1
    return found


def places_of(referral: Referral, round_: Round | None, award: Award | None, now: datetime) -> frozenset[Place]:
    """Where a referral waits, by what stands in the rows and the time: a round that is due counts as closed."""
    match referral.state:
        case ReferralState.DRAFT | ReferralState.READY:
            return frozenset({Place.PUBLISH})
        case ReferralState.HELD:
            return frozenset({Place.HELD})
        case ReferralState.UNFILLED:
            return frozenset({Place.UNFILLED})
    found = {Place.CAME_BACK} if referral.cycle > 1 else set()
    if round_ is not None and round_.stage_no > 0:
        found.add(Place.ESCALATED)
    if award is not None and award.state is AwardState.PROPOSED:
        found.add(Place.APPROVE)
    elif award is not None:
        found.add(Place.ANSWER)
    elif (
        round_ is not None
        and round_.state is RoundState.PUBLISHED
        and (round_.closes_at is None or now < round_.closes_at)
    ):
        found.add(Place.SEEKING)
        if round_.closes_at is not None and round_.closes_at - now <= SOON:
            found.add(Place.CLOSING_SOON)
    else:
        found.add(Place.DECIDING)
    return frozenset(found)


def _waiting(referral: Referral, package: Package, round_: Round | None, award: Award | None, now: datetime) -> Waiting:
    is_open = round_ is not None and round_.state is RoundState.PUBLISHED
    return Waiting(
        referral=referral.ref,
        scheme=referral.scheme,
        lot=package.lot,
        locality=package.locality,
        urgency=referral.urgency,
        state=referral.state,
        weekly_minutes=package.weekly_minutes,
        since=referral.seeking_since or referral.published_at,
        stage=round_.stage_key if round_ is not None else None,
        closes_at=round_.closes_at if round_ is not None and is_open else None,
        award=award.ref if award is not None else None,
        award_state=str(award.state) if award is not None else None,
        provider=award.provider if award is not None else None,
        answer_by=award.due if award is not None else None,
        places=places_of(referral, round_, award, now),
    )
