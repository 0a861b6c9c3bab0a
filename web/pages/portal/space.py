""" "I have space": where, how many hours, from when; the waiting packages that fit, the nearest first."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from litestar import Controller, get
from litestar.di import NamedDependency
from sqlmodel import Session

from bidding.fit import NEAREST_FIRST, bands_from
from bidding.looking.invited import opportunities
from bidding.looking.placing import open_packages
from dps.kernel.errors import BadInput, NotAPostcode
from dps.places.localities import LocalityMap
from dps.places.postcodes import parse, parse_sector
from dps.places.travel import Travel
from dps.schemes.model import Scheme
from web.pages.forms import Checking, Form, Values, faults_of
from web.pages.guards import PORTAL
from web.pages.portal.opportunities import frame
from web.pages.visit import Page, Visit

_LOOKED_AT = 1_000
_SHOWN = 100


@dataclass(frozen=True, slots=True)
class Waiting:
    """A package that waits: an open round, or one of the open list (`closes_at` None)."""

    href: str
    scheme: str
    lot: str
    locality: str
    part: Mapping[str, Any]
    closes_at: datetime | None
    is_on_open_list: bool


@dataclass(frozen=True, slots=True)
class Space:
    """What a provider has free, and where."""

    sector: str
    minutes: int
    starts_from: date | None

    def fits(self, part: Mapping[str, Any]) -> bool:
        """Whether a package takes no more than is free, and can begin when it is."""
        latest = part.get("latest_start")
        in_time = self.starts_from is None or latest is None or date.fromisoformat(latest) >= self.starts_from
        return part["weekly_minutes"] <= self.minutes and in_time


def nearest_first(
    found: list[Waiting], space: Space, *, homes: Mapping[str, str | None], near: Mapping[str, Travel]
) -> list[Waiting]:
    """Those that fit, by band; where no sector was published, those of the same area stand with the middle band.

    `homes` names the space's locality by scheme, `near` the band by address. Equals stand in order of their closing.
    """

    def place(one: Waiting) -> int:
        if one.href in near:
            return NEAREST_FIRST.index(near[one.href])
        return 1 if homes.get(one.scheme) == one.locality else len(NEAREST_FIRST)

    fitting = [one for one in found if space.fits(one.part)]
    return sorted(fitting, key=lambda one: (place(one), one.closes_at is None, one.closes_at, one.href))


class SpacePage(Controller):
    """Asked by GET, so that the answer can be kept as a bookmark."""

    path = "/portal/space"
    guards = (PORTAL,)

    @get("/", sync_to_thread=True)
    def look(self, visit: NamedDependency[Visit]) -> Page:
        """The form, and once it is filled in the packages that fit."""
        form = Form(dict(visit.request.query_params))
        faults: dict[str, str] = {}
        space = None
        try:
            space = space_in(form) if form.fields else None
        except BadInput as bad:
            faults = faults_of(bad)
        with visit.look() as (session, now):
            found, near = _found(session, visit, space, now) if space else ([], {})
            return visit.page(
                "portal/space.html",
                status=400 if faults else 200,
                values=Values(form.fields),
                faults=faults,
                space=space,
                found=found[:_SHOWN],
                near=near,
                **frame(session, visit),
            )


def space_in(form: Form) -> Space:
    """What was typed; BadAnswers names each field that is wrong."""
    checking = Checking()
    sector, hours, starts_from = "", None, None
    with checking.of("sector"):
        sector = _sector(form.needed("sector", "say where, as a postcode or its sector, such as WA10 1"))
    with checking.of("hours"):
        hours = form.whole("hours", "write whole hours a week, such as 10", most=10_000)
        if not hours:
            raise BadInput("say how many hours a week you have free", field="hours")
    with checking.of("from"):
        starts_from = form.optional_day("from")
    checking.end()
    assert hours is not None
    return Space(sector=sector, minutes=hours * 60, starts_from=starts_from)


def _sector(typed: str) -> str:
    """The sector that was typed, or that of a whole postcode."""
    with suppress(NotAPostcode):
        return parse_sector(typed)
    try:
        return parse(typed).sector
    except NotAPostcode:
        raise BadInput("write a postcode or its sector, such as WA10 1", field="sector") from None


def _found(session: Session, visit: Visit, space: Space, now: datetime) -> tuple[list[Waiting], dict[str, Travel]]:
    waiting = [
        Waiting(f"/portal/opportunities/{one.round}", one.scheme, one.lot, one.locality, one.published_part,
                one.closes_at, is_on_open_list=False)
        for one in opportunities(session, visit.actor, now, most=_LOOKED_AT)
        if one.invitation != "declined"
    ] + [
        Waiting(f"/portal/open-list/{one.referral}", one.scheme, one.lot, one.locality, one.published_part,
                None, is_on_open_list=True)
        for one in open_packages(session, visit.actor)
    ]  # fmt: skip
    near = bands_from(session, space.sector, {one.href: one.part for one in waiting})
    homes = {scheme.key: _home(scheme, space.sector) for scheme in visit.schemes(session)}
    return nearest_first(waiting, space, homes=homes, near=near), near


def _home(scheme: Scheme, sector: str) -> str | None:
    return LocalityMap(scheme.localities).of(sector)
