"""The workbook in which a provider writes what became of its visits: `deliveries_file` reads it back.

It tells references and times and nothing of a person, and holds texts only.
"""

import io
from collections.abc import Sequence

from openpyxl import Workbook

from dps.contracts.deliveries.expected import ExpectedVisit
from dps.contracts.payment.visits import VisitOutcome
from dps.kernel.errors import BadInput
from web.unpacking import MOST_ROWS
from web.workbooks import text_cell

_OUTCOMES = ", ".join(VisitOutcome)
EXPLAINED = {
    "contract": "The contract's reference. Leave it as it is.",
    "visit": "The visit's name. Leave it as it is.",
    "day": "The day on which the visit was to begin. Leave it as it is.",
    "planned_start": "When the visit's window begins. Leave it as it is.",
    "started": "When the visit began, as 08:05. Empty unless it was done.",
    "ended": "When the visit ended, as 08:35; earlier than its start means the next day. Empty unless it was done.",
    "carers": "How many carers came, 1 to 4. Empty means 1.",
    "outcome": f"One of: {_OUTCOMES}. Empty means {VisitOutcome.DONE}.",
}


def workbook(visits: Sequence[ExpectedVisit]) -> bytes:
    """One visit a row, and a sheet that explains the columns. BadInput for more rows than are read back."""
    if len(visits) >= MOST_ROWS:
        raise BadInput(f"{len(visits)} visits don't fit a workbook of {MOST_ROWS} rows: take fewer days", field="last")
    book = Workbook(write_only=True)
    rows = book.create_sheet("Visits")
    rows.freeze_panes = "A2"
    for letter, width in zip("ABCDEFGH", (20, 18, 12, 14, 10, 10, 10, 14), strict=True):
        rows.column_dimensions[letter].width = width
    rows.append([text_cell(rows, column) for column in EXPLAINED])
    for visit in visits:
        known = (visit.contract, visit.visit_ref, visit.day.isoformat(), f"{visit.planned_start:%H:%M}")
        rows.append([text_cell(rows, words) for words in known])
    notes = book.create_sheet("Columns")
    notes.column_dimensions["A"].width, notes.column_dimensions["B"].width = 16, 100
    for line in (*EXPLAINED.items(), ("", "A row with the last four columns empty is left out when the file is read.")):
        notes.append([text_cell(notes, words) for words in line])
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()
