"""Making statements: one contract, or one area, for a period that no other statement covers."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlmodel import Session, col, select

from dps.contracts.area_contracts import in_place
from dps.contracts.contracts import Contract
from dps.contracts.payment.areas import area_lines
from dps.contracts.payment.reckoning import contract_lines
from dps.contracts.payment.worked import Line, chargeable, total
from dps.contracts.standing import find_contract
from dps.contracts.statements.facts import ContractFacts
from dps.contracts.statements.records import Statement, StatementState
from dps.contracts.tiers import tier_on, tiers_of
from dps.kernel import audit, outbox
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.database import locked_one
from dps.kernel.errors import BadInput, CannotState, StatedAlready
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference, parse_reference
from dps.law.charging import is_free_of_charge
from dps.packages.packages import Package
from dps.register import holds
from dps.register.providers import Provider
from dps.schemes.contracting import Payment
from dps.schemes.loader import rule_hash
from dps.schemes.model import Scheme

LONGEST_PERIOD_DAYS = 366
MAKING = (Role.BROKER, Role.CLOCK)


def make_statement(
    session: Session, ports: Ports, *, contract_ref: str, scheme: Scheme, first_day: date, last_day: date, actor: Actor
) -> Statement:
    """State what a contract is paid for these days, both included, which are past.

    CannotState where the rules or the facts don't allow it yet; StatedAlready where a statement covers one of the days.
    """
    actor.needs("make a statement", *MAKING)
    contract = locked_one(session, Contract, find_contract(session, contract_ref, actor=actor).id)
    now = ports.clock.read(session)
    payment = _payment(scheme, contract.scheme, contract.lot)
    refuse_period(first_day, last_day, now)
    if contract.started_on is None or first_day < contract.started_on:
        raise CannotState(reason="care had not started by then")
    refuse_covered(session, [Statement.contract_id == contract.id], first_day, last_day)
    held = holds.hold_of(session, contract.award_ref)
    if held is not None and held.out_of is not None:
        raise CannotState(reason=f"its hours are paid with block {held.out_of}: state that")
    days = (first_day, last_day)
    _refuse_paid_by_area(session, scheme, contract.authority, contract.lot, contract.locality, contract.provider, *days)
    lines = _contract_lines(session, contract, scheme, payment, first_day, last_day, today=_today(now))
    return keep(
        session,
        ports,
        Statement(
            ref=new_reference(Kind.PAYMENT, ports.entropy),
            state=StatementState.MADE,
            contract_id=contract.id,
            provider=contract.provider,
            authority=contract.authority,
            scheme=scheme.key,
            lot=contract.lot,
            locality=contract.locality,
            rule_hash=rule_hash(scheme),
            first_day=first_day,
            last_day=last_day,
            **amounts(lines),
            made_at=now,
            made_by=actor.ref,
        ),
        {"contract": contract.ref},
        actor,
        now,
    )


def stated_anew(session: Session, statement: Statement, scheme: Scheme) -> int:
    """What a contract's statement comes to, in pence, by the same rules and what is on record today.

    `scheme` is that of the statement's `rule_hash`. Visits recorded since may make it another amount than was paid.
    """
    contract = session.get_one(Contract, statement.contract_id)
    payment = _payment(scheme, contract.scheme, contract.lot)
    # What stood on the day when it was made stands for good: an answer to a review is given once.
    made_on = _today(statement.made_at)
    days = (statement.first_day, statement.last_day)
    return total(_contract_lines(session, contract, scheme, payment, *days, today=made_on))


def _contract_lines(
    session: Session,
    contract: Contract,
    scheme: Scheme,
    payment: Payment,
    first_day: date,
    last_day: date,
    *,
    today: date,
) -> Sequence[Line]:
    period = ContractFacts(session, contract, scheme, today=today).period(first_day, last_day)
    lines = contract_lines(payment, scheme.variations, period)
    if is_free_of_charge(session.get_one(Package, contract.package_id).funding):
        return [replace(line, is_chargeable=False) for line in lines]
    return lines


def _today(now: datetime) -> date:
    return now.astimezone(LONDON).date()


def make_area_statement(
    session: Session,
    ports: Ports,
    *,
    scheme: Scheme,
    lot: str,
    locality: str,
    provider: str,
    first_day: date,
    last_day: date,
    actor: Actor,
    actual_pence: int | None = None,
    performance_percent: int | None = None,
) -> Statement:
    """State what a provider is paid for an area: its budget, or its people in bands.

    `actual_pence` is what care in the area cost, `performance_percent` how far its outcomes were reached; the scheme's
    model says which is needed.
    """
    actor.needs("make a statement", *MAKING)
    if actor.authority is None or actor.authority not in {body.key for body in scheme.authorities}:
        raise BadInput(f"{actor.authority} buys nothing under scheme {scheme.key}", field="authority")
    if locality not in {place.key for place in scheme.localities}:
        raise BadInput(f"{locality!r} is no locality of scheme {scheme.key}", field="locality")
    payment = _payment(scheme, scheme.key, lot)
    served = session.exec(select(Provider).where(Provider.ref == parse_reference(provider, Kind.PROVIDER))).first()
    if served is None:
        raise BadInput(f"{provider} is not on the register", field="provider")
    # Two statements of one area are made one after the other.
    locked_one(session, Provider, served.id)
    now = ports.clock.read(session)
    refuse_period(first_day, last_day, now)
    same = [
        col(Statement.contract_id).is_(None),
        col(Statement.block).is_(None),
        col(Statement.area_contract).is_(None),
        Statement.provider == served.ref,
        Statement.authority == actor.authority,
        Statement.scheme == scheme.key,
        Statement.lot == lot,
        Statement.locality == locality,
    ]
    refuse_covered(session, same, first_day, last_day)
    _refuse_paid_by_area(session, scheme, actor.authority, lot, locality, served.ref, first_day, last_day)
    served_days = _person_days(session, scheme, lot, locality, served.ref, actor.authority, first_day, last_day)
    found = area_lines(
        payment,
        locality=locality,
        about=f"{first_day} to {last_day}",
        actual_pence=actual_pence,
        person_days=served_days,
        performance_percent=performance_percent,
    )
    return keep(
        session,
        ports,
        Statement(
            ref=new_reference(Kind.PAYMENT, ports.entropy),
            state=StatementState.MADE,
            provider=served.ref,
            authority=actor.authority,
            scheme=scheme.key,
            lot=lot,
            locality=locality,
            rule_hash=rule_hash(scheme),
            first_day=first_day,
            last_day=last_day,
            **amounts(found.lines),
            to_discussion_pence=found.to_discussion_pence,
            made_at=now,
            made_by=actor.ref,
        ),
        {"lot": lot, "locality": locality},
        actor,
        now,
    )


def _payment(scheme: Scheme, key: str, lot: str) -> Payment:
    if scheme.key != key:
        raise CannotState(reason=f"the contract belongs to scheme {key}")
    payment = scheme.payment(lot)
    if payment is None:
        raise CannotState(reason=f"the scheme says nothing of how lot {lot} is paid")
    return payment


def refuse_period(first: date, last: date, now: datetime) -> None:
    """BadInput for days that are not past, too many, or in the wrong order."""
    if last < first:
        raise BadInput("the last day lies before the first", field="last_day")
    if (last - first).days >= LONGEST_PERIOD_DAYS:
        raise BadInput("a statement covers a year at most", field="last_day")
    if last >= now.astimezone(LONDON).date():
        raise BadInput("a statement is of days that are past", field="last_day")


def refuse_covered(session: Session, same: Sequence[Any], first: date, last: date) -> None:
    """StatedAlready where a statement of the `same` covers one of these days."""
    query = (
        select(Statement)
        .where(
            *same,
            Statement.state != StatementState.WITHDRAWN,
            col(Statement.first_day) <= last,
            col(Statement.last_day) >= first,
        )
        .order_by(col(Statement.id))
    )
    other = session.exec(query).first()
    if other is not None:
        raise StatedAlready(ref=other.ref)


def _refuse_paid_by_area(
    session: Session, scheme: Scheme, authority: str, lot: str, locality: str, provider: str, first: date, last: date
) -> None:
    """CannotState where a contract for the whole area pays this provider for the lot on one of these days."""
    found = in_place(
        session,
        scheme=scheme.key,
        authority=authority,
        locality=locality,
        lots=[lot],
        first=first,
        last=last,
        provider=provider,
    )
    if found is not None:
        raise CannotState(reason=f"{lot} is paid there with area contract {found.ref}: state that")


def _person_days(
    session: Session, scheme: Scheme, lot: str, locality: str, provider: str, authority: str, first: date, last: date
) -> Mapping[str, int]:
    """For each band, the days on which a contract of this area and provider was served in it."""
    query = select(Contract).where(
        Contract.scheme == scheme.key,
        Contract.lot == lot,
        Contract.locality == locality,
        Contract.provider == provider,
        Contract.authority == authority,
        col(Contract.started_on).is_not(None),
    )
    days: dict[str, int] = {}
    for contract in session.exec(query.order_by(col(Contract.id))):
        tiers = tiers_of(session, contract)
        for day in ContractFacts(session, contract, scheme, today=last).served_days(first, last):
            key = tier_on(tiers, day)
            if key is not None:
                days[key] = days.get(key, 0) + 1
    return days


def amounts(lines: Sequence[Line]) -> dict[str, Any]:
    """The columns of a statement that its lines make."""
    return {
        "pence": total(lines),
        "chargeable_pence": chargeable(lines),
        "lines": [line.to_dict() for line in lines],
    }


def keep(
    session: Session, ports: Ports, statement: Statement, about: Mapping[str, str], actor: Actor, now: datetime
) -> Statement:
    """Write a new statement, its event and the message to its provider."""
    session.add(statement)
    session.flush()
    facts = {
        "ref": statement.ref,
        **about,
        "provider": statement.provider,
        "first_day": statement.first_day.isoformat(),
        "last_day": statement.last_day.isoformat(),
        "pence": statement.pence,
        "rule_hash": statement.rule_hash,
    }
    audit.append(session, statement.stream, "statement.made", actor, now, facts)
    recipient = f"provider:{statement.provider}"
    outbox.post(session, ports.entropy, recipient=recipient, kind="statement_made", about=statement.ref, now=now)
    return statement
