"""The referee: each rule alone turns a good award bad, and back."""

from dataclasses import replace

import pytest

from matching.allocation import (
    Award,
    Bid,
    Instance,
    LocalityTerms,
    Package,
    Policy,
    Previous,
    Provider,
    Report,
    TakeLimit,
    check,
    solve,
)
from tests.matching.allocation.markets import SEED, a_market, awards_of

PACKAGES = (Package("P0", "L", 600, 3), Package("P1", "L", 300, 3))
BIDS = (Bid("B0", "V", ("P0",), 20_000), Bid("B1", "V", ("P1",), 10_000))
MARKET = Instance(PACKAGES, (Provider("V"), Provider("W")), BIDS)
BOTH = awards_of(MARKET, list(BIDS))


def _rules(report: Report) -> set[str]:
    return {fault.rule for fault in report.faults}


def test_an_award_that_keeps_every_rule_has_no_fault() -> None:
    assert check(MARKET, BOTH).faults == ()


@pytest.mark.parametrize(
    ("tightened", "rule"),
    [
        (replace(MARKET, providers=(Provider("V", 899), Provider("W"))), "2 capacity"),
        (replace(MARKET, localities=(LocalityTerms("V", "L", 899),)), "3 locality capacity"),
        (replace(MARKET, localities=(LocalityTerms("V", "L", block_minutes=901),)), "3 block"),
        (replace(MARKET, providers=(Provider("V", max_packages=1), Provider("W"))), "5 take limit"),
        (replace(MARKET, localities=(LocalityTerms("V", "L", max_packages=1),)), "5 take limit"),
        (
            replace(MARKET, providers=(Provider("V", take_limits=(TakeLimit("am", frozenset({"P0"}), 0),)),)),
            "5 take limit",
        ),
        (
            replace(
                MARKET, providers=(Provider("V", take_limits=(TakeLimit("am", frozenset({"P1"}), max_minutes=299),)),)
            ),
            "5 take limit",
        ),
        (replace(MARKET, bids=(replace(BIDS[0], excludes=("B1",)), BIDS[1])), "5 either-or"),
        (replace(MARKET, providers=(Provider("V", max_new_localities=0), Provider("W"))), "6 new localities"),
        (replace(MARKET, policy=Policy(locality_share_bp=9_999)), "6 share cap"),
        (replace(MARKET, policy=Policy(awards_per_provider=1)), "6 award cap"),
    ],
)
def test_each_rule_alone_turns_a_good_award_bad(tightened: Instance, rule: str) -> None:
    assert _rules(check(tightened, BOTH)) == {rule}


@pytest.mark.parametrize(
    ("awards", "rule"),
    [
        ((*BOTH, Award("P0", "V", "B0", 20_000, "")), "1 once"),
        ((Award("P0", "W", "B0", 20_000, ""),), "1 bid"),
        ((Award("P1", "V", "B0", 20_000, ""),), "1 bid"),
        ((Award("P0", "V", "B9", 20_000, ""),), "1 bid"),
        ((Award("P0", "V", "B0", 19_999, ""),), "1 price"),
    ],
)
def test_an_award_is_a_bid_as_it_was_made(awards: tuple[Award, ...], rule: str) -> None:
    assert rule in _rules(check(MARKET, awards))


def test_a_bundle_is_awarded_whole_or_not_at_all() -> None:
    bundle = Bid("S", "V", ("P0", "P1"), 28_001)
    market = replace(MARKET, bids=(bundle,))
    whole = awards_of(market, [bundle])

    assert check(market, whole).faults == ()
    assert sum(award.weekly_pence for award in whole) == 28_001
    assert _rules(check(market, whole[:1])) == {"1 bundle"}


def test_an_incumbent_needs_no_block_and_pays_no_entry() -> None:
    terms = LocalityTerms("V", "L", committed_minutes=60, block_minutes=901, entry_pence=5_000)

    report = check(replace(MARKET, localities=(terms,)), BOTH)

    assert report.faults == ()
    assert report.entry_pence == 0


def test_the_caps_give_way_to_urgent_people_alone() -> None:
    urgent = tuple(replace(package, priority=2) for package in PACKAGES)
    market = replace(MARKET, packages=urgent, policy=Policy(awards_per_provider=1))

    report = check(market, BOTH)

    assert report.faults == ()
    assert [fault.rule for fault in report.gave_way] == ["6 award cap"]


def test_every_part_of_the_objective_is_counted_once() -> None:
    policy = Policy(
        coverage_pence=7,
        targets={"L": 3},
        quality_pence_per_point_hour=2,
        delay_pence_per_day=(0, 0, 11, 0),
        waiting_pence_per_day=(0, 0, 13, 0),
        stability_pence=17,
    )
    packages = (replace(PACKAGES[0], unplaced_pence=100_000), replace(PACKAGES[1], unplaced_pence=500, days_waited=3))
    bids = (replace(BIDS[0], quality=90, start_delay_days=4), BIDS[1], Bid("B2", "W", ("P1",), 9_000))
    terms = (LocalityTerms("V", "L", entry_pence=1_000),)
    market = replace(
        MARKET, packages=packages, bids=bids, localities=terms, policy=policy, previous=(Previous("P1", "W"),)
    )

    report = check(market, awards_of(market, [bids[0]]))

    assert report.award_pence == 20_000
    assert report.quality_pence == 2 * 10 * 10
    assert report.delay_pence == 11 * 4
    assert report.entry_pence == 1_000
    assert report.unplaced_pence == 500 + 13 * 3
    assert (report.missing_providers, report.coverage_pence) == (1, 7)
    assert (report.changes, report.stability_pence) == (1, 17)
    assert report.objective_pence == 20_000 + 200 + 44 + 1_000 + 539 + 7
    assert (report.placed, report.unplaced, report.unplaced_by_priority) == (1, 1, (0, 0, 1, 0))


def test_a_target_never_asks_for_more_providers_than_bid_there() -> None:
    policy = Policy(coverage_pence=7, default_target=9)

    assert check(replace(MARKET, policy=policy), ()).missing_providers == 1


@pytest.mark.parametrize("seed", range(20))
def test_the_referee_agrees_with_the_engine(seed: int) -> None:
    market = a_market(
        seed, packages=12, providers=6, localities=3, bundles=2, policy=Policy(coverage_pence=4_000, default_target=3)
    )

    result = solve(market, lot_seed=SEED, in_process=True)

    assert check(market, result.awards).objective_pence == result.objective_pence
    assert result.report.is_feasible
