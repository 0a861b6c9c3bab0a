"""What is paid by area: a year's budget with a tolerance, or the area's people in bands."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromQuery

from bidding.looking.drafted import providers_by_name
from dps.contracts.area_contracts import area_contracts_of
from dps.contracts.desk import PAGE, area_statements
from dps.contracts.payment.areas import BY_AREA
from dps.contracts.statements.making import make_area_statement
from dps.kernel.actors import Role
from dps.kernel.errors import BadInput, CannotState, NotFound, StatedAlready
from dps.kernel.money import parse_pence
from dps.schemes.contracting import PaymentModel
from dps.schemes.model import Scheme
from dps.schemes.stored import rules_by_hash
from web.pages import names
from web.pages.forms import Form, Values
from web.pages.guards import BROKERS, DESK
from web.pages.visit import Page, Visit


class AreaStatements(Controller):
    """Those of the caller's authority; one is moved on its own page like any other statement."""

    path = "/desk/area-statements"

    @get("/", guards=[DESK], sync_to_thread=True)
    def seen(self, visit: NamedDependency[Visit], page: FromQuery[int] = 1) -> Page:
        """The latest first, and the form for the next."""
        return _page(visit, {}, {}, page)

    @post("/", guards=[BROKERS], sync_to_thread=True)
    def state(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Response[Any]:
        """State what a provider is paid for an area for some past days."""
        try:
            key, _, lot = form.needed("lot", "choose the service").partition("/")
            with visit.look() as (session, _now):
                scheme = next((one for one in visit.schemes(session) if one.key == key), None)
            if scheme is None:
                raise NotFound(kind="scheme", ref=key)
            cost = form.text("actual_pence")
            with visit.command() as session:
                made = make_area_statement(
                    session,
                    visit.ports,
                    scheme=scheme,
                    lot=lot,
                    locality=form.needed("locality", "choose the area"),
                    provider=form.needed("provider", "choose the provider"),
                    first_day=form.day("first_day", "give the first day"),
                    last_day=form.day("last_day", "give the last day"),
                    actual_pence=parse_pence(cost, field="actual_pence") if cost else None,
                    performance_percent=form.whole("performance_percent", "write a percentage from 0 to 100", most=100),
                    actor=visit.actor,
                ).ref
        except BadInput as bad:
            return _page(visit, form.fields, {str(bad.field or "lot"): str(bad.reason)})
        except (CannotState, StatedAlready) as refused:
            return _page(visit, form.fields, {"first_day": str(refused)})
        return visit.to(f"/desk/statements/{made}")


def _page(visit: Visit, values: Mapping[str, str], faults: Mapping[str, str], page: int = 1) -> Page:
    with visit.look() as (session, _now):
        schemes = visit.schemes(session)
        found = area_statements(session, actor=visit.actor, page=page)
        paid = [one for scheme in schemes for one in _paid_by_area(scheme)]
        models = {model for _, _, model in paid}
        return visit.page(
            "desk/area_statements.html",
            status=400 if faults else 200,
            statements=found,
            page=max(page, 1),
            is_last=len(found) < PAGE,
            contracts=[
                (row, rules_by_hash(session, row.rule_hash).area_contract(row.key).name)
                for row in area_contracts_of(session, actor=visit.actor)
            ],
            paid=[(key, name) for key, name, _ in paid],
            areas=[
                (place.key, place.name) for scheme in schemes if _paid_by_area(scheme) for place in scheme.localities
            ],
            asks_cost=PaymentModel.CAPITATED in models,
            asks_performance=PaymentModel.BANDS in models,
            providers=providers_by_name(session),
            is_broker=visit.actor.role is Role.BROKER,
            lots=names.lots(schemes),
            places=names.places(schemes),
            values=Values(values),
            faults=faults,
        )


def _paid_by_area(scheme: Scheme) -> list[tuple[str, str, PaymentModel]]:
    """The scheme's services that are paid by area: what a form sends, what it shows, how it is paid."""
    return [
        (f"{scheme.key}/{key}", scheme.lot(key).name, payment.model)
        for payment in scheme.payments
        if payment.model in BY_AREA
        for key in payment.lots
    ]
