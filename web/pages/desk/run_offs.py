"""What a suspended provider runs, moved to others: the caseload, advice on who could take it over, the decision."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from sqlmodel import select

from bidding.looking.run_offs import going_on, moved, run_off_of, run_offs
from bidding.run_off import advice, run_off
from dps.kernel.actors import Role
from dps.kernel.errors import BadInput, RuleNotMet
from dps.register.providers import Provider
from web.pages import names
from web.pages.forms import Form, Values
from web.pages.guards import DESK
from web.pages.rows import today_of
from web.pages.visit import Page, Visit


class RunOffs(Controller):
    """What suspensions say of running contracts, and how far this council has carried that out."""

    path = "/desk/run-offs"
    guards = (DESK,)

    @get("/", sync_to_thread=True)
    def all(self, visit: NamedDependency[Visit]) -> Page:
        """The latest suspension first."""
        with visit.look() as (session, now):
            keys = [scheme.key for scheme in visit.schemes(session)]
            return visit.page(
                "desk/run_offs.html",
                run_offs=run_offs(session, keys, actor=visit.actor),
                going_on=going_on(session, keys, now, actor=visit.actor),
            )

    @get("/{suspension_ref:str}", sync_to_thread=True)
    def one(
        self, suspension_ref: FromPath[str], visit: NamedDependency[Visit], advised: FromQuery[bool] = False
    ) -> Page:
        """The caseload; with advice where it is asked for, which takes a moment."""
        return _page(visit, suspension_ref, {}, {}, is_advised=advised)

    @post("/{suspension_ref:str}", sync_to_thread=True)
    def decide(
        self, suspension_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Carry it out; the worker then moves the contracts, one after another."""
        with visit.look() as (session, _now):
            keys = [scheme.key for scheme in visit.schemes(session)]
            run_off_of(session, suspension_ref, keys, actor=visit.actor)
        try:
            last_day = form.optional_day("last_day")
            with visit.command() as session:
                run_off(session, visit.ports, suspension_ref=suspension_ref, last_day=last_day, actor=visit.actor)
        except BadInput as bad:
            return _page(visit, suspension_ref, form.fields, {"last_day": str(bad.reason)})
        except RuleNotMet as refused:
            return _page(visit, suspension_ref, form.fields, {"last_day": str(refused)})
        return visit.to(f"/desk/run-offs/{suspension_ref}")


def _page(
    visit: Visit, ref: str, values: Mapping[str, str], faults: Mapping[str, str], *, is_advised: bool = False
) -> Page:
    with visit.look() as (session, now):
        schemes = visit.schemes(session)
        rules = {scheme.key: scheme.variations.run_off for scheme in schemes if scheme.variations.run_off}
        found, cases = run_off_of(session, ref, [scheme.key for scheme in schemes], actor=visit.actor)
        advised = advice(session, visit.ports, suspension_ref=ref, actor=visit.actor) if is_advised and cases else None
        takers = set(advised.takers.values()) if advised else set()
        rows = session.exec(select(Provider.ref, Provider.name).where(Provider.ref.in_(takers)))  # type: ignore[attr-defined]
        return visit.page(
            "desk/run_off.html",
            status=400 if faults else 200,
            one=found,
            cases=cases,
            moved=moved(session, found.ref) if found.ref else (),
            latest=today_of(now) + timedelta(days=rules[found.scheme].transfer_days) if found.scheme in rules else None,
            advice=advised,
            providers=dict(rows.all()),
            is_approver=visit.actor.role is Role.APPROVER,
            lots=names.lots(schemes),
            places=names.places(schemes),
            values=Values(values),
            faults=faults,
        )
