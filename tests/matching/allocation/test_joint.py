"""The joint award: optimal against brute force, the same every time, and never better for less."""

from dataclasses import replace

import pytest

from matching.allocation import Bid, Instance, LocalityTerms, Package, Policy, Previous, Provider, Status, check, solve
from matching.allocation.lots import lot
from tests.matching.allocation.markets import (
    SEED,
    a_market,
    awards_of,
    best_by_trying_everything,
    every_award,
    limited,
    shuffled,
)

COVERAGE = Policy(coverage_pence=9_000, default_target=2)


@pytest.mark.parametrize("seed", range(25))
def test_the_award_is_the_best_of_all_awards(seed: int) -> None:
    market = a_market(seed, packages=4, bundles=seed % 3)

    result = solve(market, lot_seed=SEED, in_process=True)

    assert result.status is Status.OPTIMAL
    assert result.objective_pence == result.bound_pence == best_by_trying_everything(market)


@pytest.mark.parametrize("seed", range(20))
def test_the_award_is_the_best_under_every_providers_own_limits(seed: int) -> None:
    market = limited(a_market(seed, packages=5, localities=3, bundles=seed % 2, policy=COVERAGE), seed)

    result = solve(market, lot_seed=SEED, in_process=True)

    assert result.status is Status.OPTIMAL
    assert result.objective_pence == best_by_trying_everything(market)


@pytest.mark.parametrize("seed", range(15))
def test_the_award_is_the_best_with_coverage_quality_delay_and_stability_priced(seed: int) -> None:
    market = a_market(seed, packages=4, policy=replace(COVERAGE, quality_pence_per_point_hour=3, stability_pence=4_000))
    bids = tuple(replace(bid, quality=50 + 7 * place % 50) for place, bid in enumerate(market.bids))
    calm = tuple(replace(package, priority=3, unplaced_pence=40_000) for package in market.packages)
    market = replace(market, bids=bids, packages=calm, previous=(Previous("P0", "V1"), Previous("P2", "V0")))

    result = solve(market, lot_seed=SEED, in_process=True)

    assert result.status is Status.OPTIMAL
    assert result.objective_pence + result.report.stability_pence == best_by_trying_everything(market)


@pytest.mark.parametrize("seed", range(12))
def test_a_cheaper_bid_more_never_raises_the_optimum_and_more_capacity_never_hurts(seed: int) -> None:
    market = a_market(seed, packages=6)
    best = solve(market, lot_seed=SEED, in_process=True).objective_pence
    cheaper = replace(market.bids[seed % len(market.bids)], ref="extra", lot_key="extra", weekly_pence=1_000)
    roomier = tuple(replace(provider, capacity_minutes=100_000, max_packages=None) for provider in market.providers)

    with_bid = solve(replace(market, bids=(*market.bids, cheaper)), lot_seed=SEED, in_process=True)
    with_room = solve(replace(market, providers=roomier), lot_seed=SEED, in_process=True)

    assert with_bid.objective_pence <= best
    assert with_room.objective_pence <= best


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_neither_row_order_nor_workers_change_a_counted_award(seed: int) -> None:
    market = a_market(seed, packages=9, providers=5, steps=3, policy=COVERAGE)
    first = solve(market, lot_seed=SEED, in_process=True)

    others = [
        solve(shuffled(market, order), lot_seed=SEED, in_process=True, workers=1 + 7 * (order % 2))
        for order in range(34)
    ]

    assert {other.awards for other in others} == {first.awards}
    assert {other.draws for other in others} == {first.draws}


def test_equal_bids_are_drawn_by_lot_and_every_one_of_them_can_win() -> None:
    rivals = tuple(Bid(f"B{place}", f"V{place}", ("P",), 20_000) for place in range(4))
    market = Instance((Package("P", "L", 600),), tuple(Provider(bid.provider) for bid in rivals), rivals)

    results = [solve(market, lot_seed=bytes([seed]), in_process=True) for seed in range(60)]

    assert {result.awards[0].bid for result in results} == {"B0", "B1", "B2", "B3"}
    assert all(result.draws[0].equal_bids == ("B0", "B1", "B2", "B3") for result in results)


def test_the_published_tie_order_comes_before_the_lot() -> None:
    late, early = Bid("B0", "V0", ("P",), 20_000, tie=(3, 0)), Bid("B1", "V1", ("P",), 20_000, tie=(0, 9))
    market = Instance((Package("P", "L", 600),), (Provider("V0"), Provider("V1")), (late, early))

    winners = {solve(market, lot_seed=bytes([seed]), in_process=True).awards[0].bid for seed in range(20)}

    assert winners == {"B1"}


def test_lots_decide_between_equal_awards_of_packages_that_compete_for_hours() -> None:
    packages = (Package("P0", "L", 600, 3), Package("P1", "L", 600, 3))
    bids = tuple(Bid(f"B{place}{seller}", seller, (f"P{place}",), 20_000) for place in (0, 1) for seller in "VW")
    market = Instance(packages, (Provider("V", 600), Provider("W", 600)), bids)

    results = [solve(market, lot_seed=bytes([seed]), in_process=True) for seed in range(30)]

    assert {tuple(award.provider for award in result.awards) for result in results} == {("V", "W"), ("W", "V")}
    assert all(result.draws for result in results)


@pytest.mark.parametrize("seed", range(12))
def test_of_all_awards_as_good_the_tie_order_and_then_the_lowest_lots_win(seed: int) -> None:
    market = a_market(seed, packages=4, providers=4, steps=1)
    market = replace(market, bids=tuple(replace(bid, tie=(*bid.tie[:1], 0)) for bid in market.bids))

    result = solve(market, lot_seed=SEED, in_process=True)

    def of(won: list[Bid], place: int) -> int:
        return sum(bid.tie[place] * len(bid.packages) for bid in won)

    judged = []
    for won in every_award(market):
        report = check(market, awards_of(market, won))
        if report.is_feasible and report.objective_pence == result.objective_pence:
            lots = sum(lot(SEED, "bid", bid.lot_key) for bid in won)
            judged.append((report.unplaced, of(won, 0), of(won, 1), lots, {bid.ref for bid in won}))
    assert {award.bid for award in result.awards} == min(judged)[-1]


def _two_for_one_share(priority: int, policy: Policy) -> Instance:
    packages = (Package("P0", "L", 600, priority), Package("P1", "L", 600, priority))
    bids = tuple(Bid(f"B{place}", "V", (f"P{place}",), 20_000) for place in (0, 1))
    return Instance(packages, (Provider("V"),), bids, (LocalityTerms("V", "L"),), policy)


@pytest.mark.parametrize("policy", [Policy(locality_share_bp=5_000), Policy(awards_per_provider=1)])
def test_caps_bind_for_calm_packages_and_give_way_to_urgent_ones(policy: Policy) -> None:
    calm = solve(_two_for_one_share(3, policy), lot_seed=SEED, in_process=True)
    urgent = solve(_two_for_one_share(2, policy), lot_seed=SEED, in_process=True)

    assert (calm.report.placed, len(calm.report.gave_way)) == (1, 0)
    assert (urgent.report.placed, len(urgent.report.gave_way)) == (2, 1)


def test_coverage_gives_way_before_an_urgent_person_is_left() -> None:
    packages = (Package("P0", "L", 600, 1, 31_000), Package("P1", "M", 600, 4, 30_000))
    bids = (Bid("B0", "V", ("P0",), 20_000), Bid("B1", "V", ("P1",), 20_000))
    incumbent = (LocalityTerms("V", "L", committed_minutes=60),)
    policy = Policy(coverage_pence=50_000, targets={"M": 1})

    result = solve(Instance(packages, (Provider("V", 600),), bids, incumbent, policy), lot_seed=SEED, in_process=True)

    assert [award.package for award in result.awards] == ["P0"]
    assert any("gave way" in note for note in result.notes)


def test_a_published_order_places_a_person_at_any_price_and_prices_do_not() -> None:
    packages = (Package("P", "L", 600, 4, 100),)
    market = Instance(packages, (Provider("V"),), (Bid("B", "V", ("P",), 20_000),))
    ordered = replace(market, policy=Policy(objective=("unplaced", "coverage", "cost")))

    assert solve(market, lot_seed=SEED, in_process=True).awards == ()
    assert solve(ordered, lot_seed=SEED, in_process=True).report.placed == 1


def test_in_a_published_order_coverage_can_outrank_cost() -> None:
    packages = (Package("P", "L", 600),)
    bids = (Bid("B0", "V", ("P",), 20_000), Bid("B1", "W", ("P",), 30_000))
    incumbent = (LocalityTerms("V", "L", committed_minutes=60),)
    policy = Policy(default_target=2, objective=("unplaced", "coverage", "cost"))
    market = Instance(packages, (Provider("V"), Provider("W")), bids, incumbent, policy)
    cost_first = replace(market, policy=replace(policy, objective=("unplaced", "cost", "coverage")))

    assert solve(market, lot_seed=SEED, in_process=True).awards[0].bid == "B1"
    assert solve(cost_first, lot_seed=SEED, in_process=True).awards[0].bid == "B0"


def test_an_earlier_award_is_kept_while_a_change_saves_less_than_its_price() -> None:
    bids = (Bid("B0", "V", ("P",), 20_000), Bid("B1", "W", ("P",), 21_000))
    market = Instance((Package("P", "L", 600),), (Provider("V"), Provider("W")), bids, previous=(Previous("P", "W"),))
    sticky = replace(market, policy=Policy(stability_pence=2_000))

    assert solve(market, lot_seed=SEED, in_process=True).awards[0].provider == "V"
    assert solve(sticky, lot_seed=SEED, in_process=True).awards[0].provider == "W"


def test_work_that_runs_out_leaves_a_refereed_award_that_is_not_called_optimal() -> None:
    market = a_market(3, packages=40, providers=12, localities=4, policy=COVERAGE)

    result = solve(market, lot_seed=SEED, effort=1, in_process=True)

    assert result.status is Status.FEASIBLE
    assert result.report.is_feasible
    assert result.counted
    assert result.bound_pence is None or result.bound_pence <= result.objective_pence
