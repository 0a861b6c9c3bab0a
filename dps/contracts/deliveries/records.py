"""One delivered (or missed, or cancelled) visit of a contract, as it was matched when it was recorded."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, Session, SQLModel, col, select

from dps.contracts.contracts import Contract
from dps.contracts.payment.visits import VisitOutcome
from dps.kernel.columns import day_column, id_column, json_column, link_column, state_column, utc_column, whole_column


class Delivery(SQLModel, table=True):
    """One record, never rewritten. Minutes are of one carer; `line` is the visit's place in the week of that day.

    `visit_ref` is the call monitoring's own name of the visit: a file sent twice is recorded once.
    """

    __tablename__ = "delivery"
    __table_args__ = (
        UniqueConstraint("contract_id", "visit_ref"),
        Index(
            "uq_delivery_planned_visit",
            "contract_id",
            "day",
            "line",
            unique=True,
            sqlite_where=text("line IS NOT NULL"),
            postgresql_where=text("line IS NOT NULL"),
        ),
        CheckConstraint("(line IS NULL) = (planned_minutes = 0)", name="planned_or_not"),
        CheckConstraint("delivered_minutes >= 0 AND carers >= 1", name="amounts"),
        CheckConstraint("(started_at IS NULL) = (outcome <> 'done')", name="started_when_done"),
        CheckConstraint("(ended_at IS NULL) = (outcome <> 'done')", name="ended_when_done"),
    )

    id: int | None = id_column()
    contract_id: int = link_column("contract.id", index=False)
    visit_ref: str = Field(max_length=64)
    day: date = day_column()
    outcome: VisitOutcome = state_column(VisitOutcome, index=False)
    line: int | None = whole_column(nullable=True)
    planned_minutes: int = whole_column()
    delivered_minutes: int = whole_column()
    carers: int = whole_column()
    is_night: bool
    started_at: datetime | None = utc_column(nullable=True)
    ended_at: datetime | None = utc_column(nullable=True)
    oddities: list[str] = json_column()
    recorded_at: datetime = utc_column()
    recorded_by: str = Field(max_length=64)


def deliveries_of(session: Session, contract: Contract, *, first: date, last: date) -> Sequence[Delivery]:
    """The contract's records of these days, both included, in order of day."""
    query = select(Delivery).where(
        Delivery.contract_id == contract.id, col(Delivery.day) >= first, col(Delivery.day) <= last
    )
    return session.exec(query.order_by(col(Delivery.day), col(Delivery.id))).all()
