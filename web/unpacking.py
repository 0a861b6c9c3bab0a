"""A spreadsheet's cells, read in a process of its own that is ended when it takes too much.

Run as a program it reads the file from its standard input and writes the cells to its standard output as JSON, or in
words why they can't be read. It is given no settings and no secrets. Before a file is looked at the process limits
itself: 150 MB more than it holds, two seconds of a processor. A hostile file can hurt nothing else.
"""

import csv
import io
import json
import re
import resource
import sys
import zipfile
import zlib
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

from python_calamine import CalamineError, PasswordError, load_workbook

LARGEST_UNPACKED_BYTES = 24 * 1024 * 1024
MOST_ROWS = 5_000
MOST_COLUMNS = 100
MOST_CHARACTERS = 8 * 1024 * 1024
"""Of all cells together: a packed spreadsheet may name one long text a hundred thousand times."""

MORE_MEMORY_BYTES = 150 * 1024 * 1024
PROCESSOR_S = 2

Cell: TypeAlias = str | float | bool | date | datetime | time | timedelta
"""What a spreadsheet's cell holds; an empty one is an empty text. A CSV holds texts alone."""

_UNREADABLE = (CalamineError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, ValueError)
_POSITION = re.compile(rb"""\sr\s{0,9}=\s{0,9}["']\s{0,9}([A-Za-z]{0,9})\s{0,9}([0-9]{0,9})""")


class Unreadable(Exception):
    """Why a file is refused, in words, and at which row if it is one's fault."""

    def __init__(self, reason: str, row: int | None = None) -> None:
        super().__init__(reason)
        self.reason, self.row = reason, row


def csv_table(content: bytes) -> list[list[Cell]]:
    """The cells of a CSV file in UTF-8, row by row."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Unreadable("the file is not UTF-8: save it as “CSV UTF-8”") from None
    table: list[list[Cell]] = []
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for cells in reader:
            table.append(list(cells))
            _refuse_more(len(table), len(cells))
    except csv.Error as fault:
        raise Unreadable(f"this is no CSV: {fault}", row=len(table) + 1) from None
    return table


def xlsx_table(content: bytes) -> list[list[Cell]]:
    """The cells of the first sheet of an XLSX file, row by row."""
    try:
        workbook = load_workbook(_unpacked(content))
        if not workbook.sheet_names:
            return []
        table: list[list[Cell]] = [list(row) for row in workbook.get_sheet_by_index(0).to_python(skip_empty_area=False)]
    except PasswordError:
        raise Unreadable("the file is locked with a password") from None
    except _UNREADABLE:
        raise Unreadable("this is no XLSX file that can be read") from None
    _refuse_more(len(table), max(map(len, table), default=0))
    if sum(len(cell) for row in table for cell in row if isinstance(cell, str)) > MOST_CHARACTERS:
        raise Unreadable(f"its cells hold more than {MOST_CHARACTERS // 1024**2} MB of text")
    return table


def _refuse_more(rows: int, columns: int) -> None:
    if rows > MOST_ROWS + 1:
        raise Unreadable(f"more than {MOST_ROWS} rows: part the file")
    if columns > MOST_COLUMNS:
        raise Unreadable(f"more than {MOST_COLUMNS} columns", row=rows)


def _unpacked(content: bytes) -> io.BytesIO:
    """The same archive without compression, no member longer than it says, no cell further out than is read.

    The parser makes room for everything between the first cell and the last, so a lone far cell would fill the memory.
    """
    stored = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as archive, zipfile.ZipFile(stored, "w", zipfile.ZIP_STORED) as plain:
        members = archive.infolist()
        if sum(member.file_size for member in members) > LARGEST_UNPACKED_BYTES:
            raise Unreadable(f"unpacked, the file is larger than {LARGEST_UNPACKED_BYTES // 1024**2} MB")
        for member in members:
            inside = archive.read(member)
            # A worksheet may lie anywhere in the archive; what it is shows in what it holds.
            if b"sheetData" in inside:
                _refuse_far_cells(inside)
            plain.writestr(member.filename, inside)
    stored.seek(0)
    return stored


def _refuse_far_cells(worksheet: bytes) -> None:
    for letters, digits in set(_POSITION.findall(worksheet)):
        column = 0
        for letter in letters.upper():
            column = column * 26 + letter - ord("A") + 1
        _refuse_more(int(digits or 0), column)


# Between the two processes


def as_json(table: list[list[Cell]]) -> str:
    """The cells as text, texts and numbers and truths as they are, days and times by their kind."""
    return json.dumps([[_told(cell) for cell in row] for row in table], ensure_ascii=True, allow_nan=True)


def from_json(told: str) -> list[list[Cell]]:
    """What `as_json` wrote."""
    return [[_cell(one) for one in row] for row in json.loads(told)]


def _told(cell: Cell) -> Any:
    match cell:
        case datetime():
            return ["instant", cell.isoformat()]
        case date():
            return ["day", cell.isoformat()]
        case time():
            return ["time", cell.isoformat()]
        case timedelta():
            return ["span", cell // timedelta(microseconds=1)]
        case _:
            return cell


def _cell(told: Any) -> Cell:
    if not isinstance(told, list):
        cell: Cell = told
        return cell
    match told:
        case ["instant", str() as text]:
            return datetime.fromisoformat(text)
        case ["day", str() as text]:
            return date.fromisoformat(text)
        case ["time", str() as text]:
            return time.fromisoformat(text)
        case ["span", int() as microseconds]:
            return timedelta(microseconds=microseconds)
    raise ValueError("this is no cell")


def limit() -> None:
    """Bind this process: so much more memory than it has now, so many seconds of a processor, nothing written."""
    status = Path("/proc/self/statm")
    if status.exists():  # elsewhere than on Linux the limit on memory is not kept by the system
        held = int(status.read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (held + MORE_MEMORY_BYTES, held + MORE_MEMORY_BYTES))
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = int(used.ru_utime + used.ru_stime) + PROCESSOR_S
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main(kind: str) -> NoReturn:
    limit()
    content = sys.stdin.buffer.read()
    try:
        told = as_json(xlsx_table(content) if kind == "xlsx" else csv_table(content))
    except Unreadable as fault:
        told = json.dumps({"reason": fault.reason, "row": fault.row})
    except MemoryError:
        sys.exit(1)
    sys.stdout.write(told)
    sys.stdout.flush()
    sys.exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
