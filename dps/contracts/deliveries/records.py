"""One delivered (or missed, or cancelled) visit of a contract, as it was matched when it was recorded."""

from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlmodel import Field, Session, SQLModel, col, func, select

from dps.contracts.contracts import Contract
from dps.contracts.deliveries.matching import VisitRecord
from dps.contracts.payment.visits import PricedVisit, VisitOutcome
from dps.kernel.columns import day_column, id_column, json_column, link_column, state_column, utc_column, whole_column
from dps.kernel.money import Band

WALL_TIMES = ("planned_start", "started", "ended")


class Delivery(SQLModel, table=True):
    """One record. Minutes are of one carer; `line` is the visit's place in the week of that day.

    What was `told` is never rewritten; which visit it is of may be found anew with later records of the same day, until
    the day is stated. One of the time before that was kept has told nothing, and stays where it is.
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
    told: Any = json_column(nullable=True)
    recorded_at: datetime = utc_column()
    recorded_by: str = Field(max_length=64)

    def priced(self, bands: frozenset[Band] = frozenset()) -> PricedVisit:
        """The visit as it is paid, its hours lying in these bands."""
        return PricedVisit(self.day, bands, self.planned_minutes, self.delivered_minutes, self.carers, self.outcome)

    def as_told(self) -> VisitRecord:
        """The record once more as the monitoring said it."""
        told = {name: time.fromisoformat(self.told[name]) if self.told[name] else None for name in WALL_TIMES}
        return VisitRecord(
            visit_ref=self.visit_ref, day=self.day, outcome=self.outcome, carers=self.told["carers"], **told
        )


def deliveries_of(session: Session, contract: Contract, *, first: date, last: date) -> Sequence[Delivery]:
    """The contract's records of these days, both included, in order of day."""
    query = select(Delivery).where(
        Delivery.contract_id == contract.id, col(Delivery.day) >= first, col(Delivery.day) <= last
    )
    return session.exec(query.order_by(col(Delivery.day), col(Delivery.id))).all()


def last_recorded(session: Session, contract: Contract) -> date | None:
    """The last day of which a visit of the contract is recorded."""
    return session.exec(select(func.max(Delivery.day)).where(Delivery.contract_id == contract.id)).one()
