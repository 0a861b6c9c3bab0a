"""Loading a directory: whole districts are replaced in one transaction, or nothing is.

An edition is read and checked before the transaction begins, so that nobody waits for a file to be parsed. A directory
that doesn't know which postcodes live never takes the place of one that does, unless told to.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Table, delete, insert
from sqlmodel import Session, SQLModel, col, select

from dps.kernel.actors import Actor, Role
from dps.kernel.audit import append
from dps.places.directory import DirectoryEntry, PlacesLoad
from dps.places.editions import Edition, Unit
from dps.places.positions import Grid

STREAM = "PLACES"
_BATCH = 20_000


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a load did. `kept` districts were known better already; `vanished` codes were listed before and no more."""

    source: str
    vintage: str
    sha256: str
    districts: tuple[str, ...]
    postcodes: int
    terminated: int
    without_position: int
    irish_grid: int
    left_out: int
    vanished: int
    kept: tuple[str, ...]


def load(session: Session, edition: Edition, actor: Actor, now: datetime, *, replace_better: bool = False) -> Loaded:
    """Put an edition's districts in the place of what was known of them, and record the load.

    Where all of them are known better already nothing is written and nothing recorded.
    Errors: `Forbidden` unless an administrator or a commissioner asks.
    """
    actor.needs("load a postcode directory", Role.ADMINISTRATOR, Role.COMMISSIONER)
    offered = {unit.district for unit in edition.units}
    kept: set[str] = set() if edition.knows_liveness or replace_better else offered & _known_better(session)
    taken = sorted(offered - kept)
    units = [unit for unit in edition.units if unit.district not in kept] if kept else edition.units
    if not taken:
        return _loaded(edition, [], (), vanished=0, kept=kept)
    # The event first: a second load waits here for the first one's end.
    append(
        session,
        STREAM,
        "places.loaded",
        actor,
        now,
        {"source": edition.source, "vintage": edition.vintage, "sha256": edition.sha256, "rows": len(units)},
    )
    record = PlacesLoad(
        source=edition.source,
        vintage=edition.vintage,
        sha256=edition.sha256,
        knows_liveness=edition.knows_liveness,
        rows=len(units),
        left_out=edition.left_out,
        districts=taken,
        loaded_at=now,
        loaded_by=actor.ref,
    )
    session.add(record)
    session.flush()
    before = set(session.exec(select(DirectoryEntry.canonical).where(col(DirectoryEntry.district).in_(taken))))
    session.execute(delete(DirectoryEntry).where(col(DirectoryEntry.district).in_(taken)))
    for batch in _batches(units):
        session.execute(insert(_table(DirectoryEntry)), [_row(unit, record.id) for unit in batch])
    vanished = len(before.difference(unit.postcode for unit in units))
    return _loaded(edition, units, taken, vanished=vanished, kept=kept)


def _loaded(
    edition: Edition, units: Sequence[Unit], taken: Sequence[str], *, vanished: int, kept: Collection[str]
) -> Loaded:
    return Loaded(
        source=edition.source,
        vintage=edition.vintage,
        sha256=edition.sha256,
        districts=tuple(taken),
        postcodes=len(units),
        terminated=sum(unit.live is False for unit in units),
        without_position=sum(unit.easting is None for unit in units),
        irish_grid=sum(unit.grid is Grid.IRISH for unit in units),
        left_out=edition.left_out,
        vanished=vanished,
        kept=tuple(sorted(kept)),
    )


def _known_better(session: Session) -> set[str]:
    """The districts whose postcodes are known to live or to have ended."""
    return set(session.exec(select(DirectoryEntry.district).where(col(DirectoryEntry.live).is_not(None)).distinct()))


def _batches(units: Sequence[Unit]) -> Iterator[list[Unit]]:
    remaining = iter(units)
    while batch := list(islice(remaining, _BATCH)):
        yield batch


def _row(unit: Unit, load_id: int | None) -> dict[str, Any]:
    return {
        "canonical": unit.postcode,
        "district": unit.district,
        "sector": unit.sector,
        "lad_code": unit.lad_code,
        "easting": unit.easting,
        "northing": unit.northing,
        "grid": unit.grid,
        "live": unit.live,
        "terminated": unit.terminated,
        "load_id": load_id,
    }


def _table(row: type[SQLModel]) -> Table:
    table: Table = row.__table__  # type: ignore[attr-defined]
    return table
