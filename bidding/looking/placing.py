"""What both sides see: awards under way, and the open list of what nobody took."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, func
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from bidding.awards.records import WORDED, Award, AwardState
from bidding.looking.pages import PAGE, behind, turned
from bidding.referrals import Referral, ReferralState
from bidding.rounds import Invitation, Round
from dps.kernel.actors import Actor, Role
from dps.kernel.keys import Keyring
from dps.packages.packages import Package
from dps.packages.persons import Person
from dps.packages.remarks import Remark, words_of
from dps.register.membership import Membership, MembershipState


@dataclass(frozen=True, slots=True)
class SeenAward:
    """An award as its winner or its authority sees it."""

    award: str
    referral: str
    round: str
    provider: str
    state: str
    lot: str
    locality: str
    weekly_minutes: int
    weekly_pence: int
    starts_on: date
    offered_at: datetime | None
    answer_by: datetime | None
    confirm_by: datetime | None
    end_reason: str | None
    source: str
    approvals: int


def awards(
    session: Session,
    actor: Actor,
    keyring: Keyring,
    *,
    states: Collection[AwardState] = (),
    referral: str | None = None,
    ref: str | None = None,
    after: str | None = None,
    last_first: bool = False,
) -> list[SeenAward]:
    """To a provider the awards it was offered, to an office all those of its authority.

    `states` (none named: all) and `referral` narrow the list. In the order in which they were made, or the other way.
    """
    turn = turned(Award, after, last_first=last_first)
    query = (
        select(Award, Referral.ref, Round.ref, Remark, Person)  # type: ignore[call-overload]
        .join(Referral, col(Referral.id) == col(Award.referral_id))
        .join(Round, col(Round.id) == col(Award.round_id))
        .join(Package, col(Package.id) == col(Referral.package_id))
        .join(Person, col(Person.id) == col(Package.person_id))
        .outerjoin(Remark, (col(Remark.about) == col(Award.ref)) & col(Remark.step).in_(WORDED))
        .where(turn.rows)
        .order_by(turn.order)
        .limit(PAGE)
    )
    if actor.role is Role.PROVIDER:
        own: ColumnElement[bool] = col(Award.provider) == actor.provider
        if states:
            # Looked for by themselves, by their own index: else a provider's every award is read for the few that wait.
            own = col(Award.id).in_(select(Award.id).where(own, col(Award.state).in_(states)))
        query = query.where(own, col(Award.offered_at).is_not(None))
    else:
        query = query.where(Award.authority == actor.authority)
        if states:
            query = query.where(col(Award.state).in_(states))
    if referral is not None:
        query = query.where(Referral.ref == referral)
    if ref is not None:
        query = query.where(Award.ref == ref)
    return [
        SeenAward(
            award=award.ref,
            referral=sought,
            round=round_,
            provider=award.provider,
            state=str(award.state),
            lot=award.lot,
            locality=award.locality,
            weekly_minutes=award.weekly_minutes,
            weekly_pence=award.weekly_pence,
            starts_on=award.starts_on,
            offered_at=award.offered_at,
            answer_by=award.answer_by,
            confirm_by=award.confirm_by,
            end_reason=_end_reason(award, actor, words_of(keyring, person, remark) if remark else None),
            source=award.source,
            approvals=len(award.approved_by),
        )
        for award, sought, round_, remark, person in session.exec(query)
    ]


def _end_reason(award: Award, actor: Actor, words: str | None) -> str | None:
    """A council's words about its own affairs stay there; a provider reads why its award was overturned."""
    is_told = actor.role is not Role.PROVIDER or award.state is AwardState.OVERTURNED
    return (words or award.end_reason) if is_told else None


@dataclass(frozen=True, slots=True)
class OpenPackage:
    """An unfilled package on which an eligible provider may offer at any time.

    `travel` is how near it lay to the provider's own round when it was first asked, None for whoever never was.
    """

    referral: str
    scheme: str
    lot: str
    locality: str
    unfilled_since: datetime | None
    published_part: dict[str, Any]
    travel: str | None


def open_packages(
    session: Session, actor: Actor, *, ref: str | None = None, after: str | None = None
) -> list[OpenPackage]:
    """The open list: to an office that of its own authority, to a provider that of the schemes it belongs to."""
    asked_in = aliased(Round)
    travel = (
        select(Invitation.travel)
        .join(asked_in, col(asked_in.id) == col(Invitation.round_id))
        .where(
            asked_in.referral_id == Referral.id,
            Invitation.provider == actor.provider,
            col(Invitation.travel).is_not(None),
        )
        .order_by(col(Invitation.id).desc())
        .limit(1)
        .correlate(Referral)
        .scalar_subquery()
    )
    last = select(func.max(Round.id)).where(Round.referral_id == Referral.id).correlate(Referral).scalar_subquery()
    query = (
        select(Referral, Round, travel)
        .join(Round, col(Round.id) == last)
        .where(col(Referral.state) == ReferralState.UNFILLED, behind(Referral, after))
        .order_by(col(Referral.id))
        .limit(PAGE)
    )
    if actor.role is Role.PROVIDER:
        schemes = select(Membership.scheme).where(
            Membership.provider_ref == actor.provider, col(Membership.state) == MembershipState.ACTIVE
        )
        query = query.where(col(Referral.scheme).in_(schemes))
    else:
        query = query.where(Referral.authority == actor.authority)
    if ref is not None:
        query = query.where(Referral.ref == ref)
    return [
        OpenPackage(
            referral=referral.ref,
            scheme=referral.scheme,
            lot=round_.lot,
            locality=round_.locality,
            unfilled_since=referral.unfilled_at,
            published_part=round_.published_part,
            travel=near,
        )
        for referral, round_, near in session.exec(query)
    ]
