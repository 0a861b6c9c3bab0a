"""The month's report: how referrals went, who won, at which prices, what went round the competition."""

from datetime import date
from typing import Any

from litestar import Controller, Response, get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from bidding.monthly.tables import tables
from dps.kernel.calendar import LONDON
from dps.kernel.errors import BadInput, NotFound
from dps.schemes.model import Scheme
from web.month import days_of, pictures, report, said, workbook
from web.pages.guards import OFFICE
from web.pages.visit import Page, Visit
from web.workbooks import XLSX


class Report(Controller):
    """One scheme, one month; a commissioner reads what their own authority did."""

    path = "/office/report"
    guards = (OFFICE,)

    @get("/", sync_to_thread=True)
    def seen(self, visit: NamedDependency[Visit], scheme: FromQuery[str] = "", month: FromQuery[str] = "") -> Page:
        """The tables, each with its sentence where there is nothing, and two pictures."""
        with visit.look() as (session, now):
            schemes = visit.schemes(session)
            if not schemes:
                return visit.page("office/none.html")
            chosen = _chosen(schemes, scheme)
            month = month or f"{now.astimezone(LONDON):%Y-%m}"
            fault, made = "", None
            try:
                first, last = days_of(month)
                made = report(session, visit.ports, scheme=chosen, first=first, last=last, actor=visit.actor)
            except BadInput as bad:
                fault = str(bad.reason)
            return visit.page(
                "office/report.html",
                schemes=[(one.key, one.name) for one in schemes],
                chosen=chosen.key,
                name=chosen.name,
                month=month,
                title=f"{first:%B %Y}" if made else "",
                fault=fault,
                tables=tuple(tables(made)) if made else (),
                said=said,
                pictures=pictures(made) if made else (),
            )

    @get("/workbook", sync_to_thread=True)
    def as_workbook(
        self, visit: NamedDependency[Visit], scheme: FromQuery[str] = "", month: FromQuery[str] = ""
    ) -> Response[Any]:
        """The same as XLSX, a sheet for each table, without a formula."""
        with visit.look() as (session, _):
            chosen = _chosen(visit.schemes(session), scheme)
            first, last = days_of(month)
            made = report(session, visit.ports, scheme=chosen, first=first, last=last, actor=visit.actor)
        name = f"{chosen.key}-{first:%Y-%m}.xlsx"
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return Response(workbook(made, about=_about(chosen, first, last)), media_type=XLSX, headers=headers)


def _chosen(schemes: list[Scheme], key: str) -> Scheme:
    found = next((one for one in schemes if key in ("", one.key)), None)
    if found is None:
        raise NotFound(kind="scheme", ref=key)
    return found


def _about(scheme: Scheme, first: date, last: date) -> str:
    return f"{scheme.name}, {first.isoformat()} to {last.isoformat()}."
