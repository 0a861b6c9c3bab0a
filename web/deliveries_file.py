"""Reads a file of the call monitoring: one visit a row, every fault with its row and column before anything is written.

Times are wall times of the visit's day. A visit that was not done has a planned start and no times.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time
from pathlib import Path
from typing import Any

from dps.contracts.deliveries.expected import is_of_workbook
from dps.contracts.deliveries.matching import VisitRecord
from dps.contracts.payment.visits import VisitOutcome
from dps.kernel.calendar import as_wall_time
from dps.kernel.errors import BadInput
from dps.kernel.references import Kind, parse_reference
from web.cells import a_line, choice, day, whole, words
from web.sheets import read_sheet
from web.unpacking import Cell


@dataclass(frozen=True, slots=True)
class DeliveryDraft:
    """One row that makes sense by itself."""

    row: int
    contract: str
    record: VisitRecord


@dataclass
class DeliveriesFile:
    """What a file says: rows that make sense, and the faults of the others."""

    drafts: list[DeliveryDraft] = field(default_factory=list)
    faults: list[BadInput] = field(default_factory=list)


def _wall(cell: Cell) -> time:
    if isinstance(cell, datetime):
        cell = cell.time()
    if isinstance(cell, time):
        return cell.replace(second=0, microsecond=0)
    return as_wall_time(words(cell).strip())


COLUMNS: Mapping[str, Callable[[Cell], Any]] = {
    "contract": lambda cell: parse_reference(words(cell), Kind.CONTRACT),
    "visit": a_line("visit"),
    "day": day,
    "outcome": choice(VisitOutcome),
    "planned_start": _wall,
    "started": _wall,
    "ended": _wall,
    "carers": whole,
}
REQUIRED = ("contract", "visit", "day")
FILLED_IN = ("outcome", "started", "ended", "carers")
"""What a provider writes into its workbook."""

_NAMES = {"visit": "visit_ref"}


def _is_not_filled_in(given: Mapping[str, Any]) -> bool:
    """Whether a provider left a workbook's row as it got it."""
    return is_of_workbook(given["visit_ref"]) and given.keys().isdisjoint(FILLED_IN)


def read_deliveries(path: Path) -> DeliveriesFile:
    """Every row of a CSV or XLSX file, less a workbook's that were not filled in.

    BadInput where the file is none, or its columns are not those.
    """
    sheet = read_sheet(path, columns=list(COLUMNS), required=REQUIRED)
    found = DeliveriesFile()
    for row in sheet.rows:
        given: dict[str, Any] = {}
        faults = len(found.faults)
        for column, cell in row.cells.items():
            if isinstance(cell, str) and not cell.strip():
                if column in REQUIRED:
                    found.faults.append(BadInput("this cell is empty", file=sheet.file, row=row.number, field=column))
                continue
            try:
                given[_NAMES.get(column, column)] = COLUMNS[column](cell)
            except BadInput as bad:
                reason = str(bad.facts["reason"])
                found.faults.append(BadInput(reason, file=sheet.file, row=row.number, field=column))
        if len(found.faults) > faults or _is_not_filled_in(given):
            continue
        contract = given.pop("contract")
        try:
            found.drafts.append(DeliveryDraft(row.number, contract, VisitRecord(**given)))
        except BadInput as bad:
            place = {"file": sheet.file, "row": row.number, "field": bad.facts["field"]}
            found.faults.append(BadInput(str(bad.facts["reason"]), **place))
    return found
