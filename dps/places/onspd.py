"""The directory that a council brings: an ONSPD or NSPL file, in the column names of any year.

Every row is checked before anything is kept, and the first fault ends the reading with its file, row and column.
Traps that the files hold: positions that are not there (indicator 9, or latitude 99.999999), codes that ended years
ago, Irish Grid numbers for BT, the Channel Islands without any grid, padded northings (`0167955`), abolished districts.

Source: ONSPD and NSPL user guides (Office for National Statistics).
"""

import csv
import hashlib
import re
import sys
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from io import TextIOWrapper
from pathlib import Path
from typing import IO, NoReturn

from dps.kernel.errors import BadDirectory
from dps.places.editions import Edition, Unit, require_districts
from dps.places.positions import Grid, grid_of
from dps.places.postcodes import HISTORIC_DISTRICTS, canonical

Progress = Callable[[int, int], None]

# Each column's names, as patterns: the surest first.
_POSTCODE = ("pcds", "pcd7", "pcd8", "pcd", "pcd2")
_LAD = (r"lad\d\dcd", "oslaua", "laua")
_EASTING = ("east1m", "oseast1m")
_NORTHING = ("north1m", "osnrth1m")
_TERMINATED = ("doterm",)
_INTRODUCED = ("dointr",)
_INDICATOR = ("gridind", "osgrdind")
_LATITUDE = ("lat",)

_EXTENT = {Grid.BRITISH: (700_000, 1_300_000), Grid.IRISH: (400_000, 500_000)}
_NO_GRID = "9"
_NO_LATITUDE = 99.0

_MONTH = re.compile(r"(?:19|20)\d\d(?:0[1-9]|1[0-2])")
_DIGITS = re.compile(r"\d+")
_DECIMAL = re.compile(r"-?\d+(\.\d+)?")
_LAD_CODE = re.compile(r"[A-Z]\d{8}")
_NAMED_VINTAGE = re.compile(r"(onspd|nspl)(?:\d\d)?[_\- ]?([a-z]{3})[a-z]*[_\- ]?(20\d\d)", re.IGNORECASE)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MAIN_MEMBER = re.compile(r"(onspd|nspl)[^/]*_uk\.csv", re.IGNORECASE)
_ROWS_BETWEEN_PROGRESS = 20_000


def read(
    path: Path,
    districts: Collection[str] | None = None,
    *,
    vintage: str | None = None,
    progress: Progress | None = None,
) -> Edition:
    """The postcodes of these districts, or of all, from a CSV or from the ZIP that the ONS publishes.

    `vintage` is taken from the file's name where it is not given, or else from the newest month in its rows.
    `progress` is told bytes done and bytes in all. Memory: below 100 MB for a council, 1 GB for the whole country.
    Errors: `BadDirectory` with file, row (the header is row 1) and column.
    """
    wanted = None if districts is None else frozenset(districts)
    try:
        digest = _digest(path)
        with _opened(path) as (stream, name, size):
            rows = _Rows(name, stream)
            units = list(rows.units(wanted, _every(progress, stream, size)))
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as fault:
        raise BadDirectory(f"can't be read: {getattr(fault, 'strerror', None) or fault}", file=path.name) from None
    require_districts(districts or (), {unit.district for unit in units}, name)
    if not units:
        raise BadDirectory("holds no postcode", file=name)
    named = _NAMED_VINTAGE.search(name) or _NAMED_VINTAGE.search(path.name)
    return Edition(
        source=named[1].upper() if named else "file",
        vintage=vintage or _vintage(named, rows.newest_month),
        sha256=digest,
        knows_liveness=True,
        units=units,
        left_out=rows.left_out,
    )


class _Rows:
    """The rows of one file: checks each, and remembers where it stands."""

    def __init__(self, file: str, stream: IO[bytes]) -> None:
        self.left_out = 0
        self.newest_month = ""
        self._file = file
        # "utf-8-sig": some editions begin with a byte order mark.
        self._reader = csv.reader(TextIOWrapper(stream, encoding="utf-8-sig", newline=""), strict=True)
        self._names = [name.strip().lower() for name in next(self._lines(), [])]
        self._postcode = self._column(_POSTCODE)
        self._lad = self._column(_LAD)
        self._easting = self._column(_EASTING)
        self._northing = self._column(_NORTHING)
        self._terminated = self._column(_TERMINATED)
        self._introduced = self._find(_INTRODUCED)
        self._indicator = self._find(_INDICATOR)
        self._latitude = self._find(_LATITUDE)

    def units(self, districts: frozenset[str] | None, tick: Callable[[], None]) -> Iterator[Unit]:
        """Those of `districts`; every other row is checked for its width and its postcode only."""
        seen: set[str] = set()
        width = len(self._names)
        for number, row in enumerate(self._lines()):
            if number % _ROWS_BETWEEN_PROGRESS == 0:
                tick()
            if len(row) != width:
                self._refuse(f"has {len(row)} columns where the header has {width}: is the file complete?")
            postcode = self._postcode_of(row[self._postcode])
            if postcode is None:
                self.left_out += 1
            elif districts is None or postcode[:-4] in districts:
                if postcode in seen:
                    self._refuse(f"{postcode} stands in the file twice", self._postcode)
                seen.add(postcode)
                yield self._unit(postcode, row)

    def _unit(self, postcode: str, row: list[str]) -> Unit:
        terminated = self._month(row, self._terminated)
        introduced = self._month(row, self._introduced)
        if terminated and introduced and terminated < introduced:
            self._refuse("it ended before it began", self._terminated)
        self.newest_month = max(self.newest_month, terminated or "", introduced or "")
        lad_code = row[self._lad].strip() or None
        if lad_code and not _LAD_CODE.fullmatch(lad_code):
            self._refuse(f"{lad_code!r} is no council code such as E08000012", self._lad)
        place = self._place(postcode, row)
        return Unit(
            postcode=postcode,
            lad_code=lad_code and sys.intern(lad_code),
            easting=place[0] if place else None,
            northing=place[1] if place else None,
            grid=grid_of(postcode) if place else Grid.NONE,
            live=terminated is None,
            terminated=terminated,
        )

    def _postcode_of(self, text: str) -> str | None:
        """None for a code of an abolished district, which is left out."""
        plain = text.strip().upper()
        code = canonical(plain)
        if code is None and plain[:3] not in HISTORIC_DISTRICTS:
            self._refuse(f"{text!r} is no postcode", self._postcode)
        return code

    def _place(self, postcode: str, row: list[str]) -> tuple[int, int] | None:
        east, north = row[self._easting].strip(), row[self._northing].strip()
        has_grid = self._cell(row, self._indicator) != _NO_GRID and self._degrees(row) < _NO_LATITUDE
        if not has_grid or not (east or north):
            return None
        most_east, most_north = _EXTENT[grid_of(postcode)]
        return self._metres(east, most_east, self._easting), self._metres(north, most_north, self._northing)

    def _metres(self, text: str, most: int, column: int) -> int:
        if not _DIGITS.fullmatch(text) or int(text) >= most:
            self._refuse(f"{text!r} is not a whole number of metres below {most}", column)
        return int(text)

    def _degrees(self, row: list[str]) -> float:
        text = self._cell(row, self._latitude)
        if text and not _DECIMAL.fullmatch(text):
            self._refuse(f"{text!r} is no latitude", self._latitude)
        return float(text) if text else 0.0

    def _month(self, row: list[str], column: int | None) -> str | None:
        text = self._cell(row, column)
        if not text:
            return None
        if not _MONTH.fullmatch(text):
            self._refuse(f"{text!r} is no month such as 201906", column)
        return f"{text[:4]}-{text[4:]}"

    def _cell(self, row: list[str], column: int | None) -> str:
        return "" if column is None else row[column].strip()

    def _column(self, patterns: tuple[str, ...]) -> int:
        found = self._find(patterns)
        if found is None:
            names = " or ".join(patterns).replace(r"\d\d", "25")
            raise BadDirectory(f"has no column {names}: is it an ONSPD or NSPL file?", file=self._file, row=1)
        return found

    def _find(self, patterns: tuple[str, ...]) -> int | None:
        for pattern in patterns:
            for index, name in enumerate(self._names):
                if re.fullmatch(pattern, name):
                    return index
        return None

    def _lines(self) -> Iterator[list[str]]:
        row = self._reader.line_num
        try:
            for line in self._reader:
                row = self._reader.line_num
                yield line
        except (csv.Error, UnicodeDecodeError) as fault:
            raise BadDirectory(f"is no CSV text from about here on: {fault}", file=self._file, row=row + 1) from None

    def _refuse(self, reason: str, column: int | None = None) -> NoReturn:
        field = self._names[column] if column is not None else None
        raise BadDirectory(reason, file=self._file, row=self._reader.line_num, field=field)


@contextmanager
def _opened(path: Path) -> Iterator[tuple[IO[bytes], str, int]]:
    """The rows' bytes, the name they go by and how many there are; of a ZIP, its one file of all postcodes."""
    if not zipfile.is_zipfile(path):
        with path.open("rb") as stream:
            yield stream, path.name, path.stat().st_size
        return
    with zipfile.ZipFile(path) as archive:
        members = [member for member in archive.infolist() if _MAIN_MEMBER.fullmatch(Path(member.filename).name)]
        if len(members) != 1:
            raise BadDirectory("the ZIP should hold one file named ONSPD…_UK.csv or NSPL…_UK.csv", file=path.name)
        with archive.open(members[0]) as stream:
            yield stream, Path(members[0].filename).name, members[0].file_size


def _every(progress: Progress | None, stream: IO[bytes], size: int) -> Callable[[], None]:
    return (lambda: None) if progress is None else (lambda: progress(stream.tell(), size))


def _digest(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _vintage(named: re.Match[str] | None, newest_month: str) -> str:
    if named and named[2].lower() in _MONTHS:
        return f"{named[3]}-{_MONTHS.index(named[2].lower()) + 1:02}"
    return f"{newest_month} or later" if newest_month else "unknown"
