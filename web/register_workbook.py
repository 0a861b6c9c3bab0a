"""The register of a scheme as a workbook: to be brought up to date and taken back as the newer register.

Taken back as it is it changes nothing. The columns of places stay empty: who holds places keeps them, and who joins
names its own.
"""

import io
from collections.abc import Sequence

from openpyxl import Workbook

from dps.register.providers import Location, Provider
from dps.schemes.model import Rating, Scheme
from web.provider_rows import ADMITTED, NEEDED
from web.workbooks import text_cell

_KNOWN = (*NEEDED, "company_number", "lad", "rating")


def register_workbook(rows: Sequence[tuple[Provider, Location]], scheme: Scheme) -> bytes:
    """One open location a row, and a sheet that says what may stand in the columns."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Register")
    sheet.freeze_panes = "A2"
    for letter, width in zip("ABCDEFGHIJK", (36, 36, 16, 10, 14, 16, 12, 22, 20, 20, 20), strict=True):
        sheet.column_dimensions[letter].width = width
    sheet.append([text_cell(sheet, column) for column in (*_KNOWN, *ADMITTED)])
    for provider, location in rows:
        known = {
            "name": provider.name,
            "location_name": location.name,
            "regulator_id": location.regulator_id,
            "place": location.sector or location.district,
            "registered_on": location.registered_on.isoformat(),
            "company_number": provider.company_number or "",
            "lad": location.lad or "",
            "rating": location.rating.value,
        }
        sheet.append([text_cell(sheet, known[column]) for column in _KNOWN])
    notes = book.create_sheet("Columns")
    notes.column_dimensions["A"].width, notes.column_dimensions["B"].width = 16, 100
    for line in _explained(scheme).items():
        notes.append([text_cell(notes, words) for words in line])
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def _explained(scheme: Scheme) -> dict[str, str]:
    return {
        "name": "The provider. Rows with the same company number, or else the same name, are one provider.",
        "location_name": "The registered location. Without a row a location has closed, a provider has left.",
        "regulator_id": "The location's number with the regulator.",
        "place": "Its postcode, postcode sector or district.",
        "registered_on": "Since when it is registered, as 2019-03-04.",
        "company_number": "As Companies House writes it; empty where there is none.",
        "lad": "The code of the district in which it lies, such as E08000012.",
        "rating": f"One of: {', '.join(Rating)}.",
        "lists": f"For who joins, any of: {', '.join(one.key for one in scheme.lists)}.",
        "lots": f"For who joins, any of: {', '.join(one.key for one in scheme.lots)}.",
        "localities": f"For who joins, any of: {', '.join(one.key for one in scheme.localities)}.",
    }
