"""What a provider agreed to, and what it says to what the council found of it: outcomes, and what is due."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from sqlmodel import Session

from bidding import aftercare
from bidding.looking.answered import SeenContract, awarded_part, contracts
from bidding.looking.pages import PAGE
from dps.contracts.answers import answer_review, contract_of_review, findings
from dps.contracts.desk import Story, about_statement, own_statements, statements_to_answer, story_of
from dps.contracts.outcomes import budget_set
from dps.contracts.passing_on import corrected_named, delivered_for_others, deliverers_named, leads_others, shares_named
from dps.contracts.quality.concerns import concerns_of
from dps.contracts.reasons import QueryReason
from dps.contracts.statements.moving import agree_statement, query_statement
from dps.contracts.statements.records import find_statement
from dps.contracts.tiers import weekly_price_on
from dps.contracts.variations.ending import handed_back
from dps.contracts.variations.pausing import place_kept_until
from dps.kernel.errors import BadInput, NotFound
from dps.schemes.published import standing_scheme
from web.pages.changing import words_of_changes
from web.pages.forms import Form, Values
from web.pages.guards import PORTAL
from web.pages.portal.opportunities import frame
from web.pages.rows import today_of
from web.pages.visit import Page, Visit


class Contracts(Controller):
    """What this provider agreed to."""

    path = "/portal/contracts"
    guards = (PORTAL,)

    @get("/", sync_to_thread=True)
    def seen(self, visit: NamedDependency[Visit], after: FromQuery[str] = "") -> Page:
        """A hundred at a time, the last one first."""
        with visit.look() as (session, now):
            found = contracts(session, visit.actor, after=after or None, last_first=True)
            return visit.page(
                "portal/contracts.html",
                contracts=found,
                today=today_of(now),
                waiting=statements_to_answer(session, actor=visit.actor),
                for_others=len(delivered_for_others(session, actor=visit.actor, today=today_of(now))),
                next_after=found[-1].contract if len(found) == PAGE else "",
                **frame(session, visit),
            )

    @get("/{contract_ref:str}", sync_to_thread=True)
    def one(self, contract_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """One contract: what holds, what changed, what was found of it, what is paid."""
        return _page(visit, contract_ref, {}, {})

    @post("/{contract_ref:str}/start", sync_to_thread=True)
    def start(
        self, contract_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Record the first visit."""
        with visit.look() as (session, _):
            _contract(session, visit, contract_ref)
        try:
            first = form.day("first_visit_on", "say on which day the first visit was")
            with visit.command() as session:
                aftercare.start_contract(
                    session, visit.ports, contract_ref=contract_ref, first_visit_on=first, actor=visit.actor
                )
        except BadInput as bad:
            return _page(visit, contract_ref, form.fields, {"first_visit_on": str(bad.reason)})
        return visit.to(f"/portal/contracts/{contract_ref}")


class OwnReviews(Controller):
    """What the council found of a person's outcomes."""

    path = "/portal/reviews"
    guards = (PORTAL,)

    @post("/{review_ref:str}/answer", sync_to_thread=True)
    def answer(self, review_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Redirect:
        """Agree to it, or contest it within the scheme's days."""
        with visit.command() as session:
            contract = contract_of_review(session, review_ref, actor=visit.actor)
            answer_review(
                session,
                visit.ports,
                review_ref=review_ref,
                scheme=standing_scheme(session, contract.scheme),
                agrees=form.text("agrees") == "yes",
                actor=visit.actor,
            )
        return visit.to(f"/portal/contracts/{contract.ref}")


class OwnStatements(Controller):
    """What this provider is paid; the council pays what it has agreed to."""

    path = "/portal/statements"
    guards = (PORTAL,)

    @get("/", sync_to_thread=True)
    def seen(self, visit: NamedDependency[Visit], page: FromQuery[int] = 1) -> Page:
        """Those that wait for an answer, then the latest first; a hundred a page."""
        with visit.look() as (session, _now):
            found = own_statements(session, actor=visit.actor, page=page)
            return visit.page(
                "portal/statements.html",
                statements=found,
                page=max(page, 1),
                is_last=len(found) < PAGE,
                **frame(session, visit),
            )

    @get("/{statement_ref:str}", sync_to_thread=True)
    def one(self, statement_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """Its lines with their workings."""
        return _statement(visit, statement_ref, {}, {})

    @post("/{statement_ref:str}/agreement", sync_to_thread=True)
    def agree(
        self, statement_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Redirect:
        """The figures are right."""
        return _stated(visit, statement_ref, agree_statement)

    @post("/{statement_ref:str}/query", sync_to_thread=True)
    def query(
        self, statement_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """The figures are not right, and what is wrong with them."""
        try:
            reason = form.choice(QueryReason, "reason", "choose what is wrong")
        except BadInput as bad:
            return _statement(visit, statement_ref, form.fields, {"reason": str(bad.reason)})
        return _stated(visit, statement_ref, partial(query_statement, reason=reason))


def _stated(visit: Visit, statement_ref: str, command: Callable[..., object]) -> Redirect:
    with visit.command() as session:
        command(session, visit.ports, statement_ref=statement_ref, actor=visit.actor)
    return visit.to(f"/portal/statements/{statement_ref}")


def _statement(visit: Visit, ref: str, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, _now):
        found = find_statement(session, ref, actor=visit.actor)
        return visit.page(
            "portal/statement.html",
            status=400 if faults else 200,
            statement=found,
            contract=about_statement(session, found)[0],
            shares=shares_named(session, found),
            reasons=list(QueryReason),
            values=Values(values),
            faults=faults,
            **frame(session, visit),
        )


def _contract(session: Session, visit: Visit, contract_ref: str) -> SeenContract:
    found = contracts(session, visit.actor, ref=contract_ref)
    if not found:
        raise NotFound(kind="contract", ref=contract_ref)
    return found[0]


def _page(visit: Visit, contract_ref: str, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, now):
        contract, today = _contract(session, visit, contract_ref), today_of(now)
        story = story_of(session, contract_ref, actor=visit.actor, today=today)
        scheme = standing_scheme(session, story.contract.scheme)
        return visit.page(
            "portal/contract.html",
            status=400 if faults else 200,
            contract=contract,
            story=story,
            words=words_of_changes(session, visit, story),
            returned=handed_back(session, story.contract),
            budget=budget_set(session, story.contract),
            kept_until=place_kept_until(story.contract, scheme),
            weekly_price=weekly_price_on(session, story.contract, scheme, max(today, story.contract.starts_on)),
            findings=findings(session, story.contract, scheme),
            complaints=concerns_of(session, contract_ref, actor=visit.actor),
            part=as_agreed(awarded_part(session, visit.ports, contract.award, visit.actor), story),
            delivered_by=deliverers_named(session, story.contract),
            corrected=corrected_named(session, story.contract),
            leads=leads_others(session, story.contract, today),
            day=today,
            values=Values({"first_visit_on": today.isoformat(), **values}),
            faults=faults,
            **frame(session, visit),
        )


def as_agreed(part: dict[str, Any], story: Story) -> dict[str, Any]:
    """What was published of the package, with the week that holds today; nothing is held back from who serves it."""
    held_back = {name: value for name, value in part.items() if name != "grain"}
    week = {"schedule": story.schedule.to_dict(), "weekly_minutes": story.weekly_minutes} if story.schedule else {}
    return {**held_back, "grain": "", **week}
