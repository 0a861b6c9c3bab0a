"""Frontiers: cost against coverage, share caps and priority, without dominated points, in words, JSON and a picture."""

import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dps.kernel.errors import BadInput
from matching.allocation import Award, Bid, Instance, LocalityTerms, Package, Policy, Provider, check, solve
from matching.allocation.frontier import frontier, undominated
from matching.allocation.frontier_picture import MOST_TICKS, ticks
from matching.allocation.trades import TRADES, Against, Point, least_share
from tests.matching.allocation.markets import SEED, a_market, awards_of, every_award, per_package

WANTING = a_market(5, packages=9, providers=6, localities=3, policy=Policy(default_target=3))


def _without_caps_that_give_way(market: Instance) -> Instance:
    """The market with nobody so urgent that a cap would give way."""
    calm = tuple(replace(one, priority=4) for one in market.packages)
    return replace(market, packages=calm)


@pytest.mark.parametrize("against", list(Against))
def test_no_point_of_a_frontier_is_beaten_by_another_and_it_can_be_seen(against: Against) -> None:
    shown = frontier(WANTING, lot_seed=SEED, against=against, runs=6, in_process=True)

    costs, amounts = [point.cost_pence for point in shown.points], [point.amount for point in shown.points]
    assert costs == sorted(set(costs))
    assert amounts == sorted(set(amounts), reverse=True)
    told = json.loads(shown.to_json())
    assert told["against"] == against
    assert [point[TRADES[against].amount_name] for point in told["points"]] == amounts
    assert len(shown.lines()) == len(shown.points)
    picture = ElementTree.fromstring(shown.to_svg())
    assert len(picture.findall("{http://www.w3.org/2000/svg}circle")) == len(shown.points)


@pytest.mark.parametrize("against", [Against.COVERAGE, Against.PRIORITY])
def test_a_sweep_of_searches_meets_the_ends_that_proofs_find(against: Against, monkeypatch: pytest.MonkeyPatch) -> None:
    proven = frontier(WANTING, lot_seed=SEED, against=against, runs=6, in_process=True)
    monkeypatch.setattr("matching.allocation.problem.MOST_EXACT_BIDS", 0)

    swept = frontier(WANTING, lot_seed=SEED, against=against, runs=6, effort=500, in_process=True)

    ends = [(point.cost_pence, point.amount) for point in (proven.points[0], proven.points[-1])]
    assert [(point.cost_pence, point.amount) for point in (swept.points[0], swept.points[-1])] == ends
    assert undominated(swept.points) == swept.points


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("large", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_under_share_caps_each_point_is_the_cheapest_award_of_its_share(
    seed: int, large: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    market = _without_caps_that_give_way(a_market(seed, packages=5, providers=3, localities=1))
    best: dict[int, int] = {}
    for won in every_award(market):
        awards = awards_of(market, won)
        report = _objective(market, awards)
        if report is not None:
            share = least_share(market, awards)
            best[share] = min(best.get(share, report), report)
    if large:
        monkeypatch.setattr("matching.allocation.problem.MOST_EXACT_BIDS", 0)

    shown = frontier(market, lot_seed=SEED, against=Against.SHARE, effort=500, in_process=True)

    assert shown.points[0].cost_pence == min(best.values())
    for point in shown.points:
        assert point.cost_pence == min(cost for share, cost in best.items() if share <= point.amount)


def _objective(market: Instance, awards: tuple[Award, ...]) -> int | None:
    """The objective of a feasible award."""
    report = check(market, awards)
    return report.objective_pence if report.is_feasible else None


def test_the_least_share_is_the_tightest_cap_that_the_referee_lets_pass() -> None:
    market = _without_caps_that_give_way(a_market(7, packages=6, providers=3, localities=2))
    result = solve(market, lot_seed=SEED, in_process=True)

    share = least_share(market, result.awards)

    def capped(cap: int) -> Instance:
        return replace(market, policy=Policy(locality_share_bp=cap))

    assert share > 1
    assert check(capped(share), result.awards).is_feasible
    assert not check(capped(share - 1), result.awards).is_feasible


def test_a_spared_first_package_counts_towards_no_share() -> None:
    packages = (Package("P0", "L", 600), Package("P1", "L", 300))
    bids = (Bid("B0", "V", ("P0",), 10_000), Bid("B1", "W", ("P1",), 10_000))
    market = Instance(packages, (Provider("V"), Provider("W")), bids)
    spared = replace(market, policy=Policy(share_spares_first_package=True))
    committed = replace(spared, localities=(LocalityTerms("V", "L", committed_minutes=100),))
    awards = awards_of(market, list(bids))

    assert least_share(market, awards) == 6_667
    assert least_share(spared, awards) == 0
    assert least_share(committed, awards) == 7_000


def test_a_point_that_costs_more_for_no_more_coverage_is_left_out() -> None:
    good, worse, better = Point(0, 10, 3, 0, 0), Point(1, 11, 3, 0, 0), Point(2, 12, 1, 0, 0)

    assert undominated([better, worse, good]) == (good, better)


@pytest.mark.parametrize(
    ("market", "against", "words"),
    [
        (replace(WANTING, policy=Policy()), Against.COVERAGE, "wants another provider"),
        (replace(WANTING, bids=()), Against.SHARE, "nobody bids"),
        (_without_caps_that_give_way(WANTING), Against.PRIORITY, "nobody has priority 1 or 2"),
        (per_package(WANTING), Against.COVERAGE, "mode = 'joint'"),
    ],
)
def test_where_there_is_nothing_to_trade_it_says_what_is_wanted(market: Instance, against: Against, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        frontier(market, lot_seed=SEED, against=against, in_process=True)


@given(st.lists(st.integers(0, 10**12), max_size=5), st.sampled_from((1, 100)))
def test_ticks_are_few_round_numbers_around_every_value(values: list[int], finest: int) -> None:
    marks = ticks(values, finest)

    step = marks[1] - marks[0]
    assert marks == list(range(marks[0], marks[-1] + 1, step))
    assert 2 <= len(marks) <= MOST_TICKS
    assert all(marks[0] <= value <= marks[-1] for value in values)
    assert str(step // finest).rstrip("0") in ("1", "2", "5")
    assert step % finest == 0
