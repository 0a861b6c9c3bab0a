"""What the guided engine promises where caps, coverage and a published order come in."""

from dataclasses import replace

import pytest

from matching.allocation import Policy, Status, solve
from matching.allocation.book import objective
from matching.allocation.large import solve_large
from matching.allocation.outcome import Outcome
from matching.allocation.problem import Problem, number
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
def test_coverage_that_was_weighed_and_did_not_give_way_is_said() -> None:
    _, outcome = _guided(0, CAPPED)
    _, unpriced = _guided(0, replace(CAPPED, coverage_pence=0))

    assert any("coverage is weighed at its price" in note for note in outcome.notes)
    assert not any("coverage" in note for note in unpriced.notes)


@pytest.mark.slow
def test_a_published_order_is_approached_and_the_run_says_that_nothing_is_known_about_how_near() -> None:
    problem, outcome = _guided(1, Policy(objective=("unplaced", "coverage", "cost"), default_target=2))

    exact = solve(problem.instance, lot_seed=SEED, in_process=True)
    placed = sum(int(problem.bid_packages[bid]) for bid in outcome.won)
    assert outcome.bound is None
    assert not outcome.proven
    assert any("approached by steep prices" in note for note in outcome.notes)
    assert placed == exact.report.placed
