"""The knapsack is exact, the bound never lies above an optimum, and holdings keep their own accounts."""

import random
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from matching.allocation import Policy, Provider, Status, solve
from matching.allocation.anneal import anneal
from matching.allocation.book import Book, objective
from matching.allocation.bound import Oracle, raise_bound
from matching.allocation.first_prices import first_prices
from matching.allocation.greedy import greedy
from matching.allocation.groups import grouped
from matching.allocation.guided import COOLINGS, Plan, guided
from matching.allocation.market import Market, Numbering, as_market
from matching.allocation.problem import Problem, number
from matching.allocation.records import Instance
from matching.allocation.referee import check
from matching.allocation.repair import NO_AWARD, objective_of, repaired
from tests.matching.allocation.markets import SEED, a_market, awards_of, limited, shuffled

PRICED = Policy(coverage_pence=9_000, default_target=2)


def _market(seed: int, **wanted: int) -> tuple[Problem, Numbering]:
    problem = number(a_market(seed, policy=PRICED, **wanted), SEED)
    return problem, as_market(problem)


def _limited_market(seed: int, **wanted: int) -> tuple[Problem, Numbering]:
    problem = number(limited(a_market(seed, policy=PRICED, **wanted), seed), SEED)
    return problem, as_market(problem)


def _best_set(market: Market, provider: int, value: list[int], oracle: Oracle, newcomer: dict[int, int]) -> int:
    """The worth of a provider's best set of bids under rules 2 and 3, no package twice, by trying every set."""
    own = [bid for bid in range(len(market.cost)) if market.provider[bid] == provider]
    best = 0
    for size in range(1, len(own) + 1):
        for chosen in combinations(own, size):
            minutes: dict[int, int] = {}
            packages = [
                package
                for bid in chosen
                for package in market.part_package[market.part_start[bid] : market.part_start[bid + 1]].tolist()
            ]
            if len(set(packages)) < len(packages):
                continue
            for bid in chosen:
                pair = int(market.part_pair[market.part_start[bid]])
                minutes[pair] = minutes.get(pair, 0) + int(market.minutes[bid])
            capacity = market.row_capacity[oracle.providers :]
            if sum(minutes.values()) > market.row_capacity[provider]:
                continue
            if any(used > capacity[pair] or used < market.pair_block[pair] for pair, used in minutes.items()):
                continue
            fixed = sum(
                int(market.pair_entry[pair])
                - (newcomer.get(int(market.pair_locality[pair]), 0) if market.pair_new[pair] else 0)
                for pair in minutes
            )
            best = max(best, sum(value[bid] for bid in chosen) - fixed)
    return best


def _both_worths(seed: int, **wanted: int) -> tuple[list[int], list[int]]:
    """What the knapsack and trying everything make of drawn prices, provider by provider."""
    _, numbering = _market(seed, **wanted)
    market = numbering.market
    oracle = Oracle(market)
    chance = random.Random(seed)
    prices = oracle.start()
    prices.package[:] = [chance.randint(0, 20_000) for _ in prices.package]
    prices.newcomer[:] = [chance.randint(0, 9_000) for _ in prices.newcomer]
    part_bid = np.repeat(np.arange(len(market.cost)), np.diff(market.part_start))
    worth = np.bincount(part_bid, prices.package[market.part_package], len(market.cost))
    value = (worth - market.cost).astype(int).tolist()
    newcomer = dict(zip(oracle.localities.tolist(), prices.newcomer.astype(int).tolist(), strict=True))

    choice = oracle.choose(prices, None, kind=int)

    ends = np.cumsum(choice.count)
    for provider, worth_of in enumerate(choice.worth.tolist()):
        bids = choice.bids[ends[provider] - choice.count[provider] : ends[provider]].tolist()
        pairs = set(market.part_pair[np.isin(part_bid, bids)].tolist())
        entries = sum(
            int(market.pair_entry[pair])
            - (newcomer.get(int(market.pair_locality[pair]), 0) if market.pair_new[pair] else 0)
            for pair in pairs
        )
        assert sum(value[bid] for bid in bids) - entries == worth_of
    expected = [_best_set(market, provider, value, oracle, newcomer) for provider in range(oracle.providers)]
    return choice.worth.tolist(), expected


@pytest.mark.parametrize("seed", range(20))
def test_the_two_level_knapsack_finds_each_providers_best_set(seed: int) -> None:
    found, expected = _both_worths(seed, packages=7, providers=3)

    assert found == expected


@pytest.mark.parametrize("seed", range(20))
def test_bundles_of_one_locality_that_share_packages_are_never_held_together(seed: int) -> None:
    found, expected = _both_worths(seed, packages=5, providers=2, localities=1, bundles=9)

    assert found == expected


def test_where_bids_share_too_much_a_best_set_is_valued_too_high_and_never_too_low(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("matching.allocation.clusters.MOST_SETS", 1)

    worths = [_both_worths(seed, packages=5, providers=2, localities=1, bundles=9) for seed in range(20)]

    pairs = [pair for found, expected in worths for pair in zip(found, expected, strict=True)]
    assert all(one >= other for one, other in pairs)
    assert any(one > other for one, other in pairs)


@pytest.mark.parametrize("seed", range(30))
def test_the_bound_is_never_above_a_proven_optimum(seed: int) -> None:
    instance = limited(a_market(seed, packages=9, providers=4, localities=3, bundles=3, policy=PRICED), seed)
    calm = tuple(replace(package, priority=4, unplaced_pence=60_000) for package in instance.packages)
    instance = replace(instance, packages=calm)
    numbering = as_market(number(instance, SEED))
    oracle = Oracle(numbering.market)

    prices, loose = raise_bound(oracle, first_prices(numbering.market, oracle, None), 600_000.0, 60, None, lambda: True)
    published = oracle.published(prices) + numbering.offset

    best = solve(instance, lot_seed=SEED, in_process=True)
    assert best.status is Status.OPTIMAL
    assert published <= best.objective_pence
    assert abs(published - numbering.offset - loose) <= 100


@pytest.mark.parametrize("seed", range(10))
def test_odd_minutes_make_coarser_units_and_the_bound_stays_valid(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matching.allocation.groups.MOST_CELLS", 12)
    instance = a_market(seed, packages=8, providers=4, policy=PRICED)
    chance = random.Random(seed)
    odd = tuple(
        replace(
            package, priority=4, weekly_minutes=package.weekly_minutes + chance.randint(0, 59), unplaced_pence=60_000
        )
        for package in instance.packages
    )
    instance = replace(instance, packages=odd)
    numbering = as_market(number(instance, SEED))
    oracle = Oracle(numbering.market)

    prices, _ = raise_bound(oracle, first_prices(numbering.market, oracle, None), 480_000.0, 40, None, lambda: True)

    best = solve(instance, lot_seed=SEED, in_process=True)
    assert oracle.published(prices) + numbering.offset <= best.objective_pence


def test_a_provider_with_many_hours_coarsens_nobody_elses_units(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matching.allocation.groups.MOST_CELLS", 20)
    instance = a_market(3, packages=12, providers=4, policy=PRICED)
    large = replace(instance.providers[0], capacity_minutes=60 * 60, max_packages=None)
    market = as_market(number(replace(instance, providers=(large, *instance.providers[1:])), SEED)).market

    unit = grouped(market).unit

    coarse = market.row_capacity[: len(unit)] > 60 * 20
    assert coarse.sum() == 1
    assert (unit[coarse] > 60).all()
    # A provider whose bids nobody could use has nothing to count.
    assert set(unit[~coarse].tolist()) <= {1, 60}
    assert 60 in unit[~coarse]
    assert (market.row_capacity[: len(unit)][coarse] // unit[coarse] <= 20).all()


@pytest.mark.parametrize("seed", range(15))
def test_annealing_keeps_every_limit_and_never_gives_back_a_worse_award(seed: int) -> None:
    problem, numbering = (_market, _limited_market)[seed % 2](seed, packages=20, providers=6, localities=3, bundles=5)
    start = numbering.from_problem([])
    start, before = repaired(numbering.market, start)

    holder, value = anneal(numbering.market, start, 5, 4_000, COOLINGS[0])

    won = numbering.to_problem(holder)
    assert value <= before
    assert objective(problem, won) == value + numbering.offset
    assert check(problem.instance, awards_of(problem.instance, [problem.bids[bid] for bid in won])).faults == ()


def test_an_award_over_a_limit_is_no_award() -> None:
    _, numbering = _market(1, packages=9, providers=3)
    market = numbering.market
    greedy_holder = np.array([market.options[first] for first in market.option_start[:-1]], dtype=np.int64)

    assert objective_of(market, greedy_holder) == NO_AWARD


TINY = Plan(30, 1, 2, 1_000, 3, 0.02, None)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_the_guided_engine_stays_between_its_bound_and_the_greedy_award(seed: int) -> None:
    problem, numbering = (_market, _limited_market)[seed % 2](seed, packages=25, providers=8, localities=4, bundles=3)
    start = greedy(problem)

    found = guided(numbering, [numbering.from_problem(start)], TINY, 1, None)

    assert found.bound <= found.objective <= objective(problem, start)
    assert objective(problem, numbering.to_problem(found.holder)) == found.objective
    book = Book(problem)
    for bid in numbering.to_problem(found.holder):
        assert book.breach(bid) == ""
        book.add(bid)


@pytest.mark.slow
def test_a_counted_search_is_the_same_in_any_order_of_rows() -> None:
    instance = a_market(2, packages=25, providers=8, localities=4, policy=PRICED)

    def award(rows: Instance) -> tuple[list[str], int]:
        problem = number(rows, SEED)
        numbering = as_market(problem)
        found = guided(numbering, [numbering.from_problem([])], TINY, 1, None)
        return sorted(problem.bids[bid].ref for bid in numbering.to_problem(found.holder)), found.bound

    assert [award(shuffled(instance, order)) for order in range(4)] == [award(instance)] * 4


def test_packages_that_nobody_can_hold_are_priced_beforehand() -> None:
    instance = a_market(3, packages=6, providers=3)
    full = tuple(Provider(provider.ref, 0) for provider in instance.providers)
    numbering = as_market(number(replace(instance, providers=full), SEED))

    assert len(numbering.packages) == 0
    assert numbering.offset == sum(package.price_unplaced for package in instance.packages)
    assert guided(numbering, [], TINY, 1, None).bound == numbering.offset
