"""Contracts for a whole area: one provider is paid for all of some lots in one locality, at the rates that it bid.

It comes from a tender (`bidding/tenders`) and keeps the rules that it was bid under. While it runs, nothing of its lots
there is paid to that provider in another way. Source: Kingston's paper.
"""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, Session, SQLModel, col, select

from dps.kernel import outbox
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.columns import (
    day_column,
    id_column,
    json_column,
    ref_column,
    state_column,
    utc_column,
    whole_column,
)
from dps.kernel.database import find, locked_one
from dps.kernel.errors import BadInput, NotFound
from dps.kernel.ports import Ports
from dps.kernel.states import StateTable, advance


class AreaContractState(StrEnum):
    AGREED = "agreed"
    ENDED = "ended"


_S = AreaContractState


class AreaContractRow(SQLModel, table=True):
    """From `from_day` to `last_day`, both included. `key` names the contract in the rules of `rule_hash`.

    `terms` are what was bid: `rates` in pence a unit by element, or `yearly_pence` and `targets` in percent.
    """

    __tablename__ = "area_contract"
    __table_args__ = (
        CheckConstraint("last_day >= from_day", name="days_in_order"),
        CheckConstraint("evaluated_pence > 0", name="amounts"),
        Index("ix_area_contract_place", "scheme", "locality"),
    )
    STEPS: ClassVar[StateTable] = StateTable(
        "area-contract", _S.AGREED, (_S.AGREED, "end", _S.ENDED, (Role.COMMISSIONER,))
    )

    id: int | None = id_column()
    ref: str = ref_column()
    state: AreaContractState = state_column(AreaContractState, index=False)
    tender: str = Field(max_length=24, unique=True)
    provider: str = Field(max_length=24, index=True)
    authority: str = Field(max_length=40)
    scheme: str = Field(max_length=40)
    rule_hash: str = Field(max_length=64)
    key: str = Field(max_length=40)
    lots: Any = json_column()
    locality: str = Field(max_length=40)
    evaluated_pence: int = whole_column()
    terms: Any = json_column()
    from_day: date = day_column()
    last_day: date = day_column()
    agreed_at: datetime = utc_column()

    @property
    def stream(self) -> str:
        return self.ref

    def runs_in(self, first: date, last: date) -> bool:
        """Whether any of these days is one of its own."""
        return self.from_day <= last and first <= self.last_day


def end_area_contract(session: Session, ports: Ports, *, area_contract_ref: str, last_day: date, actor: Actor) -> None:
    """Let an area contract end early, today or later; what was paid up to then stands."""
    actor.needs("end an area contract", Role.COMMISSIONER)
    row = area_contract_of(session, area_contract_ref, actor)
    row = locked_one(session, AreaContractRow, row.id)
    now = ports.clock.read(session)
    if last_day < now.astimezone(LONDON).date() or not row.from_day <= last_day <= row.last_day:
        raise BadInput("an area contract ends today or later, within its own days", field="last_day")
    advance(session, row, "end", actor, now, facts={"last_day": last_day.isoformat()}, last_day=last_day)
    recipient = f"provider:{row.provider}"
    outbox.post(session, ports.entropy, recipient=recipient, kind="area_contract_ended", about=row.ref, now=now)


# Queries


def area_contract_of(session: Session, ref: str, actor: Actor) -> AreaContractRow:
    """The area contract of this reference; NotFound for another provider or authority, as if there were none."""
    row = find(session, AreaContractRow, ref=ref)
    if row is None:
        raise NotFound(kind="area contract", ref=ref)
    actor.sees("area contract", ref, authority=row.authority, provider=row.provider)
    return row


def in_place(
    session: Session,
    *,
    scheme: str,
    authority: str,
    locality: str,
    lots: Sequence[str],
    first: date,
    last: date,
    provider: str | None = None,
) -> AreaContractRow | None:
    """The first area contract that is for one of these lots there on one of these days; of this provider, if named."""
    query = select(AreaContractRow).where(
        AreaContractRow.scheme == scheme,
        AreaContractRow.authority == authority,
        AreaContractRow.locality == locality,
        col(AreaContractRow.from_day) <= last,
        col(AreaContractRow.last_day) >= first,
    )
    if provider is not None:
        query = query.where(AreaContractRow.provider == provider)
    found = session.exec(query.order_by(col(AreaContractRow.id))).all()
    return next((one for one in found if set(one.lots) & set(lots)), None)


def area_contracts_of(session: Session, *, actor: Actor) -> Sequence[AreaContractRow]:
    """Those that this actor may see, the earliest first: a provider its own, a council its own."""
    query = select(AreaContractRow)
    if actor.role is Role.PROVIDER:
        query = query.where(AreaContractRow.provider == actor.provider)
    elif actor.authority is not None:
        query = query.where(AreaContractRow.authority == actor.authority)
    else:
        actor.needs("read area contracts of every authority", Role.AUDITOR, Role.ADMINISTRATOR)
    return session.exec(query.order_by(col(AreaContractRow.from_day), col(AreaContractRow.id))).all()
