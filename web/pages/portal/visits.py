"""A provider's monitoring workbook: the visits still to be recorded as XLSX, and the file taken back filled in.

Taken back it is tried first, every fault with its row and column; recorded is what was tried. A file of the provider's
own call monitoring with the same columns is taken as well.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery
from sqlmodel import Session

from dps.contracts.deliveries.expected import MOST_DAYS, expected_visits, schemes_served
from dps.kernel.errors import BadInput, NotFound
from dps.schemes.model import Scheme
from web.deliveries_entry import Imported, imported
from web.deliveries_file import read_deliveries
from web.deliveries_workbook import EXPLAINED, workbook
from web.pages.forms import Form, Values
from web.pages.guards import PORTAL
from web.pages.rows import today_of
from web.pages.tried_files import on_disk, reopened, sealed, sent
from web.pages.visit import Page, Visit
from web.workbooks import XLSX

_FILE = "visits"
_LARGER = "send fewer days at once"


class VisitRecords(Controller):
    """What was delivered, visit by visit, as the provider says."""

    path = "/portal/visits"
    guards = (PORTAL,)

    @get("/", sync_to_thread=True)
    def form(self, visit: NamedDependency[Visit]) -> Page:
        """Which days' workbook, and which file?"""
        return _page(visit)

    @get("/workbook", sync_to_thread=True)
    def as_workbook(
        self,
        visit: NamedDependency[Visit],
        scheme: FromQuery[str] = "",
        first: FromQuery[str] = "",
        last: FromQuery[str] = "",
    ) -> Response[Any]:
        """A row for each visit of these days still to be recorded; this month's so far unless told otherwise."""
        asked = Form({name: text for name, text in (("first", first), ("last", last)) if text})
        try:
            with visit.look() as (session, now):
                today = today_of(now)
                chosen = _chosen(_served(session, visit), scheme)
                start = asked.optional_day("first") or today.replace(day=1)
                end = asked.optional_day("last") or today
                visits = expected_visits(session, visit.ports, scheme=chosen, first=start, last=end, actor=visit.actor)
            content = workbook(visits)
        except BadInput as bad:
            values = {"first": first, "last": last, "scheme": scheme}
            return _page(visit, values=values, faults={str(bad.facts.get("field", "last")): str(bad.reason)})
        headers = {"Content-Disposition": f'attachment; filename="visits-{start}-{end}.xlsx"'}
        return Response(content, media_type=XLSX, headers=headers)

    @post("/", sync_to_thread=True, status_code=200)
    def take(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Page:
        """Try a new file, or record the one that was tried."""
        is_written = bool(form.text("write"))
        try:
            content = reopened(visit, form, of=_FILE) if is_written else sent(form, larger=_LARGER)
            with visit.look() as (session, _now):
                scheme = _chosen(_served(session, visit), form.text("scheme"))
            with on_disk(content, of=_FILE) as path:
                found = read_deliveries(path)
            done = imported(visit.installation, found, scheme, visit.actor, "the file", is_tried=not is_written)
        except BadInput as bad:
            return _page(visit, values=form.fields, faults={"file": str(bad.reason)})
        kept = "" if is_written or done.faults else sealed(visit, content, of=_FILE)
        return _page(visit, values={"scheme": scheme.key}, done=done, kept=kept, is_written=is_written)


def _served(session: Session, visit: Visit) -> list[Scheme]:
    """The schemes under which this provider has, or had, people in its care: it may have left their lists since."""
    keys = schemes_served(session, actor=visit.actor)
    return [scheme for scheme in visit.every_scheme(session) if scheme.key in keys]


def _chosen(schemes: list[Scheme], key: str) -> Scheme:
    if not schemes:
        raise BadInput("no contract of yours has started, so no visit is to be recorded", field="file")
    found = next((one for one in schemes if key in ("", one.key)), None)
    if found is None:
        raise NotFound(kind="scheme", ref=key)
    return found


def _page(
    visit: Visit,
    *,
    values: Mapping[str, str] | None = None,
    faults: Mapping[str, str] | None = None,
    done: Imported | None = None,
    kept: str = "",
    is_written: bool = False,
) -> Page:
    with visit.look() as (session, now):
        today = today_of(now)
        return visit.page(
            "portal/visits.html",
            status=400 if faults or (done and done.faults) else 200,
            schemes=[(one.key, one.name) for one in _served(session, visit)],
            months=_months(today),
            values=Values({"first": today.replace(day=1).isoformat(), "last": today.isoformat(), **(values or {})}),
            faults=faults or {},
            done=done,
            kept=kept,
            is_written=is_written and not (done and done.faults),
            columns=EXPLAINED,
            most_days=MOST_DAYS,
        )


def _months(today: date) -> tuple[tuple[str, date, date], ...]:
    """This month so far and the month before: its name, first and last day."""
    this = today.replace(day=1)
    before = this - timedelta(days=1)
    return (f"{this:%B %Y} so far", this, today), (f"{before:%B %Y}", before.replace(day=1), before)
