"""Mass re-brokering: the whole caseload of a provider that fails or leaves, at once, with continuity.

The instance holds the caseload as its packages and everybody's bids for them; the leaving provider's own bids are set
aside. A person who knows another provider (from earlier care, or as the other half of a double-handed visit) is moved
away from it only where that saves more than the continuity price: the price of a change, applied to people.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from dps.kernel.errors import BadInput
from matching.allocation.again import without_bids
from matching.allocation.records import MOST_PENCE, Instance, Previous
from matching.allocation.results import Result, Unplaced
from matching.allocation.solving import solve
from matching.allocation.work import DEFAULT_EFFORT


@dataclass(frozen=True, slots=True)
class Handover:
    """Where a caseload goes: `kept` are packages whose provider the person knows, `strange` those who knew another.

    `left` stands in order of priority, then reference: nobody takes them over yet.
    """

    result: Result
    kept: tuple[str, ...]
    strange: tuple[str, ...]
    left: tuple[Unplaced, ...]


def rebroker(
    instance: Instance,
    leaving: str,
    *,
    known: Mapping[str, str],
    continuity_pence: int,
    lot_seed: bytes,
    effort: int = DEFAULT_EFFORT,
    time_limit_s: float | None = None,
    in_process: bool = False,
) -> Handover:
    """Place `leaving`'s caseload; `known` names, by package, the provider that the person knows.

    `continuity_pence` is a week's price of moving one person away from it. Raises `BadInput` for a package or provider
    that the instance does not hold, and for a person said to know the provider that leaves.
    """
    _refuse_nonsense(instance, leaving, known, continuity_pence)
    freed = without_bids(instance, {bid.ref for bid in instance.bids if bid.provider == leaving})
    terms = replace(
        freed,
        policy=replace(freed.policy, stability_pence=continuity_pence),
        previous=tuple(Previous(package, provider) for package, provider in sorted(known.items())),
    )
    result = solve(terms, lot_seed=lot_seed, effort=effort, time_limit_s=time_limit_s, in_process=in_process)
    goes_to = {award.package: award.provider for award in result.awards}
    priority = {package.ref: package.priority for package in instance.packages}
    return Handover(
        result,
        kept=tuple(sorted(ref for ref, provider in known.items() if goes_to.get(ref) == provider)),
        strange=tuple(sorted(ref for ref, provider in known.items() if goes_to.get(ref, provider) != provider)),
        left=tuple(sorted(result.unplaced, key=lambda one: (priority[one.package], one.package))),
    )


def _refuse_nonsense(instance: Instance, leaving: str, known: Mapping[str, str], continuity_pence: int) -> None:
    packages = {package.ref for package in instance.packages}
    providers = {provider.ref for provider in instance.providers}
    if not 0 <= continuity_pence <= MOST_PENCE:
        raise BadInput(f"{continuity_pence} is outside 0 to {MOST_PENCE}", field="continuity_pence")
    for package, provider in known.items():
        if package not in packages:
            raise BadInput(f"{package} is not in the caseload", field="known")
        if provider not in providers:
            raise BadInput(f"{provider} is no provider here", field="known")
        if provider == leaving:
            raise BadInput(f"{package} is said to know {leaving}, which leaves", field="known")
