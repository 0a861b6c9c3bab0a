"""What an authority sees of its referrals, their rounds and its closings."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import and_, case, exists, func, or_
from sqlmodel import Session, col, select

from bidding.awards.records import Award
from bidding.bids.records import Bid
from bidding.closings import Closing, ClosingState
from bidding.looking.pages import PAGE, AsFilter, behind
from bidding.referrals import Referral, ReferralState
from bidding.rounds import OPENED, UNREACHED, EligibilityReport, Invitation, Round, RoundState
from bidding.ties import FACT
from bidding.unkept import UnkeptBid, waits
from dps.kernel.actors import Actor
from dps.kernel.audit import AuditEvent
from dps.kernel.outbox import OutboxMessage
from dps.packages.packages import Package
from dps.register.providers import Provider


@dataclass(frozen=True, slots=True)
class SeenReferral:
    """A referral as its authority sees it in a list; nothing of the person."""

    referral: str
    package: str
    scheme: str
    lot: str
    locality: str
    urgency: str
    state: ReferralState
    version: int
    cycle: int
    weekly_minutes: int | None
    published_at: datetime | None
    seeking_since: datetime | None
    unfilled_at: datetime | None
    placed_at: datetime | None


def referrals(
    session: Session,
    actor: Actor,
    *,
    state: ReferralState | None = None,
    ref: str | None = None,
    after: str | None = None,
) -> list[SeenReferral]:
    """The referrals of this authority, in the order they were opened."""
    query = (
        select(Referral, Package)
        .join(Package, col(Package.id) == col(Referral.package_id))
        .where(behind(Referral, after))
        .order_by(col(Referral.id))
        .limit(PAGE)
    )
    if state is not None:
        query = query.where(Referral.authority == actor.authority, col(Referral.state) == state)
    else:
        query = query.where(AsFilter(Referral.authority) == actor.authority)
    if ref is not None:
        query = query.where(Referral.ref == ref)
    return [
        SeenReferral(
            referral=referral.ref,
            package=referral.package_ref,
            scheme=referral.scheme,
            lot=package.lot,
            locality=package.locality,
            urgency=referral.urgency,
            state=referral.state,
            version=referral.version,
            cycle=referral.cycle,
            weekly_minutes=package.weekly_minutes,
            published_at=referral.published_at,
            seeking_since=referral.seeking_since,
            unfilled_at=referral.unfilled_at,
            placed_at=referral.placed_at,
        )
        for referral, package in session.exec(query)
    ]


@dataclass(frozen=True, slots=True)
class SeenRound:
    """One round of a referral: who could be asked, how long, and how it ended.

    `lost` counts the bids of its closing that we lost, while a broker may still ask everybody again.
    """

    round: str
    cycle: int
    stage: str
    mode: str
    state: RoundState
    opens_at: datetime
    closes_at: datetime | None
    closing: str | None
    assessed: int | None
    eligible: int | None
    outcome: str | None
    is_unreached: bool
    lost: int


def rounds(session: Session, referral: str) -> list[SeenRound]:
    """Every round of a referral, the first first. The caller has made sure that its actor may see the referral."""
    told = exists().where(and_(col(OutboxMessage.about) == Round.ref, col(OutboxMessage.kind) == UNREACHED))
    lost = (
        select(func.count())
        .where(UnkeptBid.closing_id == Closing.id, waits(), col(Closing.state) == ClosingState.CLOSED)
        .correlate(Closing)
        .scalar_subquery()
    )
    query = (
        select(  # type: ignore[call-overload]
            Round, Closing.ref, EligibilityReport.assessed, EligibilityReport.eligible, told, lost
        )
        .join(Referral, col(Referral.id) == col(Round.referral_id))
        .outerjoin(Closing, col(Closing.id) == col(Round.closing_id))
        .outerjoin(EligibilityReport, col(EligibilityReport.round_id) == col(Round.id))
        .where(Referral.ref == referral)
        .order_by(col(Round.id))
    )
    return [
        SeenRound(
            round=round_.ref,
            cycle=round_.cycle,
            stage=round_.stage_key,
            mode=round_.mode,
            state=round_.state,
            opens_at=round_.opens_at,
            closes_at=round_.closes_at,
            closing=closing,
            assessed=assessed,
            eligible=eligible,
            outcome=round_.outcome,
            is_unreached=bool(is_unreached),
            lost=lost_here,
        )
        for round_, closing, assessed, eligible, is_unreached, lost_here in session.exec(query)
    ]


@dataclass(frozen=True, slots=True)
class Happening:
    """One event of the trail, without what it says; `provider` names who was invited or to be awarded, where it is
    theirs. `is_tied`: who took the step declared a tie to somebody asked (`bidding/ties`).
    """

    at: datetime
    what: str
    stream: str
    role: str
    provider: str | None = None
    is_tied: bool = False


TOLD_OF_INVITATIONS = (OPENED, "invitation.decline")
"""What is told of those who were asked; the stream of an invitation holds its bids too, which are nobody's to see."""


def timeline(session: Session, streams: Sequence[str], *, rounds: Sequence[str] = ()) -> list[Happening]:
    """What happened in these streams, an award's with its provider, and who looked at or declined an invitation to
    `rounds`, in order.
    """
    invited = select(Invitation.ref).join(Round, col(Round.id) == col(Invitation.round_id))
    invited = invited.where(col(Round.ref).in_(rounds))
    theirs = col(AuditEvent.kind).in_(TOLD_OF_INVITATIONS) & col(AuditEvent.stream).in_(invited)
    query = (
        select(AuditEvent, Provider.name)
        .outerjoin(Invitation, col(Invitation.ref) == col(AuditEvent.stream))
        .outerjoin(Award, col(Award.ref) == col(AuditEvent.stream))
        .outerjoin(Provider, col(Provider.ref) == func.coalesce(Invitation.provider, Award.provider))
        .where(or_(col(AuditEvent.stream).in_(streams), theirs))
        .order_by(col(AuditEvent.id))
    )
    return [
        Happening(event.at, event.kind, event.stream, event.role, name, is_tied=FACT.items() <= event.body.items())
        for event, name in session.exec(query)
    ]


@dataclass(frozen=True, slots=True)
class SeenClosing:
    """A closing as an authority with rounds in it sees it. How many bids there are is told when it has closed."""

    closing: str
    scheme: str
    mode: str
    state: ClosingState
    closes_at: datetime
    rounds: int
    bids: int | None
    number_sha256: str
    manifest_sha256: str | None
    lot_seed: str | None


def closings(session: Session, actor: Actor, *, ref: str | None = None, after: str | None = None) -> list[SeenClosing]:
    """The closings in which this authority has rounds; the rounds counted are its own."""
    own = (
        select(Round.closing_id, func.count().label("rounds"))
        .join(Referral, col(Referral.id) == col(Round.referral_id))
        .where(Referral.authority == actor.authority)
        .group_by(col(Round.closing_id))
        .subquery()
    )
    bids = select(func.count()).where(Bid.closing_id == Closing.id).correlate(Closing).scalar_subquery()
    query = (
        select(Closing, own.c.rounds, case((col(Closing.state) != ClosingState.GATHERING, bids), else_=None))
        .join(own, own.c.closing_id == col(Closing.id))
        .where(behind(Closing, after))
        .order_by(col(Closing.id))
        .limit(PAGE)
    )
    if ref is not None:
        query = query.where(Closing.ref == ref)
    return [
        SeenClosing(
            closing=closing.ref,
            scheme=closing.scheme,
            mode=closing.mode,
            state=closing.state,
            closes_at=closing.closes_at,
            rounds=count,
            bids=bid_count,
            number_sha256=closing.number_sha256,
            manifest_sha256=closing.manifest_sha256,
            lot_seed=closing.lot_seed,
        )
        for closing, count, bid_count in session.exec(query)
    ]


def places_of_rounds(session: Session, rounds: Collection[str]) -> dict[str, tuple[str, str, str]]:
    """What each of these rounds seeks: its referral, lot and locality. The caller has made sure that it may be told."""
    query = (
        select(Round.ref, Referral.ref, Round.lot, Round.locality)
        .join(Referral, col(Referral.id) == col(Round.referral_id))
        .where(col(Round.ref).in_(rounds))
    )
    return {ref: (referral, lot, locality) for ref, referral, lot, locality in session.exec(query)}
