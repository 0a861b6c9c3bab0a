"""What was bought beforehand: blocks of hours and what of them was taken, contracts for areas and what they cost."""

from datetime import date

import sqlalchemy as sa
from sqlmodel import Session, col

from bidding.monthly.days import Days
from bidding.monthly.records import AreaFact, BlockFact
from dps.contracts.area_contracts import AreaContractRow
from dps.contracts.statements.records import Statement, StatementState
from dps.register.blocks import Block
from dps.register.holds import Hold


def blocks_bought(session: Session, days: Days, last: date) -> tuple[BlockFact, ...]:
    taken = (
        sa.select(col(Hold.out_of), sa.func.sum(col(Hold.weekly_minutes)).label("minutes"))
        .where(
            col(Hold.out_of).is_not(None),
            col(Hold.reserved_at) < days.until,
            sa.or_(col(Hold.released_at).is_(None), col(Hold.released_at) >= days.until),
        )
        .group_by(col(Hold.out_of))
        .subquery()
    )
    query = (
        sa.select(
            col(Block.ref),
            col(Block.provider),
            col(Block.lot),
            col(Block.locality),
            col(Block.weekly_minutes),
            sa.func.coalesce(taken.c.minutes, 0),
            col(Block.weekly_pence),
        )
        .outerjoin(taken, taken.c.out_of == col(Block.ref))
        .where(
            col(Block.scheme) == days.scheme,
            col(Block.authority).in_(days.authorities),
            col(Block.from_day) <= last,
            sa.or_(col(Block.last_day).is_(None), col(Block.last_day) >= last),
        )
        .order_by(col(Block.id))
    )
    return tuple(
        BlockFact(ref, provider, lot, locality, minutes, int(used), pence)
        for ref, provider, lot, locality, minutes, used, pence in session.execute(query)
    )


def areas_bought(session: Session, days: Days, first: date, last: date) -> tuple[AreaFact, ...]:
    is_paid = sa.and_(col(Statement.state) == StatementState.PAID, col(Statement.paid_at) < days.until)
    stated = (
        sa.select(
            col(Statement.area_contract),
            sa.func.sum(col(Statement.pence)).label("stated"),
            sa.func.sum(sa.case((is_paid, col(Statement.pence)), else_=0)).label("paid"),
            sa.func.sum(col(Statement.to_discussion_pence)).label("to_discussion"),
        )
        .where(
            col(Statement.area_contract).is_not(None),
            col(Statement.state) != StatementState.WITHDRAWN,
            col(Statement.last_day) >= first,
            col(Statement.last_day) <= last,
            col(Statement.made_at) < days.until,
        )
        .group_by(col(Statement.area_contract))
        .subquery()
    )
    query = (
        sa.select(
            col(AreaContractRow.ref),
            col(AreaContractRow.provider),
            col(AreaContractRow.key),
            col(AreaContractRow.locality),
            col(AreaContractRow.evaluated_pence),
            *(sa.func.coalesce(column, 0) for column in (stated.c.stated, stated.c.paid, stated.c.to_discussion)),
        )
        .outerjoin(stated, stated.c.area_contract == col(AreaContractRow.ref))
        .where(
            col(AreaContractRow.scheme) == days.scheme,
            col(AreaContractRow.authority).in_(days.authorities),
            col(AreaContractRow.agreed_at) < days.until,
            col(AreaContractRow.from_day) <= last,
            col(AreaContractRow.last_day) >= first,
        )
        .order_by(col(AreaContractRow.id))
    )
    return tuple(
        AreaFact(ref, provider, key, locality, yearly, int(due), int(paid), int(left))
        for ref, provider, key, locality, yearly, due, paid, left in session.execute(query)
    )
