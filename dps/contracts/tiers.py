"""Which tier or band of the scheme's weekly prices a contract is in, from which day.

A block contract moves its people to another tier by the same command. Source: Worcestershire's and Kingston's papers.
"""

from datetime import date, datetime

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from dps.contracts.contracts import Contract
from dps.contracts.payment.weekly_prices import price_named
from dps.contracts.standing import find_contract
from dps.contracts.statements.records import stated_from
from dps.contracts.telling import tell_provider
from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.columns import day_column, id_column, link_column, utc_column
from dps.kernel.database import locked_one
from dps.kernel.errors import BadInput, CannotState, Conflict
from dps.kernel.ports import Ports
from dps.schemes.contracting import WeeklyPrice
from dps.schemes.model import Scheme


class ContractTier(SQLModel, table=True):
    """From `from_day` on the contract is in tier or band `key`, or in none; never rewritten."""

    __tablename__ = "contract_tier"
    __table_args__ = (UniqueConstraint("contract_id", "from_day"),)

    id: int | None = id_column()
    contract_id: int = link_column("contract.id", index=False)
    key: str | None = Field(default=None, max_length=40)
    from_day: date = day_column()
    placed_at: datetime = utc_column()
    placed_by: str = Field(max_length=64)


def place_in_tier(
    session: Session,
    ports: Ports,
    *,
    contract_ref: str,
    scheme: Scheme,
    key: str | None,
    from_day: date,
    actor: Actor,
) -> ContractTier:
    """Put a contract into a tier or band of its lot, or into none; its provider is told.

    Conflict where that day has one already; BadInput where it, or a day after it, is stated: what was paid would no
    longer be what holds.
    """
    actor.needs("place a contract in a tier", Role.BROKER)
    contract = locked_one(session, Contract, find_contract(session, contract_ref, actor=actor).id)
    payment = scheme.payment(contract.lot)
    if payment is None or not payment.weekly_prices:
        raise CannotState(reason=f"lot {contract.lot} has no weekly prices")
    if key is not None:
        price_named(payment.weekly_prices, key)
    now = ports.clock.read(session)
    if from_day in dict(tiers_of(session, contract)):
        raise Conflict(contract=contract.ref)
    if stated := stated_from(session, contract, from_day):
        words = f"days up to {stated.last_day:%-d %B %Y} are stated: name a later day, or withdraw {stated.ref} first"
        raise BadInput(words, field="tier_from")
    row = ContractTier(contract_id=contract.id or 0, key=key, from_day=from_day, placed_at=now, placed_by=actor.ref)
    session.add(row)
    session.flush()
    facts = {"ref": contract.ref, "tier": key, "from_day": from_day.isoformat()}
    audit.append(session, contract.stream, "contract.tier", actor, now, facts)
    tell_provider(session, ports, contract, "weekly_price_placed", contract.ref, now)
    return row


def tiers_of(session: Session, contract: Contract) -> list[tuple[date, str | None]]:
    """From which day the contract is in which tier, the first one first."""
    query = select(ContractTier).where(ContractTier.contract_id == contract.id).order_by(col(ContractTier.from_day))
    return [(row.from_day, row.key) for row in session.exec(query)]


def weekly_price_on(session: Session, contract: Contract, scheme: Scheme, day: date) -> WeeklyPrice | None:
    """The weekly price that the contract is paid on a day; None where it is placed in none."""
    payment, key = scheme.payment(contract.lot), tier_on(tiers_of(session, contract), day)
    return next((one for one in payment.weekly_prices if one.key == key), None) if payment else None


def tier_on(tiers: list[tuple[date, str | None]], day: date) -> str | None:
    """The tier in force on a day."""
    begun = [key for from_day, key in tiers if from_day <= day]
    return begun[-1] if begun else None
