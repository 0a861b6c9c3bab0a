"""A spreadsheet's rows read as providers and their locations, every fault of every cell collected.

A row is a location; rows with the same company number (or, without one, the same name) are one provider.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path
from typing import NamedTuple, TypeVar

from dps.kernel.calendar import as_wall_time
from dps.kernel.errors import BadInput
from dps.places.postcodes import parse
from dps.register.company_numbers import parse_company_number
from dps.register.providers import MINUTES_A_DAY, district_and_sector, lad_code
from dps.register.texts import keys, known, one_line
from dps.schemes.model import Rating, Scheme
from web.cells import choice, day, several, whole, words
from web.sheets import SheetRow, read_sheet
from web.unpacking import Cell

NEEDED = ("name", "location_name", "regulator_id", "place", "registered_on")
OPTIONAL = (
    *("company_number", "lad", "rating", "skills", "accepted_flags"),
    *("service_from", "service_until", "most_carers"),
)
ADMITTED = ("lists", "lots", "localities")
_SHARED = ("name", "skills", "accepted_flags", "service_from", "service_until", "most_carers")


Value = TypeVar("Value")


class Fault(NamedTuple):
    """What is wrong in one cell; a fault of the whole row has no column, one of the whole file no row."""

    row: int | None
    column: str
    reason: str


@dataclass
class Faults:
    """Collects every fault instead of stopping at the first."""

    found: list[Fault] = field(default_factory=list)

    def add(self, row: int | None, column: str, reason: str) -> None:
        self.found.append(Fault(row, column, reason))

    def read(
        self, row: SheetRow, column: str, reader: Callable[[Cell], Value], empty: Value | None = None
    ) -> Value | None:
        """The cell as `reader` reads it, `empty` if it holds nothing; None, and a fault, where it is refused."""
        if not holds(row, column):
            if column in NEEDED:
                self.add(row.number, column, "this is needed")
            return empty
        try:
            return reader(row.cells[column])
        except BadInput as bad:
            self.add(row.number, column, bad.facts["reason"])
            return None


def holds(row: SheetRow, column: str) -> bool:
    """Whether there is anything in the cell."""
    cell = row.cells.get(column, "")
    return not isinstance(cell, str) or bool(cell.strip())


@dataclass
class Entry:
    """One location as its row states it."""

    row: int
    name: str
    regulator_id: str
    place: str
    lad: str | None
    rating: Rating
    registered_on: date


@dataclass
class Newcomer:
    """One provider as its rows state it."""

    row: int
    name: str
    company_number: str | None
    skills: list[str]
    accepted_flags: list[str]
    service_minutes: tuple[int, int] | None
    most_carers: int
    locations: list[Entry] = field(default_factory=list)
    places: list[tuple[int, list[str], list[str], list[str]]] = field(default_factory=list)


def read_newcomers(file: Path, scheme: Scheme | None) -> tuple[list[Newcomer], list[Fault]]:
    """The providers that a file states, in the order of their first rows, and all faults that its cells show."""
    faults = Faults()
    columns = (*NEEDED, *OPTIONAL, *(() if scheme is None else ADMITTED))
    try:
        rows = read_sheet(file, columns=columns, required=NEEDED).rows
    except BadInput as bad:
        return [], [Fault(bad.facts["row"], bad.facts["field"] or "", bad.facts["reason"])]
    found: dict[str, tuple[SheetRow, Newcomer]] = {}
    seen: dict[str, int] = {}
    for row in rows:
        newcomer, entry = _newcomer(row, faults), _entry(row, faults)
        if newcomer is None or entry is None:
            continue
        first, provider = found.setdefault(newcomer.company_number or newcomer.name.casefold(), (row, newcomer))
        for column in _SHARED if first is not row else ():
            if holds(row, column) and row.cells[column] != first.cells[column]:
                faults.add(row.number, column, f"row {first.number} says otherwise of the same provider")
        if entry.regulator_id in seen:
            faults.add(row.number, "regulator_id", f"stands in row {seen[entry.regulator_id]} already")
        seen.setdefault(entry.regulator_id, row.number)
        provider.locations.append(entry)
        if scheme is not None and any(holds(row, column) for column in ADMITTED):
            provider.places.append((row.number, *_places(row, scheme, faults)))
    return [provider for _, provider in found.values()], sorted(faults.found)


def _newcomer(row: SheetRow, faults: Faults) -> Newcomer | None:
    before = len(faults.found)
    name = faults.read(row, "name", lambda cell: one_line(words(cell), "name"))
    number = faults.read(row, "company_number", lambda cell: parse_company_number(words(cell)))
    skills = faults.read(row, "skills", lambda cell: keys(several(cell), "skills"))
    flags = faults.read(row, "accepted_flags", lambda cell: keys(several(cell), "accepted_flags"))
    starts = faults.read(row, "service_from", _wall_time)
    ends = faults.read(row, "service_until", _wall_time)
    carers = faults.read(row, "most_carers", whole, 2)
    if carers not in (None, 1, 2):
        faults.add(row.number, "most_carers", "one carer or two come to a visit")
    if (starts is None) is not (ends is None) and len(faults.found) == before:
        faults.add(row.number, "service_until" if ends is None else "service_from", "the other end is missing")
    if len(faults.found) > before or name is None or carers is None:
        return None
    service = None if starts is None or ends is None else _span(starts, ends)
    return Newcomer(row.number, name, number, skills or [], flags or [], service, carers)


def _entry(row: SheetRow, faults: Faults) -> Entry | None:
    before = len(faults.found)
    name = faults.read(row, "location_name", lambda cell: one_line(words(cell), "location_name"))
    number = faults.read(row, "regulator_id", lambda cell: one_line(words(cell), "regulator_id", 24))
    place = faults.read(row, "place", _place)
    lad = faults.read(row, "lad", lambda cell: lad_code(words(cell)))
    rating = faults.read(row, "rating", choice(Rating), Rating.NOT_RATED)
    registered = faults.read(row, "registered_on", day)
    if len(faults.found) > before or not (name and number and place and rating and registered):
        return None
    return Entry(row.number, name, number, place, lad, rating, registered)


def _places(row: SheetRow, scheme: Scheme, faults: Faults) -> tuple[list[str], list[str], list[str]]:
    offered = {
        "lists": ("list", [one.key for one in scheme.lists]),
        "lots": ("lot", [lot.key for lot in scheme.lots]),
        "localities": ("locality", [place.key for place in scheme.localities]),
    }

    def read(column: str) -> list[str]:
        what, among = offered[column]
        if not holds(row, column):
            faults.add(row.number, column, f"name at least one {what}, or leave {', '.join(ADMITTED)} empty")
        return faults.read(row, column, lambda cell: known(several(cell), among, what, column)) or []

    return read("lists"), read("lots"), read("localities")


def _place(cell: Cell) -> str:
    """The sector of a full postcode; a sector or district as it is."""
    written = words(cell)
    try:
        return parse(written).sector
    except BadInput:
        district, sector = district_and_sector(written)
        return sector or district


def _wall_time(cell: Cell) -> time:
    """A time of day, written or as a spreadsheet holds it."""
    return as_wall_time(f"{cell:%H:%M}") if isinstance(cell, time) else as_wall_time(words(cell).strip())


def _span(starts: time, ends: time) -> tuple[int, int]:
    """Minutes of the day; an end at or before the start is on the next day."""
    start, end = (at.hour * 60 + at.minute for at in (starts, ends))
    return start, end if end > start else end + MINUTES_A_DAY
