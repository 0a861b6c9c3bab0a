"""Free hours: what is declared, reserved, bound and free, and the form that declares anew."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.response import Redirect
from sqlmodel import Session

from dps.kernel.calendar import LONDON
from dps.kernel.errors import BadInput, NotFound
from dps.register import capacity
from dps.register.capacity import WHOLE_AUTHORITY, Ledger
from dps.register.providers import Provider
from dps.schemes.model import Authority, Scheme
from web.pages.forms import Form, Values
from web.pages.guards import PORTAL
from web.pages.portal.own import own_provider
from web.pages.rows import row_id, today_of
from web.pages.visit import Page, Visit


class FreeHours(Controller):
    """One declaration for each authority, and if wanted for single areas."""

    path = "/portal/service/hours"
    guards = (PORTAL,)

    @get("/", sync_to_thread=True)
    def hours(self, visit: NamedDependency[Visit]) -> Page:
        """Free hours, authority by authority."""
        return _hours(visit, {}, {})

    @post("/", sync_to_thread=True)
    def declare(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Response[Any]:
        """Declare free hours in place of what was declared before."""
        try:
            with visit.command() as session:
                _declare(session, visit, form)
        except BadInput as bad:
            return _hours(visit, form.fields, {_field_of_hours(bad.field): str(bad.reason)})
        return visit.to("/portal/service/hours")

    @post("/taken-back", sync_to_thread=True)
    def take_back(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Redirect:
        """Have no figure of its own for an area any more."""
        with visit.command() as session:
            authority, _ = _authority(session, visit, form.text("authority"))
            capacity.take_back(
                session,
                visit.ports,
                provider_id=row_id(own_provider(session, visit)),
                authority=authority.key,
                locality=form.text("locality"),
                actor=visit.actor,
            )
        return visit.to("/portal/service/hours")


def _authority(session: Session, visit: Visit, key: str) -> tuple[Authority, Scheme]:
    """An authority of one of the provider's schemes, and the first of these."""
    for scheme in visit.schemes(session):
        for authority in scheme.authorities:
            if authority.key == key:
                return authority, scheme
    raise NotFound(kind="authority", ref=key)


def _declare(session: Session, visit: Visit, form: Form) -> None:
    authority, scheme = _authority(session, visit, form.text("authority"))
    locality = form.text("locality")
    if locality and locality not in {place.key for place in scheme.localities}:
        raise BadInput("choose an area of this scheme", field="locality")
    hours = form.whole("hours", "write whole hours a week, such as 40", most=100_000)
    if hours is None:
        raise BadInput("say how many hours a week are free; 0 for none", field="hours")
    last = form.day("until", "say until which day this holds")
    capacity.declare(
        session,
        visit.ports,
        provider_id=row_id(own_provider(session, visit)),
        authority=authority.key,
        locality=locality,
        minutes=hours * 60,
        expires_at=_midnight_after(last),
        free_from=form.optional_day("free_from"),
        actor=visit.actor,
    )


def _midnight_after(last: date) -> datetime:
    """The end of a last good day, in local time."""
    try:
        return datetime.combine(last + timedelta(days=1), time(0), tzinfo=LONDON)
    except OverflowError:
        raise BadInput("a declaration ends in the future, within a year", field="expires_at") from None


def _field_of_hours(field: Any) -> str:
    return {"expires_at": "until", "minutes": "hours"}.get(str(field), str(field))


def _hours(visit: Visit, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, now):
        provider = own_provider(session, visit)
        seen: dict[str, dict[str, Any]] = {}
        for scheme in visit.schemes(session):
            for authority in scheme.authorities:
                rows = capacity.rows_of(session, row_id(provider), authority.key)
                one = seen.setdefault(authority.key, {"authority": authority, "areas": {}, "rows": []})
                one["areas"] |= {place.key: place.name for place in scheme.localities}
                one["rows"] = [_row(row, provider, now) for _, row in sorted(rows.items())]
        return visit.page(
            "portal/hours.html",
            status=400 if faults else 200,
            authorities=list(seen.values()),
            provider=provider,
            values=Values(values),
            faults=faults,
            proposed_until=(today_of(now) + timedelta(days=28)).isoformat(),
        )


def _row(row: Ledger, provider: Provider, now: datetime) -> dict[str, Any]:
    is_full = provider.full_since is not None
    return {
        "locality": row.locality,
        "is_whole": row.locality == WHOLE_AUTHORITY,
        "is_declared": row.declared_minutes is not None,
        "is_over": row.expires_at is not None and row.expires_at <= now,
        "left_minutes": row.declared_minutes or 0,
        "reserved_minutes": row.reserved_minutes,
        "committed_minutes": row.committed_minutes,
        "free_minutes": row.free_minutes(now, is_full=is_full),
        "last_day": today_of(row.expires_at - timedelta(microseconds=1)) if row.expires_at else None,
        "free_from": row.free_from,
    }
