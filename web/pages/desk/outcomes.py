"""What came of care: outcomes reviewed and settled, people followed up, complaints and investigations."""

from collections.abc import Callable, Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlmodel import Session

from dps.contracts.answers import contract_of_review, findings, settle_review
from dps.contracts.contracts import Contract
from dps.contracts.outcomes import budget_set, review_outcomes
from dps.contracts.payment.outcome_budget import ProvenException
from dps.contracts.quality.concerns import (
    ConcernKind,
    ConcernTopic,
    close_concern,
    concerns_of,
    contract_of_concern,
    record_concern,
)
from dps.contracts.quality.following_up import Whereabouts, due, due_on, follow_up, found_of
from dps.kernel.actors import Role
from dps.kernel.errors import BadInput, Conflict, RuleNotMet
from web.pages.changing import under_rules
from web.pages.forms import Form, Values
from web.pages.guards import APPROVERS, BROKERS, DESK
from web.pages.rows import today_of
from web.pages.visit import Page, Visit


class Outcomes(Controller):
    """One contract of the caller's authority; outcomes are counted here, and nobody is named."""

    path = "/desk/contracts/{contract_ref:str}/outcomes"

    @get("/", guards=[DESK], sync_to_thread=True)
    def seen(self, contract_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """What was found so far, and what can be recorded."""
        return _page(visit, contract_ref, {}, {})

    @post("/reviews", guards=[DESK], sync_to_thread=True)
    def review(
        self, contract_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """How many outcomes were met by a day; what was proven exceptional is an approver's to record."""

        def record(session: Session) -> None:
            agreed = form.whole("agreed", "write how many as a whole number", most=100)
            met = form.whole("met", "write how many as a whole number", most=100)
            if agreed is None or met is None:
                raise BadInput("say how many", field="agreed" if agreed is None else "met")
            review_outcomes(
                session,
                visit.ports,
                contract_ref=contract_ref,
                met=met,
                agreed=agreed,
                last_day=form.day("last_day", "say which day was the last one looked at"),
                exception=_exception(form),
                actor=visit.actor,
            )

        return _recorded(visit, contract_ref, form, "last_day", record)

    @post("/follow-ups", guards=[BROKERS], sync_to_thread=True)
    def follow_up(
        self, contract_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """How the person lives at one of the scheme's points."""

        def record(session: Session) -> None:
            contract, scheme = under_rules(session, visit, contract_ref)
            follow_up(
                session,
                visit.ports,
                contract_ref=contract.ref,
                scheme=scheme,
                point=form.needed("point", "choose the point"),
                whereabouts=form.choice(Whereabouts, "whereabouts", "choose how the person lives"),
                satisfaction=form.whole("satisfaction", "choose from 1 to 5, or leave it empty", most=5),
                actor=visit.actor,
            )

        return _recorded(visit, contract_ref, form, "point", record)

    @post("/concerns", guards=[BROKERS], sync_to_thread=True)
    def concern(
        self, contract_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """A complaint, or a safeguarding investigation; the provider hears of a complaint at once."""

        def record(session: Session) -> None:
            record_concern(
                session,
                visit.ports,
                contract_ref=contract_ref,
                kind=form.choice(ConcernKind, "kind", "choose which it is"),
                topic=form.choice(ConcernTopic, "topic", "choose what it is about"),
                received_on=form.day("received_on", "say on which day it came in"),
                actor=visit.actor,
            )

        return _recorded(visit, contract_ref, form, "received_on", record)


class Settling(Controller):
    """What ends a matter that is open."""

    path = "/desk"

    @post("/reviews/{review_ref:str}/settlement", guards=[APPROVERS], sync_to_thread=True)
    def settle(
        self, review_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """An approver who did not make the review says what it comes to."""
        with visit.look() as (session, _now):
            contract = contract_of_review(session, review_ref, actor=visit.actor).ref
        field = f"settled-{review_ref}"
        try:
            met = form.whole(field, "write how many as a whole number", most=100)
            if met is None:
                raise BadInput("say how many were met", field=field)
            with visit.command() as session:
                settle_review(
                    session,
                    visit.ports,
                    review_ref=review_ref,
                    met=met,
                    exception=_exception(form),
                    actor=visit.actor,
                )
        except BadInput as bad:
            return _page(visit, contract, form.fields, {field: str(bad.reason)})
        return visit.to(f"/desk/contracts/{contract}/outcomes")

    @post("/concerns/{concern_ref:str}/finding", guards=[BROKERS], sync_to_thread=True)
    def close(self, concern_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]) -> Redirect:
        """Upheld or not."""
        with visit.command() as session:
            contract = contract_of_concern(session, concern_ref, actor=visit.actor).ref
            close_concern(
                session,
                visit.ports,
                concern_ref=concern_ref,
                is_upheld=form.text("is_upheld") == "yes",
                actor=visit.actor,
            )
        return visit.to(f"/desk/contracts/{contract}/outcomes")

    @get("/follow-ups", guards=[BROKERS], sync_to_thread=True)
    def due(self, visit: NamedDependency[Visit]) -> Page:
        """Whose people are to be asked, the longest due first."""
        with visit.look() as (session, now):
            today = today_of(now)
            schemes = visit.schemes(session)
            return visit.page(
                "desk/follow_ups.html",
                today=today,
                schemes=[
                    (one, {point.key: point.name for point in one.follow_ups},
                     due(session, scheme=one, actor=visit.actor, on=today))
                    for one in schemes if one.follow_ups
                ],
            )  # fmt: skip


def _exception(form: Form) -> ProvenException:
    return form.choice(ProvenException, "exception", "choose") if form.text("exception") else ProvenException.NONE


def _recorded(visit: Visit, ref: str, form: Form, field: str, record: Callable[[Session], None]) -> Response[Any]:
    """Record it; what is of no field stands beside `field`."""
    with visit.look() as (session, _now):
        under_rules(session, visit, ref)
    try:
        with visit.command() as session:
            record(session)
    except BadInput as bad:
        return _page(visit, ref, form.fields, {str(bad.field or field): str(bad.reason)})
    except RuleNotMet as refused:
        return _page(visit, ref, form.fields, {field: str(refused.reason)})
    except Conflict:
        return _page(visit, ref, form.fields, {field: "this was recorded already"})
    return visit.to(f"/desk/contracts/{ref}/outcomes")


def _page(visit: Visit, ref: str, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, now):
        contract, scheme = under_rules(session, visit, ref)
        today = today_of(now)
        asked = found_of(session, contract)
        known = {one.point for one in asked}
        budget = budget_set(session, contract)
        looked_at = min(today, budget.last_day) if budget and budget.last_day else today
        points = [(one, due_on(one, contract)) for one in scheme.follow_ups if contract.lot in one.lots]
        return visit.page(
            "desk/outcomes.html",
            status=400 if faults else 200,
            contract=contract,
            today=today,
            findings=findings(session, contract, scheme),
            asked=asked,
            points={one.key: one.name for one, _ in points},
            ahead=[(one, day) for one, day in points if one.key not in known],
            to_ask=[(one.key, one.name) for one, day in points if one.key not in known and day and day <= today],
            concerns=concerns_of(session, ref, actor=visit.actor),
            budget=budget,
            can_be_reviewed=_has_started(contract),
            is_broker=visit.actor.role is Role.BROKER,
            is_approver=visit.actor.role is Role.APPROVER,
            choices={
                "whereabouts": list(Whereabouts),
                "kind": list(ConcernKind),
                "topic": list(ConcernTopic),
                "exception": [one for one in ProvenException if one is not ProvenException.NONE],
            },
            values=Values({"last_day": looked_at.isoformat(), "received_on": today.isoformat(), **values}),
            faults=faults,
        )


def _has_started(contract: Contract) -> bool:
    return contract.started_on is not None
