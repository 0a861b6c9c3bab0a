"""What an area contract is paid for a period, at the rates or the price that won it."""

from collections.abc import Mapping
from datetime import date

from sqlmodel import Session

from dps.contracts.area_contracts import AreaContractRow, area_contract_of
from dps.contracts.payment.area_rates import outcome_lines, rate_lines
from dps.contracts.payment.areas import AreaPayment
from dps.contracts.statements.making import MAKING, amounts, keep, refuse_covered, refuse_period
from dps.contracts.statements.records import Statement, StatementState
from dps.kernel.actors import Actor
from dps.kernel.database import locked_one
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

    `units` says how much of each element was delivered; for a price of a year, `actual_pence` what care cost and
    `reached` in what percent of people each outcome was reached. The contract's own rules reckon it, whatever the
    scheme says today.
    """
    actor.needs("make a statement", *MAKING)
    row = locked_one(session, AreaContractRow, area_contract_of(session, area_contract_ref, actor).id)
    now = ports.clock.read(session)
    refuse_period(first_day, last_day, now)
    if first_day < row.from_day or last_day > row.last_day:
        raise CannotState(reason=f"{row.ref} runs from {row.from_day} to {row.last_day}, not on all of these days")
    refuse_covered(session, [Statement.area_contract == row.ref], first_day, last_day)
    asked = rules_by_hash(session, row.rule_hash).area_contract(row.key)
    about = f"{row.locality}, {first_day} to {last_day}"
    if asked.model is BiddingModel.OUTCOMES:
        paid = outcome_lines(
            asked,
            yearly_pence=row.terms["yearly_pence"],
            targets=row.terms["targets"],
            days=(last_day - first_day).days + 1,
            actual_pence=actual_pence,
            reached=reached or {},
            about=about,
        )
    else:
        paid = AreaPayment(rate_lines(asked, row.terms["rates"], units or {}, about=about), 0)
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
            made_at=now,
            made_by=actor.ref,
        ),
        {"area_contract": row.ref},
        actor,
        now,
    )
