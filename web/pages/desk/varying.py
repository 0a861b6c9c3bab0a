"""Changes that a broker begins: a pause, its end, more care, another first day, a failed start, the end, a return."""

from collections.abc import Mapping, Sequence
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlmodel import Session

from dps.contracts.contracts import Contract, ContractState
from dps.contracts.desk import story_of
from dps.contracts.reasons import ChangeReason, EndReason, FailureReason, HandBackReason, SuspensionReason
from dps.contracts.tiers import place_in_tier, tiers_of
from dps.contracts.variations.ending import end_contract
from dps.contracts.variations.pausing import pause, place_kept_until, resume
from dps.contracts.variations.rescheduling import increase
from dps.kernel.money import in_pounds
from dps.schemes.model import Scheme
from web.pages.changing import (
    Begin,
    another_start,
    begun,
    failed_start,
    handed_back,
    under_rules,
    visits_to_change,
    week_wanted,
)
from web.pages.forms import Form, Values
from web.pages.guards import BROKERS
from web.pages.rows import today_of
from web.pages.visit import Page, Visit

NO_TIER = "-"
"""What a form sends for none of the weekly prices."""


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

        def begin(session: Session, contract: Contract, scheme: Scheme) -> None:
            reason = form.choice(SuspensionReason, "why", "choose why")
            day = form.day("from_day", "say from which day")
            pause(
                session, visit.ports, contract_ref=contract.ref, scheme=scheme, reason=reason, from_day=day,
                actor=visit.actor,
            )  # fmt: skip

        return _begun(visit, contract_ref, form, ("from_day", "why"), begin)

    @post("/restart", sync_to_thread=True)
    def restart(
        self, contract_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Redirect:
        """Let visits go on from today, without a competition."""
        with visit.command() as session:
            contract, scheme = under_rules(session, visit, contract_ref)
            resume(session, visit.ports, contract_ref=contract.ref, scheme=scheme, actor=visit.actor)
        return visit.to(f"/desk/contracts/{contract_ref}")

    @post("/increase", sync_to_thread=True)
    def increase(
        self, contract_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """More care from a day on, within the tolerance above what was agreed first."""

        def begin(session: Session, contract: Contract, scheme: Scheme) -> None:
            wanted = week_wanted(form)
            increase(session, visit.ports, contract_ref=contract.ref, scheme=scheme, wanted=wanted, actor=visit.actor)

        return _begun(visit, contract_ref, form, ("week", "begins", "reason", "note"), begin)

    @post("/tier", sync_to_thread=True)
    def place_in_tier(
        self, contract_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Another of the lot's weekly prices from a day on, or none."""

        def begin(session: Session, contract: Contract, scheme: Scheme) -> None:
            key = form.needed("tier", "choose a price, or none")
            day = form.day("tier_from", "say from which day")
            place_in_tier(
                session, visit.ports, contract_ref=contract.ref, scheme=scheme, key=None if key == NO_TIER else key,
                from_day=day, actor=visit.actor,
            )  # fmt: skip

        return _begun(visit, contract_ref, form, ("tier_from", "tier"), begin)

    @post("/start-day", sync_to_thread=True)
    def move_start(
        self, contract_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Another day for the first visit, as it was agreed with the provider."""
        return _begun(visit, contract_ref, form, ("starts_on",), another_start(visit, form))

    @post("/failed-start", sync_to_thread=True)
    def fail_to_start(
        self, contract_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Care never began; the package is brokered again at once."""
        return _begun(visit, contract_ref, form, ("failure",), failed_start(visit, form))

    @post("/end", sync_to_thread=True)
    def end(
        self, contract_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Care has ended; the provider's hours are free again, and nothing is brokered."""

        def begin(session: Session, contract: Contract, _scheme: Scheme) -> None:
            reason = form.choice(EndReason, "end_reason", "choose why")
            day = form.day("ended_on", "say which day was the last")
            end_contract(
                session, visit.ports, contract_ref=contract.ref, reason=reason, last_day=day, actor=visit.actor
            )

        return _begun(visit, contract_ref, form, ("ended_on", "end_reason"), begin)

    @post("/hand-back", sync_to_thread=True)
    def hand_back(
        self, contract_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """The provider gives it back by telephone; care goes on until its last day."""
        return _begun(visit, contract_ref, form, ("last_day", "hand_back_reason"), handed_back(visit, form))


def _begun(visit: Visit, ref: str, form: Form, fields: Sequence[str], begin: Begin) -> Response[Any]:
    faults = begun(visit, ref, fields, begin)
    return _page(visit, ref, form.fields, faults) if faults else visit.to(f"/desk/contracts/{ref}")


def _page(visit: Visit, ref: str, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, now):
        contract, scheme = under_rules(session, visit, ref)
        rules, today = scheme.variations, today_of(now)
        story = story_of(session, ref, actor=visit.actor, today=today)
        is_active = contract.state is ContractState.ACTIVE
        week = "\n".join(one.text() for one in story.schedule.visits) if story.schedule else ""
        days = {name: today.isoformat() for name in ("from_day", "begins", "ended_on", "tier_from")}
        payment = scheme.payment(contract.lot)
        prices = (
            {one.key: f"{one.name}, {in_pounds(one.weekly_pence)} a week" for one in payment.weekly_prices}
            if payment
            else {}
        )
        return visit.page(
            "desk/varying.html",
            base=week,
            lines=visits_to_change(story.schedule, "week", values),
            status=400 if faults else 200,
            contract=contract,
            retainer=rules.retainer if is_active else None,
            is_pending=contract.state is ContractState.PENDING,
            is_served=is_active or contract.state is ContractState.SUSPENDED,
            is_paused=contract.state is ContractState.SUSPENDED and rules.retainer is not None,
            weeks=rules.retainer.most_weeks if rules.retainer else 0,
            kept_until=place_kept_until(contract, scheme),
            today=today,
            tolerance=rules.increase if is_active else None,
            tiers=[*prices.items(), (NO_TIER, "None: what was delivered")] if prices else [],
            placed=[(day, prices.get(key or "", "none")) for day, key in tiers_of(session, contract)],
            move_days=0 if contract.start_moves else scheme.award.start_moves_days,
            choices={
                "why": list(SuspensionReason),
                "reason": list(ChangeReason),
                "failure": list(FailureReason),
                "end_reason": list(EndReason),
                "hand_back_reason": list(HandBackReason),
            },
            values=Values({**days, "starts_on": contract.starts_on.isoformat(), "week": week, **values}),
            faults=faults,
        )
