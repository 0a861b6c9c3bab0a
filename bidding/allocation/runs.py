"""One allocation run per closing: claimed with a lease, solved outside any transaction, stored, then awarded.

The input is frozen when the run is claimed, so that any stored run can be replayed to the same award (law 6). Awards
come only from counted runs; anything else waits for a broker and says so.
"""

import hashlib
import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Field, Session, SQLModel, select

from bidding.allocation.instance import instance_of, joint_policy, referral_of_round
from bidding.awards.line import in_line
from bidding.awards.offering import call_first, offer_if_approved, propose, settle
from bidding.awards.records import Source
from bidding.bids.records import Bid, ScoredBid, rounds_of_bids
from bidding.closings import Closing, ClosingState
from bidding.escalation import exhaust
from bidding.referrals import Referral
from bidding.rounds import Round, RoundState, rounds_of_closing
from bidding.waypoints import Waypoint
from dps.kernel import audit
from dps.kernel.actors import CLOCK
from dps.kernel.columns import id_column, json_column, link_column, ref_column, utc_column
from dps.kernel.database import find, find_all, locked, locked_one
from dps.kernel.outbox import post
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.kernel.states import advance
from dps.register.providers import ids_of
from dps.register.standing import lock_standing
from dps.schemes.model import Scheme
from dps.schemes.stored import rules_by_hash
from matching import allocation as solver

LEASE = timedelta(seconds=45)
"""A run whose worker has not said for so long that it is alive is taken over by another."""

RENEWAL = LEASE / 3
"""How often a worker at a run says that it is alive, however long the solver takes."""


class AllocationRun(SQLModel, table=True):
    """What was decided from, and what was decided; `answer` is None while the solver is at work.

    `claimed_at` is when its worker last said that it is at work on it; the trail says when its input was frozen.
    """

    __tablename__ = "allocation_run"

    id: int | None = id_column()
    ref: str = ref_column()
    closing_id: int = link_column("closing.id", unique=True)
    mode: str = Field(max_length=16)
    instance: str
    instance_sha256: str = Field(max_length=64)
    lot_seed: str = Field(max_length=64)
    effort: int
    claimed_at: datetime = utc_column()
    finished_at: datetime | None = utc_column(nullable=True)
    status: str | None = Field(default=None, max_length=24)
    counted: bool | None = Field(default=None)
    answer: Any = json_column(nullable=True)
    advice: Any = json_column(nullable=True)


def claim(session: Session, ports: Ports, closing_id: int) -> AllocationRun | None:
    """Freeze the input of a scored closing's run, or take over one whose lease ran out. None: nothing to do."""
    closing = locked_one(session, Closing, closing_id)
    now = ports.clock.read(session)
    if closing.state is not ClosingState.SCORED:
        return None
    run = find(session, AllocationRun, closing_id=closing.id)
    if run is not None:
        # A claim from the future was made before the clock was put back: nobody can say how old it is.
        if run.finished_at is not None or run.claimed_at <= now < run.claimed_at + LEASE:
            return None
        run.claimed_at = now
        session.add(run)
        return run
    scheme = rules_by_hash(session, closing.rule_hash)
    instance = instance_of(session, closing, scheme, now)
    text = solver.instance_to_json(instance)
    run = AllocationRun(
        ref=new_reference(Kind.RUN, ports.entropy),
        closing_id=closing.id or 0,
        mode=str(instance.policy.mode),
        instance=text,
        instance_sha256=hashlib.sha256(text.encode()).hexdigest(),
        lot_seed=closing.lot_seed or "",
        effort=solver.DEFAULT_EFFORT,
        claimed_at=now,
    )
    session.add(run)
    session.flush()
    facts = {"run": run.ref, "mode": run.mode, "instance_sha256": run.instance_sha256, "effort": run.effort}
    audit.append(session, closing.stream, "allocation.claimed", CLOCK, now, facts)
    ports.reached(Waypoint.RUN_CLAIMED)
    return run


def renew(session: Session, ports: Ports, run_id: int) -> None:
    """Say that this run's worker is alive. A run that two are at by mistake is finished once all the same."""
    run = locked_one(session, AllocationRun, run_id)
    if run.finished_at is None:
        run.claimed_at = ports.clock.read(session)
        session.add(run)


def rules_of(session: Session, run: AllocationRun) -> Scheme:
    """The frozen rules under which a run's closing was published."""
    closing = session.get(Closing, run.closing_id)
    assert closing is not None
    return rules_by_hash(session, closing.rule_hash)


def answer_of(run: AllocationRun, *, process: solver.SolverProcess | None = None) -> solver.Result:
    """Solve a claimed run, in the solver's own process; the same stored run always gives the same counted award."""
    return solver.solve(
        solver.instance_from_json(run.instance),
        lot_seed=bytes.fromhex(run.lot_seed),
        effort=run.effort,
        process=process,
    )


def advice_of(run: AllocationRun, scheme: Scheme, *, process: solver.SolverProcess | None = None) -> Any:
    """What a joint allocation would have given where the scheme awards package by package: never awarded."""
    if not scheme.allocation.joint_as_advice or run.mode != str(solver.Mode.PER_PACKAGE):
        return None
    instance = solver.instance_from_json(run.instance)
    if len(instance.packages) < 2:
        return None
    joint = replace(instance, policy=joint_policy(scheme))
    seed = bytes.fromhex(run.lot_seed)
    result = solver.solve(joint, lot_seed=seed, effort=run.effort, process=process)
    return {
        "label": "joint answer, advice only",
        "placed": len(result.awards),
        "unplaced": len(result.unplaced),
        "award_pence": result.report.award_pence,
        "awards": [[award.package, award.provider, award.bid] for award in result.awards],
    }


def finish(session: Session, ports: Ports, run_id: int, result: solver.Result, advice: Any = None) -> bool:
    """Store the answer and propose its awards; packages nobody got go on up the ladder. False if it was done before.

    Of a run that was not counted nothing leaves the house: its awards wait for an approval, the rest for a broker.
    """
    run = session.get(AllocationRun, run_id)
    assert run is not None
    closing = locked_one(session, Closing, run.closing_id)
    rounds = {round_.ref: round_ for round_ in rounds_of_closing(session, closing.id, RoundState.CLOSED)}
    locked(session, Referral, *(round_.referral_id for round_ in rounds.values()))
    winners = {award.provider for award in result.awards}
    lock_standing(session, ids_of(session, winners))
    now = ports.clock.read(session)
    if closing.state is not ClosingState.SCORED or now < closing.closes_at:
        return False
    run.finished_at, run.status, run.counted = now, str(result.status), result.counted
    run.answer = _without_floats(json.loads(solver.result_to_json(result)))
    run.advice = advice
    session.add(run)
    facts = {
        "run": run.ref,
        "status": run.status,
        "counted": result.counted,
        "placed": len(result.awards),
        "unplaced": len(result.unplaced),
        "draws": len(result.draws),
    }
    advance(session, closing, "allocate", CLOCK, now, facts=facts)
    ports.reached(Waypoint.RUN_STORED)
    scheme = rules_by_hash(session, closing.rule_hash)
    _award(session, ports, run, result, rounds, scheme, now)
    for unplaced in sorted(
        result.unplaced, key=lambda one: rounds[one.package].id or 0 if one.package in rounds else 0
    ):
        if unplaced.package in rounds:
            round_ = rounds[unplaced.package]
            referral = referral_of_round(session, round_)
            if not result.counted:
                _leave_to_broker(session, ports, round_, referral, now)
                continue
            successor = exhaust(session, ports, round_, referral, now, cause=unplaced.words)
            call_first(session, ports, successor, referral, now, cause=unplaced.words)
    ports.reached(Waypoint.RUN_FINISHED)
    return True


def _award(
    session: Session,
    ports: Ports,
    run: AllocationRun,
    result: solver.Result,
    rounds: dict[str, Round],
    scheme: Scheme,
    now: datetime,
) -> None:
    """Propose every award of the run before any is offered: what falls through later is settled with all in place.

    A round that was cancelled while the solver was at work gets none; a bundle that it belonged to is not taken apart.
    """
    refs = {award.bid for award in result.awards}
    bids = {bid.ref: bid for bid in find_all(session, Bid, ref=refs)} if refs else {}
    asked = rounds_of_bids(session, [bid.id for bid in bids.values()])
    here = {round_.id for round_ in rounds.values()}
    torn = {ref for ref, bid in bids.items() if any(link.round_id not in here for link in asked[bid.id or 0])}
    proposed = []
    without: list[tuple[Round, str]] = []
    for award in sorted(result.awards, key=lambda one: rounds[one.package].id or 0 if one.package in rounds else 0):
        round_ = rounds.get(award.package)
        if round_ is None:
            continue
        if award.bid in torn:
            without.append((round_, "a package of the bundle was taken out"))
            continue
        bid = bids[award.bid]
        scored = session.exec(
            select(ScoredBid).where(ScoredBid.bid_id == bid.id, ScoredBid.round_id == round_.id)
        ).one()
        is_bundle = len(asked[bid.id or 0]) > 1
        made = propose(
            session,
            ports,
            round_=round_,
            referral=referral_of_round(session, round_),
            scheme=scheme,
            line=in_line(session, round_, scored, bid, is_bundle=is_bundle, counted=result.counted),
            source=Source.ALLOCATION,
            now=now,
            run_ref=run.ref,
            reason=award.reason if result.counted else f"{award.reason} (not counted: {result.status})",
        )
        proposed.append((made, round_))
    ports.reached(Waypoint.AWARDS_PROPOSED)
    for made, _ in proposed:
        offer_if_approved(session, ports, made, now)
    without += [(round_, made.end_reason or "") for made, round_ in proposed if not made.is_live]
    for round_, cause in without:
        if result.counted:
            settle(session, ports, round_, referral_of_round(session, round_), now, cause=cause)
        else:
            _leave_to_broker(session, ports, round_, referral_of_round(session, round_), now)


def _leave_to_broker(session: Session, ports: Ports, round_: Round, referral: Referral, now: datetime) -> None:
    """Tell the authority that this package waits for somebody to let it go on (`review.go_on`)."""
    recipient = f"authority:{referral.authority}"
    post(session, ports.entropy, recipient=recipient, kind="left_over_uncounted", about=round_.ref, now=now)


def _without_floats(answer: Any) -> Any:
    """Seconds are the only float of a result, and no award rests on them: they are not stored."""
    if isinstance(answer, dict):
        return {key: _without_floats(value) for key, value in answer.items() if not isinstance(value, float)}
    if isinstance(answer, list):
        return [_without_floats(value) for value in answer]
    return answer
