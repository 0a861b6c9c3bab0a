"""The files of `dps allocate`, read strictly: every fault names its file, row, column and reason.

packages.csv    package, locality, weekly_minutes, priority [, unplaced_pence]
providers.csv   provider, capacity_minutes [, max_packages]
localities.csv  provider, locality, capacity_minutes, committed_minutes, block_minutes, entry_pence
bids.csv        bid, provider, packages (several separated by spaces are a bundle), weekly_pence
                [, weekly_minutes, quality, start_delay_days, preference, excludes (bids separated by spaces)]
previous.csv    package, provider (other columns are left aside: an earlier awards.csv will do)

Columns in brackets are optional, and so is what they hold; an empty capacity means no limit. Rows are counted as a
spreadsheet shows them, the header being row 1.
"""

import csv
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from dps.kernel.errors import BadInput
from matching.allocation.policy_file import read_policy
from matching.allocation.ranking import ranked
from matching.allocation.records import Bid, Instance, LocalityTerms, Mode, Package, Policy, Previous, Provider
from matching.allocation.sense import MOST_BIDS, refuse_contradictions

MOST_BYTES = 256_000_000
Record = TypeVar("Record")


@dataclass(frozen=True, slots=True)
class Paths:
    """Where the files of one run are; the last three may be left out."""

    packages: Path
    providers: Path
    bids: Path
    localities: Path | None = None
    policy: Path | None = None
    previous: Path | None = None


_FORMULA = ("=", "+", "-", "@")


class _Row(Mapping[str, str]):
    """One row by column, cells stripped; it knows its place."""

    def __init__(self, file: str, number: int, cells: dict[str, str]) -> None:
        self.file = file
        self.number = number
        self._cells = cells

    def __getitem__(self, column: str) -> str:
        return self._cells.get(column, "")

    def __iter__(self) -> Iterator[str]:
        return iter(self._cells)

    def __len__(self) -> int:
        return len(self._cells)

    def fault(self, column: str, reason: str) -> BadInput:
        return BadInput(reason, file=self.file, row=self.number, field=column)

    def name(self, column: str) -> str:
        value = self[column]
        if not value:
            raise self.fault(column, "is empty")
        if any(character.isspace() for character in value):
            raise self.fault(column, f"{value!r} holds a space")
        if value.startswith(_FORMULA):
            # It comes back in awards.csv, where a spreadsheet would run it.
            raise self.fault(column, f"{value!r} begins like a formula")
        return value

    def whole(self, column: str) -> int:
        value = self[column]
        digits = value.removeprefix("-")
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 18):
            raise self.fault(column, f"{value!r} is not a whole number")
        return int(value)

    def whole_or(self, column: str, otherwise: int) -> int:
        return self.whole(column) if self[column] else otherwise

    def whole_or_none(self, column: str) -> int | None:
        return self.whole(column) if self[column] else None


def _rows(path: Path, needed: tuple[str, ...], optional: tuple[str, ...], *, others: bool = False) -> Iterator[_Row]:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise BadInput(f"is larger than {MOST_BYTES} bytes", file=str(path))
        with path.open(newline="", encoding="utf-8-sig") as stream:
            yield from _read(str(path), csv.reader(stream, strict=True), needed, optional, others)
    except UnicodeDecodeError:
        raise BadInput("is not UTF-8 text", file=str(path)) from None
    except OSError as fault:
        raise BadInput(f"can't be read: {fault.strerror}", file=str(path)) from None


def _read(file: str, reader: Any, needed: tuple[str, ...], optional: tuple[str, ...], others: bool) -> Iterator[_Row]:
    number = 0
    header: list[str] = []
    try:
        for number, cells in enumerate(reader, start=1):
            if not header:
                header = [cell.strip() for cell in cells]
                _refuse_header(file, header, needed, optional, others)
            elif any(cell.strip() for cell in cells):
                if len(cells) != len(header):
                    raise BadInput(f"has {len(cells)} cells under {len(header)} columns", file=file, row=number)
                stripped = (cell.strip() for cell in cells)
                yield _Row(file, number, dict(zip(header, stripped, strict=True)))
            if number > MOST_BIDS + 1:
                raise BadInput(f"has more than {MOST_BIDS} rows", file=file)
    except csv.Error as fault:
        raise BadInput(f"is not CSV: {fault}", file=file, row=number + 1) from None
    if not header:
        raise BadInput("is empty", file=file)


def _refuse_header(
    file: str, header: list[str], needed: tuple[str, ...], optional: tuple[str, ...], others: bool
) -> None:
    for column in needed:
        if column not in header:
            raise BadInput("this column is missing", file=file, row=1, field=column)
    for column in header:
        if header.count(column) > 1:
            raise BadInput("this column is there twice", file=file, row=1, field=column)
        if not others and column not in (*needed, *optional):
            raise BadInput("no such column", file=file, row=1, field=column or "(empty)")


def _made(row: _Row, make: Callable[[], Record]) -> Record:
    """The record; what it refuses about itself is told with the row's place."""
    try:
        return make()
    except BadInput as fault:
        if fault.facts["file"]:
            raise
        raise row.fault(fault.facts["field"], fault.facts["reason"]) from None


class _Known:
    """References met so far, each with the place where it first stood."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.rows: dict[str, int] = {}

    def add(self, row: _Row, column: str, ref: str) -> None:
        if ref in self.rows:
            raise row.fault(column, f"{ref} is there already, in row {self.rows[ref]}")
        self.rows[ref] = row.number

    def need(self, row: _Row, column: str, ref: str) -> None:
        if ref not in self.rows:
            raise row.fault(column, f"no {self.kind} {ref}")


def read_instance(paths: Paths) -> Instance:
    """Read all files; raises `BadInput` for the first fault and never gives back a part."""
    policy = Policy() if paths.policy is None else read_policy(paths.policy)
    packages, known_packages = _packages(paths.packages)
    providers, known_providers = _providers(paths.providers)
    localities = () if paths.localities is None else _localities(paths.localities, known_providers)
    bids = _bids(paths.bids, known_packages, known_providers, policy.mode)
    homes = {package.ref: package.locality for package in packages}
    incumbents = {(terms.provider, terms.locality) for terms in localities if terms.is_incumbent}
    bids = tuple(replace(bid, tie=_tie(bid, homes, incumbents)) for bid in bids)
    if policy.mode is Mode.PER_PACKAGE:
        bids = ranked(packages, bids, policy)
    previous = () if paths.previous is None else read_holders(paths.previous)
    instance = Instance(packages, providers, bids, localities, policy, previous)
    refuse_contradictions(instance)
    return instance


def _tie(bid: Bid, homes: Mapping[str, str], incumbents: Collection[tuple[str, str]]) -> tuple[int, ...]:
    """The published tie order as far as files know it: earlier start, existing provider, the provider's preference."""
    newcomer = any((bid.provider, homes[ref]) not in incumbents for ref in bid.packages)
    return bid.start_delay_days, int(newcomer), 1_000_000 if bid.preference is None else bid.preference


def _packages(path: Path) -> tuple[tuple[Package, ...], _Known]:
    known = _Known("package")
    packages = []
    for row in _rows(path, ("package", "locality", "weekly_minutes", "priority"), ("unplaced_pence",)):
        ref = row.name("package")
        known.add(row, "package", ref)
        locality = row["locality"]
        minutes, priority = row.whole("weekly_minutes"), row.whole("priority")
        unplaced = row.whole_or_none("unplaced_pence")
        packages.append(_made(row, lambda: Package(ref, locality, minutes, priority, unplaced)))  # noqa: B023
    return tuple(packages), known


def _providers(path: Path) -> tuple[tuple[Provider, ...], _Known]:
    known = _Known("provider")
    providers = []
    for row in _rows(path, ("provider", "capacity_minutes"), ("max_packages",)):
        ref = row.name("provider")
        known.add(row, "provider", ref)
        capacity, most = row.whole_or_none("capacity_minutes"), row.whole_or_none("max_packages")
        providers.append(_made(row, lambda: Provider(ref, capacity, most)))  # noqa: B023
    return tuple(providers), known


def _localities(path: Path, providers: _Known) -> tuple[LocalityTerms, ...]:
    needed = ("provider", "locality")
    optional = ("capacity_minutes", "committed_minutes", "block_minutes", "entry_pence")
    pairs = _Known("locality")
    localities = []
    for row in _rows(path, needed, optional):
        provider = row.name("provider")
        providers.need(row, "provider", provider)
        locality = row["locality"]
        pairs.add(row, "locality", f"{provider} in {locality}")
        capacity = row.whole_or_none("capacity_minutes")
        rest = [row.whole_or(column, 0) for column in optional[1:]]
        localities.append(_made(row, lambda: LocalityTerms(provider, locality, capacity, *rest)))  # noqa: B023
    return tuple(localities)


def _bids(path: Path, packages: _Known, providers: _Known, mode: Mode) -> tuple[Bid, ...]:
    optional = ("weekly_minutes", "quality", "start_delay_days", "preference", "excludes")
    known = _Known("bid")
    bids: list[tuple[_Row, Bid]] = []
    for row in _rows(path, ("bid", "provider", "packages", "weekly_pence"), optional):
        ref = row.name("bid")
        known.add(row, "bid", ref)
        provider = row.name("provider")
        providers.need(row, "provider", provider)
        wanted = tuple(row["packages"].split())
        for package in wanted:
            packages.need(row, "packages", package)
        if mode is Mode.PER_PACKAGE and len(wanted) > 1:
            raise row.fault("packages", "a bundle needs mode 'joint'")
        cells = {
            "weekly_pence": row.whole("weekly_pence"),
            "weekly_minutes": row.whole_or_none("weekly_minutes"),
            "quality": row.whole_or("quality", 100),
            "start_delay_days": row.whole_or("start_delay_days", 0),
            "preference": row.whole_or_none("preference"),
        }
        excludes = tuple(row["excludes"].split())
        bid = _made(row, lambda: Bid(ref, provider, wanted, excludes=excludes, **cells))  # type: ignore[arg-type] # noqa: B023
        bids.append((row, bid))
    holders = {bid.ref: bid.provider for _, bid in bids}
    for row, bid in bids:
        for other in bid.excludes:
            known.need(row, "excludes", other)
            if other == bid.ref or holders[other] != bid.provider:
                raise row.fault("excludes", f"{other} is not another bid of {bid.provider}")
    return tuple(bid for _, bid in bids)


def read_holders(path: Path) -> tuple[Previous, ...]:
    """Who had, or whom a person knows, by package: previous.csv, known.csv or an earlier awards.csv."""
    known = _Known("package")
    awards = []
    for row in _rows(path, ("package", "provider"), (), others=True):
        package = row.name("package")
        known.add(row, "package", package)
        awards.append(Previous(package, row.name("provider")))
    return tuple(awards)
