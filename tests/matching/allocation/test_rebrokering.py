"""A whole caseload at once: the leaving provider wins nothing, and people keep whom they know where it is worth it."""

from dataclasses import replace

import pytest

from dps.kernel.errors import BadInput
from matching.allocation import Bid, Instance, Package, Policy, Provider, check
from matching.allocation.rebrokering import Handover, rebroker
from tests.matching.allocation.markets import SEED, a_market

MARKET = a_market(21, packages=12, providers=6, localities=3, policy=Policy(coverage_pence=3_000, default_target=2))


def _caseload() -> Instance:
    """Two people; F leaves. W is cheaper than K, whom the first person knows, by £30 a week."""
    packages = (Package("P0", "L", 600, 3), Package("P1", "L", 600, 1))
    bids = (
        Bid("F0", "F", ("P0",), 10_000),
        Bid("K0", "K", ("P0",), 23_000, excludes=()),
        Bid("W0", "W", ("P0",), 20_000),
        Bid("F1", "F", ("P1",), 10_000),
    )
    return Instance(packages, (Provider("F", 9_000), Provider("K", 600), Provider("W", 600)), bids)


def _handed_over(continuity_pence: int) -> Handover:
    return rebroker(
        _caseload(), "F", known={"P0": "K"}, continuity_pence=continuity_pence, lot_seed=SEED, in_process=True
    )


def test_a_person_is_moved_from_a_known_provider_only_for_more_than_the_continuity_price() -> None:
    dear, cheap = _handed_over(3_001), _handed_over(2_999)

    assert (dear.kept, dear.strange) == (("P0",), ())
    assert (cheap.kept, cheap.strange) == ((), ("P0",))


def test_the_leaving_provider_wins_nothing_and_who_is_left_is_named_with_the_reason() -> None:
    handover = _handed_over(0)

    assert [award.provider for award in handover.result.awards] == ["W"]
    assert [left.package for left in handover.left] == ["P1"]
    assert handover.left[0].words


@pytest.mark.parametrize("leaving", ["V0", "V3"])
def test_a_whole_caseload_is_placed_by_every_rule(leaving: str) -> None:
    known = {package.ref: "V5" for package in MARKET.packages if any(b.provider == "V5" for b in MARKET.bids)}

    handover = rebroker(MARKET, leaving, known=known, continuity_pence=1_000, lot_seed=SEED, in_process=True)

    assert check(MARKET, handover.result.awards).is_feasible
    assert leaving not in {award.provider for award in handover.result.awards}
    assert not set(handover.kept) & set(handover.strange)
    left = {one.package for one in handover.left}
    assert set(handover.kept) | set(handover.strange) | left >= set(known)


@pytest.mark.parametrize(
    ("known", "pence", "words"),
    [
        ({"P9": "K"}, 0, "P9 is not in the caseload"),
        ({"P0": "X"}, 0, "X is no provider"),
        ({"P0": "F"}, 0, "which leaves"),
        ({}, -1, "outside"),
    ],
)
def test_nonsense_is_refused(known: dict[str, str], pence: int, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        rebroker(_caseload(), "F", known=known, continuity_pence=pence, lot_seed=SEED, in_process=True)


def test_a_caseload_is_the_same_whoever_leaves_twice() -> None:
    once = rebroker(MARKET, "V0", known={}, continuity_pence=0, lot_seed=SEED, in_process=True)
    gone = replace(MARKET, bids=tuple(bid for bid in MARKET.bids if bid.provider != "V0"))

    again = rebroker(gone, "V0", known={}, continuity_pence=0, lot_seed=SEED, in_process=True)

    assert again.result.awards == once.result.awards
