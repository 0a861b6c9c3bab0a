"""Who gets what: packages, bids and published rules in; a refereed award with its proof out.

    result = solve(instance, lot_seed=seed)
    assert check(instance, result.awards).is_feasible

See problem.md (sets, rules numbered as in the code, ties, modes) and engine.md.
"""

from matching.allocation.own_limits import own_limit
from matching.allocation.process import SolverProcess, shared_process
from matching.allocation.records import (
    Bid,
    Instance,
    LocalityTerms,
    Mode,
    Package,
    Policy,
    Previous,
    Provider,
    TakeLimit,
    default_unplaced_pence,
)
from matching.allocation.referee import check
from matching.allocation.results import Award, Draw, Fault, Report, Result, Status, Unplaced
from matching.allocation.solving import solve
from matching.allocation.stored import (
    instance_from_json,
    instance_to_json,
    result_from_json,
    result_to_json,
)
from matching.allocation.work import DEFAULT_EFFORT

__all__ = [
    "DEFAULT_EFFORT",
    "Award",
    "Bid",
    "Draw",
    "Fault",
    "Instance",
    "LocalityTerms",
    "Mode",
    "Package",
    "Policy",
    "Previous",
    "Provider",
    "Report",
    "Result",
    "SolverProcess",
    "Status",
    "TakeLimit",
    "Unplaced",
    "check",
    "default_unplaced_pence",
    "instance_from_json",
    "instance_to_json",
    "own_limit",
    "result_from_json",
    "result_to_json",
    "shared_process",
    "solve",
]
