"""The run that decided an award, as an auditor reads it: its input, its answer, and whether it gives the same again."""

from dataclasses import asdict, fields
from typing import Any

from bidding.allocation.runs import AllocationRun, answer_of
from matching import allocation as solver

_AWARDED = tuple(field.name for field in fields(solver.Award))


def run_facts(run: AllocationRun, replay: solver.SolverProcess | None) -> dict[str, Any]:
    facts: dict[str, Any] = {
        "ref": run.ref,
        "mode": run.mode,
        "status": run.status,
        "counted": run.counted,
        "effort": run.effort,
        "lot_seed": run.lot_seed,
        "instance": run.instance,
        "instance_sha256": run.instance_sha256,
        "awards": [dict(zip(_AWARDED, row, strict=True)) for row in (run.answer or {}).get("awards", ())],
        "answer": run.answer,
        "advice": run.advice,
        "replayed": None,
        "stories": [],
        "providers": [],
    }
    if replay is not None and run.answer is not None and run.counted:
        again = answer_of(run, process=replay)
        won = {(one.package, one.provider, one.bid) for one in again.awards}
        stored = {(one["package"], one["provider"], one["bid"]) for one in facts["awards"]}
        facts["replayed"] = "the same awards" if won == stored else "other awards"
        if again.mode is solver.Mode.JOINT:
            facts |= _reasons(run, again)
    return facts


def _reasons(run: AllocationRun, answer: solver.Result) -> dict[str, Any]:
    """Why, of everything that closed together: both ends of each other award's price, and what an hour was worth."""
    # The compiler takes seconds to load: only who asks for the reasons of a joint award waits for it.
    from matching.allocation.explaining import explain

    told = explain(solver.instance_from_json(run.instance), answer)
    return {
        "stories": [asdict(one) for one in told.packages],
        "providers": [asdict(one) for one in told.providers],
    }
