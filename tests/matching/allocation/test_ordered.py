"""A published order above a day's size: each level has a bound that no award undercuts, and the referee's number."""

import random

import pytest

from dps.kernel.errors import Corrupted
from matching.allocation import Instance, Policy, check, result_from_json, result_to_json, solve
from matching.allocation.ordered import level_bounds
from matching.allocation.problem import number
from matching.allocation.records import Level
from matching.allocation.results import LevelBound, Report
from matching.allocation.work import Work
from matching.allocation.written import as_record
from tests.matching.allocation.markets import SEED, a_market, awards_of, every_award

ORDERS: tuple[tuple[Level, ...], ...] = (
    ("unplaced", "coverage", "cost"),
    ("coverage", "unplaced", "cost"),
    ("unplaced", "cost", "coverage"),
)


def _counted(report: Report, order: tuple[Level, ...]) -> list[int]:
    """Every level of an award, from the referee."""
    one, two, three, four = report.unplaced_by_priority
    named = {
        "unplaced": [three, four],
        "coverage": [report.missing_providers],
        "cost": [report.award_pence + report.quality_pence + report.delay_pence + report.entry_pence],
    }
    return [one, two, *(number for level in order for number in named[level])]


def _market(seed: int, order: tuple[Level, ...]) -> Instance:
    policy = Policy(objective=order, default_target=2, awards_per_provider=2)
    return a_market(seed, packages=5, providers=4, localities=2, bundles=2, policy=policy)


@pytest.mark.slow
@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("seed", range(2))
def test_no_award_that_is_no_worse_above_undercuts_a_levels_bound(seed: int, order: tuple[Level, ...]) -> None:
    market = _market(seed, order)
    problem = number(market, SEED)
    place = {bid.ref: number for number, bid in enumerate(problem.bids)}
    reports = [(won, check(market, awards_of(market, won))) for won in every_award(market)]
    feasible = [(won, _counted(report, order)) for won, report in reports if report.is_feasible]
    best = min(counted for _, counted in feasible)
    chosen = random.Random(seed).sample(feasible, 4)

    for won, counted in [*chosen, next(one for one in feasible if one[1] == best)]:
        levels = level_bounds(problem, sorted(place[bid.ref] for bid in won), Work())

        assert [level.value for level in levels] == counted
        for depth, level in enumerate(levels):
            as_good = [
                other[depth]
                for _, other in feasible
                if all(one <= own for one, own in zip(other[:depth], counted, strict=False))
            ]
            assert level.bound <= min(as_good)
            if level.is_absolute:
                assert level.bound <= best[depth]


@pytest.mark.slow
def test_the_levels_of_a_result_are_kept_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matching.allocation.problem.MOST_EXACT_BIDS", 0)
    market = a_market(3, packages=20, providers=7, localities=3, policy=Policy(objective=ORDERS[0], default_target=2))

    result = solve(market, lot_seed=SEED, effort=200, in_process=True)

    assert [level.value for level in result.levels] == _counted(result.report, ORDERS[0])
    assert result_from_json(result_to_json(result)).levels == result.levels
    assert [level["bound"] for level in as_record(result)["levels"]] == [level.bound for level in result.levels]


@pytest.mark.slow
def test_a_level_that_the_referee_counts_otherwise_lets_nothing_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("matching.allocation.problem.MOST_EXACT_BIDS", 0)
    wrong = (LevelBound("people of priority 1 left", 99, 0, True),)
    monkeypatch.setattr("matching.allocation.large.level_bounds", lambda *_: wrong)
    market = a_market(3, packages=8, providers=4, policy=Policy(objective=ORDERS[0]))

    with pytest.raises(Corrupted, match="the referee counts"):
        solve(market, lot_seed=SEED, effort=100, in_process=True)


@pytest.mark.parametrize(
    ("level", "words"),
    [
        (LevelBound("providers missing", 4, 4, True), "providers missing: 4; the least"),
        (LevelBound("providers missing", 4, 3, True), "providers missing: 4; no best award comes to less than 3"),
        (
            LevelBound("providers missing", 4, 4, False),
            "providers missing: 4; the least of all awards no worse on the levels above",
        ),
        (
            LevelBound("providers missing", 4, 3, False),
            "providers missing: 4; no award that is no worse on the levels above comes to less than 3",
        ),
    ],
)
def test_a_level_says_exactly_what_its_bound_is_of(level: LevelBound, words: str) -> None:
    assert level.words == words
