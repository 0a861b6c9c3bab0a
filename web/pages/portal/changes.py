"""Changes that a provider begins: more care at once, another week, another first day, a failed start, a hand-back."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from litestar import Controller, Response, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Redirect
from sqlmodel import Session

from dps.contracts.contracts import Contract, ContractState
from dps.contracts.desk import story_of
from dps.contracts.reasons import (
    Averted,
    ChangeReason,
    FailureReason,
    FlexChange,
    FlexOutcome,
    FlexReason,
    HandBackReason,
)
from dps.contracts.variations import flexing, rescheduling
from dps.contracts.variations.allowed import hand_back_rule
from dps.contracts.variations.flexing import FlexWanted
from dps.contracts.variations.records import find_variation
from dps.kernel.errors import BadInput
from dps.schemes.model import Scheme
from web.pages.changing import (
    Begin,
    another_start,
    begun,
    failed_start,
    handed_back,
    own_words,
    under_rules,
    visits_to_change,
    week_wanted,
)
from web.pages.forms import Checking, Form, Values, faults_of
from web.pages.guards import PORTAL
from web.pages.rows import today_of
from web.pages.visit import Page, Visit


class OwnChanges(Controller):
    """One contract of the provider; what the scheme does not allow is not offered."""

    path = "/portal/contracts/{contract_ref:str}/changes"
    guards = (PORTAL,)

    @get("/", sync_to_thread=True)
    def forms(self, contract_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """What can be begun now."""
        return _page(visit, contract_ref, {}, {})

    @post("/flex", sync_to_thread=True)
    def flex(
        self, contract_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """More support at once: within the scheme's limits the provider decides, above them an officer signs."""

        def begin(session: Session, contract: Contract, scheme: Scheme) -> None:
            wanted = _flex_wanted(form)
            flexing.flex(
                session, visit.ports, contract_ref=contract.ref, scheme=scheme, wanted=wanted, actor=visit.actor
            )

        fields = ("extra_minutes", "days", "from_day", "group", "begun_by", "flex_reason", "changed", "flex_note")
        return _begun(visit, contract_ref, form, fields, begin)

    @post("/proposal", sync_to_thread=True)
    def propose(
        self, contract_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Another week, after an own review; the council decides."""
        return _another_week(visit, contract_ref, form, "proposal_", rescheduling.propose)

    @post("/reduction", sync_to_thread=True)
    def reduce(
        self, contract_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Less care, by a trusted assessor; the council is told."""
        return _another_week(visit, contract_ref, form, "reduction_", rescheduling.reduce_as_assessor)

    @post("/start-day", sync_to_thread=True)
    def move_start(
        self, contract_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Another day for the first visit, as it was agreed with the council."""
        return _begun(visit, contract_ref, form, ("starts_on",), another_start(visit, form))

    @post("/failed-start", sync_to_thread=True)
    def fail_to_start(
        self, contract_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Care never began; the package is brokered again at once."""
        return _begun(visit, contract_ref, form, ("failure",), failed_start(visit, form))

    @post("/hand-back", sync_to_thread=True)
    def hand_back(
        self, contract_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """Give the contract back; care goes on until its last day, while the package is brokered again."""
        return _begun(visit, contract_ref, form, ("last_day", "hand_back_reason"), handed_back(visit, form))


class OwnVariations(Controller):
    """What became of a change that this provider began."""

    path = "/portal/variations/{variation_ref:str}"
    guards = (PORTAL,)

    @post("/withdrawal", sync_to_thread=True)
    def withdraw(
        self, variation_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Redirect:
        """Take it back before it was decided."""
        with visit.command() as session:
            _, contract = find_variation(session, variation_ref, actor=visit.actor)
            rescheduling.withdraw(session, visit.ports, variation_ref=variation_ref, actor=visit.actor)
        return visit.to(f"/portal/contracts/{contract.ref}")

    @get("/report", sync_to_thread=True)
    def report_form(self, variation_ref: FromPath[str], visit: NamedDependency[Visit]) -> Page:
        """What came of a flex?"""
        return _report(visit, variation_ref, {}, {})

    @post("/report", sync_to_thread=True)
    def report(
        self, variation_ref: FromPath[str], visit: NamedDependency[Visit], form: NamedDependency[Form]
    ) -> Response[Any]:
        """The monitoring form at the end of a flex; its hours are given back."""
        with visit.look() as (session, _now):
            _, contract = find_variation(session, variation_ref, actor=visit.actor)
        checking = Checking()
        try:
            with checking.of("outcome"):
                outcome = form.choice(FlexOutcome, "outcome", "choose how it ended")
            with checking.of("averted"):
                averted = form.choice(Averted, "averted", "choose what it averted")
            checking.end()
            with visit.command() as session:
                flexing.report_flex(
                    session, visit.ports, variation_ref=variation_ref, outcome=outcome, averted=averted,
                    actor=visit.actor,
                )  # fmt: skip
        except BadInput as bad:
            return _report(visit, variation_ref, form.fields, faults_of(bad))
        return visit.to(f"/portal/contracts/{contract.ref}")


def _flex_wanted(form: Form) -> FlexWanted:
    checking = Checking()
    with checking.of("extra_minutes"):
        minutes = form.whole("extra_minutes", "write the minutes a day as a whole number", most=100_000)
        if not minutes:
            raise BadInput("say how many minutes more a day", field="extra_minutes")
    with checking.of("days"):
        days = form.whole("days", "write the number of days as a whole number", most=366)
        if not days:
            raise BadInput("say for how many days", field="days")
    with checking.of("from_day"):
        from_day = form.day("from_day", "say from which day")
    with checking.of("group"):
        group = form.needed("group", "choose for whom")
    with checking.of("begun_by"):
        begun_by = form.needed("begun_by", "choose who began it")
    with checking.of("flex_reason"):
        reason = form.choice(FlexReason, "flex_reason", "choose why")
    with checking.of("changed"):
        changed = form.choice(FlexChange, "changed", "choose what you changed")
    with checking.of("flex_note"):
        note = own_words(form, "flex_note")
    checking.end()
    assert minutes is not None
    assert days is not None
    return FlexWanted(
        from_day=from_day,
        days=days,
        extra_minutes_a_day=minutes,
        group=group,
        begun_by=begun_by,
        reason=reason,
        changed=changed,
        circumstances=sorted(form.under("is-")),
        note=note,
    )


def _another_week(visit: Visit, ref: str, form: Form, before: str, command: Callable[..., object]) -> Response[Any]:
    def begin(session: Session, contract: Contract, scheme: Scheme) -> None:
        wanted = week_wanted(form, before)
        command(session, visit.ports, contract_ref=contract.ref, scheme=scheme, wanted=wanted, actor=visit.actor)

    return _begun(visit, ref, form, [f"{before}{name}" for name in ("week", "begins", "reason", "note")], begin)


def _begun(visit: Visit, ref: str, form: Form, fields: Sequence[str], begin: Begin) -> Response[Any]:
    faults = begun(visit, ref, fields, begin)
    return _page(visit, ref, form.fields, faults) if faults else visit.to(f"/portal/contracts/{ref}")


def _page(visit: Visit, ref: str, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, now):
        contract, scheme = under_rules(session, visit, ref)
        rules, today = scheme.variations, today_of(now)
        is_active = contract.state is ContractState.ACTIVE
        is_served = contract.state in (ContractState.ACTIVE, ContractState.SUSPENDED)
        schedule = story_of(session, ref, actor=visit.actor, today=today).schedule
        week = "\n".join(one.text() for one in schedule.visits) if schedule else ""
        first = {"from_day": today.isoformat(), "starts_on": contract.starts_on.isoformat()}
        for kind in ("proposal", "reduction"):
            first |= {f"{kind}_week": week, f"{kind}_begins": today.isoformat()}
        return visit.page(
            "portal/changes.html",
            base=week,
            lines={one: visits_to_change(schedule, f"{one}_week", values) for one in ("proposal", "reduction")},
            status=400 if faults else 200,
            contract=contract,
            flex=rules.flex if is_active else None,
            exclusions=[one for one in rules.flex.exclusions if one.excludes_on(today)] if rules.flex else [],
            review=rules.review if is_active else None,
            reduction=rules.reduction if is_active else None,
            holds=is_active and rescheduling.reduction_held(session, scheme, contract.provider, now),
            hand_back=hand_back_rule(scheme) if is_served else None,
            is_pending=contract.state is ContractState.PENDING,
            move_days=0 if contract.start_moves else scheme.award.start_moves_days,
            choices={
                "flex_reason": list(FlexReason),
                "changed": list(FlexChange),
                "reason": list(ChangeReason),
                "failure": list(FailureReason),
                "hand_back_reason": [one for one in HandBackReason if one is not HandBackReason.PROVIDER_FAILING],
            },
            values=Values({**first, **values}),
            faults=faults,
        )


def _report(visit: Visit, ref: str, values: Mapping[str, str], faults: Mapping[str, str]) -> Page:
    with visit.look() as (session, _now):
        variation, contract = find_variation(session, ref, actor=visit.actor)
        return visit.page(
            "portal/flex_report.html",
            status=400 if faults else 200,
            variation=variation,
            contract=contract,
            outcomes=list(FlexOutcome),
            averted=list(Averted),
            values=Values(values),
            faults=faults,
        )
