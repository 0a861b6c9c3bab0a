"""A variation of a contract, who moves it, and what the contract's week looks like because of it.

Reasons are codes. What somebody writes beside one is sealed under the person's key (`packages.remarks`), and the trail
names the remark alone (laws 3 and 7). Capacity that a variation adds is held under its own reference (law 5).
"""

from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Index, text
from sqlmodel import Field, Session, SQLModel, col, select

from dps.contracts.contracts import Contract
from dps.contracts.standing import find_contract
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
from dps.packages.packages import PackageVersion
from dps.packages.schedule import Schedule


class VariationKind(StrEnum):
    FLEX = "flex"
    REDUCTION = "reduction"
    PROPOSAL = "proposal"
    INCREASE = "increase"
    PAUSE = "pause"


class VariationState(StrEnum):
    PROPOSED = "proposed"
    AGREED = "agreed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    CLOSED = "closed"


_S = VariationState

STEPS = StateTable(
    "variation",
    _S.PROPOSED,
    (_S.PROPOSED, "decide", _S.AGREED, (Role.PROVIDER,)),
    (_S.PROPOSED, "agree", _S.AGREED, (Role.BROKER,)),
    (_S.PROPOSED, "sign", _S.AGREED, (Role.APPROVER,)),
    (_S.PROPOSED, "refuse", _S.REFUSED, (Role.BROKER, Role.APPROVER)),
    (_S.PROPOSED, "withdraw", _S.WITHDRAWN, (Role.PROVIDER, Role.BROKER)),
    (_S.AGREED, "close", _S.CLOSED, (Role.PROVIDER, Role.BROKER)),
)

IN_FORCE = (_S.AGREED, _S.CLOSED)
"""Agreed: it changed what is served and paid, and does so after it was closed, for the days it was about."""

RESCHEDULING = (VariationKind.REDUCTION, VariationKind.PROPOSAL, VariationKind.INCREASE)


class Variation(SQLModel, table=True):
    """One change. `weekly_minutes` and `weekly_pence` are those after it, for a change of the week's `schedule`.

    A flex has `extra_minutes_a_day` of one carer and `pence_a_day` until `last_day`; a pause has its first day, and its
    last once the service went on. `from_day` and `last_day` are both included.
    """

    __tablename__ = "variation"
    __table_args__ = (
        CheckConstraint("last_day >= from_day", name="days_in_order"),
        CheckConstraint("(kind IN ('reduction', 'proposal', 'increase')) = (schedule IS NOT NULL)", name="has_week"),
        CheckConstraint("(schedule IS NULL) = (weekly_minutes IS NULL)", name="week_has_minutes"),
        CheckConstraint("(schedule IS NULL) = (weekly_pence IS NULL)", name="week_has_price"),
        CheckConstraint(
            "(kind = 'flex') = (extra_minutes_a_day IS NOT NULL AND pence_a_day IS NOT NULL AND last_day IS NOT NULL"
            " AND begun_by IS NOT NULL)",
            name="flex_is_whole",
        ),
        CheckConstraint("extra_minutes_a_day > 0 AND pence_a_day >= 0", name="flex_amounts"),
        Index(
            "uq_variation_pause",
            "contract_id",
            unique=True,
            sqlite_where=text("kind = 'pause' AND state = 'agreed'"),
            postgresql_where=text("kind = 'pause' AND state = 'agreed'"),
        ),
    )

    STEPS: ClassVar[StateTable] = STEPS

    id: int | None = id_column()
    ref: str = ref_column()
    contract_id: int = link_column("contract.id")
    kind: VariationKind = state_column(VariationKind, index=False)
    state: VariationState = state_column(VariationState)
    from_day: date = day_column()
    last_day: date | None = day_column(nullable=True)
    reason: str = Field(max_length=40)
    begun_by: str | None = Field(default=None, max_length=40)
    schedule: Any = json_column(nullable=True)
    weekly_minutes: int | None = whole_column(nullable=True)
    weekly_pence: int | None = whole_column(nullable=True)
    extra_minutes_a_day: int | None = whole_column(nullable=True)
    pence_a_day: int | None = whole_column(nullable=True)
    changed: str | None = Field(default=None, max_length=40)
    outcome: str | None = Field(default=None, max_length=40)
    averted: str | None = Field(default=None, max_length=40)
    asked_at: datetime = utc_column()
    asked_by: str = Field(max_length=64)

    @property
    def stream(self) -> str:
        return self.ref


class Uplift(SQLModel, table=True):
    """A lot's prices rise from a day, for one authority's contracts that were agreed before it was decided."""

    __tablename__ = "uplift"
    __table_args__ = (CheckConstraint("basis_points > 0", name="rises"),)

    id: int | None = id_column()
    ref: str = ref_column()
    authority: str = Field(max_length=40)
    scheme: str = Field(max_length=40)
    lot: str = Field(max_length=40)
    from_day: date = day_column()
    basis_points: int = whole_column()
    decided_at: datetime = utc_column()
    decided_by: str = Field(max_length=64)

    @property
    def stream(self) -> str:
        return self.ref


# Queries


def find_variation(session: Session, ref: str, *, actor: Actor) -> tuple[Variation, Contract]:
    """The variation and its contract; NotFound for another provider or authority, as if there were none."""
    variation = session.exec(select(Variation).where(Variation.ref == ref)).first()
    contract = session.get(Contract, variation.contract_id) if variation else None
    if variation is None or contract is None:
        raise NotFound(kind="variation", ref=ref)
    actor.sees("variation", ref, authority=contract.authority, provider=contract.provider)
    return variation, contract


def variations_of(
    session: Session, contract: Contract, *kinds: VariationKind, states: Sequence[VariationState] = IN_FORCE
) -> Sequence[Variation]:
    """The contract's variations of these kinds in these states, the first one first."""
    query = select(Variation).where(
        Variation.contract_id == contract.id,
        col(Variation.kind).in_(kinds),
        col(Variation.state).in_(states),
    )
    return session.exec(query.order_by(col(Variation.from_day), col(Variation.id))).all()


def history(session: Session, contract_ref: str, *, actor: Actor) -> Sequence[Variation]:
    """Every variation of a contract that this actor may see, whatever became of it."""
    contract = find_contract(session, contract_ref, actor=actor)
    return variations_of(session, contract, *VariationKind, states=tuple(VariationState))


def first_schedule(session: Session, contract: Contract) -> Schedule | None:
    """The week of the package as it was when the contract was agreed."""
    query = (
        select(PackageVersion)
        .where(PackageVersion.package_id == contract.package_id, PackageVersion.number == contract.package_version)
        .order_by(col(PackageVersion.correction).desc())
    )
    version = session.exec(query).first()
    week = version.facts["schedule"] if version else None
    return None if week is None else Schedule.from_dict(week)


class Weeks:
    """What the contract's week is on a day: as agreed first, or as the latest variation from that day on says.

    The contract's own row keeps what was agreed first. Of two changes from one day the one decided later holds.
    """

    def __init__(self, session: Session, contract: Contract) -> None:
        self._first = first_schedule(session, contract)
        self._contract = contract
        self._changes = variations_of(session, contract, *RESCHEDULING)

    def on(self, day: date) -> Schedule | None:
        """None where the package had no schedule."""
        change = self._change_on(day)
        return self._first if change is None else Schedule.from_dict(change.schedule)

    def pence_on(self, day: date) -> int:
        """The week's price on a day, uplifts left out."""
        change = self._change_on(day)
        return self._contract.weekly_pence if change is None else change.weekly_pence or 0

    def minutes_on(self, day: date) -> int:
        """Carer-minutes a week on a day."""
        change = self._change_on(day)
        return self._contract.weekly_minutes if change is None else change.weekly_minutes or 0

    @property
    def latest_minutes(self) -> int:
        """Carer-minutes a week once every change has come."""
        return self._changes[-1].weekly_minutes or 0 if self._changes else self._contract.weekly_minutes

    @property
    def most_minutes(self) -> int:
        """The most that was ever agreed: what binds the provider's hours."""
        return max([self._contract.weekly_minutes, *(change.weekly_minutes or 0 for change in self._changes)])

    def _change_on(self, day: date) -> Variation | None:
        begun = [change for change in self._changes if change.from_day <= day]
        return begun[-1] if begun else None
