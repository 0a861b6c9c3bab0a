"""The share cap beside a locality's only package: a cap that let nobody hold it would leave a person waiting."""

from dataclasses import replace

import pytest

from matching.allocation import Bid, Instance, LocalityTerms, Package, Policy, Provider, Result, solve
from tests.matching.allocation.markets import SEED

CAP = Policy(locality_share_bp=6_000)
SPARING = replace(CAP, share_spares_first_package=True)


def _solved(packages: int, policy: Policy, *terms: LocalityTerms) -> Result:
    people = tuple(Package(f"P{place}", "L", 600) for place in range(packages))
    bids = tuple(Bid(f"B{place}", "V", (f"P{place}",), 20_000) for place in range(packages))
    return solve(Instance(people, (Provider("V"),), bids, terms, policy), lot_seed=SEED, in_process=True)


@pytest.mark.parametrize(("policy", "placed"), [(CAP, 0), (SPARING, 1)])
def test_a_localitys_only_package_is_placed_where_the_policy_spares_a_first_one(policy: Policy, placed: int) -> None:
    assert _solved(1, policy).report.placed == placed


def test_a_second_package_above_the_share_is_not_spared() -> None:
    assert _solved(2, SPARING).report.placed == 1


def test_a_provider_that_serves_the_locality_already_is_not_spared() -> None:
    assert _solved(1, SPARING, LocalityTerms("V", "L", committed_minutes=600)).report.placed == 0
