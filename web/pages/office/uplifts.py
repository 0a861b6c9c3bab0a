"""Prices of running contracts rise from a day: asked, looked at, then decided. A decision stays."""

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from dps.contracts.variations.uplifting import check_uplift, reached, stated_already, uplift, uplifts_of
from dps.kernel.calendar import LONDON
from dps.kernel.errors import BadInput, VariationRefused
from dps.kernel.money import round_half_up
from web.pages import names
from web.pages.forms import Checking, Form, Values, faults_of
from web.pages.guards import COMMISSIONERS
from web.pages.office.schemes import chosen_scheme
from web.pages.visit import Page, Visit

_PERCENT = re.compile(r"([0-9]{1,2})(?:\.([0-9]{1,2}))?")


class Uplifts(Controller):
    """One scheme of the commissioner's authority."""

    path = "/office/uplifts"
    guards = (COMMISSIONERS,)

    @get("/", sync_to_thread=True)
    def seen(self, visit: NamedDependency[Visit], scheme: FromQuery[str] = "") -> Page:
        """What was decided, and the form for the next."""
        return _page(visit, scheme, {}, {})

    @post("/{scheme_key:str}", sync_to_thread=True)
    def decide(
        self, scheme_key: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """What it would reach is shown first; with that seen, it is decided."""
        with visit.look() as (session, _now):
            scheme = chosen_scheme(session, visit, scheme_key)
        try:
            lot, points, day = _asked(form)
            with visit.look() as (session, _now):
                check_uplift(session, scheme, lot=lot, basis_points=points, from_day=day, actor=visit.actor)
            if not form.text("is_seen"):
                return _check(visit, scheme_key, form, lot, points, day)
            with visit.command() as session:
                uplift(
                    session,
                    visit.ports,
                    scheme=scheme,
                    lot=lot,
                    basis_points=points,
                    from_day=day,
                    actor=visit.actor,
                )
        except BadInput as bad:
            return _page(visit, scheme_key, form.fields, faults_of(bad))
        except VariationRefused as refused:
            return _page(visit, scheme_key, form.fields, {"percent": " ".join(refused.reasons)})
        return visit.to(f"/office/uplifts?scheme={scheme.key}")


def _asked(form: Form) -> tuple[str, int, date]:
    checking, points = Checking(), 0
    with checking.of("lot"):
        lot = form.needed("lot", "choose the service")
    with checking.of("percent"):
        found = _PERCENT.fullmatch(form.needed("percent", "say by how much"))
        if found is None:
            raise BadInput("write the percentage as 2.5", field="percent")
        points = int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0"))
    with checking.of("from_day"):
        day = form.day("from_day", "say from which day")
    checking.end()
    return lot, points, day


def _check(visit: Visit, key: str, form: Form, lot: str, points: int, day: date) -> Page:
    with visit.look() as (session, _now):
        scheme = chosen_scheme(session, visit, key)
        contracts, pence = reached(session, scheme=key, from_day=day, actor=visit.actor).get(lot, (0, 0))
        return visit.page(
            "office/uplift_check.html",
            scheme=scheme,
            lot=names.lots([scheme])[lot],
            points=points,
            from_day=day,
            contracts=contracts,
            pence=pence,
            more=round_half_up(pence * points, 10_000),
            stated=stated_already(session, scheme=key, lot=lot, from_day=day, actor=visit.actor),
            fields={name: form.text(name) for name in ("lot", "percent", "from_day")},
        )


def _page(visit: Visit, key: str, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, now):
        schemes = visit.schemes(session)
        if not schemes:
            return visit.page("office/none.html")
        scheme = chosen_scheme(session, visit, key or schemes[0].key)
        return visit.page(
            "office/uplifts.html",
            status=400 if faults else 200,
            schemes=[(one.key, one.name) for one in schemes],
            scheme=scheme,
            rule=scheme.variations.uplift,
            decided=uplifts_of(session, scheme=scheme.key, actor=visit.actor),
            reached=reached(session, scheme=scheme.key, from_day=now.astimezone(LONDON).date(), actor=visit.actor),
            lots=names.lots([scheme]),
            values=Values(values),
            faults=faults,
        )
