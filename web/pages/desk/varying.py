"""Changes that a broker begins: a pause with the place kept, its end, and more care within the scheme's tolerance."""

from collections.abc import Mapping
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlmodel import Session

from dps.contracts.contracts import Contract, ContractState
from dps.contracts.desk import story_of
from dps.contracts.reasons import ChangeReason, SuspensionReason
from dps.contracts.standing import find_contract
from dps.contracts.variations.pausing import pause, resume
from dps.contracts.variations.rescheduling import WeekWanted, increase
from dps.kernel.errors import BadInput, VariationRefused
from dps.packages.schedule import parse_schedule
from dps.schemes.model import Scheme
from dps.schemes.published import standing_scheme
from web.pages.forms import Form, Values
from web.pages.guards import BROKERS
from web.pages.portal.own import today_of
from web.pages.visit import Page, Visit


class Varying(Controller):
    """One contract of the broker's authority; what the scheme does not allow is not offered."""

    path = "/desk/contracts/{contract_ref:str}/changes"
    guards = (BROKERS,)

    @get("/", sync_to_thread=True)
    def forms(self, contract_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """What can be begun now."""
        return _page(visit, contract_ref, {}, {})

    @post("/pause", sync_to_thread=True)
    def pause(
        self, contract_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Pause visits; the provider's place is kept for the scheme's weeks."""
        with visit.look() as (session, _now):
            _found(session, visit, contract_ref)
        try:
            reason = SuspensionReason(form.text("why"))
        except ValueError:
            return _page(visit, contract_ref, form.fields, {"why": "choose why"})
        try:
            day = form.day("from_day", "say from which day")
            with visit.command() as session:
                contract, scheme = _found(session, visit, contract_ref)
                pause(
                    session, visit.ports, contract_ref=contract.ref, scheme=scheme, reason=reason, from_day=day,
                    actor=visit.actor,
                )  # fmt: skip
        except BadInput as bad:
            return _page(visit, contract_ref, form.fields, {str(bad.field): str(bad.reason)})
        except VariationRefused as refused:
            return _page(visit, contract_ref, form.fields, {"from_day": " ".join(refused.reasons)})
        return visit.to(f"/desk/contracts/{contract_ref}")

    @post("/restart", sync_to_thread=True)
    def restart(
        self, contract_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Redirect:
        """Let visits go on from today, without a competition."""
        with visit.command() as session:
            contract, scheme = _found(session, visit, contract_ref)
            resume(session, visit.ports, contract_ref=contract.ref, scheme=scheme, actor=visit.actor)
        return visit.to(f"/desk/contracts/{contract_ref}")

    @post("/increase", sync_to_thread=True)
    def increase(
        self, contract_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """More care from a day on, within the tolerance above what was agreed first."""
        with visit.look() as (session, _now):
            _found(session, visit, contract_ref)
        try:
            reason = ChangeReason(form.text("reason"))
        except ValueError:
            return _page(visit, contract_ref, form.fields, {"reason": "choose why"})
        try:
            lines = form.needed("week", "write the week").splitlines()
            wanted = WeekWanted(
                schedule=parse_schedule("; ".join(line.strip(" ;") for line in lines if line.strip(" ;"))),
                from_day=form.day("begins", "say from which day"),
                reason=reason,
            )
            with visit.command() as session:
                contract, scheme = _found(session, visit, contract_ref)
                increase(
                    session, visit.ports, contract_ref=contract.ref, scheme=scheme, wanted=wanted, actor=visit.actor
                )
        except BadInput as bad:
            field = "begins" if bad.field == "begins" else "week"
            return _page(visit, contract_ref, form.fields, {field: str(bad.reason)})
        except VariationRefused as refused:
            return _page(visit, contract_ref, form.fields, {"week": " ".join(refused.reasons)})
        return visit.to(f"/desk/contracts/{contract_ref}")


def _found(session: Session, visit: Visit, ref: str) -> tuple[Contract, Scheme]:
    contract = find_contract(session, ref, actor=visit.actor)
    return contract, standing_scheme(session, contract.scheme)


def _page(visit: Visit, ref: str, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, now):
        contract, scheme = _found(session, visit, ref)
        rules, today = scheme.variations, today_of(now)
        story = story_of(session, ref, actor=visit.actor, today=today)
        is_active = contract.state is ContractState.ACTIVE
        week = "\n".join(one.text() for one in story.schedule.visits) if story.schedule else ""
        return visit.page(
            "desk/varying.html",
            status=400 if faults else 200,
            contract=contract,
            retainer=rules.retainer if is_active else None,
            is_paused=contract.state is ContractState.SUSPENDED and rules.retainer is not None,
            weeks=rules.retainer.most_weeks if rules.retainer else 0,
            tolerance=rules.increase if is_active else None,
            pauses=list(SuspensionReason),
            reasons=list(ChangeReason),
            values=Values({"from_day": today.isoformat(), "begins": today.isoformat(), "week": week, **values}),
            faults=faults,
        )
