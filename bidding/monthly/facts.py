"""What happened in a scheme in some days, as flat records: one SELECT each, nothing of a person, nothing sealed."""

from datetime import date, datetime, time, timedelta

import sqlalchemy as sa
from sqlmodel import Session, col, select

from bidding.allocation.runs import AllocationRun
from bidding.awards.records import Award
from bidding.bids.records import ScoredBid
from bidding.closings import Closing
from bidding.monthly.bought import areas_bought, blocks_bought
from bidding.monthly.days import Days
from bidding.monthly.records import (
    AwardFact,
    ContractFact,
    EndFact,
    MonthFacts,
    PlacementFact,
    ReferralFact,
    RoundFact,
    RunFact,
)
from bidding.otherwise.records import Placement, PlacementState
from bidding.referrals import Referral
from bidding.rounds import Invitation, InvitationState, Round, RoundState
from dps.contracts.contracts import Contract
from dps.kernel.actors import Actor, Role
from dps.kernel.audit import AuditEvent
from dps.kernel.calendar import LONDON
from dps.kernel.errors import BadInput, NotFound
from dps.schemes.model import Scheme

READERS = (Role.COMMISSIONER, Role.AUDITOR, Role.ADMINISTRATOR)
LONGEST_DAYS = 366


def month_facts(
    session: Session, *, scheme: Scheme, first: date, last: date, actor: Actor, now: datetime
) -> MonthFacts:
    """Read `first` to `last`, both included; whoever belongs to one of the scheme's authorities reads that one's.

    Rounds shared with another authority do not exist: a round belongs to one referral. A run is the scheme's.
    """
    actor.needs("read the month's report", *READERS)
    if not timedelta() <= last - first < timedelta(days=LONGEST_DAYS):
        raise BadInput(f"a report is of 1 to {LONGEST_DAYS} days, the first before the last", field="until")
    keys = tuple(authority.key for authority in scheme.authorities)
    if actor.authority is not None:
        if actor.authority not in keys:
            raise NotFound(kind="scheme", ref=scheme.key)
        keys = (actor.authority,)
    days = Days(scheme.key, keys, _midnight(first), min(_midnight(last + timedelta(days=1)), now))
    return MonthFacts(
        scheme=scheme,
        authorities=keys,
        first=first,
        last=last,
        until=days.until,
        referrals=_referrals(session, days),
        rounds=_rounds(session, days),
        awards=_awards(session, days),
        placements=_placements(session, days),
        contracts=_contracts(session, days),
        ends=_ends(session, days),
        runs=_runs(session, days),
        blocks=blocks_bought(session, days, last),
        areas=areas_bought(session, days, first, last),
        served=_served(session, days),
    )


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(0), tzinfo=LONDON)


def _referrals(session: Session, days: Days) -> tuple[ReferralFact, ...]:
    agreed = (
        sa.select(
            col(Contract.package_id),
            sa.func.min(col(Contract.agreed_at)).label("agreed_at"),
            sa.func.min(col(Contract.started_on)).label("started_on"),
        )
        .where(col(Contract.agreed_at) < days.until)
        .group_by(col(Contract.package_id))
        .subquery()
    )
    query = (
        sa.select(
            col(Referral.ref),
            col(Referral.urgency),
            col(Referral.state),
            col(Referral.published_at),
            agreed.c.agreed_at,
            agreed.c.started_on,
        )
        .outerjoin(agreed, agreed.c.package_id == col(Referral.package_id))
        .where(*days.of(Referral, Referral.published_at))
        .order_by(col(Referral.id))
    )
    return tuple(
        ReferralFact(ref, urgency, str(state), published_at, placed_at, _by(started_on, days.until))
        for ref, urgency, state, published_at, placed_at, started_on in session.execute(query)
    )


def _by(day: date | None, until: datetime) -> date | None:
    """A first visit after these days is not known in them."""
    return day if day is not None and day <= until.astimezone(LONDON).date() else None


def _rounds(session: Session, days: Days) -> tuple[RoundFact, ...]:
    invited = (
        sa.select(
            col(Invitation.round_id),
            sa.func.count().label("invited"),
            sa.func.sum(sa.case((col(Invitation.state) == InvitationState.DECLINED, 1), else_=0)).label("declined"),
        )
        .group_by(col(Invitation.round_id))
        .subquery()
    )
    bids = (
        sa.select(col(ScoredBid.round_id), sa.func.count().label("bids"))
        .where(col(ScoredBid.is_valid).is_(True))
        .group_by(col(ScoredBid.round_id))
        .subquery()
    )
    query = (
        sa.select(
            col(Round.ref),
            col(Round.stage_key),
            col(Round.mode),
            col(Round.state),
            col(Round.outcome),
            sa.func.coalesce(invited.c.invited, 0),
            sa.func.coalesce(invited.c.declined, 0),
            sa.func.coalesce(bids.c.bids, 0),
        )
        .join(Referral, col(Referral.id) == col(Round.referral_id))
        .outerjoin(invited, invited.c.round_id == col(Round.id))
        .outerjoin(bids, bids.c.round_id == col(Round.id))
        .where(*days.of(Referral, Round.opens_at), col(Round.state) != RoundState.PLANNED)
        .order_by(col(Round.id))
    )
    return tuple(
        RoundFact(ref, stage, mode, str(state), outcome, int(asked), int(declined), int(valid))
        for ref, stage, mode, state, outcome, asked, declined, valid in session.execute(query)
    )


def _awards(session: Session, days: Days) -> tuple[AwardFact, ...]:
    query = select(Award).where(*days.of(Award, Award.proposed_at)).order_by(col(Award.id))
    return tuple(
        AwardFact(
            ref=award.ref,
            state=str(award.state),
            source=award.source,
            provider=award.provider,
            locality=award.locality,
            weekly_minutes=award.weekly_minutes,
            weekly_pence=award.weekly_pence,
            needed_a_person=award.needs_person,
        )
        for award in session.exec(query)
    )


def _placements(session: Session, days: Days) -> tuple[PlacementFact, ...]:
    query = (
        select(Placement, Referral.ref)
        .join(Referral, col(Referral.id) == col(Placement.referral_id))
        .where(*days.of(Referral, Placement.decided_at), col(Placement.state) == PlacementState.APPROVED)
        .order_by(col(Placement.id))
    )
    return tuple(
        PlacementFact(
            referral=referral,
            how=placement.how,
            provider=placement.provider or "other",
            weekly_pence=placement.weekly_pence,
            proposed_by=placement.proposed_by,
            approved_by=placement.decided_by or "",
        )
        for placement, referral in session.exec(query)
    )


def _contracts(session: Session, days: Days) -> tuple[ContractFact, ...]:
    query = select(Contract).where(*days.of(Contract, Contract.agreed_at)).order_by(col(Contract.id))
    return tuple(
        ContractFact(
            ref=contract.ref,
            provider=contract.provider,
            lot=contract.lot,
            locality=contract.locality,
            starts_on=contract.starts_on,
            weekly_minutes=contract.weekly_minutes,
            weekly_pence=contract.weekly_pence,
        )
        for contract in session.exec(query)
    )


def _ends(session: Session, days: Days) -> tuple[EndFact, ...]:
    """By the trail, which knows when a contract was handed back as well as why."""
    kinds = ("contract.fail_to_start", "contract.hand_back")
    query = (
        select(Contract.ref, AuditEvent.kind, AuditEvent.body)
        .join(AuditEvent, col(AuditEvent.stream) == col(Contract.ref))
        .where(
            Contract.scheme == days.scheme,
            col(Contract.authority).in_(days.authorities),
            col(AuditEvent.kind).in_(kinds),
            *days.within(AuditEvent.at),
        )
        .order_by(col(AuditEvent.id))
    )
    return tuple(
        EndFact(ref, kind.rpartition(".")[2], str(body.get("reason", "not said")))
        for ref, kind, body in session.exec(query)
    )


def _runs(session: Session, days: Days) -> tuple[RunFact, ...]:
    query = (
        select(AllocationRun)
        .join(Closing, col(Closing.id) == col(AllocationRun.closing_id))
        .where(Closing.scheme == days.scheme, *days.within(AllocationRun.finished_at))
        .order_by(col(AllocationRun.id))
    )
    return tuple(
        RunFact(
            ref=run.ref,
            mode=run.mode,
            placed=len(run.answer["awards"]),
            pence=run.answer["report"]["award_pence"],
            advised_placed=run.advice["placed"] if run.advice else None,
            advised_pence=run.advice["award_pence"] if run.advice else None,
        )
        for run in session.exec(query)
    )


def _served(session: Session, days: Days) -> dict[str, int]:
    """How many contracts each provider had in the scheme when these days began."""
    begun = days.since.astimezone(LONDON).date()
    query = (
        select(Contract.provider, sa.func.count(col(Contract.id)))
        .where(
            Contract.scheme == days.scheme,
            col(Contract.authority).in_(days.authorities),
            col(Contract.agreed_at) < days.since,
            sa.or_(col(Contract.last_day).is_(None), col(Contract.last_day) >= begun),
            col(Contract.state) != "failed_to_start",
        )
        .group_by(col(Contract.provider))
        .order_by(col(Contract.provider))
    )
    return dict(session.exec(query).all())
