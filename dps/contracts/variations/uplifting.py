"""A lot's contracted prices rise from a date, for one authority's running contracts."""

from collections.abc import Sequence
from datetime import date

from sqlmodel import Session, col, func, select

from dps.contracts.contracts import IN_FORCE, Contract
from dps.contracts.payment.visits import uplifted
from dps.contracts.statements.records import Statement, StatementState
from dps.contracts.variations.allowed import refuse_if, uplift_rule
from dps.contracts.variations.limits import against_uplift
from dps.contracts.variations.records import IN_FORCE as AGREED
from dps.contracts.variations.records import RESCHEDULING, Uplift, Variation
from dps.kernel import audit, outbox
from dps.kernel.actors import Actor, Role
from dps.kernel.errors import BadInput
from dps.kernel.money import RateCard, round_half_up
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.packages.costing import weekly_cost_pence
from dps.packages.packages import Package
from dps.packages.schedule import Schedule
from dps.schemes.model import Scheme


def uplift(
    session: Session, ports: Ports, *, scheme: Scheme, lot: str, basis_points: int, from_day: date, actor: Actor
) -> Uplift:
    """Raise the prices of a lot's contracts agreed before now, from `from_day` on, within the scheme's limit."""
    check_uplift(session, scheme, lot=lot, basis_points=basis_points, from_day=from_day, actor=actor)
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
    reached_by_it = (
        select(Contract.provider)
        .where(
            Contract.authority == row.authority,
            Contract.scheme == row.scheme,
            Contract.lot == lot,
            col(Contract.state).in_(IN_FORCE),
        )
        .distinct()
        .order_by(Contract.provider)
    )
    for provider in session.exec(reached_by_it).all():
        recipient = f"provider:{provider}"
        outbox.post(session, ports.entropy, recipient=recipient, kind="prices_raised", about=row.ref, now=now)
    return row


def check_uplift(
    session: Session, scheme: Scheme, *, lot: str, basis_points: int, from_day: date, actor: Actor
) -> None:
    """Refuse an uplift that the scheme does not allow, or that is not this actor's to decide.

    Those of one day count together: two small ones are no way round the limit.
    """
    actor.needs("uplift prices", Role.COMMISSIONER)
    rule = uplift_rule(scheme)
    if lot not in {one.key for one in scheme.lots}:
        raise BadInput(f"{lot!r} is no lot: {', '.join(one.key for one in scheme.lots)}", field="lot")
    same_day = [
        one.basis_points
        for one in uplifts_of(session, scheme=scheme.key, actor=actor)
        if one.lot == lot and one.from_day == from_day
    ]
    refuse_if(against_uplift(rule, basis_points=basis_points, already=sum(same_day)))
    if actor.authority not in {body.key for body in scheme.authorities}:
        raise BadInput(f"{actor.authority} buys nothing under scheme {scheme.key}", field="authority")


def uplifts_of(session: Session, *, scheme: str, actor: Actor) -> Sequence[Uplift]:
    """What the actor's authority decided for a scheme, the last decided first."""
    actor.needs("read uplifts", Role.COMMISSIONER, Role.AUDITOR)
    query = select(Uplift).where(Uplift.authority == actor.authority, Uplift.scheme == scheme)
    return session.exec(query.order_by(col(Uplift.id).desc())).all()


def reached(session: Session, *, scheme: str, from_day: date, actor: Actor) -> dict[str, tuple[int, int]]:
    """By lot, how many of the authority's contracts are in force, and what their week comes to on `from_day`.

    Counted as `Prices` and `Weeks` count it, with every change of the week and every uplift that is decided by now; in
    three looks however many contracts there are.
    """
    actor.needs("read what an uplift reaches", Role.COMMISSIONER)
    theirs = (Contract.authority == actor.authority, Contract.scheme == scheme, col(Contract.state).in_(IN_FORCE))
    changes = (
        select(Variation.contract_id, Variation.weekly_pence, Variation.schedule)
        .join(Contract, col(Contract.id) == col(Variation.contract_id))
        .where(
            *theirs,
            col(Variation.kind).in_(RESCHEDULING),
            col(Variation.state).in_(AGREED),
            col(Variation.from_day) <= from_day,
        )
        .order_by(col(Variation.from_day), col(Variation.id))
    )
    changed = {id_: (pence, schedule) for id_, pence, schedule in session.exec(changes)}
    risen = select(Uplift).where(
        Uplift.authority == actor.authority, Uplift.scheme == scheme, col(Uplift.from_day) <= from_day
    )
    uplifts = session.exec(risen.order_by(col(Uplift.from_day), col(Uplift.id))).all()
    contracts = (
        select(Contract, Package.schedule)
        .join(Package, col(Package.id) == col(Contract.package_id))
        .where(*theirs)
        .order_by(col(Contract.lot), col(Contract.id))
    )
    found: dict[str, tuple[int, int]] = {}
    for row, first in session.exec(contracts):
        pence, schedule = changed.get(row.id or 0, (row.weekly_pence, first))
        rises = [one.basis_points for one in uplifts if one.lot == row.lot and one.decided_at > row.agreed_at]
        week = Schedule.from_dict(schedule) if rises and schedule else None
        count, together = found.get(row.lot, (0, 0))
        found[row.lot] = count + 1, together + risen_week(pence or 0, RateCard.from_dict(row.card), week, rises)
    return found


def stated_already(session: Session, *, scheme: str, lot: str, from_day: date, actor: Actor) -> int:
    """How many of the authority's statements pay for days from `from_day` on at the prices before: they stay so."""
    actor.needs("read what an uplift reaches", Role.COMMISSIONER)
    query = select(func.count()).where(
        Statement.authority == actor.authority,
        Statement.scheme == scheme,
        Statement.lot == lot,
        col(Statement.contract_id).is_not(None),
        col(Statement.state) != StatementState.WITHDRAWN,
        col(Statement.last_day) >= from_day,
    )
    return session.exec(query).one()


def risen_week(pence: int, card: RateCard, schedule: Schedule | None, rises: Sequence[int]) -> int:
    """What an agreed week costs after these rises, in hundredths of a percent, one after another.

    A week that was agreed as its visits at the card's prices is its visits at the risen prices, so that it is what a
    statement comes to; each risen price is a whole penny. Any other amount is raised itself, a half up. Pure.
    """
    if not rises:
        return pence
    if schedule is None or weekly_cost_pence(card, schedule) != pence:
        for basis_points in rises:
            pence = round_half_up(pence * (10_000 + basis_points), 10_000)
        return pence
    for basis_points in rises:
        card = uplifted(card, basis_points)
    return weekly_cost_pence(card, schedule)


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
        self.uplifts: Sequence[Uplift] = session.exec(query).all()

    def card_on(self, day: date) -> RateCard:
        """The card in force on a day."""
        card = self._card
        for basis_points in self._rises_by(day):
            card = uplifted(card, basis_points)
        return card

    def week_on(self, day: date, pence: int, schedule: Schedule | None) -> int:
        """What a week that was agreed at so much costs on a day."""
        return risen_week(pence, self._card, schedule, self._rises_by(day))

    def _rises_by(self, day: date) -> list[int]:
        return [one.basis_points for one in self.uplifts if one.from_day <= day]
