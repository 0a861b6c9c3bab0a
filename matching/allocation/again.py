"""Solving again after a decline, a return, a suspension or a new bid: change little, and say what changed.

Two answers stand side by side: one that keeps the earlier awards unless a change saves more than its price, and the
cold one that knows nothing of them. A broker chooses; the run says which is which.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from matching.allocation.records import Instance, Previous
from matching.allocation.results import Award, Guide, Result
from matching.allocation.solving import solve
from matching.allocation.work import DEFAULT_EFFORT

USUAL_STABILITY_PENCE = 10_000


@dataclass(frozen=True, slots=True)
class Change:
    """One package whose provider is another than before; "" is nobody."""

    package: str
    before: str
    after: str
    why: str


@dataclass(frozen=True, slots=True)
class SecondAnswer:
    """`steady` keeps what it can, `cold` starts afresh, each with its `changes` to what was before."""

    steady: Result
    cold: Result
    changes: tuple[Change, ...]
    cold_changes: tuple[Change, ...]


def without_bids(instance: Instance, refs: Collection[str]) -> Instance:
    """The instance after those bids are gone; bids that excluded them stand free."""
    gone = frozenset(refs)
    bids = tuple(
        replace(bid, excludes=tuple(other for other in bid.excludes if other not in gone))
        for bid in instance.bids
        if bid.ref not in gone
    )
    return replace(instance, bids=bids)


def solve_again(
    instance: Instance,
    awards: Iterable[Award | Previous],
    *,
    lot_seed: bytes,
    guide: Guide | None = None,
    effort: int = DEFAULT_EFFORT,
    time_limit_s: float | None = None,
    in_process: bool = False,
) -> SecondAnswer:
    """Both answers for `instance` as it is now, with `awards` as they were.

    The first result's `guide` lets the steady answer begin from its prices, in seconds even for a county. A change
    costs the policy's published stability price, or USUAL_STABILITY_PENCE where it has none.
    """
    known = {package.ref for package in instance.packages}
    before = {award.package: award.provider for award in awards if award.package in known}
    price = instance.policy.stability_pence or USUAL_STABILITY_PENCE
    sticky = replace(
        instance,
        policy=replace(instance.policy, stability_pence=price),
        previous=tuple(Previous(package, provider) for package, provider in sorted(before.items())),
    )
    free = replace(instance, policy=replace(instance.policy, stability_pence=0), previous=())

    def answer(asked: Instance, guide: Guide | None) -> Result:
        return solve(
            asked, lot_seed=lot_seed, effort=effort, time_limit_s=time_limit_s, in_process=in_process, guide=guide
        )

    steady, cold = answer(sticky, guide), answer(free, None)
    return SecondAnswer(steady, cold, _changes(instance, before, steady), _changes(instance, before, cold))


def _changes(instance: Instance, before: dict[str, str], result: Result) -> tuple[Change, ...]:
    after = {award.package: award for award in result.awards}
    left = {package.package: package.words for package in result.unplaced}
    bidding = {(bid.provider, ref) for bid in instance.bids for ref in bid.packages}
    changes = []
    for package in sorted({*before, *after}):
        old = before.get(package, "")
        new = after[package].provider if package in after else ""
        if old == new:
            continue
        if old and (old, package) not in bidding:
            why = f"{old} no longer bids for it"
        elif not old:
            why = f"placed now: {after[package].reason}"
        elif not new:
            why = f"left now: {left[package]}"
        else:
            why = f"moved to make room or save more than the price of a change: {after[package].reason}"
        changes.append(Change(package, old, new, why))
    return tuple(changes)
