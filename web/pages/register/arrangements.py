"""Who supplies together: a lead with subcontractors or a consortium, recorded and ended by the register's officers."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlmodel import Session

from bidding.looking.drafted import providers_by_name
from dps.kernel.errors import BadInput, NotFound, RuleNotMet
from dps.register.arrangements import (
    PAGE,
    ArrangementKind,
    SeenArrangement,
    arrange,
    arrangements_seen,
    end_arrangement,
)
from web.pages import names
from web.pages.forms import Form, Values
from web.pages.guards import OFFICERS
from web.pages.register.seen import own_keys, own_scheme
from web.pages.rows import today_of
from web.pages.visit import Page, Visit

FIRST_ROWS, MOST_ROWS = 6, 96
"""Rows for members: at first, and after as many presses of "More rows" as anybody needs."""


class Arrangements(Controller):
    """The arrangements in the schemes of the officer's authority."""

    path = "/register/arrangements"
    guards = (OFFICERS,)

    @get("/", sync_to_thread=True)
    def all(self, visit: NamedDependency[Visit], page: FromQuery[int] = 1) -> Page:
        """Those that run first; a hundred a page."""
        with visit.look() as (session, _now):
            schemes = visit.schemes(session)
            found = arrangements_seen(session, actor=visit.actor, schemes=own_keys(session, visit), page=page)
            return visit.page(
                "register/arrangements.html",
                arrangements=found,
                allowing=[(one.key, one.name) for one in schemes if one.admission.arrangements],
                schemes=names.Names({scheme.key: scheme.name for scheme in schemes}),
                page=max(page, 1),
                is_last=len(found) < PAGE,
            )

    @get("/new/{scheme_key:str}", sync_to_thread=True)
    def form(self, scheme_key: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """Who leads, who works with it, from when, and with which shares?"""
        return _form(visit, scheme_key, {}, {})

    @post("/new/{scheme_key:str}", sync_to_thread=True)
    def record(
        self, scheme_key: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Record it, and everybody in it is told; or the same form again with more rows."""
        if form.text("more"):
            return _form(visit, scheme_key, form.fields, {}, more=FIRST_ROWS)
        with visit.look() as (session, _now):
            scheme = own_scheme(session, visit, scheme_key)
        try:
            kind = form.choice(ArrangementKind, "kind", "choose how they work together")
            lead = form.needed("lead", "choose who leads")
            members = members_of_form(form, kind, lead)
            from_day = form.day("from_day", "say from which day")
            with visit.command() as session:
                arrange(
                    session,
                    visit.ports,
                    scheme=scheme,
                    kind=kind,
                    lead=lead,
                    members=members,
                    from_day=from_day,
                    actor=visit.actor,
                )
        except BadInput as bad:
            return _form(visit, scheme_key, form.fields, {_FIELDS.get(str(bad.field), str(bad.field)): str(bad.reason)})
        except RuleNotMet as refused:
            return _form(visit, scheme_key, form.fields, {"lead": _by_name(visit, str(refused.reason))})
        return visit.to("/register/arrangements")

    @get("/{arrangement_ref:str}/end", sync_to_thread=True)
    def ask_end(self, arrangement_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """Really?"""
        with visit.look() as (session, _now):
            return visit.page(
                "register/arrangement_end.html",
                one=_seen(session, visit, arrangement_ref),
                schemes=names.Names({scheme.key: scheme.name for scheme in visit.schemes(session)}),
            )

    @post("/{arrangement_ref:str}/end", sync_to_thread=True)
    def end(
        self, arrangement_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """End it today; from tomorrow on its members may be admitted by themselves."""
        with visit.command() as session:
            found = _seen(session, visit, arrangement_ref).arrangement
            scheme = own_scheme(session, visit, found.scheme)
            end_arrangement(session, visit.ports, arrangement_ref=found.ref, scheme=scheme, actor=visit.actor)
        return visit.to("/register/arrangements")


_FIELDS = {"members": "member-1"}
"""A command's field, as the form calls it."""


def members_of_form(form: Form, kind: ArrangementKind, lead: str) -> dict[str, int | None]:
    """Who is in it: subcontractors without shares, or all of a consortium, the lead among them, each with its share."""
    is_shared = kind is ArrangementKind.CONSORTIUM
    found: dict[str, int | None] = {}
    if is_shared:
        found[lead] = _share(form, "lead-share")
    for number in rows_of(form.fields):
        name, field = form.text(f"member-{number}"), f"member-{number}"
        if not name:
            continue
        if name in found or name == lead:
            raise BadInput("name everybody once", field=field)
        found[name] = _share(form, f"share-{number}") if is_shared else None
    if not is_shared and any([form.text("lead-share"), *form.under("share-").values()]):
        raise BadInput("subcontractors have no shares: leave them empty", field="lead-share")
    return found


def rows_of(fields: Mapping[str, str], *, more: int = 0) -> range:
    """The numbers of a form's rows: as many as it was sent with, the first ones at least, and so many more."""
    sent = [int(name[7:]) for name in fields if name.startswith("member-") and name[7:].isdecimal() and len(name) < 12]
    return range(1, min(max([FIRST_ROWS, *sent]) + more, MOST_ROWS) + 1)


def _share(form: Form, field: str) -> int:
    share = form.whole(field, "write a whole percentage from 1 to 99", most=99)
    if not share:
        raise BadInput("say which share, in percent", field=field)
    return share


def _seen(session: Session, visit: Visit, ref: str) -> SeenArrangement:
    found = arrangements_seen(session, actor=visit.actor, schemes=own_keys(session, visit), ref=ref)
    if not found:
        raise NotFound(kind="arrangement", ref=ref)
    return found[0]


def _by_name(visit: Visit, words: str) -> str:
    """A refusal that names providers by reference, with their names."""
    with visit.look() as (session, _now):
        for ref, name in providers_by_name(session):
            words = words.replace(ref, name)
    return words


def _form(visit: Visit, key: str, values: Mapping[str, str], faults: Mapping[str, str], *, more: int = 0) -> Page:
    with visit.look() as (session, now):
        scheme = own_scheme(session, visit, key)
        return visit.page(
            "register/arrangement.html",
            status=400 if faults else 200,
            scheme=scheme,
            kinds=[kind for kind in ArrangementKind if kind.value in scheme.admission.arrangements],
            providers=providers_by_name(session),
            numbers=list(rows_of(values, more=more)),
            is_full=len(rows_of(values, more=more)) == MOST_ROWS,
            values=Values({"from_day": today_of(now).isoformat(), **values}),
            faults=faults,
        )
