"""Files that somebody might send to hurt: each made in memory, with a name that says what it would do."""

import io
import zipfile
from collections.abc import Callable
from datetime import date

from openpyxl import Workbook

_SHEET = (
    '<?xml version="1.0"?>{before}<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    "<sheetData>{rows}</sheetData></worksheet>"
)
_HEADER = '<row r="1"><c r="A1" t="inlineStr"><is><t>name</t></is></c></row>'


def a_workbook(*rows: list[object]) -> bytes:
    """An honest one."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    for row in rows:
        sheet.append(row)
    kept = io.BytesIO()
    book.save(kept)
    return kept.getvalue()


def repacked(content: bytes, **members: bytes) -> bytes:
    """The same workbook with some of its members put in another's place: `sheet1`, `sharedStrings`, `workbook`."""
    kept = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.infolist():
            stem = member.filename.rpartition("/")[2].partition(".")[0]
            new.writestr(member.filename, members.pop(stem, b"") or old.read(member))
        for name, inside in members.items():
            new.writestr(f"xl/{name}.xml", inside)
    return kept.getvalue()


def _with_sheet(rows: str, before: str = "") -> bytes:
    sheet = _SHEET.format(before=before, rows=rows).encode()
    return repacked(a_workbook(["name"], ["A"]), sheet1=sheet)


def zip_bomb() -> bytes:
    """A thousand times as large inside."""
    return repacked(a_workbook(["name"], ["A"]), sheet1=b" " * (200 * 1024 * 1024))


def nested_zip_bomb() -> bytes:
    """Archives within archives, forty-two wide."""
    inside = b"\0" * (16 * 1024 * 1024)
    for _ in range(3):
        kept = io.BytesIO()
        with zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as pack:
            for number in range(42):
                pack.writestr(f"{number}.xlsx", inside)
        inside = kept.getvalue()
    return inside


def billion_laughs() -> bytes:
    """Entities that name entities."""
    entities = '<!ENTITY a0 "ha">' + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    row = '<row r="2"><c r="A2" t="inlineStr"><is><t>&a9;</t></is></c></row>'
    return _with_sheet(_HEADER + row, before=f"<!DOCTYPE w [{entities}]>")


def outside_entity() -> bytes:
    """An entity that names a file of this machine."""
    row = '<row r="2"><c r="A2" t="inlineStr"><is><t>&secret;</t></is></c></row>'
    return _with_sheet(_HEADER + row, before='<!DOCTYPE w [<!ENTITY secret SYSTEM "file:///etc/passwd">]>')


def million_columns() -> bytes:
    return b",".join(b"name" for _ in range(1_000_000)) + b"\n"


def million_columns_of_a_workbook() -> bytes:
    return _with_sheet(_HEADER + '<row r="2">' + "<c t='inlineStr'><is><t>x</t></is></c>" * 600_000 + "</row>")


def far_cell() -> bytes:
    return _with_sheet(_HEADER + '<row r="1048576"><c r="XFD1048576" t="n"><v>1</v></c></row>')


def one_text_named_often() -> bytes:
    """Eight megabytes that half a million cells share: a parser that copies it for each would need a terabyte."""
    long = "x" * (8 * 1024 * 1024)
    strings = (
        '<?xml version="1.0"?><sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" count="1" '
        f'uniqueCount="1"><si><t>{long}</t></si></sst>'
    )
    cells = "".join(f'<row r="{row}">' + '<c t="s"><v>0</v></c>' * 100 + "</row>" for row in range(1, 3_000))
    return repacked(
        a_workbook(["name"], ["A"]),
        sheet1=_SHEET.format(before="", rows=cells).encode(),
        sharedStrings=strings.encode(),
    )


def deep_elements() -> bytes:
    return _with_sheet(_HEADER + "<row>" * 500_000 + "</row>" * 500_000)


def one_endless_line() -> bytes:
    return b"name\n" + b"x" * (7 * 1024 * 1024)


def one_open_quote() -> bytes:
    return b'name\n"' + b"x,\n" * (2 * 1024 * 1024)


def many_rows() -> bytes:
    return b"name\n" + b"A\n" * 3_000_000


def position_pattern() -> bytes:
    """What a careless pattern for `r="A1"` would read over and over."""
    return _with_sheet(_HEADER + " r" + " " * 6_000_000 + "=")


BOMBS: dict[str, Callable[[], bytes]] = {
    "zip bomb.xlsx": zip_bomb,
    "archives within archives.xlsx": nested_zip_bomb,
    "billion laughs.xlsx": billion_laughs,
    "entity of a file.xlsx": outside_entity,
    "a million columns.csv": million_columns,
    "a million columns.xlsx": million_columns_of_a_workbook,
    "a far cell.xlsx": far_cell,
    "one text named often.xlsx": one_text_named_often,
    "deep elements.xlsx": deep_elements,
    "one endless line.csv": one_endless_line,
    "one open quote.csv": one_open_quote,
    "millions of rows.csv": many_rows,
    "spaces without end.xlsx": position_pattern,
    "NUL.csv": lambda: b"name\nA\0B\n",
    "UTF-16.csv": lambda: "name\nA\n".encode("utf-16"),
    "UTF-32.csv": lambda: "name\nA\n".encode("utf-32"),
    "half a character.csv": lambda: b"name\n\xe2\x82",
    "cut short.xlsx": lambda: a_workbook(["name"], ["A"])[:-200],
    "no archive.xlsx": lambda: b"PK\x03\x04" + b"\0" * 5_000,
    "old format.xlsx": lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 5_000,
}
"""Each is refused, or read as harmless."""

FORMULAS = ("=1+1", '=HYPERLINK("http://example.org")', "+1+cmd|' /C calc'!A0", "-2+3", "@SUM(1)", "\t=1", "\r=1")


def with_formulas() -> bytes:
    """A workbook whose cells are live formulas, and one day that Excel counts wrongly."""
    return a_workbook(["name", "first_day"], ["=1+1", date(1900, 2, 28)], ["=A2", date(2026, 3, 9)])
