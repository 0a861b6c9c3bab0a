"""After the award: contracts, changes that wait for the council, statements to pay, visits not as planned."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery
from litestar.response import Redirect
from sqlmodel import Session

from bidding.looking.run_offs import run_offs
from dps.contracts.answers import contested_reviews
from dps.contracts.contracts import Contract, ContractState
from dps.contracts.desk import (
    PAGE,
    Story,
    about_statement,
    contracts_listed,
    reviews_due,
    story_of,
    waiting_statements,
    waiting_variations,
    who_pays,
)
from dps.contracts.outcomes import OutcomeReview, budget_set
from dps.contracts.passing_on import corrected_named, deliverers_named, shares_named
from dps.contracts.standing import find_contract
from dps.contracts.statements.making import make_statement
from dps.contracts.statements.moving import pay_statement, withdraw_statement
from dps.contracts.statements.records import find_statement
from dps.contracts.tiers import weekly_price_on
from dps.contracts.variations import rescheduling
from dps.contracts.variations.ending import handed_back
from dps.contracts.variations.flexing import dearest_week_pence, sign_flex
from dps.contracts.variations.limits import review_due_on
from dps.contracts.variations.pausing import place_kept_until
from dps.contracts.variations.records import VariationKind, VariationState, find_variation
from dps.kernel.actors import Role
from dps.kernel.database import find_all
from dps.kernel.errors import BadInput
from dps.schemes.model import Scheme
from dps.schemes.published import standing_scheme
from web.pages import names
from web.pages.changing import words_of_changes
from web.pages.forms import Form
from web.pages.guards import APPROVERS, BROKERS, DESK
from web.pages.rows import today_of
from web.pages.stating import days_of, stated
from web.pages.visit import Page, Visit


class DeskContracts(Controller):
    """The contracts of the caller's authority; nothing of the person is shown here."""

    path = "/desk/contracts"

    @get("/", guards=[DESK], sync_to_thread=True)
    def all(self, visit: NamedDependency[Visit], page: FromQuery[int] = 1, over: FromQuery[bool] = False) -> Page:
        """What waits, then every contract in force; or those that are over."""
        with visit.look() as (session, now):
            schemes = visit.schemes(session)
            found = contracts_listed(session, actor=visit.actor, page=page, are_over=over)
            rules = {one.key: one.variations.review for one in schemes if one.variations.review}
            return visit.page(
                "desk/contracts.html",
                variations=waiting_variations(session, actor=visit.actor),
                reviews=reviews_due(session, rules, actor=visit.actor, today=today_of(now)),
                has_reviews=bool(rules),
                statements=waiting_statements(session, actor=visit.actor),
                undecided=sum(
                    one.ref is None for one in run_offs(session, [scheme.key for scheme in schemes], actor=visit.actor)
                ),
                contested=contested_reviews(session, actor=visit.actor),
                contracts=found,
                kept_until=_kept_until([one for one, _ in found], schemes),
                are_over=over,
                today=today_of(now),
                page=max(page, 1),
                is_last=len(found) < PAGE,
                is_broker=visit.actor.role is Role.BROKER,
                lots=names.lots(schemes),
                places=names.places(schemes),
            )

    @get("/{contract_ref:str}", guards=[DESK], sync_to_thread=True)
    def one(self, contract_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """Its whole story."""
        return _story(visit, contract_ref, {}, {})

    @post("/{contract_ref:str}/statements", guards=[BROKERS], sync_to_thread=True)
    def state(
        self, contract_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """State what is due for some past days; its provider then agrees or queries."""
        with visit.look() as (session, _now):
            contract = find_contract(session, contract_ref, actor=visit.actor)
            scheme = standing_scheme(session, contract.scheme)
        return stated(
            visit,
            lambda session: make_statement(
                session, visit.ports, contract_ref=contract_ref, scheme=scheme, actor=visit.actor, **days_of(form)
            ),
            lambda faults: _story(visit, contract_ref, form.fields, faults),
        )


class Variations(Controller):
    """Changes that wait for the council's yes or no."""

    path = "/desk/variations/{variation_ref:str}"

    @post("/agreement", guards=[BROKERS], sync_to_thread=True)
    def agree(
        self, variation_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Redirect:
        """A broker agrees to what was proposed."""
        return _moved(visit, variation_ref, rescheduling.agree)

    @post("/signature", guards=[APPROVERS], sync_to_thread=True)
    def sign(
        self, variation_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Redirect:
        """An officer signs a flex above the limit."""
        return _moved(visit, variation_ref, sign_flex)

    @get("/refusal", guards=[DESK], sync_to_thread=True)
    def refusal_form(self, variation_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """Why not?"""
        return _refusal(visit, variation_ref, "", "")

    @post("/refusal", guards=[DESK], sync_to_thread=True)
    def refuse(
        self, variation_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Refuse it, with a reason that the provider reads."""
        try:
            with visit.command() as session:
                rescheduling.refuse(
                    session, visit.ports, variation_ref=variation_ref, words=form.text("reason"), actor=visit.actor
                )
                _, contract = find_variation(session, variation_ref, actor=visit.actor)
        except BadInput as bad:
            return _refusal(visit, variation_ref, form.text("reason"), str(bad.reason))
        return visit.to(f"/desk/contracts/{contract.ref}#{variation_ref}")


class Statements(Controller):
    """What is due, line by line; made by one, paid by another."""

    path = "/desk/statements/{statement_ref:str}"

    @get("/", guards=[DESK], sync_to_thread=True)
    def one(self, statement_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """Its lines with their workings."""
        with visit.look() as (session, _now):
            found = find_statement(session, statement_ref, actor=visit.actor)
            schemes = visit.schemes(session)
            contract, provider = about_statement(session, found)
            return visit.page(
                "desk/statement.html",
                statement=found,
                contract=contract,
                provider=provider,
                funding=who_pays(session, contract) if contract else None,
                shares=shares_named(session, found),
                is_broker=visit.actor.role is Role.BROKER,
                is_approver=visit.actor.role is Role.APPROVER,
                lots=names.lots(schemes),
                places=names.places(schemes),
            )

    @post("/payment", guards=[APPROVERS], sync_to_thread=True)
    def pay(self, statement_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Redirect:
        """Record the payment of what its provider has agreed."""
        with visit.command() as session:
            pay_statement(session, visit.ports, statement_ref=statement_ref, actor=visit.actor)
        return visit.to(f"/desk/statements/{statement_ref}")

    @post("/withdrawal", guards=[BROKERS], sync_to_thread=True)
    def withdraw(
        self, statement_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Redirect:
        """Take it back; its days may be stated again."""
        with visit.command() as session:
            withdraw_statement(session, visit.ports, statement_ref=statement_ref, actor=visit.actor)
        return visit.to(f"/desk/statements/{statement_ref}")


def _kept_until(listed: Iterable[Contract], schemes: Iterable[Scheme]) -> dict[str, date | None]:
    """Until when the places of those that are paused are kept."""
    rules = {scheme.key: scheme for scheme in schemes}
    paused = (one for one in listed if one.suspended_on is not None and one.scheme in rules)
    return {one.ref: place_kept_until(one, rules[one.scheme]) for one in paused}


def _moved(visit: Visit, variation_ref: str, command: Callable[..., object]) -> Redirect:
    with visit.command() as session:
        command(session, visit.ports, variation_ref=variation_ref, actor=visit.actor)
        _, contract = find_variation(session, variation_ref, actor=visit.actor)
    return visit.to(f"/desk/contracts/{contract.ref}#{variation_ref}")


def _refusal(visit: Visit, variation_ref: str, reason: str, fault: str) -> Page:
    with visit.look() as (session, _now):
        variation, contract = find_variation(session, variation_ref, actor=visit.actor)
        status = 400 if fault else 200
        return visit.page(
            "desk/refusal.html", status=status, variation=variation, contract=contract, reason=reason, fault=fault
        )


def _review_by(session: Session, contract: Contract, schemes: Sequence[Scheme]) -> date | None:
    """The day by which the council reviews the package; None once it did, where rules name none, or no care runs."""
    rule = next((scheme.variations.review for scheme in schemes if scheme.key == contract.scheme), None)
    if rule is None or contract.started_on is None or contract.state is not ContractState.ACTIVE:
        return None
    if find_all(session, OutcomeReview, contract_id=contract.id):
        return None
    return review_due_on(rule, started_on=contract.started_on)


def _signing(session: Session, story: Story, scheme: Scheme) -> dict[str, int] | None:
    """What an officer signs for: the dearest seven days of the person's flexes, and the limit; None if none waits."""
    rule, waiting = scheme.variations.flex, VariationState.PROPOSED
    if rule is None or not any(one.kind is VariationKind.FLEX and one.state is waiting for one in story.variations):
        return None
    return {"pence": dearest_week_pence(session, story.contract), "limit_pence": rule.weekly_limit_pence}


def _story(visit: Visit, contract_ref: str, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, now):
        today = today_of(now)
        story = story_of(session, contract_ref, actor=visit.actor, today=today)
        schemes = visit.schemes(session)
        scheme = standing_scheme(session, story.contract.scheme)
        monday = today - timedelta(days=today.weekday() + 7)
        return visit.page(
            "desk/contract.html",
            status=400 if faults else 200,
            story=story,
            funding=who_pays(session, contract_ref),
            delivered_by=deliverers_named(session, story.contract),
            corrected=corrected_named(session, story.contract),
            today=today,
            words=words_of_changes(session, visit, story),
            returned=handed_back(session, story.contract),
            budget=budget_set(session, story.contract),
            kept_until=place_kept_until(story.contract, scheme),
            weekly_price=weekly_price_on(session, story.contract, scheme, max(today, story.contract.starts_on)),
            signing=_signing(session, story, scheme),
            review_by=_review_by(session, story.contract, schemes),
            values={
                "first_day": values.get("first_day") or monday.isoformat(),
                "last_day": values.get("last_day") or (monday + timedelta(days=6)).isoformat(),
            },
            faults=faults,
            is_broker=visit.actor.role is Role.BROKER,
            is_approver=visit.actor.role is Role.APPROVER,
            lots=names.lots(schemes),
            places=names.places(schemes),
        )
