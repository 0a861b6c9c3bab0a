"""The council's report of outcomes: each indicator that the scheme names, counted over a period.

A share says how many of how many; spend is in pence; everything else is a number. No person and no provider is named.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlmodel import Session, col, func, or_, select

from dps.contracts.contracts import Contract, ContractState
from dps.contracts.quality.concerns import Concern, ConcernKind
from dps.contracts.quality.evidence import Evidence, evidence
from dps.contracts.quality.following_up import SATISFIED, FollowedUp, Whereabouts
from dps.contracts.reasons import Averted, EndReason, SuspensionReason
from dps.contracts.statements.records import Statement, StatementState
from dps.contracts.variations.records import IN_FORCE, RESCHEDULING, Variation, VariationKind, Weeks
from dps.kernel.actors import Actor, Role
from dps.schemes.model import Scheme
from dps.schemes.quality import SHARES, Indicator, IndicatorKey

READING = (Role.BROKER, Role.APPROVER, Role.COMMISSIONER, Role.AUDITOR)


@dataclass(frozen=True, slots=True)
class Reported:
    """One indicator: `number` of `of` for a share, `number` alone for what is counted (`of` None)."""

    key: IndicatorKey
    follow_up: str | None
    number: int
    of: int | None
    target_percent: int | None

    @property
    def percent(self) -> int | None:
        """A share, cut, so that a target is never reached by rounding; None where there is nothing to count."""
        return None if not self.of else self.number * 100 // self.of

    @property
    def is_reached(self) -> bool | None:
        """None without a target or without anything counted."""
        if self.target_percent is None or not self.of:
            return None
        return self.number * 100 >= self.target_percent * self.of


@dataclass(frozen=True, slots=True)
class _Asked:
    """What an indicator is counted from."""

    session: Session
    scheme: str
    authority: str | None
    first: date
    last: date
    evidence: Sequence[Evidence]

    @property
    def here(self) -> tuple[Any, ...]:
        """Contracts of this scheme and authority."""
        return Contract.scheme == self.scheme, Contract.authority == self.authority


def report(session: Session, *, scheme: Scheme, first: date, last: date, actor: Actor) -> list[Reported]:
    """The scheme's indicators for the actor's own authority, in the scheme's order."""
    actor.needs("read the indicators", *READING)
    counted = evidence(session, scheme, first=first, last=last, authority=actor.authority)
    asked = _Asked(session, scheme.key, actor.authority, first, last, list(counted.values()))
    return [_reported(asked, rule) for rule in scheme.indicators]


def _reported(asked: _Asked, rule: Indicator) -> Reported:
    number, of = _COUNTED[rule.key](asked, rule)
    return Reported(rule.key, rule.follow_up, number, of if rule.key in SHARES else None, rule.target_percent)


Counted = tuple[int, int]


def _summed(one: str, of: Callable[[Evidence], int]) -> Callable[[_Asked, Indicator], Counted]:
    return lambda asked, _: (sum(getattr(each, one) for each in asked.evidence), sum(map(of, asked.evidence)))


def _on_time(asked: _Asked, _: Indicator) -> Counted:
    done = sum(each.visits_done for each in asked.evidence)
    return done - sum(each.visits_late for each in asked.evidence), done


def _followed_up(asked: _Asked, rule: Indicator) -> list[FollowedUp]:
    query = (
        select(FollowedUp)
        .join(Contract, col(Contract.id) == col(FollowedUp.contract_id))
        .where(*asked.here, col(FollowedUp.asked_on).between(asked.first, asked.last))
        .order_by(col(FollowedUp.id))
    )
    return [row for row in asked.session.exec(query) if rule.follow_up in (None, row.point)]


def _independent(asked: _Asked, rule: Indicator) -> Counted:
    """Who could not be reached is not counted; who died is, as not at home."""
    reached = [row for row in _followed_up(asked, rule) if row.whereabouts is not Whereabouts.NOT_REACHED]
    return sum(row.whereabouts.is_home for row in reached), len(reached)


def _satisfied(asked: _Asked, rule: Indicator) -> Counted:
    said = [row.satisfaction for row in _followed_up(asked, rule) if row.satisfaction is not None]
    return sum(value >= SATISFIED for value in said), len(said)


def _served(asked: _Asked) -> Iterable[Contract]:
    query = select(Contract).where(
        *asked.here,
        col(Contract.started_on) <= asked.last,
        or_(col(Contract.last_day).is_(None), col(Contract.last_day) >= asked.first),
    )
    return asked.session.exec(query.order_by(col(Contract.id))).all()


def _less_need(asked: _Asked, _: Indicator) -> Counted:
    """Contracts whose week was shortened, or whose person became independent, of all that were served."""
    served = list(_served(asked))
    changed = set(
        asked.session.exec(
            select(Variation.contract_id).where(
                col(Variation.contract_id).in_([one.id for one in served]), col(Variation.kind).in_(RESCHEDULING)
            )
        )
    )
    less = 0
    for contract in served:
        if contract.over_because == EndReason.INDEPENDENT:
            less += 1
        elif contract.id in changed:
            less += Weeks(asked.session, contract).minutes_on(asked.last) < contract.weekly_minutes
    return less, len(served)


def _averted(what: Averted) -> Callable[[_Asked, Indicator], Counted]:
    return lambda asked, _: (_number(asked, Variation, Variation.averted == what.value, day=Variation.last_day), 0)


def _hospital(asked: _Asked, rule: Indicator) -> Counted:
    paused = _number(
        asked,
        Variation,
        Variation.kind == VariationKind.PAUSE,
        col(Variation.state).in_(IN_FORCE),
        Variation.reason == SuspensionReason.HOSPITAL.value,
        day=Variation.from_day,
    )
    return paused + sum(row.whereabouts is Whereabouts.HOSPITAL for row in _followed_up(asked, rule)), 0


def _care_home(asked: _Asked, _: Indicator) -> Counted:
    query = select(func.count()).where(
        *asked.here,
        Contract.state == ContractState.ENDED,
        Contract.over_because == EndReason.CARE_HOME.value,
        col(Contract.last_day).between(asked.first, asked.last),
    )
    return asked.session.exec(query).one(), 0


def _concerns(*rules: Any) -> Callable[[_Asked, Indicator], Counted]:
    return lambda asked, _: (_number(asked, Concern, *rules, day=Concern.received_on), 0)


def _number(asked: _Asked, table: Any, *rules: Any, day: Any) -> int:
    """How many rows of a contract's own table keep these rules on a day of the period."""
    query = (
        select(func.count())
        .select_from(table)
        .join(Contract, col(Contract.id) == table.contract_id)
        .where(*asked.here, *rules, col(day).between(asked.first, asked.last))
    )
    return asked.session.exec(query).one()


def _spend(asked: _Asked, _: Indicator) -> Counted:
    query = select(func.sum(Statement.pence)).where(
        Statement.scheme == asked.scheme,
        Statement.authority == asked.authority,
        Statement.state != StatementState.WITHDRAWN,
        col(Statement.last_day).between(asked.first, asked.last),
    )
    return int(asked.session.exec(query).one() or 0), 0


_COUNTED: dict[IndicatorKey, Callable[[_Asked, Indicator], Counted]] = {
    IndicatorKey.OUTCOMES_MET: _summed("outcomes_met", lambda one: one.outcomes_agreed),
    IndicatorKey.INDEPENDENT: _independent,
    IndicatorKey.SATISFIED: _satisfied,
    IndicatorKey.LESS_NEED: _less_need,
    IndicatorKey.VISITS_DELIVERED: _summed("visits_done", lambda one: one.visits_done + one.visits_missed),
    IndicatorKey.VISITS_ON_TIME: _on_time,
    IndicatorKey.HOSPITAL_AVERTED: _averted(Averted.HOSPITAL_ADMISSION),
    IndicatorKey.CARE_HOME_AVERTED: _averted(Averted.CARE_HOME_ADMISSION),
    IndicatorKey.HOSPITAL_ADMISSIONS: _hospital,
    IndicatorKey.CARE_HOME_ADMISSIONS: _care_home,
    IndicatorKey.SAFEGUARDING: _concerns(Concern.kind == ConcernKind.SAFEGUARDING),
    IndicatorKey.COMPLAINTS_UPHELD: _summed("complaints_upheld", lambda one: 0),
    IndicatorKey.HAND_BACKS: _summed("hand_backs", lambda one: 0),
    IndicatorKey.SPEND: _spend,
}
"""A row for each key: a new indicator has a count, or the rulebook's test of words fails first."""
