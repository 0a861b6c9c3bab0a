"""What stands around an award: explanations, second answers, many councils."""

import os
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from dps.kernel.errors import Corrupted
from matching.allocation import Bid, Instance, Package, Policy, Provider, Result, solve
from matching.allocation.again import solve_again, without_bids
from matching.allocation.explaining import explain, reason_for_losing
from matching.allocation.many import Job, process_pool, solve_many
from tests.matching.allocation.markets import SEED, a_market, best_by_trying_everything

PRICED = Policy(coverage_pence=9_000, default_target=2)


def _one_room_for_two() -> Instance:
    """V is cheapest for both packages and has hours for one; only W can take the other, for P1 much dearer."""
    packages = (Package("P0", "L", 600, 4, 90_000), Package("P1", "L", 600, 4, 90_000))
    bids = (
        Bid("V0", "V", ("P0",), 20_000),
        Bid("V1", "V", ("P1",), 20_000),
        Bid("W0", "W", ("P0",), 22_000),
        Bid("W1", "W", ("P1",), 29_000),
    )
    return Instance(packages, (Provider("V", 600), Provider("W", 600)), bids)


def test_an_explanation_names_who_stood_first_who_got_it_and_both_ends_of_the_price() -> None:
    market = _one_room_for_two()
    result = solve(market, lot_seed=SEED, in_process=True)

    told = explain(market, result)

    story = told.packages[0]
    assert (story.package, story.alone, story.awarded, story.between) == ("P0", "V0", "W0", "capacity")
    assert story.words == "V0 stood first alone; W0 was awarded, because its provider has no free hours left for it."
    assert story.at_least_pence is not None
    # With V0 the award is V0 and W1: 49,000 instead of 42,000.
    assert 0 <= story.at_least_pence <= 7_000 == story.at_most_pence
    assert told.packages[1].alone == told.packages[1].awarded == "V1"
    assert {story.provider: story.more_but_for_own_limit for story in told.providers} == {"V": 1, "W": 0}


@pytest.mark.parametrize("seed", range(6))
def test_the_price_of_an_alternative_lies_between_its_two_ends(seed: int) -> None:
    market = a_market(seed, packages=4, providers=4)
    calm = tuple(replace(package, priority=4, unplaced_pence=60_000) for package in market.packages)
    market = replace(market, packages=calm)
    result = solve(market, lot_seed=SEED, in_process=True)

    for story in explain(market, result).packages:
        if story.at_most_pence is None or story.at_least_pence is None:
            continue
        forced = replace(
            market,
            bids=tuple(bid for bid in market.bids if bid.ref == story.alone or story.package not in bid.packages),
        )
        must = tuple(
            replace(package, unplaced_pence=50_000_000) if package.ref == story.package else package
            for package in forced.packages
        )
        true_price = best_by_trying_everything(replace(forced, packages=must)) - result.objective_pence
        assert story.at_most_pence >= true_price


def test_an_unplaced_package_names_the_one_change_that_would_let_the_most_in() -> None:
    market = replace(_one_room_for_two(), providers=(Provider("V", 600), Provider("W", 0)))
    result = solve(market, lot_seed=SEED, in_process=True)

    left = next(story for story in explain(market, result).packages if not story.awarded)

    assert left.one_change in {"capacity", "unusable"}


def test_a_loser_hears_its_place_and_never_a_price() -> None:
    market = _one_room_for_two()
    result = solve(market, lot_seed=SEED, in_process=True)

    full = reason_for_losing(market, result, "V0")
    dearer = reason_for_losing(market, result, "W1")

    assert full == "number 1 of 2 bids for P0; you have no free hours left for it"
    assert dearer == "number 2 of 2 bids for P1; a bid that stood better was awarded"


def test_after_a_decline_the_steady_answer_changes_less_than_the_cold_one_may() -> None:
    market = a_market(11, packages=9, providers=5, policy=PRICED)
    first = solve(market, lot_seed=SEED, in_process=True)
    declined = first.awards[0]

    second = solve_again(without_bids(market, {declined.bid}), first.awards, lot_seed=SEED, in_process=True)

    assert second.steady.report.is_feasible
    assert second.steady.report.changes <= second.cold.report.unplaced + len(first.awards)
    assert second.cold.objective_pence <= second.steady.objective_pence
    change = next(change for change in second.changes if change.package == declined.package)
    assert change.before == declined.provider
    assert change.why == f"{declined.provider} no longer bids for it"


def _jobs() -> dict[str, Job]:
    return {f"council {seed}": Job(a_market(seed, packages=6, policy=PRICED), SEED) for seed in range(4)}


def test_many_councils_get_the_same_awards_as_one_by_one() -> None:
    jobs = _jobs()
    heard: list[str] = []

    results = solve_many(jobs, lambda: ThreadPoolExecutor(2), lambda name, _: heard.append(name))

    alone = {name: solve(job.instance, lot_seed=SEED, in_process=True).awards for name, job in jobs.items()}
    assert {name: result.awards for name, result in results.items()} == alone
    assert sorted(heard) == list(jobs)


@pytest.mark.slow
def test_nothing_is_lost_when_a_process_is_killed_in_mid_run(tmp_path: Path) -> None:
    pools: list[Executor] = []

    def pool() -> Executor:
        pools.append(process_pool())
        if len(pools) == 1:
            pools[0].submit(os._exit, 9)
        return pools[-1]

    results = solve_many(_jobs(), pool)

    assert len(pools) == 2
    assert sorted(results) == sorted(_jobs())


@pytest.mark.slow
def test_processes_that_die_every_time_are_an_error_and_no_silence() -> None:
    def pool() -> Executor:
        executor = process_pool()
        executor.submit(os._exit, 9).exception()
        return executor

    with pytest.raises(Corrupted, match="lost"):
        solve_many(_jobs(), pool)


def test_an_award_of_a_result_is_what_the_caller_keeps() -> None:
    result: Result = solve(_one_room_for_two(), lot_seed=SEED, in_process=True)

    assert [(award.package, award.bid, award.reason) for award in result.awards] == [
        ("P0", "W0", "number 2 of 2 bids; of those before it: 1 has no free hours left for it"),
        ("P1", "V1", "best of 2 bids"),
    ]
