"""`solve`: one run from records to a refereed result.

Counted runs (the default, and the only ones an award may come from) fix their work in steps beforehand, so the same
input gives the same award whatever the order of rows, the number of workers, the load or the machine. A run with
`time_limit_s` is a what-if and says so. Source: design.md law 6.
"""

import json
import time
from dataclasses import asdict, replace

from dps.kernel.errors import Corrupted
from matching.allocation.book import objective
from matching.allocation.deferred import settle
from matching.allocation.greedy import greedy
from matching.allocation.outcome import Heard, Incumbent, Outcome, Progress
from matching.allocation.problem import Problem, needs_prices, number
from matching.allocation.process import SolverProcess, shared_process
from matching.allocation.reasons import awards_with_reasons, unplaced
from matching.allocation.records import Instance, Mode
from matching.allocation.referee import check
from matching.allocation.results import Guide, Report, Result, Status
from matching.allocation.sense import refuse_contradictions
from matching.allocation.separable import prove_separable
from matching.allocation.stored import (
    guide_from,
    instance_from_json,
    instance_to_json,
    result_from_json,
    result_to_json,
)
from matching.allocation.work import DEFAULT_EFFORT, Work

HANG_AFTER_S, BIDS_A_SECOND = 120.0, 20
"""A counted run that has taken so long, and a second more for so many bids, is taken to hang."""
GRACE_S = 1.5
"""A clock-stopped run may finish this much late before its process is ended."""


def solve(
    instance: Instance,
    *,
    lot_seed: bytes,
    mode: Mode | None = None,
    effort: int = DEFAULT_EFFORT,
    time_limit_s: float | None = None,
    workers: int = 1,
    hang_after_s: float | None = None,
    in_process: bool = False,
    process: SolverProcess | None = None,
    progress: Progress | None = None,
    guide: Guide | None = None,
) -> Result:
    """Decide `instance` and return a refereed result.

    `workers` speeds up clock-stopped runs only; it can't change a counted award. The search runs in a warm child
    process that is ended when it hangs (after `hang_after_s`, or the time limit and a grace). A clock-stopped run
    then comes back with the best award the child had told; a counted one, which nobody could replay from there, with
    the greedy award and status `fallback_greedy`. Work that needs no search is done here, at once. `in_process` skips
    the child. A `guide` from an earlier result of nearly the same instance lets a search above a day's size begin from
    its prices and from the instance's previous awards. Raises `BadInput` for records that contradict each other.
    """
    began = time.monotonic()
    if mode is not None and mode is not instance.policy.mode:
        instance = replace(instance, policy=replace(instance.policy, mode=mode))
    refuse_contradictions(instance)
    work = Work(effort, time_limit_s, workers)

    def heard(incumbent: Incumbent) -> None:
        if progress is not None:
            progress(incumbent.objective, incumbent.bound)

    problem = number(instance, lot_seed)
    if instance.policy.mode is Mode.PER_PACKAGE or in_process or prove_separable(problem) is not None:
        return _decide(problem, lot_seed, work, heard, began, guide)
    child = process or shared_process()
    answer = child.warm(large=needs_prices(problem))
    if answer.text is not None:
        work = replace(work, began=time.monotonic())
        request = {
            "instance": instance_to_json(instance),
            "lot_seed": lot_seed.hex(),
            "work": asdict(work),
            "guide": None if guide is None else [guide.package, guide.newcomer],
        }
        patience = HANG_AFTER_S + len(instance.bids) / BIDS_A_SECOND if hang_after_s is None else hang_after_s
        limit = patience if time_limit_s is None else time_limit_s + GRACE_S
        answer = child.ask(json.dumps(request), limit, heard)
    if answer.text is not None:
        return replace(result_from_json(answer.text), seconds=time.monotonic() - began)
    if answer.last is not None and not work.is_counted:
        notes = [f"the best award told by then stands: {answer.why_not}"]
        outcome = Outcome(answer.last.won, False, answer.last.bound, notes=notes)
        return _refereed(problem, outcome, Status.FEASIBLE, lot_seed, counted=False, began=began)
    return _fallback(problem, lot_seed, answer.why_not, began)


def answer_request(request: str, heard: Heard) -> str:
    """What the child process does with a request that `solve` wrote."""
    asked = json.loads(request)
    lot_seed = bytes.fromhex(asked["lot_seed"])
    problem = number(instance_from_json(asked["instance"]), lot_seed)
    guide = guide_from(asked["guide"])
    return result_to_json(_decide(problem, lot_seed, Work(**asked["work"]), heard, time.monotonic(), guide))


def _decide(problem: Problem, lot_seed: bytes, work: Work, heard: Heard, began: float, guide: Guide | None) -> Result:
    if problem.instance.policy.mode is Mode.PER_PACKAGE:
        settled = settle(problem)
        refs = sorted(problem.bids[bid].ref for bid in settled.not_asked_again)
        notes = [f"not asked again: {', '.join(refs)}"] if refs else []
        # The ranked award is the only one its rules allow: there is no better one to bound.
        outcome = Outcome(settled.won, True, objective(problem, settled.won), settled.draws, notes)
    elif (proof := prove_separable(problem)) is not None:
        outcome = Outcome(proof.won, True, objective(problem, proof.won), proof.draws)
    else:
        # OR-Tools and numba take seconds to load: only who searches waits for them, and that is mostly the child.
        from matching.allocation.joint import solve_joint

        outcome = solve_joint(problem, work, heard, guide)
    status = Status.OPTIMAL if outcome.proven else Status.FEASIBLE
    return _refereed(problem, outcome, status, lot_seed, counted=work.is_counted or outcome.proven, began=began)


def _refereed(
    problem: Problem, outcome: Outcome, status: Status, lot_seed: bytes, *, counted: bool, began: float
) -> Result:
    """Nothing leaves without the referee: a fault or another objective is a fault of this library, said loudly."""
    awards = awards_with_reasons(problem, outcome.won)
    report = check(problem.instance, awards)
    claimed = objective(problem, outcome.won)
    if not report.is_feasible:
        raise Corrupted(reason=f"the referee refuses the award: {report.faults[0].words}")
    if report.objective_pence + report.stability_pence != claimed:
        raise Corrupted(reason=f"the referee counts {report.objective_pence} pence, the engine {claimed}")
    _refuse_other_levels(problem, outcome, report)
    bound = outcome.bound if outcome.bound is None else outcome.bound - report.stability_pence
    return Result(
        mode=problem.instance.policy.mode,
        status=status,
        counted=counted,
        awards=awards,
        unplaced=unplaced(problem, outcome.won),
        objective_pence=report.objective_pence,
        bound_pence=bound,
        report=report,
        draws=outcome.draws,
        lot_seed=lot_seed,
        seconds=time.monotonic() - began,
        notes=tuple(outcome.notes),
        guide=outcome.guide,
        levels=outcome.levels,
    )


def _refuse_other_levels(problem: Problem, outcome: Outcome, report: Report) -> None:
    """What the engine says each level of a published order comes to is what the referee counts."""
    known = {package.ref for package in problem.instance.packages}
    placed = {ref for bid in outcome.won for ref in problem.bids[bid].packages}
    unmoved = sum(old.package not in placed for old in problem.instance.previous if old.package in known)
    moved_pence = report.stability_pence - unmoved * problem.instance.policy.stability_pence
    counted = {
        f"people of priority {place + 1} left": number for place, number in enumerate(report.unplaced_by_priority)
    }
    counted["providers missing"] = report.missing_providers
    counted["pence a week for what is won"] = (
        report.award_pence + report.quality_pence + report.delay_pence + report.entry_pence + moved_pence
    )
    for level in outcome.levels:
        if counted[level.name] != level.value:
            raise Corrupted(reason=f"the referee counts {counted[level.name]} {level.name}, the engine {level.value}")


def _fallback(problem: Problem, lot_seed: bytes, why: str, began: float) -> Result:
    outcome = Outcome(greedy(problem), False, None, notes=[f"the greedy award stands in: {why}"])
    return _refereed(problem, outcome, Status.FALLBACK_GREEDY, lot_seed, counted=False, began=began)
