"""Flex: more support at once for a person already served, decided by the provider within the scheme's limits.

Above the weekly limit an authorised officer signs before it counts. The council is told of each. When it is over the
provider fills the monitoring form (why, what changed, outcome), which the tracker adds up. Source: Kent's paper, 2013.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlmodel import Session, col, select

from dps.contracts.contracts import Contract, ContractState
from dps.contracts.reasons import Averted, FlexChange, FlexOutcome, FlexReason
from dps.contracts.standing import find_contract
from dps.contracts.telling import tell_council, tell_provider
from dps.contracts.variations.allowed import flex_rule, refuse_if
from dps.contracts.variations.hours import raise_hours
from dps.contracts.variations.limits import FlexAsked, FlexDays, against_flex, needs_signature, worst_week_pence
from dps.contracts.variations.records import (
    IN_FORCE,
    Variation,
    VariationKind,
    VariationState,
    Weeks,
    find_variation,
)
from dps.kernel import audit
from dps.kernel.actors import CLOCK, Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.database import locked_one
from dps.kernel.errors import BadInput, NoSuchStep
from dps.kernel.money import round_half_up
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.kernel.states import advance
from dps.packages.facts import FundingStream
from dps.packages.packages import Package
from dps.packages.persons import Person
from dps.packages.remarks import said, write_remark
from dps.register import holds
from dps.schemes.model import Scheme


@dataclass(frozen=True, slots=True, kw_only=True)
class FlexWanted:
    """What the provider decides: `extra_minutes_a_day` carer-minutes on each of `days` days from `from_day` on.

    `group` and `circumstances` are the scheme's words about the person. `note` is sealed under the person's key.
    """

    from_day: date
    days: int
    extra_minutes_a_day: int
    group: str
    begun_by: str
    reason: FlexReason
    changed: FlexChange
    circumstances: Collection[str] = ()
    note: str | None = None


def flex(
    session: Session, ports: Ports, *, contract_ref: str, scheme: Scheme, wanted: FlexWanted, actor: Actor
) -> Variation:
    """Begin a flex. It is agreed at once within the weekly limit; above it, it waits for an approver's signature.

    VariationRefused with every limit that it breaks.
    """
    actor.needs("flex a package", Role.PROVIDER)
    rule = flex_rule(scheme)
    if wanted.days < 1:
        raise BadInput("a flex lasts one day or more", field="days")
    contract, package = _locked(session, contract_ref, actor)
    now = ports.clock.read(session)
    days = FlexDays(
        wanted.from_day,
        wanted.from_day + timedelta(days=wanted.days - 1),
        round_half_up(wanted.extra_minutes_a_day * contract.weekly_pence, contract.weekly_minutes),
        wanted.extra_minutes_a_day,
    )
    week = Weeks(session, contract).on(days.from_day)
    asked = FlexAsked(
        days,
        wanted.group,
        frozenset(wanted.circumstances),
        wanted.begun_by,
        package.funding is FundingStream.COUNCIL,
        max((visit.carers for visit in week.visits), default=1) if week else 1,
    )
    known = _flexes_of_person(session, package)
    own = [_days(row) for row in known if row.contract_id == contract.id]
    refuse_if(against_flex(rule, asked, own, today=now.astimezone(LONDON).date()))
    variation = Variation(
        ref=new_reference(Kind.VARIATION, ports.entropy),
        contract_id=contract.id or 0,
        kind=VariationKind.FLEX,
        state=VariationState.PROPOSED,
        from_day=days.from_day,
        last_day=days.last_day,
        reason=wanted.reason,
        begun_by=wanted.begun_by,
        changed=wanted.changed,
        extra_minutes_a_day=wanted.extra_minutes_a_day,
        pence_a_day=days.pence_a_day,
        asked_at=now,
        asked_by=actor.ref,
    )
    session.add(variation)
    session.flush()
    facts = {"ref": variation.ref, "contract": contract.ref, "reason": wanted.reason, "begun_by": wanted.begun_by}
    if wanted.note is not None:
        words = said(wanted.note)
        remark = write_remark(
            session,
            ports.keyring,
            ports.entropy,
            package,
            about=variation.ref,
            step="flex",
            words=words,
            actor=actor,
            now=now,
        )
        facts |= remark.facts
    audit.append(session, variation.stream, "variation.flex", actor, now, facts)
    must_sign = needs_signature(rule, days, [_days(row) for row in known])
    if not must_sign:
        advance(session, variation, "decide", actor, now)
        raise_hours(
            session, contract, ref=variation.ref, minutes=wanted.extra_minutes_a_day * min(wanted.days, 7), now=now
        )
    kind = "flex_to_sign" if must_sign else "flex_told"
    tell_council(session, ports, contract, kind, variation.ref, now)
    return variation


def sign_flex(session: Session, ports: Ports, *, variation_ref: str, actor: Actor) -> None:
    """An authorised officer signs a flex above the weekly limit; then it counts, and the desk is told."""
    variation, contract = _found(session, variation_ref, actor)
    now = ports.clock.read(session)
    advance(session, variation, "sign", actor, now)
    assert variation.last_day is not None
    assert variation.extra_minutes_a_day is not None
    days = min((variation.last_day - variation.from_day).days + 1, 7)
    raise_hours(session, contract, ref=variation.ref, minutes=variation.extra_minutes_a_day * days, now=now)
    tell_provider(session, ports, contract, "flex_signed", variation.ref, now)
    tell_council(session, ports, contract, "flex_told", variation.ref, now)


def report_flex(
    session: Session, ports: Ports, *, variation_ref: str, outcome: FlexOutcome, averted: Averted, actor: Actor
) -> None:
    """The monitoring form at the end of a flex: what came of it. The extra hours are given back.

    Told before its last day, the flex ends today.
    """
    variation, contract = _found(session, variation_ref, actor)
    now = ports.clock.read(session)
    assert variation.last_day is not None
    today = now.astimezone(LONDON).date()
    if today < variation.from_day:
        raise BadInput("the flex has not begun yet", field="outcome")
    last = min(variation.last_day, today)
    facts = {"outcome": outcome, "averted": averted, "last_day": last.isoformat()}
    advance(
        session, variation, "close", actor, now, facts=facts,
        outcome=outcome.value, averted=averted.value, last_day=last,
    )  # fmt: skip
    holds.release(session, award_ref=variation.ref, actor=CLOCK, now=now)
    tell_council(session, ports, contract, "flex_reported", variation.ref, now)


def dearest_week_pence(session: Session, contract: Contract) -> int:
    """What all flexes of this contract's person cost in the dearest seven days: what a signature is asked for."""
    package = session.get_one(Package, contract.package_id)
    return worst_week_pence([_days(row) for row in _flexes_of_person(session, package)])


@dataclass(frozen=True, slots=True)
class Tracker:
    """What the monitoring forms of one authority's flexes add up to; no person and no provider is named."""

    flexes: int
    unreported: int
    by_reason: dict[str, int]
    by_outcome: dict[str, int]
    averted: dict[str, int]
    committed_pence: int
    saved_pence: int
    """What the averted admissions would have cost, by the scheme's figures, less what was committed."""


def tracker(session: Session, *, scheme: Scheme, actor: Actor) -> Tracker:
    """The tracker of the actor's own authority for one scheme."""
    actor.needs("read the tracker", Role.BROKER, Role.APPROVER, Role.COMMISSIONER, Role.AUDITOR)
    rule = flex_rule(scheme)
    worth = {
        Averted.HOSPITAL_ADMISSION: rule.hospital_admission_pence,
        Averted.CARE_HOME_ADMISSION: rule.care_home_admission_pence,
    }
    query = (
        select(Variation)
        .join(Contract, col(Contract.id) == Variation.contract_id)
        .where(
            Variation.kind == VariationKind.FLEX,
            col(Variation.state).in_(IN_FORCE),
            Contract.scheme == scheme.key,
            Contract.authority == actor.authority,
        )
        .order_by(col(Variation.id))
    )
    rows = session.exec(query).all()
    averted = Counter(row.averted for row in rows if row.averted)
    committed = sum(_cost(row) for row in rows)
    return Tracker(
        flexes=len(rows),
        unreported=sum(row.outcome is None for row in rows),
        by_reason=dict(Counter(row.reason for row in rows)),
        by_outcome=dict(Counter(row.outcome for row in rows if row.outcome)),
        averted=dict(averted),
        committed_pence=committed,
        saved_pence=sum(worth.get(Averted(what), 0) * count for what, count in averted.items()) - committed,
    )


def _locked(session: Session, contract_ref: str, actor: Actor) -> tuple[Contract, Package]:
    """The contract, active, under the person's lock: two flexes of one person count each other."""
    found = find_contract(session, contract_ref, actor=actor)
    package = session.get(Package, found.package_id)
    assert package is not None
    locked_one(session, Person, package.person_id)
    contract = locked_one(session, Contract, found.id)
    if contract.state is not ContractState.ACTIVE:
        raise NoSuchStep(kind="Contract", ref=contract.ref, state=str(contract.state), step="be flexed")
    return contract, package


def _found(session: Session, ref: str, actor: Actor) -> tuple[Variation, Contract]:
    found, contract = find_variation(session, ref, actor=actor)
    if found.kind is not VariationKind.FLEX:
        raise NoSuchStep(kind="Variation", ref=ref, state=found.kind.value, step="be moved as a flex")
    return locked_one(session, Variation, found.id), contract


def _flexes_of_person(session: Session, package: Package) -> Sequence[Variation]:
    """All flexes of this person that count or wait for a signature, under whichever contract."""
    query = (
        select(Variation)
        .join(Contract, col(Contract.id) == Variation.contract_id)
        .join(Package, col(Package.id) == Contract.package_id)
        .where(
            Package.person_id == package.person_id,
            Variation.kind == VariationKind.FLEX,
            col(Variation.state).in_((*IN_FORCE, VariationState.PROPOSED)),
        )
        .order_by(col(Variation.id))
    )
    return session.exec(query).all()


def _days(flex: Variation) -> FlexDays:
    assert flex.last_day is not None
    assert flex.pence_a_day is not None
    assert flex.extra_minutes_a_day is not None
    return FlexDays(flex.from_day, flex.last_day, flex.pence_a_day, flex.extra_minutes_a_day)


def _cost(flex: Variation) -> int:
    days = _days(flex)
    return ((days.last_day - days.from_day).days + 1) * days.pence_a_day
