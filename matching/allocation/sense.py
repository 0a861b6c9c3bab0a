"""Contradictions between records, each refused in words before any work begins."""

from collections.abc import Iterable

from dps.kernel.errors import BadInput
from matching.allocation.records import Bid, Instance, Mode

MOST_PACKAGES = 20_000
MOST_PROVIDERS = 5_000
MOST_BIDS = 500_000
MOST_IN_BUNDLE = 50


def refuse_contradictions(instance: Instance) -> None:
    """Raise `BadInput` (field and reason) if the records contradict each other or are absurdly many."""
    _refuse_sizes(instance)
    packages = _once("package", (package.ref for package in instance.packages))
    providers = _once("provider", (provider.ref for provider in instance.providers))
    bids = _once("bid", (bid.ref for bid in instance.bids))
    _once("localities", (f"{terms.provider} in {terms.locality}" for terms in instance.localities))
    _once("previous", (award.package for award in instance.previous))
    for terms in instance.localities:
        if terms.provider not in providers:
            raise BadInput(f"no provider {terms.provider}", field="localities")
    by_ref = {bid.ref: bid for bid in instance.bids}
    ties = {len(bid.tie) for bid in instance.bids}
    if len(ties) > 1:
        raise BadInput("all bids carry the same number of tie values", field="tie")
    for bid in instance.bids:
        if bid.provider not in providers:
            raise BadInput(f"bid {bid.ref}: no provider {bid.provider}", field="provider")
        for ref in bid.packages:
            if ref not in packages:
                raise BadInput(f"bid {bid.ref}: no package {ref}", field="packages")
        _refuse_exclusions(bid, bids, by_ref)
        _refuse_mode(bid, instance.policy.mode)
    for provider in instance.providers:
        for limit in provider.take_limits:
            if unknown := limit.packages - packages:
                raise BadInput(f"{provider.ref}, {limit.name}: no package {min(unknown)}", field="take_limits")


def _refuse_sizes(instance: Instance) -> None:
    for name, number, most in (
        ("packages", len(instance.packages), MOST_PACKAGES),
        ("providers", len(instance.providers), MOST_PROVIDERS),
        ("bids", len(instance.bids), MOST_BIDS),
        ("packages of one bundle", max((len(bid.packages) for bid in instance.bids), default=0), MOST_IN_BUNDLE),
    ):
        if number > most:
            raise BadInput(f"{number} {name} are more than the limit of {most}", field=name)


def _once(name: str, refs: Iterable[str]) -> set[str]:
    seen: set[str] = set()
    for ref in refs:
        if ref in seen:
            raise BadInput(f"{ref} is there twice", field=name)
        seen.add(ref)
    return seen


def _refuse_exclusions(bid: Bid, bids: set[str], by_ref: dict[str, Bid]) -> None:
    for other in bid.excludes:
        if other not in bids:
            raise BadInput(f"bid {bid.ref}: excludes {other}, which is no bid", field="excludes")
        if other == bid.ref:
            raise BadInput(f"bid {bid.ref}: excludes itself", field="excludes")
        if by_ref[other].provider != bid.provider:
            raise BadInput(f"bid {bid.ref}: excludes {other}, another provider's bid", field="excludes")


def _refuse_mode(bid: Bid, mode: Mode) -> None:
    if mode is Mode.PER_PACKAGE and bid.is_bundle:
        raise BadInput(f"bid {bid.ref}: a bundle needs mode 'joint'", field="packages")
    if mode is Mode.PER_PACKAGE and bid.rank is None:
        raise BadInput(f"bid {bid.ref}: mode 'per_package' needs a rank", field="rank")
