"""How well an area is covered: a map and a table of providers, of hours that wait, and of bids a package got."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, TypeVar

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromQuery
from sqlmodel import Session

from bidding.looking.coverage import Coverage, Served, coverage, in_order
from dps.kernel.errors import NotFound
from dps.places.boundaries import Boundary, By, loaded_boundaries
from dps.places.localities import LocalityMap
from dps.schemes.model import Scheme
from web.maps import Area, map_of, shade_of
from web.pages.guards import STAFF
from web.pages.visit import Page, Visit
from web.pages.wording import hours, plain, tenths

Choice = TypeVar("Choice", bound=StrEnum)


class Measure(StrEnum):
    """What the map shows; the table shows all."""

    PROVIDERS = "providers"
    WAITING = "waiting"
    BIDS = "bids"


@dataclass(frozen=True, slots=True)
class _Scale:
    """How a measure is shaded: the value from which each of four darker shades begins, and the words of all five."""

    short: str
    title: str
    steps: tuple[int, int, int, int]
    words: tuple[str, str, str, str, str]


_SCALES = {
    Measure.PROVIDERS: _Scale(
        "Providers",
        "Providers that may be asked for new work",
        (1, 3, 6, 11),
        ("None", "1 or 2", "3 to 5", "6 to 10", "11 or more"),
    ),
    Measure.WAITING: _Scale(
        "Hours waiting",
        "Hours a week that wait for a provider",
        (1, 10 * 60, 30 * 60, 60 * 60),
        ("None", "Under 10", "10 to under 30", "30 to under 60", "60 or more"),
    ),
    Measure.BIDS: _Scale(
        "Bids a package",
        "Bids a package got in the last 12 months",
        (1, 10, 20, 40),
        ("None", "Under 1", "1 to under 2", "2 to under 4", "4 or more"),
    ),
}


class CoverageMap(Controller):
    """One scheme, of one lot or all, by district, sector or locality; each office sees its own authority's packages."""

    path = "/coverage"
    guards = (STAFF,)

    @get("/", sync_to_thread=True)
    def seen(
        self,
        visit: NamedDependency[Visit],
        scheme: FromQuery[str] = "",
        lot: FromQuery[str] = "",
        by: FromQuery[str] = By.DISTRICT,
        show: FromQuery[str] = Measure.WAITING,
    ) -> Page:
        """The map of one measure, and beside it the table of all three."""
        with visit.look() as (session, now):
            schemes = visit.schemes(session)
            if not schemes:
                return visit.page("office/none.html")
            chosen = _named(schemes, scheme, "scheme")
            service = _named(list(chosen.lots), lot, "lot") if lot else None
            fineness, measure = _one_of(By.DISTRICT, by), _one_of(Measure.WAITING, show)
            found = coverage(session, chosen, visit.actor, now, lot=service.key if service else None)
            drawn = loaded_boundaries(session, chosen.localities, fineness)
            rows = _rows(session, chosen, found, fineness)
            scale = _SCALES[measure]
            return visit.page(
                "office/coverage.html",
                schemes=[(one.key, one.name) for one in schemes],
                lots=[(one.key, one.name) for one in chosen.lots],
                fineness=[(one, plain(one)) for one in By],
                measures=[(one, _SCALES[one].short) for one in Measure],
                chosen={"scheme": chosen.key, "lot": lot, "by": fineness, "show": measure},
                name=chosen.name,
                scale=scale,
                rows=rows,
                whole=_whole(found, chosen),
                undrawn=[row["name"] for row in rows if row["key"] not in drawn],
                is_loaded=bool(drawn),
                map=map_of(f"Map: {scale.title}. The table says the same.", _areas(rows, drawn, measure, scale)),
            )


def _rows(session: Session, scheme: Scheme, found: Coverage, by: By) -> list[dict[str, Any]]:
    """Each area with its figures: those that can be drawn, and those of which something is known."""
    localities = LocalityMap(scheme.localities)
    members: dict[str, list[str]] = {}
    for sector in {*loaded_boundaries(session, scheme.localities, By.SECTOR), *found.sectors}:
        locality = localities.of(sector)
        area = {By.SECTOR: sector, By.DISTRICT: sector.partition(" ")[0], By.LOCALITY: locality or ""}[by]
        members.setdefault(area, []).append(sector)
    names = {one.key: one.name for one in scheme.localities} if by is By.LOCALITY else {}
    order = [key for key in names if key in members] if by is By.LOCALITY else in_order(members)
    return [
        {"key": key, "name": names.get(key, key), "served": found.of(members[key], localities)} for key in order if key
    ]


def _whole(found: Coverage, scheme: Scheme) -> Served:
    whole = found.of(found.sectors, LocalityMap(scheme.localities))
    whole.providers = set().union(*found.providers.values())
    return whole


def _areas(rows: list[dict[str, Any]], drawn: dict[str, Boundary], measure: Measure, scale: _Scale) -> list[Area]:
    return [
        Area(
            row["name"],
            drawn[row["key"]],
            _said(row["served"], measure),
            shade_of(_value(row["served"], measure), scale.steps),
        )
        for row in rows
        if row["key"] in drawn
    ]


def _value(served: Served, measure: Measure) -> int | None:
    match measure:
        case Measure.PROVIDERS:
            return len(served.providers)
        case Measure.WAITING:
            return served.waiting_minutes
        case Measure.BIDS:
            return served.bids_tenths


def _said(served: Served, measure: Measure) -> str:
    match measure:
        case Measure.PROVIDERS:
            return f"{len(served.providers)}"
        case Measure.WAITING:
            return hours(served.waiting_minutes)
        case Measure.BIDS:
            return "nothing asked" if served.bids_tenths is None else tenths(served.bids_tenths)


def _one_of(usual: Choice, value: str) -> Choice:
    """The member of this value; for what nobody offers the usual one."""
    return next((one for one in type(usual) if one == value), usual)


def _named(found: list[Any], key: str, kind: str) -> Any:
    one = next((one for one in found if key in ("", one.key)), None)
    if one is None:
        raise NotFound(kind=kind, ref=key)
    return one
