"""Supplying together, as providers see it: with whom, what is delivered for a lead, and a contract passed on."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from sqlmodel import Session

from dps.contracts.contracts import IN_FORCE, Contract
from dps.contracts.passing_on import corrected_named, delivered_for_others, deliverers_named, pass_on, shared_with
from dps.contracts.standing import find_contract
from dps.kernel.errors import BadInput, Conflict, RuleNotMet
from dps.register.arrangements import ArrangementKind, ArrangementState, arrangements_seen
from web.pages import names
from web.pages.forms import Form, Values
from web.pages.guards import PORTAL
from web.pages.rows import today_of
from web.pages.visit import Page, Visit


class Together(Controller):
    """The arrangements that this provider leads or works in."""

    path = "/portal/service/together"
    guards = (PORTAL,)

    @get("/", sync_to_thread=True)
    def seen(self, visit: NamedDependency[Visit]) -> Page:
        """With whom, and what it delivers for a lead; nothing of the people."""
        with visit.look() as (session, now):
            schemes = visit.every_scheme(session)
            arrangements = arrangements_seen(session, actor=visit.actor)
            return visit.page(
                "portal/together.html",
                arrangements=arrangements,
                shared=shared_with(session, actor=visit.actor, seen=arrangements),
                delivered=delivered_for_others(session, actor=visit.actor, today=today_of(now)),
                own=visit.actor.provider,
                schemes=names.Names({scheme.key: scheme.name for scheme in schemes}),
                lots=names.lots(schemes),
                places=names.places(schemes),
            )


class Delivery(Controller):
    """Who delivers one contract of this provider, the lead."""

    path = "/portal/contracts/{contract_ref:str}/delivery"
    guards = (PORTAL,)

    @get("/", sync_to_thread=True)
    def form(self, contract_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """To whom, and from which day on?"""
        return _page(visit, contract_ref, {}, {})

    @post("/", sync_to_thread=True)
    def pass_on(
        self, contract_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Pass it on to a subcontractor, or take it back; the council and the subcontractor are told."""
        with visit.look() as (session, _now):
            find_contract(session, contract_ref, actor=visit.actor)
        try:
            with visit.command() as session:
                pass_on(
                    session,
                    visit.ports,
                    contract_ref=contract_ref,
                    to=form.needed("to", "choose who delivers it"),
                    from_day=form.day("from_day", "say from which day"),
                    actor=visit.actor,
                )
        except BadInput as bad:
            return _page(visit, contract_ref, form.fields, {str(bad.field): str(bad.reason)})
        except RuleNotMet:
            words = "it delivers nothing for you on that day: choose one of your subcontractors, or an earlier day"
            return _page(visit, contract_ref, form.fields, {"to": words})
        except Conflict:
            words = "it is named for that day already: choose another one to correct it, or another day"
            return _page(visit, contract_ref, form.fields, {"to": words})
        return visit.to(f"/portal/contracts/{contract_ref}")


def _page(visit: Visit, ref: str, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, now):
        contract = find_contract(session, ref, actor=visit.actor)
        schemes = visit.every_scheme(session)
        return visit.page(
            "portal/delivery.html",
            status=400 if faults else 200,
            contract=contract,
            delivered_by=deliverers_named(session, contract),
            corrected=corrected_named(session, contract),
            takers=_takers(session, visit, contract),
            lots=names.lots(schemes),
            places=names.places(schemes),
            values=Values({"from_day": today_of(now).isoformat(), **values}),
            faults=faults,
        )


def _takers(session: Session, visit: Visit, contract: Contract) -> list[tuple[str, str]]:
    """Who may deliver the contract, the lead itself last; nobody where it is over, or its provider leads none."""
    if contract.state not in IN_FORCE:
        return []
    led = [
        one
        for one in arrangements_seen(session, actor=visit.actor)
        if one.arrangement.lead == visit.actor.provider
        and one.arrangement.scheme == contract.scheme
        and one.arrangement.kind is ArrangementKind.LEAD
        and one.arrangement.state is ArrangementState.AGREED
    ]
    others = [(ref, name) for one in led for ref, name, _ in one.members]
    return [*others, (contract.provider, "We do it ourselves")] if others else []
