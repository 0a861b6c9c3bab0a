"""A lot's contracted prices rise from a date, for one authority's running contracts."""

from collections.abc import Callable, Sequence
from datetime import date
from typing import TypeVar

from sqlmodel import Session, col, func, select

from dps.contracts.contracts import IN_FORCE, Contract
from dps.contracts.payment.visits import uplifted
from dps.contracts.variations.allowed import refuse_if, uplift_rule
from dps.contracts.variations.limits import against_uplift
from dps.contracts.variations.records import Uplift
from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.errors import BadInput
from dps.kernel.money import RateCard, round_half_up
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.schemes.model import Scheme

Priced = TypeVar("Priced")


def uplift(
    session: Session, ports: Ports, *, scheme: Scheme, lot: str, basis_points: int, from_day: date, actor: Actor
) -> Uplift:
    """Raise the prices of a lot's contracts agreed before now, from `from_day` on, within the scheme's limit."""
    check_uplift(scheme, lot=lot, basis_points=basis_points, actor=actor)
    assert actor.authority is not None  # one of the scheme's, by the check
    now = ports.clock.read(session)
    row = Uplift(
        ref=new_reference(Kind.VARIATION, ports.entropy),
        authority=actor.authority,
        scheme=scheme.key,
        lot=lot,
        from_day=from_day,
        basis_points=basis_points,
        decided_at=now,
        decided_by=actor.ref,
    )
    session.add(row)
    session.flush()
    facts = {"ref": row.ref, "lot": lot, "from_day": from_day.isoformat(), "basis_points": basis_points}
    audit.append(session, row.stream, "variation.uplift", actor, now, facts)
    return row


def check_uplift(scheme: Scheme, *, lot: str, basis_points: int, actor: Actor) -> None:
    """Refuse an uplift that the scheme does not allow, or that is not this actor's to decide."""
    actor.needs("uplift prices", Role.COMMISSIONER)
    rule = uplift_rule(scheme)
    if lot not in {one.key for one in scheme.lots}:
        raise BadInput(f"{lot!r} is no lot: {', '.join(one.key for one in scheme.lots)}", field="lot")
    refuse_if(against_uplift(rule, basis_points=basis_points))
    if actor.authority not in {body.key for body in scheme.authorities}:
        raise BadInput(f"{actor.authority} buys nothing under scheme {scheme.key}", field="authority")


def uplifts_of(session: Session, *, scheme: str, actor: Actor) -> Sequence[Uplift]:
    """What the actor's authority decided for a scheme, the last decided first."""
    actor.needs("read uplifts", Role.COMMISSIONER, Role.AUDITOR)
    query = select(Uplift).where(Uplift.authority == actor.authority, Uplift.scheme == scheme)
    return session.exec(query.order_by(col(Uplift.id).desc())).all()


def reached(session: Session, *, scheme: str, actor: Actor) -> dict[str, tuple[int, int]]:
    """By lot, how many of the authority's contracts are in force, and what they were agreed for a week at first."""
    actor.needs("read what an uplift reaches", Role.COMMISSIONER)
    query = (
        select(Contract.lot, func.count(), func.sum(col(Contract.weekly_pence)))
        .where(Contract.authority == actor.authority, Contract.scheme == scheme, col(Contract.state).in_(IN_FORCE))
        .group_by(col(Contract.lot))
        .order_by(col(Contract.lot))
    )
    return {lot: (count, int(pence)) for lot, count, pence in session.exec(query)}


class Prices:
    """A contract's prices day by day, uplifts taken in the order of their days."""

    def __init__(self, session: Session, contract: Contract) -> None:
        self._card = RateCard.from_dict(contract.card)
        query = (
            select(Uplift)
            .where(
                Uplift.authority == contract.authority,
                Uplift.scheme == contract.scheme,
                Uplift.lot == contract.lot,
                col(Uplift.decided_at) > contract.agreed_at,
            )
            .order_by(col(Uplift.from_day), col(Uplift.id))
        )
        self._uplifts = [(row.from_day, row.basis_points) for row in session.exec(query)]

    def card_on(self, day: date) -> RateCard:
        """The card in force on a day."""
        return self._raised(day, self._card, uplifted)

    def pence_on(self, day: date, pence: int) -> int:
        """An amount of the first agreement as it is on a day."""
        return self._raised(day, pence, lambda amount, points: round_half_up(amount * (10_000 + points), 10_000))

    def _raised(self, day: date, value: Priced, raise_by: Callable[[Priced, int], Priced]) -> Priced:
        for from_day, basis_points in self._uplifts:
            if from_day <= day:
                value = raise_by(value, basis_points)
        return value
