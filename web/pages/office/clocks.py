"""What the law makes due under a scheme: the days, what stands still from then on, and what was published."""

from collections.abc import Mapping, Sequence
from datetime import date
from itertools import groupby
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlmodel import Session

from dps.kernel.actors import Role
from dps.kernel.calendar import LONDON
from dps.kernel.errors import BadInput, NotFound
from dps.law.clocks import Clock
from dps.law.notices import RECORDERS, notices_of, record_notice
from dps.law.watch import clocks_seen
from dps.register.who_is_where import Placed, who_is_where
from dps.schemes.model import Scheme
from web.lists_workbook import lists_workbook
from web.pages import names
from web.pages.forms import Form, Values
from web.pages.guards import ANSWERABLE, RECORDING
from web.pages.visit import Page, Visit
from web.workbooks import XLSX

_NAMES = {
    Clock.TERM: "The end of the term",
    Clock.REOPENING: "Reopening to new providers",
    Clock.TIERS: "Publication of the lists",
    Clock.NOTICE: "A contract's notice",
    Clock.APPLICATION: "The answer to an application",
}


class LegalClocks(Controller):
    """For commissioners, auditors, and officers of the register."""

    path = "/office/clocks"

    @get("/", guards=[ANSWERABLE], sync_to_thread=True)
    def all(self, visit: NamedDependency[Visit]) -> Page:
        """Every scheme of one's authority, the most pressing first."""
        return _page(visit, "", {}, {})

    @get("/{scheme_key:str}/lists", guards=[ANSWERABLE], sync_to_thread=True)
    def lists(self, scheme_key: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """Who is on which list, to be published: for each list and service, area by area."""
        with visit.look() as (session, _):
            scheme = _scheme(session, visit, scheme_key)
            places = who_is_where(session, scheme, actor=visit.actor)
        by_list = [
            (listed.name, _by_lot([one for one in places if one.list_key == listed.key], scheme))
            for listed in scheme.lists
        ]
        return visit.page("office/lists.html", key=scheme.key, name=scheme.name, lists=by_list)

    @get("/{scheme_key:str}/lists/workbook", guards=[ANSWERABLE], sync_to_thread=True)
    def lists_as_workbook(self, scheme_key: FromPath[str], visit: NamedDependency[Visit]) -> Response[Any]:
        """The same as XLSX, a row for each place."""
        with visit.look() as (session, now):
            scheme = _scheme(session, visit, scheme_key)
            places = who_is_where(session, scheme, actor=visit.actor)
        name = f"{scheme.key}-lists-{now.astimezone(LONDON):%Y-%m-%d}.xlsx"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(lists_workbook(places, scheme), media_type=XLSX, headers=headers)

    @post("/{scheme_key:str}/notices", guards=[RECORDING], sync_to_thread=True)
    def record(
        self, scheme_key: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Record that a notice was published; its clock stops."""
        with visit.look() as (session, _now):
            scheme = _scheme(session, visit, scheme_key)
        faults: dict[str, str] = {}
        try:
            clock = Clock(form.text("clock"))
        except ValueError:
            faults["what"] = "choose what was published"
        if not form.text("number"):
            faults["number"] = "say under which number or address it can be found"
        try:
            day = form.day("published_on", "say on which day it was published")
        except BadInput as bad:
            faults["published_on"] = str(bad.reason)
        if faults:
            return _page(visit, scheme_key, form.fields, faults)
        try:
            with visit.command() as session:
                record_notice(
                    session,
                    scheme=scheme,
                    clock=clock,
                    about=form.text("about"),
                    number=form.text("number"),
                    published_on=day,
                    actor=visit.actor,
                    now=visit.ports.clock.read(session),
                )
        except BadInput as bad:
            return _page(visit, scheme_key, form.fields, {str(bad.field): str(bad.reason)})
        return visit.to("/office/clocks")


def _scheme(session: Session, visit: Visit, key: str) -> Scheme:
    found = next((scheme for scheme in visit.schemes(session) if scheme.key == key), None)
    if found is None:
        raise NotFound(kind="scheme", ref=key)
    return found


def _by_lot(places: Sequence[Placed], scheme: Scheme) -> list[tuple[str, list[tuple[str, list[Placed]]]]]:
    """Each service with the areas in which anybody has a place, and who."""
    lots, areas = names.lots([scheme]), names.places([scheme])
    return [
        (lots[lot], [(areas[area], list(held)) for area, held in groupby(of_lot, key=lambda one: one.locality)])
        for lot, of_lot in groupby(places, key=lambda one: one.lot)
    ]


def _page(visit: Visit, key: str, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, now):
        today = now.astimezone(LONDON).date()
        return visit.page(
            "office/clocks.html",
            status=400 if faults else 200,
            schemes=[_seen(session, visit, scheme, today) for scheme in visit.schemes(session)],
            names=_NAMES,
            is_officer=visit.actor.role is Role.REGISTER_OFFICER,
            is_recorder=visit.actor.role in RECORDERS,
            chosen=key,
            values=Values(values),
            faults=faults,
        )


def _seen(session: Session, visit: Visit, scheme: Scheme, today: date) -> dict[str, Any]:
    dues = clocks_seen(session, scheme=scheme.key, actor=visit.actor)
    return {
        "key": scheme.key,
        "name": scheme.name,
        "dues": [
            {"due": due, "state": "overdue" if due.is_overdue(today) else "near" if due.is_near(today) else "running"}
            for due in dues
        ],
        "publishable": [due for due in dues if due.clock in (Clock.TIERS, Clock.NOTICE)],
        "notices": notices_of(session, scheme.key),
    }
