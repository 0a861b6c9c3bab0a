"""Reads a file of referrals (CSV or XLSX) into drafts, and reports everything wrong with it at once.

Nothing is written here: `dps import referrals FILE` reads first, shows what it found, and writes the drafts only if
there is no fault. A draft may still lack what `readiness` asks for later; what stands in the file has to be right.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from dps.kernel.errors import BadInput
from dps.kernel.references import Kind, parse_reference
from dps.packages.facts import (
    Confidential,
    Flag,
    FreeText,
    FundingStream,
    LinkKind,
    PackageFacts,
    check_against_scheme,
)
from dps.packages.identity import AgeBand, Identity, age_band, parse_nhs_number
from dps.packages.schedule import parse_schedule
from dps.packages.visit_rules import check_visits
from dps.places.localities import LocalityMap
from dps.places.postcodes import Postcode, parse
from dps.schemes.model import LegalBasis, Scheme, Urgency
from web.cells import a_line, a_text, choice, day, pence, several, typed, whole, words, yes
from web.sheets import SheetRow, read_sheet
from web.unpacking import Cell

_READ_FROM = {"sector": "postcode", "locality": "postcode", "budget_pence": "budget"}
"""The column that a fact of another name comes from."""

REQUIRED = ("name", "postcode", "lot", "urgency")


@dataclass(frozen=True, slots=True)
class ReferralDraft:
    """One row: the person, the package, and the group of linked rows it names (an empty text for none)."""

    row: int
    identity: Identity
    facts: PackageFacts
    confidential: Confidential
    free_text: FreeText
    group: str
    linked_as: LinkKind


@dataclass(frozen=True, slots=True)
class ReferralsFile:
    """What the file holds. `faults` name file, row and column; drafts are complete only where there is none."""

    drafts: tuple[ReferralDraft, ...]
    faults: tuple[BadInput, ...]

    @property
    def is_good(self) -> bool:
        return not self.faults

    @property
    def people(self) -> tuple[Identity, ...]:
        """Each person once: rows with the same identity are packages of one person."""
        return tuple(dict.fromkeys(draft.identity for draft in self.drafts))


def read_referrals(
    path: Path,
    scheme: Scheme,
    *,
    authority: str,
    today: date,
    exists: Callable[[Postcode], bool] = lambda postcode: True,
) -> ReferralsFile:
    """Read every row for this authority's part of `scheme`; `exists` asks the loaded directory about a postcode.

    Raises BadInput for a file that can't be read at all; everything else is collected.
    """
    sheet = read_sheet(path, columns=COLUMNS, required=REQUIRED)
    place = _Place(scheme, authority, today, LocalityMap(scheme.localities), exists)
    readings = [_read_row(row, place) for row in sheet.rows]
    drafts = tuple(reading.draft for reading in readings if reading.draft is not None)
    faults = [fault for reading in readings for fault in reading.faults]
    faults += [*_faults_between(drafts), *_faults_of_people(drafts)]
    if not sheet.rows:
        faults.append(BadInput("the file names no referral"))
    return ReferralsFile(drafts, tuple(sorted((_in_file(sheet.file, fault) for fault in faults), key=_by_row)))


def read_one(
    cells: Mapping[str, Cell],
    scheme: Scheme,
    *,
    authority: str,
    today: date,
    exists: Callable[[Postcode], bool] = lambda postcode: True,
) -> ReferralDraft:
    """One referral that came by itself, given as a file's row; BadInput of the first fault, with all `errors`."""
    place = _Place(scheme, authority, today, LocalityMap(scheme.localities), exists)
    reading = _read_row(SheetRow(number=1, cells=cells), place)
    if reading.draft is None or reading.faults:
        said = [{"field": fault.facts["field"], "message": fault.facts["reason"]} for fault in reading.faults]
        raise BadInput(said[0]["message"], field=said[0]["field"], errors=said)
    return reading.draft


@dataclass(frozen=True, slots=True)
class _Place:
    """Whose file it is, and what its postcodes are looked up in."""

    scheme: Scheme
    authority: str
    today: date
    localities: LocalityMap
    exists: Callable[[Postcode], bool]


@dataclass(slots=True)
class _Reading:
    """One row as far as it could be read."""

    row: int
    draft: ReferralDraft | None = None
    faults: list[BadInput] = field(default_factory=list)

    def refuse(self, reason: str, column: str) -> None:
        self.faults.append(BadInput(reason, row=self.row, field=column))


def _read_row(row: SheetRow, place: _Place) -> _Reading:
    reading, values = _Reading(row.number), dict[str, Any]()
    for column, read in _READERS.items():
        cell = row.cells.get(column, "")
        is_empty = isinstance(cell, str) and not cell.strip()
        if is_empty and column in REQUIRED:
            reading.refuse("this is needed", column)
        if is_empty:
            continue
        try:
            values[column] = read(cell)
        except BadInput as fault:
            reading.refuse(fault.facts["reason"], column)
    locality = _locality(values.get("postcode"), place, reading)
    if not reading.faults and locality is not None:
        try:
            _draft(values, locality, place, reading)
        except BadInput as fault:
            reading.refuse(fault.facts["reason"], _READ_FROM.get(fault.facts["field"], fault.facts["field"]))
    return reading


def _locality(postcode: Postcode | None, place: _Place, reading: _Reading) -> str | None:
    if postcode is None:
        return None
    locality = place.localities.of(postcode)
    if locality is None:
        reading.refuse(f"{postcode} lies in no locality of scheme {place.scheme.key}", "postcode")
    elif not place.exists(postcode):
        reading.refuse(f"the directory knows no postcode {postcode}", "postcode")
    return locality


def _draft(values: Mapping[str, Any], locality: str, place: _Place, reading: _Reading) -> None:
    def given(*columns: str) -> dict[str, Any]:
        return {column: values[column] for column in columns if column in values}

    postcode: Postcode = values["postcode"]
    born: date | None = values.get("date_of_birth")
    if born is not None and born > place.today:
        reading.refuse("a date of birth lies in the past", "date_of_birth")
    facts = PackageFacts(
        scheme=place.scheme.key,
        locality=locality,
        sector=postcode.sector,
        **{"age_band": age_band(born, place.today)} | given("age_band"),
        budget_pence=values.get("budget"),
        **given(
            "lot",
            "urgency",
            "funding",
            "legal_basis",
            "schedule",
            "schedule_is_provisional",
            "needs",
            "flags",
            "budget_weeks",
        ),
        **given("earliest_start", "latest_start", "preferred_provider", "existing_provider", "other_minutes_allowed"),
    )
    confidential = Confidential(postcode=str(postcode), **given("address", "access", "preference_reason"))
    check_against_scheme(facts, confidential, place.scheme, place.authority)
    for short in check_visits(facts.schedule, place.scheme.lot(facts.lot)) if facts.schedule else ():
        reading.refuse(short.words(), "schedule")
    if ("group" in values) is not ("linked_as" in values):
        reading.refuse("a group needs both its name and what links it", "linked_as" if "group" in values else "group")
    reading.draft = ReferralDraft(
        row=reading.row,
        identity=Identity(
            postcode=str(postcode),
            **given("name", "address", "date_of_birth", "nhs_number", "phone", "contact", "notes"),
        ),
        facts=facts,
        confidential=confidential,
        free_text=FreeText(**given("pen_picture", "outcomes")),
        group=values.get("group", ""),
        linked_as=values.get("linked_as", LinkKind.ALONE),
    )


def _faults_between(drafts: tuple[ReferralDraft, ...]) -> list[BadInput]:
    """What is wrong with groups: told at each row that belongs to one."""
    groups: dict[str, list[ReferralDraft]] = defaultdict(list)
    for draft in drafts:
        if draft.group:
            groups[draft.group].append(draft)
    faults = []
    for name, members in groups.items():
        people = {member.identity for member in members}
        kinds = {member.linked_as for member in members}
        if len(members) < 2:
            reason = f"group {name} has one row"
        elif len(kinds) > 1:
            reason = f"group {name} is linked in two ways"
        elif kinds == {LinkKind.SPLIT_PACKAGE} and len(people) > 1:
            reason = f"group {name} is split, so its rows are of one person with the same details"
        elif kinds == {LinkKind.HOUSEHOLD} and len(people) < len(members):
            reason = f"group {name} is a household, so its rows are of different people"
        elif kinds == {LinkKind.HOUSEHOLD} and len({member.facts.sector for member in members}) > 1:
            reason = f"group {name} is a household, so it lives in one place"
        else:
            continue
        faults += [BadInput(reason, row=member.row, field="group") for member in members]
    return faults


def _faults_of_people(drafts: tuple[ReferralDraft, ...]) -> list[BadInput]:
    """One NHS number is one person: rows that share it agree on everything else about them."""
    first: dict[str, ReferralDraft] = {}
    faults = []
    for draft in drafts:
        number = draft.identity.nhs_number
        known = first.setdefault(number, draft) if number else draft
        if known.identity != draft.identity:
            reason = f"row {known.row} has this number with other details of the person"
            faults.append(BadInput(reason, row=draft.row, field="nhs_number"))
    return faults


def _in_file(file: str, fault: BadInput) -> BadInput:
    return BadInput(fault.facts["reason"], file=file, row=fault.facts["row"], field=fault.facts["field"])


def _by_row(fault: BadInput) -> int:
    row: int | None = fault.facts["row"]
    return row or 0


# Columns


def _flags(cell: Cell) -> frozenset[Flag]:
    read = choice(Flag)
    return frozenset(read(key) for key in several(cell))


def _provider(cell: Cell) -> str:
    return parse_reference(words(cell), Kind.PROVIDER)


_READERS: Mapping[str, Callable[[Cell], Any]] = {
    "name": a_line("name"),
    "address": a_text("address"),
    "postcode": lambda cell: parse(words(cell)),
    "date_of_birth": day,
    "nhs_number": lambda cell: parse_nhs_number(words(cell)),
    "phone": typed("phone"),
    "contact": a_line("contact"),
    "notes": a_text("notes"),
    "access": a_text("access"),
    "lot": a_line("lot"),
    "urgency": choice(Urgency),
    "funding": choice(FundingStream),
    "legal_basis": choice(LegalBasis),
    "schedule": lambda cell: parse_schedule(words(cell)),
    "schedule_is_provisional": yes,
    "needs": lambda cell: frozenset(several(cell)),
    "flags": _flags,
    "age_band": choice(AgeBand),
    "outcomes": lambda cell: tuple(part.strip() for part in words(cell).split(";") if part.strip()),
    "budget": pence,
    "budget_weeks": whole,
    "earliest_start": day,
    "latest_start": day,
    "pen_picture": a_text("pen_picture"),
    "preferred_provider": _provider,
    "preference_reason": a_text("preference_reason"),
    "existing_provider": _provider,
    "other_minutes_allowed": yes,
    "group": a_line("group"),
    "linked_as": choice(LinkKind),
}

COLUMNS = tuple(_READERS)
"""Every column that a file of referrals may have."""
