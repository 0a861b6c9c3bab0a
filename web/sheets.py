"""Reads a CSV or XLSX file as rows of named cells, and finds everything that is wrong with its shape first.

A file is refused whole, in few seconds and little memory, before any parser meets what a hostile one may hold: too
many bytes, a bomb, or a cell so far out that the table between would not fit. Values are never guessed: a CSV is
UTF-8, and a number of a spreadsheet stays a number for the column to judge.
"""

import csv
import io
import re
import zipfile
import zlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TypeAlias

from python_calamine import CalamineError, PasswordError, load_workbook

from dps.kernel.errors import BadInput

LARGEST_FILE_BYTES = 8 * 1024 * 1024
LARGEST_UNPACKED_BYTES = 24 * 1024 * 1024
MOST_ROWS = 5_000
MOST_COLUMNS = 100

Cell: TypeAlias = str | float | bool | date | datetime | time | timedelta
"""What a spreadsheet's cell holds; an empty one is an empty text. A CSV holds texts alone."""

_UNREADABLE = (CalamineError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError)
_POSITION = re.compile(rb"""\sr\s*=\s*["']\s*([A-Za-z]*)\s*([0-9]*)""")


@dataclass(frozen=True, slots=True)
class SheetRow:
    """One row as the spreadsheet numbers it (the header is row 1), by column."""

    number: int
    cells: Mapping[str, Cell]


@dataclass(frozen=True, slots=True)
class Sheet:
    """The rows that hold anything; a column that the file lacks is missing in all of them."""

    file: str
    rows: tuple[SheetRow, ...]


def read_sheet(path: Path, *, columns: Collection[str], required: Collection[str]) -> Sheet:
    """Read the first sheet of an XLSX file, or a CSV file; the first row names the columns.

    Names are read without regard to case, and a space or hyphen as an underscore. BadInput names the file and, where
    there is one, the row: not a readable file of either kind, too large, a column unknown, named twice or missing.
    """
    try:
        if path.stat().st_size > LARGEST_FILE_BYTES:
            raise BadInput(f"the file is larger than {LARGEST_FILE_BYTES // 1024**2} MB", file=path.name)
        content = path.read_bytes()
    except OSError as fault:
        raise BadInput(f"the file can't be read: {fault.strerror}", file=path.name) from None
    match path.suffix.lower():
        case ".csv":
            table = _csv_rows(path.name, content)
        case ".xlsx":
            table = _xlsx_rows(path.name, content)
        case _:
            raise BadInput("only .csv and .xlsx files are read", file=path.name)
    if not table:
        raise BadInput("the file is empty", file=path.name)
    names = _header(path.name, table[0], columns, required)
    return Sheet(path.name, tuple(_rows(path.name, names, table)))


def _header(file: str, first: list[Cell], columns: Collection[str], required: Collection[str]) -> list[str]:
    names = [re.sub(r"[\s\-]+", "_", str(cell).strip().lower()) for cell in first]
    while names and not names[-1]:
        names.pop()
    for name in names:
        if name not in columns:
            known = ", ".join(columns)
            raise BadInput(f"{name[:40]!r} is no column; columns are {known}", file=file, row=1, field=name[:40])
        if names.count(name) > 1:
            raise BadInput("this column is named twice", file=file, row=1, field=name)
    for name in required:
        if name not in names:
            raise BadInput("this column is missing", file=file, row=1, field=name)
    return names


def _rows(file: str, names: list[str], table: list[list[Cell]]) -> list[SheetRow]:
    rows = []
    for number, cells in enumerate(table[1:], 2):
        if not any(_is_filled(cell) for cell in cells):
            continue
        if any(_is_filled(cell) for cell in cells[len(names) :]):
            raise BadInput(f"this row has more cells than the {len(names)} columns", file=file, row=number)
        filled = [*cells, *[""] * len(names)][: len(names)]
        rows.append(SheetRow(number, dict(zip(names, filled, strict=True))))
    return rows


def _is_filled(cell: Cell) -> bool:
    return not isinstance(cell, str) or bool(cell.strip())


def _csv_rows(file: str, content: bytes) -> list[list[Cell]]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput("the file is not UTF-8: save it as “CSV UTF-8”", file=file) from None
    table: list[list[Cell]] = []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for cells in reader:
            table.append(list(cells))
            _refuse_more(file, len(table), len(cells))
    except csv.Error as fault:
        raise BadInput(f"this is no CSV: {fault}", file=file, row=len(table) + 1) from None
    return table


def _refuse_more(file: str, rows: int, columns: int) -> None:
    if rows > MOST_ROWS + 1:
        raise BadInput(f"more than {MOST_ROWS} rows: part the file", file=file)
    if columns > MOST_COLUMNS:
        raise BadInput(f"more than {MOST_COLUMNS} columns", file=file, row=rows)


def _xlsx_rows(file: str, content: bytes) -> list[list[Cell]]:
    try:
        unpacked = _unpacked(file, content)
        workbook = load_workbook(unpacked)
        if not workbook.sheet_names:
            return []
        table: list[list[Cell]] = [list(row) for row in workbook.get_sheet_by_index(0).to_python(skip_empty_area=False)]
    except PasswordError:
        raise BadInput("the file is locked with a password", file=file) from None
    except _UNREADABLE:
        raise BadInput("this is no XLSX file that can be read", file=file) from None
    _refuse_more(file, len(table), max(map(len, table), default=0))
    return table


def _unpacked(file: str, content: bytes) -> io.BytesIO:
    """The same archive without compression, no member longer than it says, no cell further out than is read.

    The parser makes room for everything between the first cell and the last, so a lone far cell would fill the memory.
    """
    stored = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(stored, "w", zipfile.ZIP_STORED) as plain:
        members = archive.infolist()
        if sum(member.file_size for member in members) > LARGEST_UNPACKED_BYTES:
            raise BadInput(f"unpacked, the file is larger than {LARGEST_UNPACKED_BYTES // 1024**2} MB", file=file)
        for member in members:
            inside = archive.read(member)
            # A worksheet may lie anywhere in the archive; what it is shows in what it holds.
            if b"sheetData" in inside:
                _refuse_far_cells(file, inside)
            plain.writestr(member.filename, inside)
    stored.seek(0)
    return stored


def _refuse_far_cells(file: str, worksheet: bytes) -> None:
    for letters, digits in set(_POSITION.findall(worksheet)):
        column = 0
        for letter in letters.upper():
            column = column * 26 + letter - ord("A") + 1
        _refuse_more(file, int(digits[:9] or 0), column)


def columns_in_words(columns: Collection[str], required: Collection[str]) -> str:
    """Which columns a file may have and how their cells are written, for a command's help."""
    named = ", ".join(f"{name} (needed)" if name in required else name for name in columns)
    return (
        f"Columns, in any order: {named}.\n\n"
        "A day is written 2026-03-09 or 09/03/2026, several keys with commas between; none says that there are none."
    )
