"""One contract for a whole area, for those who state it: its rates or promises, its statements, the next one.

What the records of visits say is read from them and not asked for.
"""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlmodel import Session

from dps.contracts.area_contracts import AreaContractRow, area_contract_of
from dps.contracts.deliveries.by_area import contracts_served, read_elements
from dps.contracts.statements.area_contracts import make_area_contract_statement
from dps.contracts.statements.records import Statement
from dps.kernel.actors import Role
from dps.kernel.database import find, find_all
from dps.kernel.money import parse_pence
from dps.register.providers import Provider
from dps.schemes.area_contracts import AreaContract, BiddingModel
from dps.schemes.stored import rules_by_hash
from dps.schemes.wording import UNITS
from web.pages.forms import Checking, Form, Values
from web.pages.guards import BROKERS, DESK
from web.pages.rows import today_of
from web.pages.stating import days_of, stated
from web.pages.visit import Page, Visit

UNIT, REACHED = "unit-", "reached-"
_WHOLE, _PERCENT = "write a whole number, or leave it empty", "write a percentage from 0 to 100"


class AreaContracts(Controller):
    """Those of the caller's authority; a statement is moved on its own page like any other."""

    path = "/desk/area-contracts/{area_contract_ref:str}"

    @get("/", guards=[DESK], sync_to_thread=True)
    def one(self, area_contract_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """The contract with its statements, and the form for the next."""
        return _page(visit, area_contract_ref, {}, {})

    @post("/statements", guards=[BROKERS], sync_to_thread=True)
    def state(
        self, area_contract_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """State what the contract is paid for some past days."""
        with visit.look() as (session, _now):
            _, asked = _known(session, visit, area_contract_ref)
        return stated(
            visit,
            lambda session: make_area_contract_statement(
                session,
                visit.ports,
                area_contract_ref=area_contract_ref,
                actor=visit.actor,
                **_told(form, asked),
            ),
            lambda faults: _page(visit, area_contract_ref, form.fields, faults),
            beside=_FIRST,
        )


_FIRST = {"units": "first_day", "reached": "first_day"}
"""Faults of no single field stand beside the days."""


def _told(form: Form, asked: AreaContract) -> dict[str, Any]:
    """The days, and what the form says was delivered on them, or what care cost and which outcomes were reached."""
    checking, told = Checking(), dict[str, int]()
    with checking.of("first_day"):
        days = days_of(form)
    for element in asked.elements:
        with checking.of(f"{UNIT}{element.key}"):
            if (number := form.whole(f"{UNIT}{element.key}", _WHOLE)) is not None:
                told[element.key] = number
    if asked.model is not BiddingModel.OUTCOMES:
        checking.end()
        return {"units": told, **days}
    with checking.of("actual_pence"):
        cost = parse_pence(form.needed("actual_pence", "say what care in the area cost"), field="actual_pence")
    for goal in asked.targets:
        with checking.of(f"{REACHED}{goal.key}"):
            form.needed(f"{REACHED}{goal.key}", _PERCENT)
            told[goal.key] = form.whole(f"{REACHED}{goal.key}", _PERCENT, most=100) or 0
    checking.end()
    return {"actual_pence": cost, "reached": told, **days}


def _known(session: Session, visit: Visit, ref: str) -> tuple[AreaContractRow, AreaContract]:
    row = area_contract_of(session, ref, visit.actor)
    return row, rules_by_hash(session, row.rule_hash).area_contract(row.key)


def _page(visit: Visit, ref: str, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, now):
        row, asked = _known(session, visit, ref)
        today = today_of(now)
        latest = min(max(today, row.from_day), row.last_day)
        lots = {one.lot for one in contracts_served(session, row, first=row.from_day, last=latest)}
        provider = find(session, Provider, ref=row.provider)
        assert provider is not None
        return visit.page(
            "desk/area_contract.html",
            status=400 if faults else 200,
            contract=row,
            asked=asked,
            place=rules_by_hash(session, row.rule_hash).locality(row.locality).name,
            provider=provider.name,
            read={element.key for element in read_elements(asked) if element.lot in lots},
            units=UNITS,
            statements=find_all(session, Statement, area_contract=row.ref, order=("first_day", "id")),
            has_begun=row.from_day < today,
            is_broker=visit.actor.role is Role.BROKER,
            values=Values(values),
            faults=faults,
        )
