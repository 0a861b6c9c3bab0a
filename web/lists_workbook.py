"""Who is on which list of a scheme, as a workbook that a council can publish as it is."""

import io
from collections.abc import Iterable, Sequence

from openpyxl import Workbook

from dps.register.who_is_where import Placed
from dps.schemes.model import Scheme
from web.pages.names import lots as lots_by_name
from web.pages.names import places as areas_by_name
from web.workbooks import text_cell

COLUMNS = ("List", "Service", "Area", "Provider", "Reference", "State")


def rows_of(places: Iterable[Placed], scheme: Scheme) -> list[tuple[str, ...]]:
    """A row for each place, under `COLUMNS`, in the scheme's own names."""
    lots, areas = lots_by_name([scheme]), areas_by_name([scheme])
    lists = {one.key: one.name for one in scheme.lists}
    return [
        (
            lists.get(one.list_key, one.list_key),
            lots[one.lot],
            areas[one.locality],
            one.name,
            one.provider,
            "suspended" if one.is_suspended else "active",
        )
        for one in places
    ]


def lists_workbook(places: Sequence[Placed], scheme: Scheme) -> bytes:
    """One sheet, text alone."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet("Lists")
    sheet.freeze_panes = "A2"
    for letter, width in zip("ABCDEF", (30, 30, 36, 36, 24, 12), strict=True):
        sheet.column_dimensions[letter].width = width
    for row in (COLUMNS, *rows_of(places, scheme)):
        sheet.append([text_cell(sheet, words) for words in row])
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()
