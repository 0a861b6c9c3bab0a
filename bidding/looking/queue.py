"""A desk's work queue: every referral that is not over, and where it waits. One SELECT; the places are derived."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import and_, exists, func
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from bidding.awards.records import Award, AwardState
from bidding.bids.records import BidRound
from bidding.closings import Closing, ClosingState
from bidding.otherwise.records import Placement, PlacementState
from bidding.questions import Question, QuestionState
from bidding.referrals import OPEN, PRIORITY, Referral, ReferralState
from bidding.rounds import UNREACHED, Outcome, Round, RoundState
from bidding.unkept import UnkeptBid, waits
from dps.contracts.contracts import Contract, ContractState
from dps.kernel.actors import Actor
from dps.kernel.outbox import OutboxMessage
from dps.packages.packages import Package
from dps.schemes.model import Urgency

SOON = timedelta(hours=2)


class Place(StrEnum):
    """Where a referral waits. It may stand in several places.

    `no_bids` is told of rounds that are over alone: of an open one nobody knows whether anybody has bid (law 2).
    """

    APPROVE = "approve"
    OTHERWISE = "otherwise"
    PUBLISH = "publish"
    UNFILLED = "unfilled"
    CLOSING_SOON = "closing_soon"
    QUESTION = "question"
    UNREACHED = "unreached"
    LOST = "lost"
    SEEKING = "seeking"
    DECIDING = "deciding"
    ANSWER = "answer"
    NO_BIDS = "no_bids"
    DECLINED = "declined"
    RETURNED = "returned"
    FAILED_START = "failed_start"
    HANDED_BACK = "handed_back"
    ASKED_AGAIN = "asked_again"
    ESCALATED = "escalated"
    HELD = "held"


_FELL = {
    AwardState.DECLINED: Place.DECLINED,
    AwardState.EXPIRED: Place.DECLINED,
    AwardState.REFUSED_BY_PERSON: Place.DECLINED,
    AwardState.RETURNED: Place.RETURNED,
}
"""Where a referral stands whose latest award came to nothing in this way."""

_CAME_BACK = {ContractState.FAILED_TO_START: Place.FAILED_START, ContractState.HANDED_BACK: Place.HANDED_BACK}


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
    since: datetime
    unfilled_at: datetime | None
    stage: str | None
    closes_at: datetime | None
    award: str | None
    award_state: str | None
    provider: str | None
    answer_by: datetime | None
    placement: str | None
    places: frozenset[Place]


def work_queue(session: Session, actor: Actor, now: datetime) -> list[Waiting]:
    """Everything of this authority that is not over: hospital discharge and crisis first, then the longest wait.

    What a requester is still writing is not there.
    """
    last_round = select(func.max(Round.id)).where(Round.referral_id == Referral.id).correlate(Referral)
    last_award = select(func.max(Award.id)).where(Award.referral_id == Referral.id).correlate(Referral)
    served = aliased(Award)
    confirmed = (col(served.state) == AwardState.CONFIRMED) & col(served.ended_at).is_not(None)
    last_served = select(func.max(served.id)).where(served.referral_id == Referral.id, confirmed).correlate(Referral)
    before = aliased(Round)
    had_bids = exists().where(col(BidRound.round_id) == col(before.id))
    had_no_bids = exists().where(
        and_(
            col(before.referral_id) == Referral.id,
            col(before.cycle) == Referral.cycle,
            col(before.state) == RoundState.DECIDED,
            col(before.outcome) == Outcome.EXHAUSTED,
            col(before.closing_id).is_not(None),
            ~had_bids,
        )
    )
    lost = exists().where(
        and_(
            col(UnkeptBid.closing_id) == col(Round.closing_id),
            waits(),
            col(Closing.id) == col(UnkeptBid.closing_id),
            col(Closing.state) == ClosingState.CLOSED,
        )
    )
    unreached = exists().where(and_(col(OutboxMessage.about) == Round.ref, col(OutboxMessage.kind) == UNREACHED))
    has_question = exists().where(
        and_(col(Question.referral_id) == Referral.id, col(Question.state) == QuestionState.ASKED)
    )
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
            Referral.unfilled_at,
            Package.lot,
            Package.locality,
            Package.weekly_minutes,
            col(Package.created_at).label("written_at"),
            Round.stage_key,
            Round.stage_no,
            col(Round.state).label("round_state"),
            Round.closes_at,
            col(Award.ref).label("award"),
            col(Award.state).label("award_state"),
            Award.provider,
            Award.answer_by,
            Award.confirm_by,
            col(Award.ended_at).label("award_ended_at"),
            col(Contract.state).label("contract_state"),
            col(Placement.ref).label("placement"),
            had_no_bids.label("had_no_bids"),
            has_question.label("has_question"),
            unreached.label("unreached"),
            lost.label("lost"),
        )
        .join(Package, col(Package.id) == col(Referral.package_id))
        .outerjoin(Round, col(Round.id) == last_round.scalar_subquery())
        .outerjoin(Award, col(Award.id) == last_award.scalar_subquery())
        .outerjoin(served, col(served.id) == last_served.scalar_subquery())
        .outerjoin(Contract, col(Contract.award_ref) == col(served.ref))
        .outerjoin(
            Placement,
            and_(col(Placement.referral_id) == Referral.id, col(Placement.state) == PlacementState.PROPOSED),
        )
        .where(
            Referral.authority == actor.authority,
            col(Referral.state).in_(OPEN),
            col(Referral.with_requester_since).is_(None),
        )
        .order_by(col(Referral.id))
    )
    # Straight from the connection, into records: a thousand rows are read for each look.
    rows = session.connection().execute(query)
    assert tuple(rows.keys()) == _Line._fields
    found = [_waiting(_Line(*row), now) for row in rows]
    return sorted(found, key=lambda one: (PRIORITY[Urgency(one.urgency)], one.since))


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
    contract_state: ContractState | None = None,
    had_no_bids: bool = False,
    has_question: bool = False,
    is_unreached: bool = False,
    may_be_placed: bool = False,
    is_lost: bool = False,
) -> frozenset[Place]:
    """Where a referral waits, by its latest round, its latest award and the time: a due round counts as closed.

    `contract_state` is that of the last contract that ended; `had_no_bids` speaks of this cycle's rounds that are over;
    `has_question` says that a provider asked something that nobody has answered, which an open round alone waits for;
    `is_unreached` says that its council was told of invitations that did not arrive; `may_be_placed` that a proposal to
    place it otherwise waits for an approver; `is_lost` that a bid of its closing was lost by our fault, and nothing is
    open yet.
    """
    found = _history(cycle, stage_no, award_state, contract_state, had_no_bids)
    match state:
        case ReferralState.DRAFT | ReferralState.READY:
            return frozenset({Place.PUBLISH})
        case ReferralState.HELD:
            return frozenset({Place.HELD})
        case ReferralState.UNFILLED:
            if may_be_placed:
                found.add(Place.OTHERWISE)
            return frozenset({Place.UNFILLED} | found - {Place.ESCALATED, Place.ASKED_AGAIN})
    if award_state is AwardState.PROPOSED:
        found.add(Place.APPROVE)
    elif award_state in (AwardState.OFFERED, AwardState.ACCEPTED):
        found.add(Place.ANSWER)
    elif round_state is RoundState.PUBLISHED and (closes_at is None or now < closes_at):
        found.add(Place.SEEKING)
        if closes_at is not None and closes_at - now <= SOON:
            found.add(Place.CLOSING_SOON)
        if has_question:
            found.add(Place.QUESTION)
        if is_unreached:
            found.add(Place.UNREACHED)
    else:
        found.add(Place.DECIDING)
        if is_lost:
            found.add(Place.LOST)
    return frozenset(found)


def _history(
    cycle: int,
    stage_no: int | None,
    award_state: AwardState | None,
    contract_state: ContractState | None,
    had_no_bids: bool,
) -> set[Place]:
    """What came before: why a package is looked at that would otherwise only be open or unfilled."""
    found = set()
    if cycle > 1:
        came_back = _CAME_BACK.get(contract_state) if contract_state is not None else None
        found.add(came_back or Place.ASKED_AGAIN)
    if stage_no is not None and stage_no > 0:
        found.add(Place.ESCALATED)
    if award_state in _FELL:
        found.add(_FELL[award_state])
    if had_no_bids:
        found.add(Place.NO_BIDS)
    return found


class _Line(NamedTuple):
    """One row, in the order of the query's columns."""

    ref: str
    scheme: str
    urgency: str
    state: ReferralState
    cycle: int
    seeking_since: datetime | None
    published_at: datetime | None
    unfilled_at: datetime | None
    lot: str
    locality: str
    weekly_minutes: int | None
    written_at: datetime
    stage_key: str | None
    stage_no: int | None
    round_state: RoundState | None
    closes_at: datetime | None
    award: str | None
    award_state: AwardState | None
    provider: str | None
    answer_by: datetime | None
    confirm_by: datetime | None
    award_ended_at: datetime | None
    contract_state: ContractState | None
    placement: str | None
    had_no_bids: bool
    has_question: bool
    unreached: bool
    lost: bool


def _waiting(row: _Line, now: datetime) -> Waiting:
    is_live = row.award is not None and row.award_ended_at is None and row.award_state not in _FELL
    is_live = is_live and row.award_state is not AwardState.OVERTURNED
    due = row.answer_by if row.award_state is AwardState.OFFERED else None
    due = row.confirm_by if row.award_state is AwardState.ACCEPTED else due
    return Waiting(
        referral=row.ref,
        scheme=row.scheme,
        lot=row.lot,
        locality=row.locality,
        urgency=row.urgency,
        state=row.state,
        weekly_minutes=row.weekly_minutes,
        since=row.seeking_since or row.published_at or row.written_at,
        unfilled_at=row.unfilled_at if row.state is ReferralState.UNFILLED else None,
        stage=row.stage_key,
        closes_at=row.closes_at if row.round_state is RoundState.PUBLISHED else None,
        award=row.award if is_live else None,
        award_state=str(row.award_state) if is_live else None,
        provider=row.provider if is_live else None,
        answer_by=due if is_live else None,
        placement=row.placement,
        places=places_of(
            row.state,
            cycle=row.cycle,
            stage_no=row.stage_no,
            round_state=row.round_state,
            closes_at=row.closes_at,
            award_state=row.award_state,
            contract_state=row.contract_state,
            had_no_bids=bool(row.had_no_bids),
            has_question=bool(row.has_question),
            is_unreached=bool(row.unreached),
            may_be_placed=row.placement is not None,
            is_lost=bool(row.lost),
            now=now,
        ),
    )
