"""What a played week came to, read from the database; the zeros are the independent checker's."""

from collections import Counter
from typing import Any

from sqlalchemy import Connection, func
from sqlmodel import Session, col, select

from bidding.allocation.runs import AllocationRun
from bidding.awards.records import Award, AwardState, Source
from bidding.bids.records import Bid
from bidding.referrals import Referral, ReferralState
from bidding.rounds import Round
from dps.contracts.contracts import IN_FORCE, Contract
from dps.contracts.outcomes import OutcomeReview
from dps.contracts.statements.records import Statement, StatementState
from dps.contracts.variations.records import IN_FORCE as AGREED
from dps.contracts.variations.records import Variation
from dps.schemes.model import Scheme
from web.demo.bidders import Tally
from web.demo.checker import Verdict, check
from web.demo.paid_checker import misstated


def results(session: Session, scheme: Scheme, *, seed: int, tally: Tally, database: str) -> dict[str, Any]:
    """One JSON object; the same seed gives the same object but for `database`."""
    connection: Connection = session.connection()
    verdict = check(connection)
    contracts, pence, minutes = session.exec(
        select(
            func.count(col(Contract.id)),
            func.coalesce(func.sum(col(Contract.weekly_pence)), 0),
            func.coalesce(func.sum(col(Contract.weekly_minutes)), 0),
        ).where(col(Contract.state).in_(IN_FORCE))
    ).one()
    return {
        "scheme": scheme.key,
        "seed": seed,
        "referrals": _count(session, Referral),
        "rounds": _count(session, Round),
        "stages": stages(session, scheme),
        "bids": _count(session, Bid),
        "late_bids_refused": tally.late_bids_refused,
        "placed": _in_state(session, ReferralState.PLACED),
        "unfilled": _in_state(session, ReferralState.UNFILLED),
        "seeking": _in_state(session, ReferralState.SEEKING),
        "contracts": int(contracts),
        "escalations": _escalations(session),
        "allocation_runs": _count(session, AllocationRun),
        "awards": _awards(session),
        "cost_pence_per_week": int(pence),
        "minutes_per_week": int(minutes),
        **_afterwards(session),
        **figures(verdict),
        "misstatements": misstated(connection),
        "database": database,
    }


def _afterwards(session: Session) -> dict[str, int]:
    """What followed the contracts: changes that were agreed, statements, what was paid, what came of it."""
    flexes = select(func.count(col(Variation.id))).where(col(Variation.outcome).is_not(None))
    paid = select(func.coalesce(func.sum(col(Statement.pence)), 0)).where(Statement.state == StatementState.PAID)
    agreed = select(func.count(col(Variation.id))).where(col(Variation.state).in_(AGREED))
    made = select(func.count(col(Statement.id))).where(Statement.state != StatementState.WITHDRAWN)
    return {
        "variations": int(session.exec(agreed).one()),
        "statements": int(session.exec(made).one()),
        "paid_pence": int(session.exec(paid).one()),
        "outcomes_recorded": _count(session, OutcomeReview) + int(session.exec(flexes).one()),
    }


def figures(verdict: Verdict) -> dict[str, Any]:
    return {
        "capacity_violations": verdict.capacity_violations,
        "early_openings": verdict.early_openings,
        "late_bids_stored": verdict.late_bids_stored,
        "double_awards": verdict.double_awards,
        "barred_awards": verdict.barred_awards,
        "audit_ok": verdict.audit_ok,
    }


def stages(session: Session, scheme: Scheme) -> dict[str, dict[str, int]]:
    """Rounds and placements by stage, in the order of the ladders."""
    rounds = dict(session.exec(select(Round.stage_key, func.count(col(Round.id))).group_by(col(Round.stage_key))).all())
    placed = dict(
        session.exec(
            select(Round.stage_key, func.count(col(Award.id)))
            .join(Award, col(Award.round_id) == col(Round.id))
            .where(col(Award.state) == AwardState.CONFIRMED)
            .group_by(col(Round.stage_key))
        ).all()
    )
    keys = dict.fromkeys(stage.key for ladder in scheme.ladders for stage in ladder.stages)
    return {key: {"rounds": rounds.get(key, 0), "placed": placed.get(key, 0)} for key in keys if key in rounds}


def _count(session: Session, table: Any) -> int:
    return session.exec(select(func.count(col(table.id)))).one()


def _in_state(session: Session, state: ReferralState) -> int:
    return session.exec(select(func.count(col(Referral.id))).where(col(Referral.state) == state)).one()


def _escalations(session: Session) -> int:
    """Rounds that followed a round of the same cycle which found nobody."""
    rows = session.exec(select(Round.id, Round.predecessor_id, Round.cycle, Round.stage_no)).all()
    known = {id_: (cycle, stage) for id_, _, cycle, stage in rows}
    return sum(
        1
        for _, predecessor, cycle, stage in rows
        if predecessor in known and known[predecessor][0] == cycle and stage > known[predecessor][1]
    )


def _awards(session: Session) -> dict[str, int]:
    """Awards by how the provider was found."""
    found = Counter(session.exec(select(Award.source)).all())
    return {str(source): found[source] for source in Source if found[source]}
