"""Sheets: CSV and XLSX alike, and hostile files refused before they cost anything."""

import csv
import io
import zipfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from dps.kernel.errors import BadInput
from web.sheets import LARGEST_FILE_BYTES, SheetRow, read_sheet
from web.unpacking import LARGEST_UNPACKED_BYTES, MOST_ROWS, Cell

COLUMNS = ("name", "first_day", "minutes")
CELLS = st.text(st.characters(categories=["L", "Nd", "P", "Zs"]), max_size=12)


def _csv(folder: Path, text: str | bytes, name: str = "people.csv") -> Path:
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def _xlsx(folder: Path, rows: Sequence[Sequence[object]]) -> Path:
    workbook = Workbook()
    sheet = workbook.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    path = folder / "people.xlsx"
    workbook.save(path)
    return path


def _read(path: Path) -> list[SheetRow]:
    return list(read_sheet(path, columns=COLUMNS, required=("name",)).rows)


def _row(number: int, *cells: Cell) -> SheetRow:
    return SheetRow(number, dict(zip(COLUMNS, cells, strict=False)))


def test_rows_are_numbered_as_the_spreadsheet_shows_them(tmp_path: Path) -> None:
    text = '\ufeffName, First-day ,minutes\r\n"A, B",2026-03-09,30\r\n\r\n"two\nlines",,\r\n'

    assert _read(_csv(tmp_path, text)) == [_row(2, "A, B", "2026-03-09", "30"), _row(4, "two\nlines", "", "")]


def test_a_spreadsheet_keeps_its_days_and_numbers(tmp_path: Path) -> None:
    path = _xlsx(tmp_path, [["Name", "first day", "minutes"], ["A", date(2026, 3, 9), 30], [None, None, None]])

    (row,) = _read(path)

    assert (row.number, row.cells["name"], row.cells["minutes"]) == (2, "A", 30.0)
    assert str(row.cells["first_day"]).startswith("2026-03-09")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=settings().max_examples // 2)
@given(st.lists(st.tuples(CELLS.filter(str.strip), CELLS), min_size=1, max_size=5))
def test_both_kinds_of_file_say_the_same(tmp_path: Path, people: list[tuple[str, str]]) -> None:
    written = io.StringIO()
    csv.writer(written).writerows([("name", "first_day"), *people])
    from_csv = _read(_csv(tmp_path, written.getvalue()))

    from_xlsx = _read(_xlsx(tmp_path, [["name", "first_day"], *people]))

    assert [dict(row.cells) for row in from_xlsx] == [dict(row.cells) for row in from_csv]


@pytest.mark.parametrize(
    ("text", "row", "column", "reason"),
    [
        ("", None, None, "empty"),
        ("first_day\nA", 1, "name", "missing"),
        ("name,name\nA,B", 1, "name", "twice"),
        ("name,naem\nA,B", 1, "naem", "no column"),
        ("name,\nA,B", 2, None, "more cells"),
        ("name\nA,B", 2, None, "more cells"),
        ('name\n"A', 2, None, "no CSV"),
        ("name\nA\n" + "x" * 200_000, 3, None, "no CSV"),
        (b"name\nZo\xeb", None, None, "UTF-8"),
        ("name\n" + "A\n" * (MOST_ROWS + 1), None, None, "part the file"),
        ("," * 100, 1, None, "columns"),
    ],
)
def test_what_is_wrong_with_a_files_shape_is_said_with_its_place(
    tmp_path: Path, text: str | bytes, row: int | None, column: str | None, reason: str
) -> None:
    with pytest.raises(BadInput, match=reason) as refusal:
        _read(_csv(tmp_path, text))

    assert (refusal.value.file, refusal.value.row, refusal.value.field) == ("people.csv", row, column)


@pytest.mark.parametrize("name", ["people.xls", "people.ods", "people", "people.exe"])
def test_other_kinds_of_file_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput, match="only"):
        _read(_csv(tmp_path, "name\nA", name))


def test_a_missing_file_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No such file"):
        _read(tmp_path / "people.csv")


def test_a_large_file_is_not_read(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="larger than"):
        _read(_csv(tmp_path, b"name\n" + b" " * LARGEST_FILE_BYTES))


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, b"name\nA"])
def test_what_is_no_spreadsheet_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(BadInput, match="no XLSX"):
        _read(_csv(tmp_path, content, "people.xlsx"))


def _repacked(path: Path, change: dict[str, bytes]) -> Path:
    """The spreadsheet with members replaced or added."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()} | change
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_a_bomb_is_refused_unexploded(tmp_path: Path) -> None:
    path = _repacked(_xlsx(tmp_path, [["name"], ["A"]]), {"xl/media/bomb": b"\0" * (LARGEST_UNPACKED_BYTES + 1)})

    assert path.stat().st_size < 100_000
    with pytest.raises(BadInput, match="unpacked"):
        _read(path)


def test_a_bomb_that_lies_about_its_size_is_refused(tmp_path: Path) -> None:
    path = _repacked(_xlsx(tmp_path, [["name"], ["A"]]), {"xl/media/bomb": b"\0" * (LARGEST_UNPACKED_BYTES + 1)})
    size = (LARGEST_UNPACKED_BYTES + 1).to_bytes(4, "little")
    path.write_bytes(path.read_bytes().replace(size, (10).to_bytes(4, "little")))

    with pytest.raises(BadInput, match="no XLSX"):
        _read(path)


@pytest.mark.parametrize("far", [b'r="XFD2"', b'r="A1048576"', b"r='xfd1048576'"])
@pytest.mark.parametrize("place", ["xl/worksheets/sheet1.xml", "xl/elsewhere/sheet1.xml"])
def test_a_lone_far_cell_does_not_fill_the_memory(tmp_path: Path, far: bytes, place: str) -> None:
    path = _xlsx(tmp_path, [["name"], ["A"]])
    with zipfile.ZipFile(path) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml")
        links = archive.read("xl/_rels/workbook.xml.rels")
    assert b'r="A2"' in sheet
    elsewhere = links.replace(b"/xl/worksheets/sheet1.xml", f"/{place}".encode())
    _repacked(path, {place: sheet.replace(b'r="A2"', far), "xl/_rels/workbook.xml.rels": elsewhere})

    with pytest.raises(BadInput, match="more than"):
        _read(path)


def test_a_sheet_moved_elsewhere_is_read_all_the_same(tmp_path: Path) -> None:
    """Or the test above would prove nothing of sheets outside their usual folder."""
    path = _xlsx(tmp_path, [["name"], ["A"]])
    with zipfile.ZipFile(path) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml")
        links = archive.read("xl/_rels/workbook.xml.rels")
    elsewhere = links.replace(b"/xl/worksheets/sheet1.xml", b"/xl/elsewhere/sheet1.xml")

    moved = _repacked(path, {"xl/elsewhere/sheet1.xml": sheet, "xl/_rels/workbook.xml.rels": elsewhere})

    assert _read(moved) == [SheetRow(2, {"name": "A"})]


def test_a_locked_spreadsheet_is_refused(tmp_path: Path) -> None:
    stored = io.BytesIO()
    with zipfile.ZipFile(stored, "w") as archive:
        archive.writestr("xl/workbook.xml", b"")
    locked = bytearray(stored.getvalue())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        locked[locked.index(mark) + flags] |= 1

    with pytest.raises(BadInput, match="no XLSX"):
        _read(_csv(tmp_path, bytes(locked), "people.xlsx"))
