"""The loaded directory: which postcodes exist, whose they are, where they lie, and which load said so.

Only whole districts are loaded (`loading.py`), so a code missing from a loaded district does not exist, while nothing
is known about other districts. Liveness is known only from a council's own ONSPD or NSPL file.
"""

import threading
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint
from sqlmodel import Field, Session, SQLModel, col, func, select

from dps.kernel.columns import id_column, json_column, link_column, state_column, utc_column, whole_column
from dps.places.positions import Grid, Position, centre, grid_of
from dps.places.postcodes import Postcode


class PlacesLoad(SQLModel, table=True):
    """One load: the directory's name, edition and hash, the districts it gave and who asked for it."""

    __tablename__ = "places_load"
    __table_args__ = (CheckConstraint("length(sha256) = 64", name="sha256_is_hex"),)

    id: int | None = id_column()
    source: str = Field(max_length=60)
    vintage: str = Field(max_length=40)
    sha256: str = Field(max_length=64)
    knows_liveness: bool
    rows: int = whole_column()
    left_out: int = whole_column()
    districts: Any = json_column()
    loaded_at: datetime = utc_column()
    loaded_by: str = Field(max_length=64)


class DirectoryEntry(SQLModel, table=True):
    """One postcode as the last load of its district knows it.

    `live` is None where that directory does not say. Metres are on `grid`; `none` means no position is known.
    """

    __tablename__ = "postcode"
    __table_args__ = (
        CheckConstraint("(easting IS NULL) = (northing IS NULL)", name="position_is_whole"),
        CheckConstraint("(grid = 'none') = (easting IS NULL)", name="position_has_a_grid"),
        CheckConstraint("terminated IS NULL OR NOT live", name="terminated_is_not_live"),
        CheckConstraint("live IS NULL OR live OR terminated IS NOT NULL", name="dead_has_a_month"),
    )

    canonical: str = Field(primary_key=True, max_length=8)
    district: str = Field(index=True, max_length=4)
    sector: str = Field(index=True, max_length=6)
    lad_code: str | None = Field(default=None, max_length=9)
    easting: int | None = whole_column(nullable=True)
    northing: int | None = whole_column(nullable=True)
    grid: Grid = state_column(Grid, index=False)
    live: bool | None = None
    terminated: str | None = Field(default=None, max_length=7)
    load_id: int = link_column("places_load.id")


class Existence(StrEnum):
    """What the loaded directory knows of a well-formed postcode.

    `exists`: listed, and not known to have ended (the packaged directory can't tell) · `was_terminated`: listed as
    ended · `unknown`: its district is loaded and lacks it · `not_loaded`: nothing is known of its district.
    """

    EXISTS = "exists"
    WAS_TERMINATED = "was_terminated"
    UNKNOWN = "unknown"
    NOT_LOADED = "not_loaded"


def entry(session: Session, postcode: Postcode) -> DirectoryEntry | None:
    """What the directory says of this postcode; None where it does not list it."""
    return session.get(DirectoryEntry, postcode.canonical)


def existence(session: Session, postcode: Postcode) -> Existence:
    """Whether this postcode exists."""
    found = entry(session, postcode)
    if found is not None:
        return Existence.WAS_TERMINATED if found.live is False else Existence.EXISTS
    of_its_district = select(DirectoryEntry.canonical).where(DirectoryEntry.district == postcode.district).limit(1)
    return Existence.NOT_LOADED if session.exec(of_its_district).first() is None else Existence.UNKNOWN


def loaded_districts(session: Session) -> frozenset[str]:
    """The districts of which every postcode is loaded."""
    return frozenset(session.exec(select(DirectoryEntry.district).distinct()))


def sector_centres(session: Session, sectors: Iterable[str]) -> dict[str, Position]:
    """The median position of each sector's postcodes: the live ones, or all where none is known to live.

    Sectors without any position (Jersey, large users' codes) are left out. Read once in a process, until the next load.
    """
    wanted = set(sectors)
    if not wanted:
        return {}
    state = state_of_directory(session)
    with _LOCK:
        known = dict(_CENTRES.get(state, {}))
    unread = wanted - known.keys()
    if unread:
        known |= dict.fromkeys(unread) | _read_centres(session, unread)
        with _LOCK:
            _CENTRES.clear()
            _CENTRES[state] = known
    return {sector: found for sector in sorted(wanted) if (found := known[sector]) is not None}


_CENTRES: dict[tuple[str, int | None], dict[str, Position | None]] = {}
_LOCK = threading.Lock()


def state_of_directory(session: Session) -> tuple[str, int | None]:
    """Which database, and its last load: as long as both are the same, so is what is loaded."""
    return str(session.get_bind().engine.url), session.exec(select(func.max(PlacesLoad.id))).one()


def _read_centres(session: Session, sectors: Iterable[str]) -> dict[str, Position]:
    query = select(DirectoryEntry.sector, DirectoryEntry.live, DirectoryEntry.easting, DirectoryEntry.northing).where(
        col(DirectoryEntry.sector).in_(set(sectors)), col(DirectoryEntry.easting).is_not(None)
    )
    dead: dict[str, list[Position]] = defaultdict(list)
    living: dict[str, list[Position]] = defaultdict(list)
    for sector, live, easting, northing in session.exec(query):
        if easting is not None and northing is not None:
            (dead if live is False else living)[sector].append(Position(easting, northing, grid_of(sector)))
    return {sector: centre(positions) for sector, positions in (dead | living).items()}
