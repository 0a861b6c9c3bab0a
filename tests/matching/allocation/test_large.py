"""What the guided engine promises where caps, coverage and a published order come in."""

from dataclasses import replace

import pytest

from matching.allocation import Policy, Status, solve
from matching.allocation.again import solve_again, without_bids
from matching.allocation.book import objective
from matching.allocation.large import solve_large
from matching.allocation.outcome import Outcome
from matching.allocation.problem import Problem, number
from matching.allocation.stored import result_from_json, result_to_json
from matching.allocation.work import Work
from tests.matching.allocation.markets import SEED, a_market

CAPPED = Policy(coverage_pence=9_000, default_target=2, awards_per_provider=1)
LITTLE = Work(effort=100)


def _guided(seed: int, policy: Policy) -> tuple[Problem, Outcome]:
    market = a_market(seed, packages=12, providers=5, localities=3, policy=policy)
    urgent = tuple(replace(package, priority=1) for package in market.packages)
    problem = number(replace(market, packages=urgent), SEED)
    return problem, solve_large(problem, LITTLE, None)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_where_caps_give_way_the_bound_holds_for_awards_without_caps(seed: int) -> None:
    problem, outcome = _guided(seed, CAPPED)

    free = replace(problem.instance, policy=replace(CAPPED, awards_per_provider=None))
    best = solve(free, lot_seed=SEED, in_process=True)
    assert best.status is Status.OPTIMAL
    assert any("caps gave way" in note for note in outcome.notes)
    assert outcome.bound is not None
    assert outcome.bound <= best.objective_pence <= objective(problem, outcome.won)


@pytest.mark.slow
def test_a_search_goes_on_from_earlier_awards_and_prices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matching.allocation.problem.MOST_EXACT_BIDS", 0)
    market = a_market(4, packages=25, providers=8, localities=4, policy=replace(CAPPED, awards_per_provider=None))
    first = solve(market, lot_seed=SEED, effort=500, in_process=True)
    assert first.guide is not None
    assert result_from_json(result_to_json(first)).guide == first.guide
    later = without_bids(market, {first.awards[0].bid})

    again = solve_again(later, first.awards, lot_seed=SEED, effort=500, in_process=True, guide=first.guide)

    steady = again.steady
    before = {award.package: award.provider for award in first.awards}
    cold = {award.package: award.provider for award in again.cold.awards}
    refs = {package.ref for package in market.packages}
    assert len(again.changes) <= sum(before.get(ref) != cold.get(ref) for ref in refs)
    assert steady.bound_pence is not None
    # The old prices alone still give most of the bound: nothing was learnt anew from a relaxation.
    assert first.bound_pence is not None
    assert steady.bound_pence >= 0.9 * first.bound_pence


@pytest.mark.slow
def test_coverage_that_was_weighed_and_did_not_give_way_is_said() -> None:
    _, outcome = _guided(0, CAPPED)
    _, unpriced = _guided(0, replace(CAPPED, coverage_pence=0))

    assert any("coverage is weighed at its price" in note for note in outcome.notes)
    assert not any("coverage" in note for note in unpriced.notes)


@pytest.mark.slow
def test_a_published_order_is_approached_and_the_run_says_how_near_each_level_has_come() -> None:
    problem, outcome = _guided(1, Policy(objective=("unplaced", "coverage", "cost"), default_target=2))

    exact = solve(problem.instance, lot_seed=SEED, in_process=True)
    placed = sum(int(problem.bid_packages[bid]) for bid in outcome.won)
    assert outcome.bound is None
    assert not outcome.proven
    assert any("approached by steep prices" in note for note in outcome.notes)
    assert placed == exact.report.placed
    left = sum(level.value for level in outcome.levels[:2])
    assert left == sum(level.bound for level in outcome.levels[:2]) == exact.report.unplaced
    assert all(level.words in outcome.notes for level in outcome.levels)
    assert [level.is_absolute for level in outcome.levels[:3]] == [True, True, True]
