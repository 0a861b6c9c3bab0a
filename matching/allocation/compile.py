"""`python -m matching.allocation.compile`: fill numba's cache at set-up, outside every time limit."""

import sys
import time

import numpy as np

from matching.allocation.bound import Oracle
from matching.allocation.fixing import settle
from matching.allocation.guided import Plan, guided
from matching.allocation.market import as_market
from matching.allocation.problem import number
from matching.allocation.records import Bid, Instance, LocalityTerms, Package, Policy, Provider


def _small_market() -> Instance:
    """A synthetic market with everything in it that compiled code looks at: blocks, entry, coverage, a bundle."""
    packages = tuple(Package(f"P{place}", f"L{place % 2}", 300 + 60 * place) for place in range(6))
    providers = tuple(Provider(f"V{place}", 900 + 120 * place, 3) for place in range(3))
    terms = tuple(LocalityTerms(provider.ref, "L0", 700, 0, 360, 500) for provider in providers)
    singles = [
        Bid(f"B{place}{seller}", provider.ref, (package.ref,), 9_000 + 100 * (7 * place + 3 * seller) % 900)
        for place, package in enumerate(packages)
        for seller, provider in enumerate(providers)
    ]
    bundle = Bid("S", "V0", ("P0", "P1"), 15_000)
    return Instance(packages, providers, (*singles, bundle), terms, Policy(coverage_pence=2_000, default_target=2))


def compile_everything() -> None:
    """Run every compiled function once, in the kinds that solving uses."""
    numbering = as_market(number(_small_market(), b"compile"))
    plan = Plan(5, 1, 1, 200, 1, 0.01, None)
    nobody = np.full(len(numbering.packages), -1, dtype=np.int64)
    found = guided(numbering, [nobody], plan, 1, None)
    assert found.prices is not None
    settle(Oracle(numbering.market), found.prices, found.objective - numbering.offset)


if __name__ == "__main__":
    began = time.monotonic()
    compile_everything()
    sys.stdout.write(f"matching.allocation: compiled in {time.monotonic() - began:.1f} s\n")
