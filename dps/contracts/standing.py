"""Who serves whom, where, and how much: what rules and rankings ask of all contracts together."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy import ColumnElement
from sqlmodel import Session, col, func, or_, select

from dps.contracts.contracts import IN_FORCE, Contract
from dps.kernel.actors import Actor
from dps.kernel.errors import NotFound

TIE_WINDOW = timedelta(days=28)


def find_contract(session: Session, ref: str, *, actor: Actor) -> Contract:
    """The contract of this reference; NotFound for another provider or authority, as if there were none."""
    contract = session.exec(select(Contract).where(Contract.ref == ref)).first()
    if contract is None:
        raise NotFound(kind="contract", ref=ref)
    actor.sees("contract", ref, authority=contract.authority, provider=contract.provider)
    return contract


def contract_of_award(session: Session, award_ref: str) -> Contract | None:
    """The contract that came of this award, whatever became of it."""
    return session.exec(select(Contract).where(Contract.award_ref == award_ref)).first()


def contract_in_force(session: Session, package_id: int) -> Contract | None:
    """The one contract under which a package is served or about to be."""
    return session.exec(
        select(Contract).where(Contract.package_id == package_id, col(Contract.state).in_(IN_FORCE))
    ).first()


def running_contracts(session: Session, provider: str, *, on: date) -> Sequence[Contract]:
    """What binds a provider's hours on that day: contracts in force, and those whose last day is not past."""
    query = select(Contract).where(
        Contract.provider == provider, or_(col(Contract.state).in_(IN_FORCE), col(Contract.last_day) >= on)
    )
    return session.exec(query.order_by(col(Contract.id))).all()


def minutes_won(session: Session, *, scheme: str, until: datetime) -> dict[tuple[str, str], int]:
    """Carer-minutes a week agreed in `(until - 28 days, until]`, by (provider, locality): what the tie rule compares.

    A contract counts whatever became of it: nobody comes first in a tie for having failed to start.
    """
    return _minutes(session, _AGREED, scheme=scheme, since=until - TIE_WINDOW, until=until)


def incumbents(session: Session, *, scheme: str) -> dict[tuple[str, str], int]:
    """Carer-minutes a week of the contracts in force (pending, active, suspended), by (provider, locality)."""
    return _minutes(session, _IN_FORCE, scheme=scheme)


def _minutes(session: Session, query: Any, **named: Any) -> dict[tuple[str, str], int]:
    return {(provider, locality): int(minutes) for provider, locality, minutes in session.execute(query, named)}


def _summed(*rules: ColumnElement[bool]) -> Any:
    place = (col(Contract.provider), col(Contract.locality))
    total = func.sum(col(Contract.weekly_minutes))
    return sa.select(*place, total).where(*rules).group_by(*place).order_by(*place)


# Built once: every stage and every evaluation asks them.
_HERE = col(Contract.scheme) == sa.bindparam("scheme")
_AGREED = _summed(
    _HERE, col(Contract.agreed_at) > sa.bindparam("since"), col(Contract.agreed_at) <= sa.bindparam("until")
)
_IN_FORCE = _summed(_HERE, col(Contract.state).in_(IN_FORCE))
