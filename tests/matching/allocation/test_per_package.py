"""`per_package`: the best-ranked bid wins, limits pass packages on, and nobody would rather swap."""

from dataclasses import replace

import pytest

from dps.kernel.errors import BadInput
from matching.allocation import Bid, Instance, Mode, Package, Policy, Provider, solve
from matching.allocation.book import Book
from matching.allocation.deferred import Settled, _Acceptance, settle
from matching.allocation.problem import Problem, number
from tests.matching.allocation.markets import SEED, a_market, per_package, shuffled

RANKED = Policy(mode=Mode.PER_PACKAGE)


def _two_packages(first: int, second: int, capacity: int) -> Instance:
    packages = (Package("P0", "L", first), Package("P1", "L", second))
    bids = (
        Bid("B0", "V", ("P0",), 10_000, rank=1, preference=2),
        Bid("B1", "V", ("P1",), 10_000, rank=1, preference=1),
        Bid("B2", "W", ("P0",), 12_000, rank=2),
    )
    return Instance(packages, (Provider("V", capacity), Provider("W")), bids, policy=RANKED)


def test_the_best_ranked_bid_wins_while_no_limit_binds() -> None:
    result = solve(_two_packages(300, 300, 600), lot_seed=SEED)

    assert [award.bid for award in result.awards] == ["B0", "B1"]


def test_a_full_provider_keeps_what_it_preferred_and_the_rest_passes_on() -> None:
    result = solve(_two_packages(300, 300, 599), lot_seed=SEED)

    assert [award.bid for award in result.awards] == ["B2", "B1"]


def test_a_package_too_large_for_the_hours_left_is_passed_over_for_a_smaller_one_liked_less() -> None:
    result = solve(_two_packages(300, 700, 600), lot_seed=SEED)

    assert [award.bid for award in result.awards] == ["B0"]
    assert [package.package for package in result.unplaced] == ["P1"]


def _blocking_pairs(problem: Problem, settled: Settled) -> list[tuple[str, str]]:
    """Packages and bids that would both rather have each other, worked out afresh from the award."""
    order = _Acceptance(problem)
    holder = Book(problem, settled.won).holder
    blocking = []
    for package, bids in enumerate(order.ranked):
        better = bids if holder[package] < 0 else bids[: bids.index(holder[package])]
        for bid in better:
            if bid in settled.not_asked_again:
                continue
            book = Book(problem, settled.won)
            if holder[package] >= 0:
                book.drop(holder[package])
            liked_less = [
                other
                for other in sorted(book.held[problem.bid_provider[bid]])
                if order._liking(other) > order._liking(bid)
            ]
            for other in liked_less:
                book.drop(other)
            if not book.breach(bid):
                blocking.append((problem.packages[package].ref, problem.bids[bid].ref))
    return blocking


@pytest.mark.parametrize("seed", range(60))
def test_no_package_and_provider_would_both_rather_have_each_other(seed: int) -> None:
    market = per_package(a_market(seed, packages=14, providers=5, localities=3))
    # Blocks are a promise about a whole locality, not about a pair; they are tested alone.
    market = replace(market, localities=tuple(replace(terms, block_minutes=0) for terms in market.localities))
    problem = number(market, SEED)

    settled = settle(problem)

    assert _blocking_pairs(problem, settled) == []


def test_nearly_always_every_bid_stays_in_the_running() -> None:
    markets = [per_package(a_market(seed, packages=14, providers=5, localities=3)) for seed in range(60)]
    markets = [
        replace(market, localities=tuple(replace(terms, block_minutes=0) for terms in market.localities))
        for market in markets
    ]

    struck = [settle(number(market, SEED)).not_asked_again for market in markets]

    assert sum(map(bool, struck)) <= 3


def test_where_hours_allow_no_stable_award_a_bid_given_up_three_times_is_not_asked_again_and_is_named() -> None:
    # V prefers P2, then the long P0, then P1; W prefers P1 to P2. Each award makes one of them rather have another.
    packages = (Package("P0", "L", 180), Package("P1", "L", 60), Package("P2", "L", 120))
    bids = (
        Bid("V0", "V", ("P0",), 1_000, rank=1, preference=2),
        Bid("V1", "V", ("P1",), 1_000, rank=1, preference=3),
        Bid("V2", "V", ("P2",), 1_000, rank=2, preference=1),
        Bid("W1", "W", ("P1",), 1_000, rank=2, preference=1),
        Bid("W2", "W", ("P2",), 1_000, rank=1, preference=2),
    )
    market = Instance(packages, (Provider("V", 180), Provider("W", 120)), bids, policy=RANKED)
    acceptance = _Acceptance(number(market, SEED))

    acceptance.settle()
    result = solve(market, lot_seed=SEED)

    given_up = {bid.ref: times for bid, times in zip(acceptance.problem.bids, acceptance.given_up, strict=True)}
    assert given_up == {"V0": 3, "V1": 2, "V2": 0, "W1": 0, "W2": 3}
    assert "not asked again: V0, W2" in result.notes
    assert {award.bid for award in result.awards} == {"V1", "V2"}


@pytest.mark.parametrize("seed", range(10))
def test_the_award_keeps_every_limit_blocks_too_and_is_the_same_in_any_order_of_rows(seed: int) -> None:
    market = per_package(a_market(seed, packages=12, providers=5, localities=3))
    first = solve(market, lot_seed=SEED)

    others = {solve(shuffled(market, order), lot_seed=SEED).awards for order in range(10)}

    assert first.report.is_feasible
    assert others == {first.awards}


def test_equal_ranks_are_decided_by_the_tie_order_then_drawn() -> None:
    bids = (
        Bid("B0", "V", ("P",), 1, rank=1, tie=(0,)),
        Bid("B1", "W", ("P",), 1, rank=1, tie=(0,)),
        Bid("B2", "X", ("P",), 1, rank=1, tie=(1,)),
    )
    providers = tuple(Provider(bid.provider) for bid in bids)
    market = Instance((Package("P", "L", 60),), providers, bids, policy=RANKED)

    results = [solve(market, lot_seed=bytes([seed])) for seed in range(30)]

    assert {result.awards[0].bid for result in results} == {"B0", "B1"}
    assert all(result.draws[0].equal_bids == ("B0", "B1") for result in results)


def test_caps_give_way_to_an_urgent_person_left_over() -> None:
    packages = (Package("P0", "L", 60, 3), Package("P1", "L", 60, 1))
    bids = tuple(Bid(f"B{place}", "V", (f"P{place}",), 1, rank=1, preference=place) for place in (0, 1))
    policy = Policy(mode=Mode.PER_PACKAGE, awards_per_provider=1)
    market = Instance(packages, (Provider("V"),), bids, policy=policy)

    result = solve(market, lot_seed=SEED)

    assert result.report.placed == 2
    assert [fault.rule for fault in result.report.gave_way] == ["6 award cap"]


def test_a_bundle_or_a_bid_without_a_rank_is_refused() -> None:
    packages = (Package("P0", "L", 60), Package("P1", "L", 60))
    bundle = Instance(packages, (Provider("V"),), (Bid("S", "V", ("P0", "P1"), 1, rank=1),), policy=RANKED)
    unranked = Instance(packages, (Provider("V"),), (Bid("B", "V", ("P0",), 1),), policy=RANKED)

    with pytest.raises(BadInput, match="bundle"):
        solve(bundle, lot_seed=SEED)
    with pytest.raises(BadInput, match="rank"):
        solve(unranked, lot_seed=SEED)
