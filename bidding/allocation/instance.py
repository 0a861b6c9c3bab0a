"""What a closing is decided from: rows in, the solver's frozen records out.

Packages are named by their rounds, lots by the bids' commitments; prices come from the scheme's published terms, what
each provider has room for from `room`.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from sqlmodel import Session, col, select

from bidding.allocation.room import localities_of, providers_of, standing_of
from bidding.asking import package_of
from bidding.bids.content import BidContent
from bidding.bids.records import Bid, BidState, OpenedBid, ScoredBid, rounds_of_bids
from bidding.closings import Closing
from bidding.referrals import PRIORITY, Referral
from bidding.rounds import Round, RoundState, rounds_of_closing
from dps.contracts.standing import incumbents
from dps.kernel.money import round_half_up
from dps.packages.packages import Package
from dps.schemes.model import AllocationMode, Mode, Scheme, Urgency
from matching import allocation as solver


def referral_of_round(session: Session, round_: Round) -> Referral:
    """The referral that a round belongs to."""
    referral = session.get(Referral, round_.referral_id)
    assert referral is not None
    return referral


def instance_of(session: Session, closing: Closing, scheme: Scheme, now: datetime) -> solver.Instance:
    """Everything this closing is decided from. Packages are named by their rounds, lots by the bids' commitments."""
    rounds = rounds_of_closing(session, closing.id, RoundState.CLOSED)
    packages = {round_.ref: package_of(session, round_) for round_ in rounds}
    by_id = {round_.id or 0: round_ for round_ in rounds}
    bids = _bids(session, closing, by_id, packages)
    standing = standing_of(session, scheme, packages, {bid.provider for bid in bids}, now)
    serving = incumbents(session, scheme=scheme.key)
    places = {package.locality for package in packages.values()}
    bidders = providers_of(packages, standing)
    # Those who serve a locality without bidding now count as its coverage, and win nothing.
    others = {provider for provider, locality in serving if locality in places} - bidders.keys()
    return solver.Instance(
        packages=tuple(
            package_terms(
                round_.ref,
                packages[round_.ref],
                scheme,
                days_waited=_days_waited(referral_of_round(session, round_), now),
            )
            for round_ in rounds
        ),
        providers=(
            *(bidders[ref] for ref in sorted(bidders)),
            *(solver.Provider(ref=ref) for ref in sorted(others)),
        ),
        bids=tuple(bids),
        localities=localities_of(scheme, places, sorted(bidders.keys() | others), serving, standing),
        policy=policy_of(scheme, Mode(closing.mode)),
    )


def policy_of(scheme: Scheme, mode: Mode) -> solver.Policy:
    """The scheme's published terms; an acceptance window is decided package by package, by the published order."""
    if mode is Mode.ACCEPTANCE_WINDOW or scheme.allocation.mode is AllocationMode.PER_PACKAGE:
        return solver.Policy(mode=solver.Mode.PER_PACKAGE)
    return joint_policy(scheme)


def joint_policy(scheme: Scheme) -> solver.Policy:
    """Every priced term of a joint allocation; the loader has seen that each stands in the published criteria."""
    terms = scheme.allocation.terms
    share = terms.locality_share_cap_percent
    return solver.Policy(
        mode=solver.Mode.JOINT,
        coverage_pence=terms.coverage_pence or 0,
        default_target=terms.coverage_target or 0,
        locality_share_bp=None if share is None else share * 100,
        share_spares_first_package=True,
        awards_per_provider=terms.awards_cap,
        quality_pence_per_point_hour=terms.quality_pence_per_point_hour or 0,
        delay_pence_per_day=_by_priority(terms.start_delay_pence_per_day),
        waiting_pence_per_day=_by_priority(terms.waited_pence_per_day),
        stability_pence=terms.stability_pence or 0,
    )


def _by_priority(prices: dict[Urgency, int] | None) -> tuple[int, int, int, int]:
    by = {PRIORITY[urgency]: pence for urgency, pence in (prices or {}).items()}
    return by.get(1, 0), by.get(2, 0), by.get(3, 0), by.get(4, 0)


def package_terms(ref: str, package: Package, scheme: Scheme, *, days_waited: int) -> solver.Package:
    """A package as the solver sees it, with the published price of leaving it unplaced."""
    minutes = package.weekly_minutes or 1
    return solver.Package(
        ref=ref,
        locality=package.locality,
        weekly_minutes=minutes,
        priority=PRIORITY[package.urgency],
        unplaced_pence=unplaced_pence(scheme, package.urgency, minutes),
        days_waited=days_waited,
    )


def unplaced_pence(scheme: Scheme, urgency: Urgency, weekly_minutes: int) -> int | None:
    """The published weekly price of leaving a package unplaced; None where the scheme publishes none."""
    prices = scheme.allocation.terms.unplaced_pence_per_hour
    if prices is None or urgency not in prices:
        return None
    return round_half_up(prices[urgency] * weekly_minutes, 60)


def _days_waited(referral: Referral, now: datetime) -> int:
    return max((now - referral.seeking_since).days, 0) if referral.seeking_since else 0


def _bids(
    session: Session, closing: Closing, rounds: dict[int, Round], packages: dict[str, Package]
) -> list[solver.Bid]:
    """Valid bids of this closing. A bundle counts once, at the sum of its parts, and only if all of them are here."""
    query = (
        select(ScoredBid, Bid, OpenedBid)
        .join(Bid, col(Bid.id) == col(ScoredBid.bid_id))
        .join(OpenedBid, col(OpenedBid.bid_id) == col(Bid.id))
        .where(Bid.closing_id == closing.id, col(Bid.state) == BidState.OPENED, col(ScoredBid.round_id).in_(rounds))
        .order_by(col(Bid.id), col(ScoredBid.round_id))
    )
    parts: dict[str, list[tuple[ScoredBid, Bid, BidContent]]] = {}
    for scored, bid, opened in session.exec(query):
        parts.setdefault(bid.ref, []).append((scored, bid, BidContent.from_dict(opened.content)))
    asked = rounds_of_bids(session, [part[0][1].id for part in parts.values()])
    parts = {ref: part for ref, part in parts.items() if len(part) == len(asked[part[0][1].id or 0])}
    exclusive = _exclusive(parts, rounds)
    return [_bid(part, rounds, packages, exclusive[ref]) for ref, part in parts.items()]


def _exclusive(
    parts: dict[str, list[tuple[ScoredBid, Bid, BidContent]]], rounds: dict[int, Round]
) -> dict[str, tuple[str, ...]]:
    """Either-or: a bid that names a round excludes the same provider's bids for that round."""
    for_round: dict[tuple[str, str], set[str]] = {}
    for ref, part in parts.items():
        for scored, bid, _ in part:
            for_round.setdefault((bid.provider, rounds[scored.round_id].ref), set()).add(ref)
    pairs: dict[str, set[str]] = {ref: set() for ref in parts}
    for ref, part in parts.items():
        _, bid, content = part[0]
        for named in content.not_with:
            for other in for_round.get((bid.provider, named), set()) - {ref}:
                pairs[ref].add(other)
                pairs[other].add(ref)
    return {ref: tuple(sorted(others)) for ref, others in pairs.items()}


def _bid(
    part: Sequence[tuple[ScoredBid, Bid, BidContent]],
    rounds: dict[int, Round],
    packages: dict[str, Package],
    excludes: tuple[str, ...],
) -> solver.Bid:
    _, bid, content = part[0]
    scores = {rounds[one.round_id].ref: one for one, _, _ in part}
    return bid_terms(bid.ref, bid.provider, content, scores, packages, lot_key=bid.commitment, excludes=excludes)


class Scored(Protocol):
    """What the evaluation made of a bid for one round, stored or not."""

    @property
    def weekly_pence(self) -> int: ...

    @property
    def weekly_minutes(self) -> int: ...

    @property
    def quality_points(self) -> int: ...

    @property
    def rank(self) -> int | None: ...

    @property
    def ties(self) -> Sequence[int]: ...


def bid_terms(
    ref: str,
    provider: str,
    content: BidContent,
    scores: Mapping[str, Scored],
    packages: Mapping[str, Package],
    *,
    lot_key: str,
    excludes: tuple[str, ...] = (),
) -> solver.Bid:
    """A bid as the solver sees it, from its `scores` by round; one for several rounds counts at their sum. Pure."""
    each = tuple(scores.values())
    earliest = [packages[round_ref].earliest_start for round_ref in scores]
    delays = [(content.starts_on - start).days for start in earliest if start is not None]
    return solver.Bid(
        ref=ref,
        provider=provider,
        packages=tuple(scores),
        weekly_pence=sum(one.weekly_pence for one in each),
        weekly_minutes=sum(one.weekly_minutes for one in each),
        quality=round_half_up(sum(one.quality_points for one in each), 1000 * len(each)),
        start_delay_days=max([*delays, 0]),
        preference=content.preference,
        excludes=excludes,
        rank=each[0].rank if len(each) == 1 else None,
        tie=tuple(each[0].ties),
        lot_key=lot_key,
    )
