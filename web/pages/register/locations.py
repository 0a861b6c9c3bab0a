"""What providers say of their locations: looked up with the regulator, then recorded or refused."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlmodel import Session

from dps.kernel.errors import BadInput, NotFound, RegisteredAlready
from dps.register.location_notices import (
    LocationNoticeKind,
    WaitingNotice,
    locations_of,
    notices_to_decide,
    record_stated,
    refuse_stated,
)
from dps.schemes.model import Rating
from web.pages.forms import Form, Values
from web.pages.guards import OFFICERS
from web.pages.register.seen import own_keys
from web.pages.visit import Page, Visit


class Locations(Controller):
    """Notices of the providers and applicants of the officer's schemes."""

    path = "/register/locations"
    guards = (OFFICERS,)

    @get("/", sync_to_thread=True)
    def waiting(self, visit: NamedDependency[Visit]) -> Page:
        """What nobody has decided, the oldest first."""
        with visit.look() as (session, _now):
            found = notices_to_decide(session, own_keys(session, visit), actor=visit.actor)
            return visit.page("register/locations.html", waiting=found)

    @get("/{notice_ref:str}", sync_to_thread=True)
    def one(self, notice_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """What is stated, beside what is on record."""
        return _page(visit, notice_ref, {}, {})

    @post("/{notice_ref:str}/recording", sync_to_thread=True)
    def record(
        self, notice_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """It stands so in the regulator's register: it counts from now on."""
        with visit.look() as (session, _now):
            is_opened = _seen(session, visit, notice_ref).notice.kind is LocationNoticeKind.OPENED
        try:
            rating = form.choice(Rating, "rating", "choose the rating that the regulator shows") if is_opened else None
            with visit.command() as session:
                record_stated(session, visit.ports, notice_ref=notice_ref, rating=rating, actor=visit.actor)
        except BadInput as bad:
            return _page(visit, notice_ref, form.fields, {"rating": str(bad.reason)})
        except RegisteredAlready as refused:
            return _page(visit, notice_ref, form.fields, {"rating": str(refused)})
        return visit.to("/register/locations")

    @post("/{notice_ref:str}/refusal", sync_to_thread=True)
    def refuse(
        self, notice_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """It does not stand so; the provider reads why."""
        with visit.look() as (session, _now):
            _seen(session, visit, notice_ref)
        try:
            with visit.command() as session:
                refuse_stated(
                    session, visit.ports, notice_ref=notice_ref, because=form.text("reason"), actor=visit.actor
                )
        except BadInput as bad:
            return _page(visit, notice_ref, form.fields, {"reason": str(bad.reason)})
        return visit.to("/register/locations")


def _seen(session: Session, visit: Visit, ref: str) -> WaitingNotice:
    found = notices_to_decide(session, own_keys(session, visit), actor=visit.actor, ref=ref)
    if not found:
        raise NotFound(kind="notice of a location", ref=ref)
    return found[0]


def _page(visit: Visit, ref: str, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, _now):
        seen = _seen(session, visit, ref)
        return visit.page(
            "register/location.html",
            status=400 if faults else 200,
            notice=seen.notice,
            provider_name=seen.provider_name,
            locations=locations_of(session, seen.notice.provider),
            ratings=list(Rating),
            values=Values(values),
            faults=faults,
        )
