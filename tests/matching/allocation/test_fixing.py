"""What prices settle before a proof holds for every award as good, equal ones and so ties and lots among them."""

from dataclasses import replace

import numpy as np
import pytest

from matching.allocation import Policy, Status, check, solve
from matching.allocation.bound import Oracle, raise_bound
from matching.allocation.first_prices import first_prices
from matching.allocation.fixing import settle
from matching.allocation.market import as_market
from matching.allocation.problem import number
from matching.allocation.records import Bid, Instance
from tests.matching.allocation.markets import SEED, a_market, awards_of, every_award, shuffled

PRICED = Policy(coverage_pence=9_000, default_target=2)


def _as_good(instance: Instance, objective: int) -> list[list[Bid]]:
    good = []
    for won in every_award(instance):
        report = check(instance, awards_of(instance, won))
        if report.is_feasible and report.objective_pence <= objective:
            good.append(won)
    return good


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("worse_by", [0, 2_000])
def test_no_award_as_good_holds_a_bid_left_out_or_leaves_a_package_that_must_be_placed(
    seed: int, worse_by: int
) -> None:
    market = a_market(seed, packages=5, providers=4, bundles=1, steps=3, policy=PRICED)
    calm = tuple(replace(package, priority=4, unplaced_pence=40_000) for package in market.packages)
    market = replace(market, packages=calm)
    best = solve(market, lot_seed=SEED, in_process=True).objective_pence
    problem = number(market, SEED)
    numbering = as_market(problem)
    oracle = Oracle(numbering.market)
    start = first_prices(numbering.market, oracle, None)
    prices, _ = raise_bound(oracle, start, float(best - numbering.offset), 60, None, lambda: True)

    settled = settle(oracle, prices, best + worse_by - numbering.offset)

    may_win = {problem.bids[bid].ref for bid in numbering.bids[settled.may_win]}
    placed = {problem.packages[package].ref for package in numbering.packages[settled.placed]}
    good = _as_good(market, best + worse_by)
    assert good
    for won in good:
        assert {bid.ref for bid in won} <= may_win
        assert placed <= {ref for bid in won for ref in bid.packages}


def test_prices_settle_most_of_a_market_where_hours_are_plenty() -> None:
    market = a_market(3, packages=12, providers=6, localities=2, policy=PRICED)
    problem = number(market, SEED)
    numbering = as_market(problem)
    oracle = Oracle(numbering.market)
    best = solve(market, lot_seed=SEED, in_process=True).objective_pence - numbering.offset
    prices, _ = raise_bound(oracle, first_prices(numbering.market, oracle, None), float(best), 200, None, lambda: True)

    settled = settle(oracle, prices, best)

    assert np.count_nonzero(~settled.may_win) > len(settled.may_win) / 3


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_a_narrowed_proof_gives_the_award_and_the_draws_of_the_whole_one(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = a_market(seed, packages=14, providers=8, localities=3, bundles=2, steps=2, policy=PRICED)
    whole = solve(market, lot_seed=SEED, in_process=True)
    monkeypatch.setattr("matching.allocation.problem.MOST_PLAIN_BIDS", 0)

    narrowed = [solve(shuffled(market, order), lot_seed=SEED, in_process=True) for order in range(3)]

    assert whole.status is Status.OPTIMAL
    assert {one.awards for one in narrowed} == {whole.awards}
    assert {one.draws for one in narrowed} == {whole.draws}
    assert {one.objective_pence for one in narrowed} == {whole.objective_pence}


@pytest.mark.slow
def test_a_proof_that_does_not_come_is_searched_on_and_still_has_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matching.allocation.problem.MOST_PLAIN_BIDS", 0)
    market = a_market(3, packages=40, providers=12, localities=4, policy=PRICED)
    best = solve(market, lot_seed=SEED, in_process=True)

    result = solve(market, lot_seed=SEED, effort=1, in_process=True)

    assert best.status is Status.OPTIMAL
    assert result.status is Status.FEASIBLE
    assert result.bound_pence is not None
    assert 0 < result.bound_pence <= best.objective_pence <= result.objective_pence
