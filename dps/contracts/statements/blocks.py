"""What a block of hours is paid, and how much of it was used on each day of the period."""

from collections.abc import Sequence
from datetime import date, timedelta

from sqlmodel import Session, col, select

from dps.contracts.contracts import Contract
from dps.contracts.payment.block import block_line
from dps.contracts.statements.facts import ContractFacts
from dps.contracts.statements.making import MAKING, amounts, keep, refuse_covered, refuse_period
from dps.contracts.statements.records import Statement, StatementState
from dps.contracts.variations.records import Weeks
from dps.kernel.actors import Actor
from dps.kernel.database import locked_one
from dps.kernel.errors import CannotState, NotFound
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.register.blocks import Block, block_named
from dps.register.holds import Hold
from dps.schemes.loader import rule_hash
from dps.schemes.model import Scheme


def make_block_statement(
    session: Session, ports: Ports, *, block_ref: str, scheme: Scheme, first_day: date, last_day: date, actor: Actor
) -> Statement:
    """State what a block is paid for these days, both included, which are past; used and unused hours are shown."""
    actor.needs("make a statement", *MAKING)
    block = locked_one(session, Block, block_named(session, block_ref).id)
    actor.sees("block", block_ref, authority=block.authority)
    if block.scheme != scheme.key:
        raise NotFound(kind="block", ref=block_ref)
    now = ports.clock.read(session)
    refuse_period(first_day, last_day, now)
    if not (block.runs_on(first_day) and block.runs_on(last_day)):
        raise CannotState(reason=f"block {block.ref} does not run on all of these days")
    refuse_covered(session, [Statement.block == block.ref], first_day, last_day)
    line = block_line(
        weekly_pence=block.weekly_pence,
        weekly_minutes=block.weekly_minutes,
        used_by_day=used_by_day(session, block, scheme, first_day, last_day),
        about=f"{first_day} to {last_day}",
    )
    return keep(
        session,
        ports,
        Statement(
            ref=new_reference(Kind.PAYMENT, ports.entropy),
            state=StatementState.MADE,
            block=block.ref,
            provider=block.provider,
            authority=block.authority,
            scheme=scheme.key,
            lot=block.lot,
            locality=block.locality,
            rule_hash=rule_hash(scheme),
            first_day=first_day,
            last_day=last_day,
            **amounts([line]),
            made_at=now,
            made_by=actor.ref,
        ),
        {"block": block.ref},
        actor,
        now,
    )


def used_by_day(session: Session, block: Block, scheme: Scheme, first: date, last: date) -> list[int]:
    """The carer-minutes a week that were in use on each day: the week of every contract served from the block then."""
    used = dict.fromkeys((first + timedelta(days=number) for number in range((last - first).days + 1)), 0)
    for contract in contracts_of(session, block):
        if contract.started_on is None:
            continue
        weeks = Weeks(session, contract)
        for day in ContractFacts(session, contract, scheme, today=last).served_days(first, last):
            used[day] += weeks.minutes_on(day)
    return [min(minutes, block.weekly_minutes) for minutes in used.values()]


def contracts_of(session: Session, block: Block) -> Sequence[Contract]:
    """The contracts that were ever served from the block, in order of id."""
    query = select(Contract).join(Hold, col(Hold.ref) == col(Contract.award_ref)).where(col(Hold.out_of) == block.ref)
    return session.exec(query.order_by(col(Contract.id))).all()
