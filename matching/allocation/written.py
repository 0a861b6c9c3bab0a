"""What a run leaves behind: awards.csv and the JSON answer, each whole or not at all."""

import csv
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from dps.kernel.errors import BadInput
from matching.allocation.results import Result

COLUMNS = ("package", "provider", "bid", "weekly_pence", "reason")


def write_awards(result: Result, path: Path) -> None:
    """awards.csv, by package. The file appears complete or stays as it was."""

    def rows(stream: IO[str]) -> None:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([getattr(award, column) for column in COLUMNS] for award in result.awards)

    _whole(path, rows)


def write_text(text: str, path: Path) -> None:
    """Any text, complete or not at all."""

    def whole(stream: IO[str]) -> None:
        stream.write(text)

    _whole(path, whole)


def _whole(path: Path, write: Callable[[IO[str]], None]) -> None:
    """Write beside `path`, then put in its place: a reader or a power cut never meets half a file."""
    try:
        descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    except OSError as fault:
        raise BadInput(f"can't be written: {fault.strerror}", file=str(path)) from None
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        Path(beside).chmod(0o644)
        Path(beside).replace(path)
    except OSError as fault:
        raise BadInput(f"can't be written: {fault.strerror}", file=str(path)) from None
    finally:
        Path(beside).unlink(missing_ok=True)


def as_record(result: Result) -> dict[str, Any]:
    """The answer as `--json` prints it."""
    report = result.report
    return {
        "status": result.status,
        "mode": result.mode,
        "counted": result.counted,
        "objective_pence": result.objective_pence,
        "bound_pence": result.bound_pence,
        "gap": None if result.gap is None else round(result.gap, 6),
        "levels": [
            {"name": one.name, "value": one.value, "bound": one.bound, "is_absolute": one.is_absolute}
            for one in result.levels
        ],
        "placed": report.placed,
        "unplaced": report.unplaced,
        "unplaced_minutes": report.unplaced_minutes,
        "unplaced_by_priority": report.unplaced_by_priority,
        "missing_providers": report.missing_providers,
        "changes": report.changes,
        "seconds": round(result.seconds, 3),
        "lot_seed": result.lot_seed.hex(),
        "referee": {
            "feasible": report.is_feasible,
            "faults": [fault.words for fault in report.faults],
            "gave_way": [fault.words for fault in report.gave_way],
            "award_pence": report.award_pence,
            "quality_pence": report.quality_pence,
            "delay_pence": report.delay_pence,
            "entry_pence": report.entry_pence,
            "unplaced_pence": report.unplaced_pence,
            "coverage_pence": report.coverage_pence,
            "stability_pence": report.stability_pence,
        },
        "draws": [
            {"package": draw.package, "equal_bids": draw.equal_bids, "drawn_bid": draw.drawn_bid}
            for draw in result.draws
        ],
        "notes": result.notes,
        "awards": [{column: getattr(award, column) for column in COLUMNS} for award in result.awards],
        "not_placed": [
            {"package": package.package, "rule": package.rule, "words": package.words} for package in result.unplaced
        ],
    }
