"""Suspending a provider and lifting that again: what is stopped, where, from when, and what running contracts do."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from dps.kernel.calendar import LONDON
from dps.kernel.errors import BadInput, NotAdmitted
from dps.register import desk
from dps.register.suspensions import RunningContracts, SuspensionScope, lift, suspend
from web.pages.forms import Form, Values
from web.pages.guards import OFFICERS
from web.pages.register.seen import faults_of, own_keys, own_matter, own_scheme
from web.pages.rows import row_id
from web.pages.visit import Page, Visit


class Suspensions(Controller):
    """One provider, one scheme."""

    path = "/register"
    guards = (OFFICERS,)

    @get("/providers/{provider_ref:str}/suspension/{scheme_key:str}", sync_to_thread=True)
    def form(self, provider_ref: FromPath[str], scheme_key: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """What is stopped, where, from when until when, and why?"""
        return _form(visit, provider_ref, scheme_key, {}, {})

    @post("/providers/{provider_ref:str}/suspension/{scheme_key:str}", sync_to_thread=True)
    def suspend(
        self,
        provider_ref: FromPath[str],
        scheme_key: FromPath[str],
        visit: NamedDependency[Visit],
        form: NamedDependency[Form],
    ) -> Response[Any]:
        """Suspend; the provider is told, with the reason."""
        with visit.look() as (session, _now):
            provider, scheme = own_matter(session, visit, provider_ref, scheme_key)
        asked, faults = _asked(form)
        if faults:
            return _form(visit, provider_ref, scheme_key, form.fields, faults)
        try:
            with visit.command() as session:
                suspend(
                    session,
                    visit.ports,
                    provider_id=row_id(provider),
                    scheme=scheme,
                    because=form.text("reason"),
                    lots=form.under("lot-"),
                    localities=form.under("place-"),
                    actor=visit.actor,
                    **asked,
                )
        except (BadInput, NotAdmitted) as refused:
            return _form(visit, provider_ref, scheme_key, form.fields, faults_of(refused))
        return visit.to(f"/register/providers/{provider_ref}")

    @get("/suspensions/{suspension_ref:str}/lifting", sync_to_thread=True)
    def lifting_form(self, suspension_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """Why is it over?"""
        return _lifting(visit, suspension_ref, "", "")

    @post("/suspensions/{suspension_ref:str}/lifting", sync_to_thread=True)
    def lift(
        self, suspension_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Lift it, at once; the provider is told."""
        with visit.look() as (session, _now):
            seen = desk.suspension_seen(session, suspension_ref, own_keys(session, visit), actor=visit.actor)
            scheme, provider = own_scheme(session, visit, seen.scheme), seen.provider_ref
        try:
            with visit.command() as session:
                one = desk.suspension_seen(session, suspension_ref, [scheme.key], actor=visit.actor)
                lift(session, visit.ports, one, scheme=scheme, because=form.text("reason"), actor=visit.actor)
        except BadInput as bad:
            return _lifting(visit, suspension_ref, form.text("reason"), str(bad.reason))
        return visit.to(f"/register/providers/{provider}")


def _asked(form: Form) -> tuple[dict[str, Any], dict[str, str]]:
    """Scope, what running contracts do, and the ends; or each field's fault."""
    asked: dict[str, Any] = {}
    faults: dict[str, str] = {}
    try:
        asked["scope"] = SuspensionScope(form.text("scope"))
    except ValueError:
        faults["scope"] = "choose what is stopped"
    try:
        asked["running_contracts"] = RunningContracts(form.text("running_contracts"))
    except ValueError:
        faults["running_contracts"] = "choose what happens to running contracts"
    for field, shift in (("starts_on", 0), ("last_day", 1)):
        try:
            day = form.optional_day(field)
            asked["starts_at" if field == "starts_on" else "ends_at"] = _midnight(day, shift) if day else None
        except BadInput as bad:
            faults[field] = str(bad.reason)
    return asked, faults


def _midnight(day: date, shift: int) -> datetime:
    """The local midnight with which a day begins, or the one after it."""
    try:
        return datetime.combine(day + timedelta(days=shift), time(0), tzinfo=LONDON)
    except OverflowError:
        raise BadInput("write a day of this century", field="last_day") from None


_FIELDS = {"starts_at": "starts_on", "ends_at": "last_day"}


def _form(
    visit: Visit, provider_ref: str, scheme_key: str, values: Mapping[str, str], faults: Mapping[str, str]
) -> Page:
    with visit.look() as (session, _now):
        provider, scheme = own_matter(session, visit, provider_ref, scheme_key)
        ways = scheme.variations.run_off.ways if scheme.variations.run_off else (RunningContracts.CONTINUE.value,)
        return visit.page(
            "register/suspension.html",
            status=400 if faults else 200,
            provider=provider,
            scheme=scheme,
            ways=[way for way in RunningContracts if way.value in ways or way is RunningContracts.CONTINUE],
            values=Values(values),
            faults={_FIELDS.get(field, field): said for field, said in faults.items()},
        )


def _lifting(visit: Visit, ref: str, reason: str, fault: str) -> Page:
    with visit.look() as (session, _now):
        one = desk.suspension_seen(session, ref, own_keys(session, visit), actor=visit.actor)
        return visit.page("register/lifting.html", status=400 if fault else 200, one=one, reason=reason, fault=fault)
