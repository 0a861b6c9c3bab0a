"""Changes of the week: a trusted assessor reduces, a provider proposes, a broker increases within the tolerance.

A reduction is the provider's own step where the scheme trusts its assessors; a proposal never is. What was agreed first
is the measure of both limits, so that small steps don't add up to a large one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from sqlmodel import Session, select

from dps.contracts.contracts import Contract, ContractState
from dps.contracts.reasons import ChangeReason
from dps.contracts.standing import find_contract
from dps.contracts.telling import tell_council, tell_provider
from dps.contracts.variations.allowed import increase_rule, reduction_rule, refuse_if, review_rule
from dps.contracts.variations.hours import raise_hours
from dps.contracts.variations.limits import (
    against_increase,
    against_proposal,
    against_reduction,
    against_short_visits,
)
from dps.contracts.variations.records import Variation, VariationKind, VariationState, Weeks, find_variation
from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.database import locked_one
from dps.kernel.errors import NoSuchStep, NothingChanged
from dps.kernel.money import RateCard
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.kernel.states import advance
from dps.packages.costing import weekly_cost_pence
from dps.packages.packages import Package
from dps.packages.remarks import said, write_remark
from dps.packages.schedule import Schedule
from dps.register.documents import is_good, latest_documents
from dps.register.providers import Provider
from dps.schemes.model import Scheme


@dataclass(frozen=True, slots=True, kw_only=True)
class WeekWanted:
    """Another week from `from_day` on, which is not past. `note` is sealed under the person's key."""

    schedule: Schedule
    from_day: date
    reason: ChangeReason
    note: str | None = None


def reduce_as_assessor(
    session: Session, ports: Ports, *, contract_ref: str, scheme: Scheme, wanted: WeekWanted, actor: Actor
) -> Variation:
    """A provider with a trusted assessor reduces a package; the council is told, and is not asked."""
    actor.needs("reduce a package as a trusted assessor", Role.PROVIDER)
    rule = reduction_rule(scheme)
    contract, now = _active(session, ports, contract_ref, actor)
    against = against_reduction(
        rule,
        holds=_documents_of(session, contract.provider, now),
        first_minutes=contract.weekly_minutes,
        wanted_minutes=wanted.schedule.weekly_minutes,
        now_minutes=Weeks(session, contract).latest_minutes,
    )
    refuse_if([*against, *_against_wanted(session, contract, scheme, wanted, now)])
    variation = _write(session, ports, contract, VariationKind.REDUCTION, wanted, actor, now)
    advance(session, variation, "decide", actor, now)
    _tell(session, ports, contract, variation, "package_reduced", actor, now)
    return variation


def increase(
    session: Session, ports: Ports, *, contract_ref: str, scheme: Scheme, wanted: WeekWanted, actor: Actor
) -> Variation:
    """A broker lets a package grow within the scheme's tolerance, without a competition."""
    actor.needs("increase a package", Role.BROKER)
    rule = increase_rule(scheme)
    contract, now = _active(session, ports, contract_ref, actor)
    against = against_increase(
        rule,
        first_minutes=contract.weekly_minutes,
        wanted_minutes=wanted.schedule.weekly_minutes,
        now_minutes=Weeks(session, contract).latest_minutes,
    )
    refuse_if([*against, *_against_wanted(session, contract, scheme, wanted, now)])
    variation = _write(session, ports, contract, VariationKind.INCREASE, wanted, actor, now)
    _bind_hours(session, contract, variation, now)
    advance(session, variation, "agree", actor, now)
    _tell(session, ports, contract, variation, "package_increased", actor, now)
    return variation


def propose(
    session: Session, ports: Ports, *, contract_ref: str, scheme: Scheme, wanted: WeekWanted, actor: Actor
) -> Variation:
    """A provider proposes another week after its own review; nothing changes before the council decides."""
    actor.needs("propose a change", Role.PROVIDER)
    rule = review_rule(scheme)
    contract, now = _active(session, ports, contract_ref, actor)
    assert contract.started_on is not None  # the table's CHECK: what is active has started
    against = against_proposal(rule, started_on=contract.started_on, today=now.astimezone(LONDON).date())
    refuse_if([*against, *_against_wanted(session, contract, scheme, wanted, now)])
    variation = _write(session, ports, contract, VariationKind.PROPOSAL, wanted, actor, now)
    _tell(session, ports, contract, variation, "change_proposed", actor, now)
    return variation


def agree(session: Session, ports: Ports, *, variation_ref: str, actor: Actor) -> None:
    """A broker agrees to what a provider proposed; the contract's week changes from its day on.

    Where that day is over, it changes from today on: what was served meanwhile is paid as it was agreed then.
    """
    variation, contract, now = _proposal(session, ports, variation_ref, actor)
    _bind_hours(session, contract, variation, now)
    from_day = max(variation.from_day, now.astimezone(LONDON).date())
    advance(session, variation, "agree", actor, now, facts={"from_day": from_day.isoformat()}, from_day=from_day)
    _tell(session, ports, contract, variation, "change_agreed", actor, now)


def refuse(session: Session, ports: Ports, *, variation_ref: str, words: str, actor: Actor) -> None:
    """The council refuses a proposal, or a flex that waits for a signature, and says why."""
    found, contract = find_variation(session, variation_ref, actor=actor)
    package = _package(session, contract)
    reason = said(words)
    variation = locked_one(session, Variation, found.id)
    now = ports.clock.read(session)
    remark = write_remark(
        session,
        ports.keyring,
        ports.entropy,
        package,
        about=variation.ref,
        step="refuse",
        words=reason,
        actor=actor,
        now=now,
    )
    advance(session, variation, "refuse", actor, now, facts=remark.facts)
    _tell(session, ports, contract, variation, "change_refused", actor, now)


def withdraw(session: Session, ports: Ports, *, variation_ref: str, actor: Actor) -> None:
    """Who asked takes it back before it was decided."""
    found, contract = find_variation(session, variation_ref, actor=actor)
    variation = locked_one(session, Variation, found.id)
    now = ports.clock.read(session)
    advance(session, variation, "withdraw", actor, now)
    _tell(session, ports, contract, variation, "change_withdrawn", actor, now)


def _active(session: Session, ports: Ports, contract_ref: str, actor: Actor) -> tuple[Contract, datetime]:
    found = find_contract(session, contract_ref, actor=actor)
    contract = locked_one(session, Contract, found.id)
    if contract.state is not ContractState.ACTIVE:
        raise NoSuchStep(kind="Contract", ref=contract.ref, state=str(contract.state), step="be changed")
    return contract, ports.clock.read(session)


def _proposal(session: Session, ports: Ports, ref: str, actor: Actor) -> tuple[Variation, Contract, datetime]:
    found, contract = find_variation(session, ref, actor=actor)
    if found.kind is not VariationKind.PROPOSAL:
        raise NoSuchStep(kind="Variation", ref=ref, state=found.kind.value, step="be agreed as a proposal")
    contract, now = _active(session, ports, contract.ref, actor)
    return locked_one(session, Variation, found.id), contract, now


def _write(
    session: Session,
    ports: Ports,
    contract: Contract,
    kind: VariationKind,
    wanted: WeekWanted,
    actor: Actor,
    now: datetime,
) -> Variation:
    if kind is VariationKind.PROPOSAL and wanted.schedule == Weeks(session, contract).on(wanted.from_day):
        raise NothingChanged(ref=contract.ref)
    variation = Variation(
        ref=new_reference(Kind.VARIATION, ports.entropy),
        contract_id=contract.id or 0,
        kind=kind,
        state=VariationState.PROPOSED,
        from_day=wanted.from_day,
        reason=wanted.reason,
        schedule=wanted.schedule.to_dict(),
        weekly_minutes=wanted.schedule.weekly_minutes,
        weekly_pence=weekly_cost_pence(RateCard.from_dict(contract.card), wanted.schedule),
        asked_at=now,
        asked_by=actor.ref,
    )
    session.add(variation)
    session.flush()
    facts: dict[str, object] = {
        "ref": variation.ref,
        "contract": contract.ref,
        "reason": wanted.reason,
        "from_day": wanted.from_day.isoformat(),
        "weekly_minutes": variation.weekly_minutes,
    }
    if wanted.note is not None:
        remark = write_remark(
            session,
            ports.keyring,
            ports.entropy,
            _package(session, contract),
            about=variation.ref,
            step=kind.value,
            words=said(wanted.note),
            actor=actor,
            now=now,
        )
        facts |= remark.facts
    audit.append(session, variation.stream, f"variation.{kind}", actor, now, facts)
    return variation


def _bind_hours(session: Session, contract: Contract, variation: Variation, now: datetime) -> None:
    """Hours beyond the most that was agreed before bind the provider at once; fewer hours free none."""
    added = (variation.weekly_minutes or 0) - Weeks(session, contract).most_minutes
    if added > 0:
        raise_hours(session, contract, ref=variation.ref, minutes=added, now=now)


def _against_wanted(
    session: Session, contract: Contract, scheme: Scheme, wanted: WeekWanted, now: datetime
) -> Iterator[str]:
    """What holds of every change: a day that is not past, and no new visit below the lot's least."""
    if wanted.from_day < now.astimezone(LONDON).date():
        yield "A change of the week is agreed for today or later."
    before = Weeks(session, contract).on(wanted.from_day)
    yield from against_short_visits(scheme.lot(contract.lot), before, wanted.schedule)


def reduction_held(session: Session, scheme: Scheme, provider: str, now: datetime) -> bool:
    """Whether a provider holds now what the scheme asks of those who reduce a package; False where none may."""
    rule = scheme.variations.reduction
    return rule is not None and rule.document in _documents_of(session, provider, now)


def _documents_of(session: Session, provider: str, now: datetime) -> list[str]:
    """The documents of a provider that are good now."""
    row = session.exec(select(Provider).where(Provider.ref == provider)).first()
    if row is None or row.id is None:
        return []
    held = latest_documents(session, [row.id]).get(row.id, {})
    return sorted(kind for kind, expires_on in held.items() if is_good(expires_on, now))


def _package(session: Session, contract: Contract) -> Package:
    package = session.get(Package, contract.package_id)
    assert package is not None  # a foreign key
    return package


def _tell(
    session: Session,
    ports: Ports,
    contract: Contract,
    variation: Variation,
    kind: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Tell the other side."""
    tell = tell_council if actor.role is Role.PROVIDER else tell_provider
    tell(session, ports, contract, kind, variation.ref, now)
