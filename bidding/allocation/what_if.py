"""What other rules would have made of closings that are over: for commissioners, to set the next published rules.

Read from stored runs alone and written nowhere; solved against the clock, so that nothing here could ever be awarded
(law 6). Only closings of which every round is over are looked at: nothing sealed, nothing undecided (law 2).
"""

import time
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import exists
from sqlmodel import Session, col, select

from bidding.allocation.instance import policy_of, unplaced_pence
from bidding.allocation.runs import AllocationRun
from bidding.bids.records import Bid, ScoredBid
from bidding.closings import Closing, ClosingState
from bidding.referrals import PRIORITY, Referral
from bidding.rounds import Round, RoundState
from dps.kernel.actors import Actor, Role
from dps.kernel.errors import NotFound
from dps.kernel.money import round_half_up
from dps.schemes.model import EvaluationRule, Mode, Scheme
from matching import allocation as solver
from matching.allocation.frontier import Frontier, frontier
from matching.allocation.terms import newcomers_wanted

WITHIN_S = 2.5
"""How long all closings together may be solved again; with the page around it an answer takes three seconds."""

FRONTIER_RUNS, FRONTIER_SHARE = 8, 0.4
MOST_CLOSINGS = 400
_OVER = (RoundState.DECIDED, RoundState.CANCELLED)
_URGENCY = {number: urgency for urgency, number in PRIORITY.items()}


@dataclass(frozen=True, slots=True)
class Over:
    """A closing that is over, with its run as it was decided. `ours` are the rounds of the reader's authority."""

    closing: str
    closes_at: datetime
    mode: str
    run: AllocationRun
    points: Mapping[tuple[str, str], tuple[int, int]]
    ours: frozenset[str]


@dataclass(frozen=True, slots=True)
class Totals:
    """An award judged by the rules of the what-if. `largest_thousandths` is the share of its largest winner."""

    packages: int = 0
    placed: int = 0
    unplaced_minutes: int = 0
    award_pence: int = 0
    missing_providers: int = 0
    winners: int = 0
    largest_thousandths: int = 0


@dataclass(frozen=True, slots=True)
class Moved:
    """One package of the reader's own that somebody else would have got."""

    closing: str
    round: str
    decided: str | None
    what_if: str | None


@dataclass(frozen=True, slots=True)
class WhatIf:
    """Both sides, and what was left out because the time was up."""

    decided: Totals
    what_if: Totals
    moved: tuple[Moved, ...]
    closings: int
    left_out: int
    is_proven: bool
    frontier: Frontier | None
    seconds: float


def closings_over(session: Session, scheme: Scheme, actor: Actor) -> list[tuple[str, datetime]]:
    """References and instants of this scheme's closings that are over and had something to decide, the latest first."""
    _needs(scheme, actor)
    query = select(Closing.ref, Closing.closes_at).join(AllocationRun, col(AllocationRun.closing_id) == col(Closing.id))
    found = session.exec(query.where(*_is_over(scheme)).order_by(col(Closing.closes_at).desc(), col(Closing.id).desc()))
    return list(found.fetchmany(MOST_CLOSINGS))


def over(session: Session, scheme: Scheme, actor: Actor, refs: Collection[str]) -> list[Over]:
    """These closings with what they were decided from; NotFound where one is not over."""
    _needs(scheme, actor)
    query = select(Closing, AllocationRun).join(AllocationRun, col(AllocationRun.closing_id) == col(Closing.id))
    query = query.where(*_is_over(scheme), col(Closing.ref).in_(refs)).order_by(col(Closing.closes_at), col(Closing.id))
    rows = session.exec(query).all()
    for missing in set(refs) - {closing.ref for closing, _ in rows}:
        raise NotFound(kind="closing that is over", ref=missing)
    ids = [closing.id for closing, _ in rows]
    scored = select(Bid.ref, Round.ref, ScoredBid.price_points, ScoredBid.quality_points).where(
        col(ScoredBid.bid_id) == col(Bid.id), col(ScoredBid.round_id) == col(Round.id), col(Bid.closing_id).in_(ids)
    )
    points = {(bid, round_): (price, quality) for bid, round_, price, quality in session.exec(scored)}
    own = select(Round.closing_id, Round.ref).join(Referral, col(Referral.id) == col(Round.referral_id))
    ours: dict[int, set[str]] = defaultdict(set)
    own = own.where(col(Round.closing_id).in_(ids), Referral.authority == actor.authority)
    for closing_id, round_ in session.exec(own):
        ours[closing_id or 0].add(round_)
    return [
        Over(closing.ref, closing.closes_at, closing.mode, run, points, frozenset(ours[closing.id or 0]))
        for closing, run in rows
    ]


def _needs(scheme: Scheme, actor: Actor) -> None:
    actor.needs("ask what other rules would have given", Role.COMMISSIONER)
    if all(one.key != actor.authority for one in scheme.authorities):
        raise NotFound(kind="scheme", ref=scheme.key)


def _is_over(scheme: Scheme) -> Sequence[Any]:
    undecided = exists().where(col(Round.closing_id) == Closing.id, col(Round.state).not_in(_OVER))
    return (
        Closing.scheme == scheme.key,
        col(Closing.state) == ClosingState.ALLOCATED,
        col(AllocationRun.finished_at).is_not(None),
        ~undecided,
    )


def what_if(found: Sequence[Over], rules: Scheme, *, within_s: float = WITHIN_S) -> WhatIf:
    """Solve these closings again under other rules, in at most so many seconds together. Touches no database."""
    began = time.monotonic()
    decided, answered = _Side(), _Side()
    moved: list[Moved] = []
    left_out, is_proven, picture = 0, True, None
    for place, one in enumerate(found):
        left_s = within_s - (time.monotonic() - began)
        if left_s <= 0:
            left_out += 1
            continue
        instance = under(solver.instance_from_json(one.run.instance), one.points, rules, Mode(one.mode))
        seed = bytes.fromhex(one.run.lot_seed)
        draws_frontier = len(found) == 1 and _has_something_to_trade(instance)
        share_s = left_s * (1 - FRONTIER_SHARE) if draws_frontier else left_s / (len(found) - place)
        result = solver.solve(instance, lot_seed=seed, time_limit_s=share_s)
        is_proven &= result.status is solver.Status.OPTIMAL
        awarded = [solver.Award(*row) for row in one.run.answer["awards"]]
        decided.add(instance, awarded)
        answered.add(instance, result.awards)
        was = {award.package: award.provider for award in awarded}
        now = {award.package: award.provider for award in result.awards}
        for round_ in sorted(one.ours):
            if was.get(round_) != now.get(round_):
                moved.append(Moved(one.closing, round_, was.get(round_), now.get(round_)))
        if draws_frontier:
            spent_s = time.monotonic() - began
            picture = frontier(instance, lot_seed=seed, runs=FRONTIER_RUNS, time_limit_s=max(within_s - spent_s, 0.1))
    return WhatIf(
        decided=decided.totals(),
        what_if=answered.totals(),
        moved=tuple(moved),
        closings=len(found) - left_out,
        left_out=left_out,
        is_proven=is_proven,
        frontier=picture,
        seconds=time.monotonic() - began,
    )


def _has_something_to_trade(instance: solver.Instance) -> bool:
    """Whether coverage can be bought: packages are decided together, and some locality wants another provider."""
    return instance.policy.mode is solver.Mode.JOINT and bool(newcomers_wanted(instance))


def under(
    instance: solver.Instance, points: Mapping[tuple[str, str], tuple[int, int]], rules: Scheme, mode: Mode
) -> solver.Instance:
    """What was decided from, under other rules: the same people, bids and room, with other prices and other ranks."""
    terms = rules.allocation.terms
    packages = tuple(
        replace(one, unplaced_pence=unplaced_pence(rules, _URGENCY[one.priority], one.weekly_minutes))
        for one in instance.packages
    )
    localities = tuple(
        one if one.is_incumbent else replace(one, entry_pence=terms.entry_pence or 0) for one in instance.localities
    )
    bids = instance.bids
    if mode is Mode.SEALED_BID and rules.evaluation.rule is EvaluationRule.PRICE_QUALITY:
        bids = ranked(bids, points, rules.evaluation.price_weight)
    return replace(instance, packages=packages, localities=localities, bids=bids, policy=policy_of(rules, mode))


def ranked(
    bids: Sequence[solver.Bid], points: Mapping[tuple[str, str], tuple[int, int]], price_weight: int
) -> tuple[solver.Bid, ...]:
    """The bids ranked by other weights of price and quality, from the points they were given; bundles have no rank."""
    totals: dict[str, dict[str, int]] = defaultdict(dict)
    for bid in bids:
        if not bid.is_bundle:
            price, quality = points[bid.ref, bid.packages[0]]
            total = round_half_up(price * price_weight + quality * (100 - price_weight), 100)
            totals[bid.packages[0]][bid.ref] = total
    return tuple(
        bid
        if bid.is_bundle
        else replace(
            bid, rank=1 + sum(other > totals[bid.packages[0]][bid.ref] for other in totals[bid.packages[0]].values())
        )
        for bid in bids
    )


class _Side:
    """Adds up one side, closing by closing."""

    def __init__(self) -> None:
        self.sums = Counter[str]()
        self.pence: Counter[str] = Counter()

    def add(self, instance: solver.Instance, awards: Sequence[solver.Award]) -> None:
        report = solver.check(instance, tuple(awards))
        self.sums += Counter(
            packages=len(instance.packages),
            placed=report.placed,
            unplaced_minutes=report.unplaced_minutes,
            award_pence=report.award_pence,
            missing_providers=report.missing_providers,
        )
        for award in awards:
            self.pence[award.provider] += award.weekly_pence

    def totals(self) -> Totals:
        whole = sum(self.pence.values())
        largest = max(self.pence.values(), default=0)
        return Totals(
            **self.sums,
            winners=len(self.pence),
            largest_thousandths=largest * 1000 // whole if whole else 0,
        )
