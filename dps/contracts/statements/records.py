"""A statement and who moves it. Its lines are stored and never rewritten; a wrong one is withdrawn and made anew."""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, Session, SQLModel, col, select

from dps.contracts.contracts import Contract
from dps.kernel.actors import Actor, Role
from dps.kernel.columns import (
    day_column,
    id_column,
    json_column,
    link_column,
    ref_column,
    state_column,
    utc_column,
    whole_column,
)
from dps.kernel.errors import NotFound
from dps.kernel.states import StateTable


class StatementState(StrEnum):
    MADE = "made"
    AGREED = "agreed"
    QUERIED = "queried"
    PAID = "paid"
    WITHDRAWN = "withdrawn"


_S = StatementState

STEPS = StateTable(
    "statement",
    _S.MADE,
    (_S.MADE, "agree", _S.AGREED, (Role.PROVIDER,)),
    (_S.MADE, "query", _S.QUERIED, (Role.PROVIDER,)),
    (_S.MADE, "withdraw", _S.WITHDRAWN, (Role.BROKER,)),
    (_S.QUERIED, "agree", _S.AGREED, (Role.PROVIDER,)),
    (_S.QUERIED, "withdraw", _S.WITHDRAWN, (Role.BROKER,)),
    (_S.AGREED, "pay", _S.PAID, (Role.APPROVER,)),
    (_S.AGREED, "withdraw", _S.WITHDRAWN, (Role.BROKER,)),
)


class Statement(SQLModel, table=True):
    """What is due for `first_day` to `last_day`, both included, of one contract, one block of hours or one area
    (`area_contract`, where it was won in a tender).

    `chargeable_pence` is what of it the council may charge to the person; `to_discussion_pence` is beyond a tolerance,
    neither paid nor taken back here. `rule_hash` names the rules that it was reckoned by.

    `queried_because` is what its provider finds wrong with it, or found before it agreed after all.

    `figures` are what was told for an area contract, so that it can be reckoned again; nothing of the others is told.
    """

    __tablename__ = "statement"
    __table_args__ = (
        CheckConstraint("first_day <= last_day", name="days_in_order"),
        CheckConstraint("pence >= 0 AND chargeable_pence >= 0 AND chargeable_pence <= pence", name="amounts"),
        CheckConstraint("(paid_at IS NOT NULL) = (state = 'paid')", name="paid_when_paid"),
        CheckConstraint("contract_id IS NULL OR to_discussion_pence = 0", name="discussed_by_area"),
        Index("ix_statement_provider_state", "provider", "state"),
    )

    STEPS: ClassVar[StateTable] = STEPS

    id: int | None = id_column()
    ref: str = ref_column()
    state: StatementState = state_column(StatementState)
    contract_id: int | None = link_column("contract.id", nullable=True)
    block: str | None = Field(default=None, max_length=24, index=True)
    area_contract: str | None = Field(default=None, max_length=24, index=True)
    provider: str = Field(max_length=24)
    authority: str = Field(max_length=40, index=True)
    scheme: str = Field(max_length=40)
    lot: str = Field(max_length=40)
    locality: str = Field(max_length=40)
    rule_hash: str = Field(max_length=64)
    first_day: date = day_column()
    last_day: date = day_column()
    pence: int = whole_column()
    chargeable_pence: int = whole_column()
    to_discussion_pence: int = whole_column(default=0)
    lines: Any = json_column()
    figures: Any = json_column(nullable=True)
    made_at: datetime = utc_column()
    made_by: str = Field(max_length=64)
    paid_at: datetime | None = utc_column(nullable=True)
    queried_because: str | None = Field(default=None, max_length=40)

    @property
    def stream(self) -> str:
        return self.ref


# Queries


def find_statement(session: Session, ref: str, *, actor: Actor) -> Statement:
    """The statement of this reference; NotFound for another provider or authority, as if there were none."""
    statement = session.exec(select(Statement).where(Statement.ref == ref)).first()
    if statement is None:
        raise NotFound(kind="statement", ref=ref)
    actor.sees("statement", ref, authority=statement.authority, provider=statement.provider)
    return statement


def stated_from(session: Session, contract: Contract, day: date) -> Statement | None:
    """The last statement that pays for this contract on this day or later, by itself or with its area's people."""
    of_area = (
        col(Statement.contract_id).is_(None)
        & col(Statement.block).is_(None)
        & col(Statement.area_contract).is_(None)
        & (col(Statement.provider) == contract.provider)
        & (col(Statement.authority) == contract.authority)
        & (col(Statement.scheme) == contract.scheme)
        & (col(Statement.lot) == contract.lot)
        & (col(Statement.locality) == contract.locality)
    )
    query = select(Statement).where(
        (col(Statement.contract_id) == contract.id) | of_area,
        Statement.state != StatementState.WITHDRAWN,
        col(Statement.last_day) >= day,
    )
    return session.exec(query.order_by(col(Statement.last_day).desc(), col(Statement.id).desc())).first()


def statements_seen(
    session: Session, *, actor: Actor, scheme: str | None = None, state: StatementState | None = None
) -> Sequence[Statement]:
    """The statements that this actor may see, the earliest first: a provider its own, a council its own."""
    query = select(Statement)
    if actor.role is Role.PROVIDER:
        query = query.where(Statement.provider == actor.provider)
    elif actor.authority is not None:
        query = query.where(Statement.authority == actor.authority)
    else:
        actor.needs("read statements of every authority", Role.AUDITOR, Role.ADMINISTRATOR)
    if scheme is not None:
        query = query.where(Statement.scheme == scheme)
    if state is not None:
        query = query.where(Statement.state == state)
    return session.exec(query.order_by(col(Statement.first_day), col(Statement.id))).all()
