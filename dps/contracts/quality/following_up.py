"""People followed up: where they live and whether they are content, so many days after care began or ended.

The scheme names the days (91 after reablement; three, six and twelve months). What is due is derived from the
contracts, and nobody has to remember it. Sources: Kingston's and Worcestershire's papers.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from sqlalchemy import CheckConstraint, UniqueConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from dps.contracts.contracts import Contract, ContractState
from dps.contracts.standing import find_contract
from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.columns import day_column, id_column, link_column, state_column, utc_column, whole_column
from dps.kernel.database import locked_one
from dps.kernel.errors import BadInput, Conflict, RuleNotMet
from dps.kernel.ports import Ports
from dps.schemes.model import Scheme
from dps.schemes.quality import FollowUp

ASKING = (Role.BROKER, Role.COMMISSIONER)
SATISFIED = 4
"""This much of 5, or more."""


class Whereabouts(StrEnum):
    """How the person lives now."""

    HOME_INDEPENDENT = "home_independent"
    HOME_WITH_CARE = "home_with_care"
    HOSPITAL = "hospital"
    CARE_HOME = "care_home"
    DIED = "died"
    NOT_REACHED = "not_reached"

    @property
    def is_home(self) -> bool:
        return self in (Whereabouts.HOME_INDEPENDENT, Whereabouts.HOME_WITH_CARE)


class FollowedUp(SQLModel, table=True):
    """What was found of one contract's person at one of the scheme's points; never rewritten."""

    __tablename__ = "followed_up"
    __table_args__ = (
        UniqueConstraint("contract_id", "point"),
        CheckConstraint("satisfaction BETWEEN 1 AND 5", name="satisfaction_of_5"),
    )

    id: int | None = id_column()
    contract_id: int = link_column("contract.id", index=False)
    point: str = Field(max_length=40)
    asked_on: date = day_column()
    whereabouts: Whereabouts = state_column(Whereabouts, index=False)
    satisfaction: int | None = whole_column(nullable=True)
    recorded_at: datetime = utc_column()
    recorded_by: str = Field(max_length=64)


@dataclass(frozen=True, slots=True)
class Due:
    """A contract whose person is to be asked, since which day."""

    contract: str
    point: str
    due_on: date


def due_on(rule: FollowUp, contract: Contract) -> date | None:
    """The day from which this contract's person is asked; None where the contract gives none, or not yet."""
    if contract.lot not in rule.lots or contract.started_on is None:
        return None
    if rule.since == "start":
        return contract.started_on + timedelta(days=rule.days)
    has_ended = contract.state is ContractState.ENDED and contract.last_day is not None
    return contract.last_day + timedelta(days=rule.days) if has_ended and contract.last_day else None


def due(session: Session, *, scheme: Scheme, actor: Actor, on: date) -> list[Due]:
    """Who of the actor's authority is to be asked by that day, the longest due first. Who died is not asked again."""
    actor.needs("follow people up", *ASKING)
    query = select(Contract).where(
        Contract.scheme == scheme.key, Contract.authority == actor.authority, col(Contract.started_on).is_not(None)
    )
    contracts = session.exec(query.order_by(col(Contract.id))).all()
    known = _known(session, [contract.id or 0 for contract in contracts])
    found = []
    for contract in contracts:
        asked = known.get(contract.id or 0, {})
        if Whereabouts.DIED in asked.values() or contract.over_because == "person_died":
            continue
        for rule in scheme.follow_ups:
            day = due_on(rule, contract)
            if day is not None and day <= on and rule.key not in asked:
                found.append(Due(contract.ref, rule.key, day))
    return sorted(found, key=lambda one: (one.due_on, one.contract, one.point))


def follow_up(
    session: Session,
    ports: Ports,
    *,
    contract_ref: str,
    scheme: Scheme,
    point: str,
    whereabouts: Whereabouts,
    actor: Actor,
    satisfaction: int | None = None,
) -> FollowedUp:
    """Record how the person lives and, if they said so, how content they are (1 to 5). Once for each point."""
    actor.needs("follow a person up", *ASKING)
    contract = locked_one(session, Contract, find_contract(session, contract_ref, actor=actor).id)
    now = ports.clock.read(session)
    today = now.astimezone(LONDON).date()
    rule = next((one for one in scheme.follow_ups if one.key == point), None)
    if rule is None:
        raise BadInput(f"the scheme follows up at: {_keys(scheme.follow_ups) or 'no time'}", field="point")
    day = due_on(rule, contract)
    if day is None or today < day:
        raise RuleNotMet(reason=f"{rule.name} is not due yet." if day is None else f"{rule.name} is due on {day}.")
    if point in _known(session, [contract.id or 0]).get(contract.id or 0, {}):
        raise Conflict(contract=contract.ref)
    if satisfaction is not None and not 1 <= satisfaction <= 5:
        raise BadInput("content is 5, not at all is 1", field="satisfaction")
    row = FollowedUp(
        contract_id=contract.id or 0,
        point=point,
        asked_on=today,
        whereabouts=whereabouts,
        satisfaction=satisfaction,
        recorded_at=now,
        recorded_by=actor.ref,
    )
    session.add(row)
    session.flush()
    audit.append(session, contract.stream, "contract.followed_up", actor, now, {"ref": contract.ref, "point": point})
    return row


def found_of(session: Session, contract: Contract) -> list[FollowedUp]:
    """What was found of the contract's person, the first point first."""
    query = select(FollowedUp).where(FollowedUp.contract_id == contract.id)
    return list(session.exec(query.order_by(col(FollowedUp.asked_on), col(FollowedUp.id))))


def _known(session: Session, contract_ids: Iterable[int]) -> Mapping[int, dict[str, Whereabouts]]:
    """What was found of these contracts' people, by point."""
    query = select(FollowedUp).where(col(FollowedUp.contract_id).in_(list(contract_ids)))
    found: dict[int, dict[str, Whereabouts]] = {}
    for row in session.exec(query.order_by(col(FollowedUp.id))):
        found.setdefault(row.contract_id, {})[row.point] = row.whereabouts
    return found


def _keys(rules: Iterable[FollowUp]) -> str:
    return ", ".join(one.key for one in rules)
