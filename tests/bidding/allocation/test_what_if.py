"""The what-if's rules, without a database: other weights rank anew, other prices decide anew, time is kept."""

import time
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

from bidding.allocation.what_if import Over, ranked, under, what_if
from dps.schemes.loader import preset
from dps.schemes.model import Mode
from matching import allocation as solver

NOON = datetime(2019, 3, 4, 12, tzinfo=UTC)
RULES = preset("worcestershire")
POINTS = {("cheap", "one"): (100_000, 40_000), ("good", "one"): (80_000, 90_000)}


def a_bid(ref: str, *, pence: int, rank: int | None = None, package: str = "one") -> solver.Bid:
    return solver.Bid(ref=ref, provider=f"of-{ref}", packages=(package,), weekly_pence=pence, rank=rank)


def an_instance(packages: int = 1) -> solver.Instance:
    names = ["one", *(f"package-{number}" for number in range(1, packages))]
    bids = [a_bid("cheap", pence=10_000, rank=1), a_bid("good", pence=12_000, rank=2)]
    return solver.Instance(
        packages=tuple(solver.Package(ref=name, locality="here", weekly_minutes=600) for name in names),
        providers=(solver.Provider("of-cheap"), solver.Provider("of-good")),
        bids=tuple(bids),
        policy=solver.Policy(mode=solver.Mode.PER_PACKAGE),
    )


def decided(instance: solver.Instance, winner: str = "cheap") -> Over:
    awards = [["one", f"of-{winner}", winner, 10_000, "won"]]
    run = SimpleNamespace(instance=solver.instance_to_json(instance), lot_seed="00" * 32, answer={"awards": awards})
    return Over("CLO-1", NOON, Mode.SEALED_BID, cast(Any, run), POINTS, frozenset({"one"}))


def test_other_weights_rank_the_bids_of_a_package_anew() -> None:
    bids = an_instance().bids

    assert [bid.rank for bid in ranked(bids, POINTS, 100)] == [1, 2]
    assert [bid.rank for bid in ranked(bids, POINTS, 60)] == [2, 1]


def test_equal_totals_share_a_rank() -> None:
    points = {("cheap", "one"): (100_000, 0), ("good", "one"): (0, 100_000)}

    assert [bid.rank for bid in ranked(an_instance().bids, points, 50)] == [1, 1]


def test_other_prices_reach_every_package_and_every_newcomer() -> None:
    instance = under(an_instance(), POINTS, RULES, Mode.SEALED_BID)

    assert RULES.allocation.terms.unplaced_pence_per_hour is not None
    assert instance.packages[0].unplaced_pence != an_instance().packages[0].unplaced_pence
    assert instance.policy.mode is solver.Mode.JOINT


def test_who_would_have_got_it_is_said_for_ones_own_packages_alone() -> None:
    instance = an_instance()
    ours, theirs = (
        decided(instance, "good"),
        Over("CLO-1", NOON, Mode.SEALED_BID, decided(instance, "good").run, POINTS, frozenset()),
    )

    answer = what_if([ours], RULES)

    assert [(one.round, one.decided, one.what_if) for one in answer.moved] == [("one", "of-good", "of-cheap")]
    assert what_if([theirs], RULES).moved == ()
    assert (answer.decided.placed, answer.what_if.placed) == (1, 1)
    assert answer.what_if.award_pence == 10_000


def test_a_frontier_is_drawn_only_where_some_locality_wants_another_provider() -> None:
    served = tuple(
        solver.LocalityTerms(provider=f"of-{name}", locality="here", committed_minutes=600)
        for name in ("cheap", "good")
    )

    wanting = what_if([decided(an_instance())], RULES)
    covered = what_if([decided(replace(an_instance(), localities=served))], RULES)

    assert wanting.frontier is not None
    assert (covered.frontier, covered.closings, covered.what_if.placed) == (None, 1, 1)


def test_when_the_time_is_up_the_rest_is_left_out_and_said_to_be() -> None:
    began = time.monotonic()

    answer = what_if([decided(an_instance())] * 3, RULES, within_s=0)

    assert (answer.closings, answer.left_out) == (0, 3)
    assert time.monotonic() - began < 1
