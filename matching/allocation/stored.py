"""Instances and results as JSON, so that a stored run can be replayed to the same award.

The form is versioned; rows are lists in the order of the record's fields, which keeps 40,000 bids readable at once.
"""

import json
from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

from dps.kernel.errors import BadInput
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
)
from matching.allocation.results import Award, Draw, Fault, Guide, LevelBound, Report, Result, Status, Unplaced

Stored = TypeVar("Stored")
VERSION = 1


def _row(record: Any) -> list[Any]:
    return [getattr(record, field.name) for field in fields(record)]


def instance_to_json(instance: Instance) -> str:
    """The instance as one line of JSON; `instance_from_json` gives an equal instance back."""
    policy = {field.name: getattr(instance.policy, field.name) for field in fields(instance.policy)}
    return json.dumps(
        {
            "version": VERSION,
            "policy": policy | {"targets": dict(instance.policy.targets)},
            "packages": [_row(package) for package in instance.packages],
            "providers": [
                [
                    *_row(provider)[:-1],
                    [[limit.name, sorted(limit.packages), *_row(limit)[2:]] for limit in provider.take_limits],
                ]
                for provider in instance.providers
            ],
            "localities": [_row(terms) for terms in instance.localities],
            "bids": [_row(bid) for bid in instance.bids],
            "previous": [_row(award) for award in instance.previous],
        },
        separators=(",", ":"),
    )


def _read(text: str, make: Callable[[dict[str, Any]], Stored]) -> Stored:
    try:
        stored = json.loads(text)
        if stored["version"] != VERSION:
            raise BadInput(f"stored form {stored['version']} is not {VERSION}", field="version")
        return make(stored)
    except (ValueError, KeyError, TypeError, IndexError, AttributeError) as fault:
        raise BadInput(f"is not a stored run: {fault}") from fault


def instance_from_json(text: str) -> Instance:
    """The instance that `instance_to_json` wrote; `BadInput` for anything else."""
    return _read(text, _instance)


def _instance(stored: dict[str, Any]) -> Instance:
    policy = stored["policy"]
    for name in ("objective", "envelope_pence_per_hour", "delay_pence_per_day", "waiting_pence_per_day"):
        if isinstance(policy[name], list):
            policy[name] = tuple(policy[name])
    return Instance(
        packages=tuple(Package(*row) for row in stored["packages"]),
        providers=tuple(_provider(row) for row in stored["providers"]),
        bids=tuple(Bid(*_frozen(row)) for row in stored["bids"]),
        localities=tuple(LocalityTerms(*row) for row in stored["localities"]),
        policy=Policy(**(policy | {"mode": Mode(policy["mode"])})),
        previous=tuple(Previous(*row) for row in stored["previous"]),
    )


def _provider(row: list[Any]) -> Provider:
    *own, limits = row
    own.append(tuple(TakeLimit(name, frozenset(refs), *most) for name, refs, *most in limits))
    return Provider(*own)


def _frozen(row: list[Any]) -> list[Any]:
    return [tuple(value) if isinstance(value, list) else value for value in row]


def result_to_json(result: Result) -> str:
    """The result as one line of JSON; `result_from_json` gives an equal result back."""
    report = result.report
    return json.dumps(
        {
            "version": VERSION,
            "mode": result.mode,
            "status": result.status,
            "counted": result.counted,
            "objective_pence": result.objective_pence,
            "bound_pence": result.bound_pence,
            "lot_seed": result.lot_seed.hex(),
            "seconds": result.seconds,
            "notes": result.notes,
            "guide": None if result.guide is None else [result.guide.package, result.guide.newcomer],
            "levels": [_row(level) for level in result.levels],
            "awards": [_row(award) for award in result.awards],
            "unplaced": [_row(package) for package in result.unplaced],
            "draws": [_row(draw) for draw in result.draws],
            "report": {field.name: getattr(report, field.name) for field in fields(report)}
            | {
                "faults": [_row(fault) for fault in report.faults],
                "gave_way": [_row(fault) for fault in report.gave_way],
            },
        },
        separators=(",", ":"),
    )


def guide_from(stored: list[dict[str, int]] | None) -> Guide | None:
    """A guide as `result_to_json` writes it; results of earlier versions have none."""
    return None if stored is None else Guide(*stored)


def result_from_json(text: str) -> Result:
    """The result that `result_to_json` wrote; `BadInput` for anything else."""
    return _read(text, _result)


def _result(stored: dict[str, Any]) -> Result:
    report = stored["report"]
    return Result(
        mode=Mode(stored["mode"]),
        status=Status(stored["status"]),
        counted=stored["counted"],
        awards=tuple(Award(*row) for row in stored["awards"]),
        unplaced=tuple(Unplaced(*row) for row in stored["unplaced"]),
        objective_pence=stored["objective_pence"],
        bound_pence=stored["bound_pence"],
        report=Report(
            **(
                report
                | {
                    "faults": tuple(Fault(*row) for row in report["faults"]),
                    "gave_way": tuple(Fault(*row) for row in report["gave_way"]),
                    "unplaced_by_priority": tuple(report["unplaced_by_priority"]),
                }
            )
        ),
        draws=tuple(Draw(package, tuple(bids), drawn) for package, bids, drawn in stored["draws"]),
        lot_seed=bytes.fromhex(stored["lot_seed"]),
        seconds=stored["seconds"],
        notes=tuple(stored["notes"]),
        guide=guide_from(stored.get("guide")),
        # Results of earlier versions have none.
        levels=tuple(LevelBound(*row) for row in stored.get("levels", ())),
    )
