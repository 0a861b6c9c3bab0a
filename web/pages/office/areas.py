"""Contracts for a whole area, for the council: seek a provider, read the evaluation, offer the contract."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlmodel import Session

from bidding.closings import Closing
from bidding.tenders.deciding import offer_area
from bidding.tenders.publishing import cancel_tender, publish_tender
from bidding.tenders.records import OPEN, TenderState, tender_of, tenders_seen
from dps.contracts.area_contracts import AreaContractRow, AreaContractState, area_contracts_of, end_area_contract
from dps.kernel.actors import Role
from dps.kernel.database import find, find_all
from dps.kernel.errors import BadInput, NotFound, OutOfTerm, RuleNotMet
from dps.register.providers import Provider
from dps.schemes.stored import rules_by_hash
from web.pages.forms import Form, Values
from web.pages.guards import APPROVERS, COMMISSIONERS, LETTING
from web.pages.rows import today_of
from web.pages.visit import Page, Visit


class Areas(Controller):
    """A commissioner publishes, cancels and ends, an approver offers, an auditor reads."""

    path = "/office/areas"

    @get("/", guards=[LETTING], sync_to_thread=True)
    def all(self, visit: NamedDependency[Visit]) -> Page:
        """Every tender and every area contract of one's authority."""
        return _list(visit, {}, {})

    @post("/", guards=[COMMISSIONERS], sync_to_thread=True)
    def publish(self, visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Response[Any]:
        """Ask for bids for one area."""
        scheme_key, _, rest = form.text("what").partition("/")
        key, _, locality = rest.partition("/")
        try:
            with visit.command() as session:
                scheme = next((one for one in visit.schemes(session) if one.key == scheme_key), None)
                if scheme is None:
                    raise BadInput("choose what is sought, and for which area", field="what")
                made = publish_tender(
                    session,
                    visit.ports,
                    scheme=scheme,
                    key=key,
                    locality=locality,
                    from_day=form.day("from_day", "say on which day the contract begins"),
                    actor=visit.actor,
                )
                ref = made.ref
        except BadInput as bad:
            field = "from_day" if bad.field == "from_day" else "what"
            return _list(visit, form.fields, {field: str(bad.reason)})
        except (RuleNotMet, OutOfTerm) as refused:
            return _list(visit, form.fields, {"what": str(refused)})
        return visit.to(f"/office/areas/{ref}")

    @get("/{tender_ref:str}", guards=[LETTING], sync_to_thread=True)
    def one(self, tender_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """One tender: its closing, then every bid with its working, in line; at last the contract that came of it."""
        return _one(visit, tender_ref, {}, {})

    @post("/{tender_ref:str}/offer", guards=[APPROVERS], sync_to_thread=True)
    def offer(self, tender_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Redirect:
        """Offer the contract to the next in line."""
        with visit.command() as session:
            offer_area(session, visit.ports, tender_ref=tender_ref, actor=visit.actor)
        return visit.to(f"/office/areas/{tender_ref}")

    @post("/{tender_ref:str}/cancellation", guards=[COMMISSIONERS], sync_to_thread=True)
    def cancel(self, tender_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Redirect:
        """Take the tender back; its bidders are told."""
        with visit.command() as session:
            cancel_tender(session, visit.ports, tender_ref=tender_ref, actor=visit.actor)
        return visit.to(f"/office/areas/{tender_ref}")

    @post("/{tender_ref:str}/end", guards=[COMMISSIONERS], sync_to_thread=True)
    def end(
        self, tender_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Let the contract that came of it end early; its provider is told."""
        with visit.look() as (session, _now):
            contract = find(session, AreaContractRow, tender=tender_of(session, tender_ref, visit.actor).ref)
        if contract is None:
            raise NotFound(kind="area contract", ref=tender_ref)
        try:
            last_day = form.day("last_day", "say which day is its last")
            with visit.command() as session:
                end_area_contract(
                    session, visit.ports, area_contract_ref=contract.ref, last_day=last_day, actor=visit.actor
                )
        except BadInput as bad:
            return _one(visit, tender_ref, form.fields, {"last_day": str(bad.reason)})
        return visit.to(f"/office/areas/{tender_ref}")


def _one(visit: Visit, tender_ref: str, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, now):
        tender = tender_of(session, tender_ref, visit.actor)
        scheme = rules_by_hash(session, tender.rule_hash)
        scores = tender.evaluation
        is_commissioner = visit.actor.role is Role.COMMISSIONER
        contract = find(session, AreaContractRow, tender=tender.ref)
        runs = (
            contract is not None and contract.state is AreaContractState.AGREED and today_of(now) <= contract.last_day
        )
        return visit.page(
            "office/area.html",
            status=400 if faults else 200,
            tender=tender,
            asked=scheme.area_contract(tender.key),
            place=scheme.locality(tender.locality).name,
            evaluation=scheme.evaluation,
            closes_at=(closes_at := session.get_one(Closing, tender.closing_id).closes_at),
            is_gathering=now < closes_at,
            scores=scores,
            names=_names(session, {one.provider for one in scores}),
            is_commissioner=is_commissioner and tender.state in OPEN,
            is_approver=visit.actor.role is Role.APPROVER and tender.state is TenderState.EVALUATED,
            is_left=any(one.place and one.bid not in tender.passed for one in scores),
            contract=contract,
            may_end=runs and is_commissioner,
            values=Values(values),
            faults=faults,
        )


def _names(session: Session, refs: set[str]) -> dict[str, str]:
    return {row.ref: row.name for row in find_all(session, Provider, ref=refs)} if refs else {}


def _list(visit: Visit, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, _):
        schemes = visit.schemes(session)
        contracts = area_contracts_of(session, actor=visit.actor)
        tenders = tenders_seen(session, actor=visit.actor)
        hashes = {one.rule_hash for one in contracts} | {one.rule_hash for one in tenders}
        rules = {one: rules_by_hash(session, one) for one in hashes}
        return visit.page(
            "office/areas.html",
            status=400 if faults else 200,
            tenders=[(one, rules[one.rule_hash].area_contract(one.key), rules[one.rule_hash]) for one in tenders],
            contracts=[(one, rules[one.rule_hash].area_contract(one.key), rules[one.rule_hash]) for one in contracts],
            names=_names(session, {one.provider for one in contracts}),
            choices=[
                (f"{scheme.key}/{asked.key}/{locality}", f"{asked.name}: {scheme.locality(locality).name}")
                for scheme in schemes
                for asked in scheme.area_contracts
                for locality in asked.localities
            ],
            is_commissioner=visit.actor.role is Role.COMMISSIONER,
            values=Values(values),
            faults=faults,
        )
