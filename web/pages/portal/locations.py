"""A provider's registered locations: what is on record, and saying that one has opened or closed."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect

from dps.kernel.errors import BadInput
from dps.register.location_notices import (
    own_locations,
    own_notices,
    state_closing,
    state_location,
    withdraw_stated,
)
from web.pages.forms import Form, Values
from web.pages.guards import PORTAL
from web.pages.rows import today_of
from web.pages.visit import Page, Visit

_HOME = "/portal/service/locations"


class OwnLocations(Controller):
    """What counts is what an officer has recorded; what the provider says of it waits beside it."""

    path = _HOME
    guards = (PORTAL,)

    @get("/", sync_to_thread=True)
    def seen(self, visit: NamedDependency[Visit]) -> Page:
        """Each with its rating, and what became of what was stated."""
        with visit.look() as (session, _now):
            return visit.page(
                "portal/locations.html",
                locations=own_locations(session, actor=visit.actor),
                notices=own_notices(session, actor=visit.actor),
            )

    @get("/new", sync_to_thread=True)
    def new(self, visit: NamedDependency[Visit]) -> Page:
        """Which one has opened?"""
        return _new(visit, {}, {})

    @post("/new", sync_to_thread=True)
    def state(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Response[Any]:
        """State it; an officer looks at the regulator's register."""
        try:
            with visit.command() as session:
                state_location(
                    session,
                    visit.ports,
                    regulator_id=form.needed("regulator_id", "write the number that the regulator gave it"),
                    name=form.needed("name", "write its name"),
                    postcode=form.needed("postcode", "write its postcode"),
                    registered_on=form.day("registered_on", "say since when it is registered"),
                    actor=visit.actor,
                )
        except BadInput as bad:
            return _new(visit, form.fields, {str(bad.field or "postcode"): str(bad.reason)})
        return visit.to(_HOME)

    @get("/closing", sync_to_thread=True)
    def closing(self, visit: NamedDependency[Visit], number: FromQuery[str] = "") -> Page:
        """Which one closes, and from when?"""
        return _closing(visit, {"regulator_id": number}, {})

    @post("/closing", sync_to_thread=True)
    def state_closed(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Response[Any]:
        """State it; it counts once an officer has looked."""
        try:
            number = form.needed("regulator_id", "choose the location")
            with visit.look() as (session, _now):
                if number not in {one.regulator_id for one in own_locations(session, actor=visit.actor)}:
                    raise BadInput("choose the location", field="regulator_id")
            day = form.day("closed_on", "say from which day it is registered no longer")
            with visit.command() as session:
                state_closing(session, visit.ports, regulator_id=number, closed_on=day, actor=visit.actor)
        except BadInput as bad:
            return _closing(visit, form.fields, {str(bad.field): str(bad.reason)})
        return visit.to(_HOME)

    @post("/notices/{notice_ref:str}/withdrawal", sync_to_thread=True)
    def withdraw(
        self, notice_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Redirect:
        """Take back what nobody has decided."""
        with visit.command() as session:
            withdraw_stated(session, visit.ports, notice_ref=notice_ref, actor=visit.actor)
        return visit.to(_HOME)


def _new(visit: Visit, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    return visit.page("portal/location_new.html", status=400 if faults else 200, values=Values(values), faults=faults)


def _closing(visit: Visit, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, now):
        opened = [one for one in own_locations(session, actor=visit.actor) if one.closed_on is None]
        return visit.page(
            "portal/location_closing.html",
            status=400 if faults else 200,
            opened=[(one.regulator_id, f"{one.name}, {one.regulator_id}") for one in opened],
            values=Values({"closed_on": today_of(now).isoformat(), **values}),
            faults=faults,
        )
