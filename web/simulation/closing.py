"""Rounds that close together: scored and allocated by the code that decides in life."""

import hashlib
from collections.abc import Sequence
from datetime import datetime

from bidding.allocation.instance import bid_terms, package_terms, policy_of
from bidding.allocation.room import localities_of, providers_of, standing_seen
from bidding.asking import asked_of
from bidding.deadline import evaluation_of
from bidding.evaluation import Entry, score_round
from dps.contracts.quality.recognition import score_or_usual
from dps.schemes.model import Mode, Scheme
from matching import allocation as solver
from web.simulation.cases import AskedRound, Bundle
from web.simulation.supply import Supply


def score(
    rounds: Sequence[AskedRound],
    scheme: Scheme,
    supply: Supply,
    closes_at: datetime,
    *,
    bundles: Sequence[Bundle] = (),
) -> None:
    """Evaluate the bids of every round, bundles among them, and draw the seed of the closing's lots."""
    won = supply.won(closes_at)
    lines = sorted([*(commitment(one, ref) for one in rounds for ref in one.bids), *map(_committed, bundles)])
    seed = hashlib.sha256("\n".join(lines).encode()).digest()
    for round_ in rounds:
        package = round_.case.package
        asked = asked_of(package, scheme, closes_at)
        named = {one.ref: one for one in bundles if round_.ref in {each.ref for each in one.rounds}}
        bids = [
            *((ref, ref, content) for ref, content in round_.bids.items()),
            *((one.ref, one.provider, one.content) for one in named.values()),
        ]
        entries = [
            Entry(
                bid=bid,
                provider=provider,
                content=content,
                asked=asked,
                rating_score=scheme.quality.scores[supply.providers[provider].who.rating],
                is_existing_provider=package.existing_provider == provider,
                minutes_won_28_days=won.get((provider, package.locality), 0),
                recognition_score=score_or_usual(scheme, {}, provider),
            )
            for bid, provider, content in bids
        ]
        scores = score_round(entries, evaluation=evaluation_of(scheme, round_.mode), ties=scheme.ties)
        round_.scores = {one.provider: one for one in scores if one.is_valid and one.bid not in named}
        round_.lot_seed = seed
        for one in scores:
            if one.bid in named:
                named[one.bid].scores[round_.ref] = one


def commitment(round_: AskedRound, provider: str) -> str:
    """What names a bid in the drawing of lots: the same whatever the order of rows."""
    return hashlib.sha256(f"{round_.ref}\n{provider}".encode()).hexdigest()


def _committed(bundle: Bundle) -> str:
    return hashlib.sha256(bundle.ref.encode()).hexdigest()


def allocate(
    rounds: Sequence[AskedRound],
    scheme: Scheme,
    supply: Supply,
    mode: Mode,
    now: datetime,
    *,
    bundles: Sequence[Bundle] = (),
) -> solver.Result:
    """One run for all of them, with what each bidder has free at this moment."""
    packages = {one.ref: one.case.package for one in rounds}
    bidders = {ref for one in rounds for ref in one.scores}
    refs = sorted(bidders)
    standing = standing_seen(packages, now, lambda authority, day: supply.candidates(refs, authority, day, now))
    places = {package.locality for package in packages.values()}
    others = {ref for ref, locality in supply.serving if locality in places} - bidders
    named = providers_of(packages, standing)
    instance = solver.Instance(
        packages=tuple(
            package_terms(one.ref, one.case.package, scheme, days_waited=_days_waited(one, now)) for one in rounds
        ),
        providers=(
            *(named[ref] for ref in sorted(named)),
            *(solver.Provider(ref=ref) for ref in sorted(others)),
        ),
        bids=(
            *(
                bid_terms(
                    f"{one.ref}/{ref}",
                    ref,
                    one.bids[ref],
                    {one.ref: scored},
                    packages,
                    lot_key=commitment(one, ref),
                )
                for one in rounds
                for ref, scored in one.scores.items()
            ),
            *(
                bid_terms(one.ref, one.provider, one.content, one.scores, packages, lot_key=_committed(one))
                for one in bundles
                if one.is_valid and all(each.ref in packages for each in one.rounds)
            ),
        ),
        localities=localities_of(scheme, places, sorted(bidders | others), supply.serving, standing),
        policy=policy_of(scheme, mode),
    )
    return solver.solve(instance, lot_seed=rounds[0].lot_seed, in_process=True)


def _days_waited(round_: AskedRound, now: datetime) -> int:
    since = round_.case.seeking_since
    return max((now - since).days, 0) if since else 0
