"""Reads a CSV or XLSX file as rows of named cells, and finds everything that is wrong with its shape first.

A file is refused whole, in few seconds and little memory: its cells are read by another process (`unpacking`), which
refuses too many bytes, a bomb, or a cell so far out that the table between would not fit, and is ended by its limits
where a hostile file finds another way. Values are never guessed: a CSV is UTF-8, and a number of a spreadsheet stays a
number for the column to judge.
"""

import json
import re
import subprocess
import sys
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from dps.kernel.errors import BadInput
from web.unpacking import Cell, from_json

LARGEST_FILE_BYTES = 8 * 1024 * 1024

_ROOT = Path(__file__).resolve().parent.parent
_LONGEST_S = 20
"""By the wall: its own limit of two seconds is of a processor, which a busy machine may not have to give."""

_TOO_MUCH = "the file takes more memory or time than a spreadsheet of people would: part it, or save it anew as CSV"


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
    kind = path.suffix.lower().removeprefix(".")
    if kind not in ("csv", "xlsx"):
        raise BadInput("only .csv and .xlsx files are read", file=path.name)
    table = _table(path.name, kind, content)
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
            raise BadInput(f"the column {name!r} is missing from the first row", file=file, row=1, field=name)
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


def _table(file: str, kind: str, content: bytes) -> list[list[Cell]]:
    """The cells, read by a child that ends itself where the file takes too much memory or time."""
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "web.unpacking", kind],
            input=content,
            capture_output=True,
            timeout=_LONGEST_S,
            check=False,
            cwd=_ROOT,
            env={"PYTHONPATH": str(_ROOT), "PYTHONUTF8": "1"},
        )
    except subprocess.TimeoutExpired:
        raise BadInput(_TOO_MUCH, file=file) from None
    if done.returncode:
        raise BadInput(_TOO_MUCH, file=file)
    told = done.stdout.decode()
    if told.startswith("{"):
        fault = json.loads(told)
        raise BadInput(fault["reason"], file=file, **({"row": fault["row"]} if fault["row"] else {}))
    return from_json(told)


def columns_in_words(columns: Collection[str], required: Collection[str]) -> str:
    """Which columns a file may have and how their cells are written, for a command's help."""
    named = ", ".join(f"{name} (needed)" if name in required else name for name in columns)
    return (
        f"Columns, in any order: {named}.\n\n"
        "A day is written 2026-03-09 or 09/03/2026, several keys with commas between; none says that there are none."
    )
