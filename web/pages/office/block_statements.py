"""What one block of hours is paid: its statements, and the form with which a broker makes the next."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath

from dps.contracts.desk import block_statements
from dps.contracts.statements.blocks import make_block_statement
from dps.contracts.statements.making import LONGEST_PERIOD_DAYS
from dps.contracts.statements.records import Statement, StatementState
from dps.kernel.actors import Role
from dps.register.blocks import Block, block_of_authority
from dps.register.providers import provider_of
from dps.schemes.published import standing_scheme
from web.pages import names
from web.pages.forms import Form, Values
from web.pages.guards import BROKERS, STAFF
from web.pages.rows import today_of
from web.pages.stating import days_of, stated
from web.pages.visit import Page, Visit

_LONGEST = timedelta(days=LONGEST_PERIOD_DAYS - 1)


class BlockStatements(Controller):
    """One block that the reader's authority pays for."""

    path = "/office/blocks/{block_ref:str}/statements"

    @get("/", guards=[STAFF], sync_to_thread=True)
    def seen(self, block_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """What was stated, the latest first, and what a broker may state next."""
        return _page(visit, block_ref, {}, {})

    @post("/", guards=[BROKERS], sync_to_thread=True)
    def state(
        self, block_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """State what is due for some past days; its provider then agrees or queries."""
        with visit.look() as (session, _now):
            block = block_of_authority(session, block_ref, actor=visit.actor)
            scheme = standing_scheme(session, block.scheme)
        return stated(
            visit,
            lambda session: make_block_statement(
                session, visit.ports, block_ref=block_ref, scheme=scheme, actor=visit.actor, **days_of(form)
            ),
            lambda faults: _page(visit, block_ref, form.fields, faults),
        )


def _page(visit: Visit, ref: str, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, now):
        block = block_of_authority(session, ref, actor=visit.actor)
        statements = block_statements(session, ref, actor=visit.actor)
        days = unstated(block, statements, today_of(now))
        first, last = days or (None, None)
        schemes = visit.schemes(session)
        return visit.page(
            "office/block_statements.html",
            status=400 if faults else 200,
            block=block,
            provider=provider_of(session, block.provider, visit.actor).name,
            lot=names.lots(schemes)[block.lot],
            place=names.places(schemes)[block.locality],
            statements=statements,
            may_state=visit.actor.role is Role.BROKER and days is not None,
            is_broker=visit.actor.role is Role.BROKER,
            may_open=visit.actor.role in (Role.BROKER, Role.APPROVER),
            values=Values({"first_day": f"{first or ''}", "last_day": f"{last or ''}", **values}),
            faults=faults,
        )


def unstated(block: Block, statements: Sequence[Statement], today: date) -> tuple[date, date] | None:
    """The first days that are past and that no statement covers, a year at most; None where there are none."""
    first, last = block.from_day, min(today - timedelta(days=1), block.last_day or today)
    for one in sorted(statements, key=lambda one: one.first_day):
        if one.state is StatementState.WITHDRAWN:
            continue
        if first < one.first_day:
            last = min(last, one.first_day - timedelta(days=1))
            break
        first = one.last_day + timedelta(days=1)
    return (first, min(last, first + _LONGEST)) if first <= last else None
