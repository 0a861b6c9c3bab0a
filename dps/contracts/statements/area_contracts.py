"""What an area contract is paid for a period, at the rates or the price that won it."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlmodel import Session

from dps.contracts.area_contracts import AreaContractRow, area_contract_of
from dps.contracts.contracts import Contract
from dps.contracts.deliveries.by_area import contracts_served, recorded_units
from dps.contracts.payment.area_rates import outcome_lines, rate_lines, year_part
from dps.contracts.payment.areas import AreaPayment
from dps.contracts.payment.worked import total
from dps.contracts.statements.making import MAKING, amounts, keep, refuse_covered, refuse_period
from dps.contracts.statements.records import Statement, StatementState
from dps.kernel.actors import Actor
from dps.kernel.database import find, find_all, locked_one
from dps.kernel.errors import CannotState
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.schemes.area_contracts import BiddingModel
from dps.schemes.stored import rules_by_hash


def make_area_contract_statement(
    session: Session,
    ports: Ports,
    *,
    area_contract_ref: str,
    first_day: date,
    last_day: date,
    actor: Actor,
    units: Mapping[str, int] | None = None,
    actual_pence: int | None = None,
    reached: Mapping[str, int] | None = None,
) -> Statement:
    """State what an area contract is paid for these days, both included, which are past.

    `units` says how much was delivered of each element that is not read from the records of visits; for a price of a
    year, `actual_pence` what care cost and `reached` in what percent of people each outcome was reached. The contract's
    own rules reckon it, whatever the scheme says today.
    """
    actor.needs("make a statement", *MAKING)
    row = locked_one(session, AreaContractRow, area_contract_of(session, area_contract_ref, actor).id)
    now = ports.clock.read(session)
    refuse_period(first_day, last_day, now)
    if first_day < row.from_day or last_day > row.last_day:
        raise CannotState(reason=f"{row.ref} runs from {row.from_day} to {row.last_day}, not on all of these days")
    refuse_covered(session, [Statement.area_contract == row.ref], first_day, last_day)
    if served := contracts_served(session, row, first=first_day, last=last_day):
        # Nothing is recorded for a day while it is being stated.
        find_all(session, Contract, lock=True, id=[contract.id for contract in served])
    figures = {"units": dict(units or {}), "actual_pence": actual_pence, "reached": dict(reached or {})}
    paid = _paid(session, row, first_day, last_day, figures)
    return keep(
        session,
        ports,
        Statement(
            ref=new_reference(Kind.PAYMENT, ports.entropy),
            state=StatementState.MADE,
            area_contract=row.ref,
            provider=row.provider,
            authority=row.authority,
            scheme=row.scheme,
            lot=row.lots[0],
            locality=row.locality,
            rule_hash=row.rule_hash,
            first_day=first_day,
            last_day=last_day,
            **amounts(paid.lines),
            to_discussion_pence=paid.to_discussion_pence,
            figures=figures,
            made_at=now,
            made_by=actor.ref,
        ),
        {"area_contract": row.ref},
        actor,
        now,
    )


def area_stated_anew(session: Session, statement: Statement) -> int | None:
    """What an area contract's statement comes to, in pence, by what was told then and the visits on record today.

    None for one of the time before what was told was kept.
    """
    row = find(session, AreaContractRow, ref=statement.area_contract or "")
    if row is None or statement.figures is None:
        return None
    return total(_paid(session, row, statement.first_day, statement.last_day, statement.figures).lines)


def _paid(session: Session, row: AreaContractRow, first: date, last: date, figures: Mapping[str, Any]) -> AreaPayment:
    scheme = rules_by_hash(session, row.rule_hash)
    asked = scheme.area_contract(row.key)
    about = f"{row.locality}, {first} to {last}"
    if asked.model is BiddingModel.OUTCOMES:
        return outcome_lines(
            asked,
            yearly_pence=row.terms["yearly_pence"],
            targets=row.terms["targets"],
            days=(last - first).days + 1,
            part=year_part(first, last, begins=row.from_day),
            actual_pence=figures["actual_pence"],
            reached=figures["reached"],
            about=about,
        )
    recorded = recorded_units(session, row, scheme, first=first, last=last)
    lines = rate_lines(asked, row.terms["rates"], figures["units"], about=about, recorded=recorded)
    return AreaPayment(lines, 0)
