"""Outcome reviews: how many of a person's outcomes were met by a day, and what was proven exceptional.

The outcomes themselves are the package's free text, sealed under the person's key; here they are only counted.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from dps.contracts.contracts import Contract, ContractState
from dps.contracts.payment.outcome_budget import ProvenException
from dps.contracts.standing import find_contract
from dps.kernel import audit, outbox
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.columns import day_column, id_column, link_column, ref_column, state_column, utc_column, whole_column
from dps.kernel.database import locked_one
from dps.kernel.errors import BadInput, Conflict, NoSuchStep
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.packages.packages import Package


class OutcomeReview(SQLModel, table=True):
    """One review of the days from the first visit to `last_day`, both included; never rewritten."""

    __tablename__ = "outcome_review"
    __table_args__ = (
        UniqueConstraint("contract_id", "last_day"),
        CheckConstraint("agreed >= 1 AND met >= 0 AND met <= agreed", name="met_of_agreed"),
    )

    id: int | None = id_column()
    ref: str = ref_column()
    contract_id: int = link_column("contract.id", index=False)
    last_day: date = day_column()
    met: int = whole_column()
    agreed: int = whole_column()
    exception: ProvenException = state_column(ProvenException, index=False)
    reviewed_at: datetime = utc_column(index=True)
    reviewed_by: str = Field(max_length=64)


def review_outcomes(
    session: Session,
    ports: Ports,
    *,
    contract_ref: str,
    met: int,
    agreed: int,
    last_day: date,
    actor: Actor,
    exception: ProvenException = ProvenException.NONE,
) -> OutcomeReview:
    """Record what broker and provider found together. An exception is recorded by an approver, to whom it was proven.

    A budget's review looks at the budget's weeks at most. Conflict where that day was reviewed before.
    """
    actor.needs("review outcomes", Role.BROKER, Role.APPROVER)
    if exception is not ProvenException.NONE:
        actor.needs("accept an exception", Role.APPROVER)
    contract = locked_one(session, Contract, find_contract(session, contract_ref, actor=actor).id)
    if contract.started_on is None or contract.state is ContractState.FAILED_TO_START:
        raise NoSuchStep(kind="Contract", ref=contract.ref, state=str(contract.state), step="be reviewed")
    now = ports.clock.read(session)
    if not contract.started_on <= last_day <= now.astimezone(LONDON).date():
        raise BadInput("a review looks back on days since the first visit", field="last_day")
    budget = budget_set(session, contract)
    if budget is not None and budget.last_day is not None and last_day > budget.last_day:
        ran = f"the budget ran for {budget.weeks} weeks, until {budget.last_day:%-d %B %Y}"
        raise BadInput(f"{ran}: name that day or an earlier one", field="last_day")
    if agreed < 1 or not 0 <= met <= agreed:
        raise BadInput(f"{met} of {agreed} outcomes can't be met", field="met")
    if any(review.last_day == last_day for review in reviews_of(session, contract)):
        raise Conflict(contract=contract.ref)
    review = OutcomeReview(
        ref=new_reference(Kind.OUTCOME, ports.entropy),
        contract_id=contract.id or 0,
        last_day=last_day,
        met=met,
        agreed=agreed,
        exception=exception,
        reviewed_at=now,
        reviewed_by=actor.ref,
    )
    session.add(review)
    session.flush()
    facts = {"ref": review.ref, "met": met, "agreed": agreed, "exception": exception, "last_day": last_day.isoformat()}
    audit.append(session, contract.stream, "contract.outcomes_reviewed", actor, now, facts)
    recipient = f"provider:{contract.provider}"
    outbox.post(session, ports.entropy, recipient=recipient, kind="outcomes_reviewed", about=contract.ref, now=now)
    return review


@dataclass(frozen=True, slots=True)
class SetBudget:
    """What was set for the first weeks of a contract; `last_day` is their last one, None before care began."""

    pence: int
    weeks: int
    last_day: date | None


def budget_set(session: Session, contract: Contract) -> SetBudget | None:
    """The contract's budget; None where its package has none."""
    package = session.get_one(Package, contract.package_id)
    if package.budget_pence is None or package.budget_weeks is None:
        return None
    weeks = package.budget_weeks
    last_day = contract.started_on + timedelta(weeks=weeks, days=-1) if contract.started_on else None
    return SetBudget(package.budget_pence, weeks, last_day)


def reviews_of(session: Session, contract: Contract) -> list[OutcomeReview]:
    """The contract's reviews in the order of their days."""
    query = select(OutcomeReview).where(OutcomeReview.contract_id == contract.id)
    return list(session.exec(query.order_by(col(OutcomeReview.last_day))))
