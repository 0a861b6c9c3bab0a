"""Cells of a workbook that hold text: one that begins like a formula stays a text."""

from typing import Any

from openpyxl.cell import WriteOnlyCell

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
"""How a workbook is called on its way to a browser."""


def text_cell(sheet: Any, words: str) -> Any:
    """A cell that no program takes for a formula."""
    cell = WriteOnlyCell(sheet, value=words)
    cell.data_type = "s"
    return cell
