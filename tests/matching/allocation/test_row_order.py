"""One award whatever the order of rows and the number of workers: a hundred orders, one worker and eight."""

from dataclasses import fields

import numpy as np
import pytest

from matching.allocation import Bid, Instance, Package, Policy, Provider, solve
from matching.allocation.problem import Problem, number
from tests.matching.allocation.markets import SEED, a_market, shuffled

ORDERS = 100
PRICED = Policy(coverage_pence=9_000, default_target=2)
TIED = tuple(a_market(seed, packages=6, providers=5, steps=1, policy=PRICED) for seed in (5, 19, 45))
"""Markets in which lots decide."""


def _said(problem: Problem) -> list[object]:
    """Everything an engine can see of a problem; the records it was made from stand in the order they came in."""
    seen: list[object] = []
    for field in fields(Problem):
        value = getattr(problem, field.name)
        if field.name == "instance":
            continue
        if field.name == "set_limits":
            value = [[part.tolist() if isinstance(part, np.ndarray) else part for part in _parts(row)] for row in value]
        seen.append(value.tolist() if isinstance(value, np.ndarray) else value)
    return seen


def _parts(limit: object) -> list[object]:
    return [getattr(limit, name) for name in ("bids", "packages", "minutes", "max_packages", "max_minutes")]


@pytest.mark.parametrize("seed", range(20))
def test_a_hundred_orders_of_rows_are_numbered_alike(seed: int) -> None:
    market = a_market(seed, packages=7, providers=5, bundles=2, steps=2)
    first = _said(number(market, SEED))

    assert all(_said(number(shuffled(market, order), SEED)) == first for order in range(ORDERS))


def test_rows_that_say_the_same_are_told_apart_by_lot_and_never_by_place() -> None:
    packages = tuple(Package(f"P{place}", "L", 600) for place in range(4))
    providers = tuple(Provider(f"V{place}", 600) for place in range(4))
    bids = tuple(
        Bid(f"B{package.ref}{provider.ref}", provider.ref, (package.ref,), 20_000)
        for package in packages
        for provider in providers
    )
    market = Instance(packages, providers, bids)
    first = _said(number(market, SEED))

    assert all(_said(number(shuffled(market, order), SEED)) == first for order in range(ORDERS))
    assert _said(number(market, b"another seed")) != first


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 8])
@pytest.mark.parametrize("market", TIED)
def test_a_hundred_orders_of_rows_give_one_award_with_one_worker_and_with_eight(market: Instance, workers: int) -> None:
    first = solve(market, lot_seed=SEED, in_process=True)

    others = [
        solve(shuffled(market, order), lot_seed=SEED, in_process=True, workers=workers) for order in range(ORDERS)
    ]

    assert first.draws
    assert {other.awards for other in others} == {first.awards}
    assert {other.draws for other in others} == {first.draws}
