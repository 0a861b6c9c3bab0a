"""How long a person is kept: the retention schedule, and who is due to be erased by it.

A person is kept for the scheme's months after the last day of care, or, where none was given, after the last thing
that happened to a referral of theirs; whoever is served or sought is kept, and of several schemes the longest holds.
The schedule only says who is due: erasing is a command of its own (`erasing`), one person a transaction.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import groupby

from sqlmodel import Session, col, select

from bidding.referrals import OPEN, Referral, ReferralState
from dps.contracts.contracts import IN_FORCE, Contract, ContractState
from dps.kernel.actors import Actor
from dps.kernel.calendar import LONDON, months_later
from dps.packages.erasure import ERASING
from dps.packages.packages import Package
from dps.packages.persons import Person
from dps.schemes.model import Retention


@dataclass(frozen=True, slots=True)
class Held:
    """One package of a person, with its referral and one of its contracts, as far as there are any."""

    scheme: str
    touched_at: datetime
    referral: ReferralState | None = None
    contract: ContractState | None = None
    last_day: date | None = None


@dataclass(frozen=True, slots=True)
class Due:
    """A person whose time is over: `since` is the first day on which they may no longer be kept."""

    person: str
    authority: str
    was_served: bool
    since: date


def kept_until(registered_at: datetime, held: Sequence[Held], rules: Mapping[str, Retention]) -> date | None:
    """The first day on which a person is due; None while they are served or sought.

    A person without a package is kept as somebody who was never served, by the shortest rule there is.
    """
    if any(one.contract in IN_FORCE or one.referral in OPEN for one in held):
        return None
    ends = [_end(one, rules[one.scheme]) for one in held]
    if not ends:
        months = min((rule.unserved_months for rule in rules.values()), default=Retention().unserved_months)
        ends = [months_later(registered_at.astimezone(LONDON).date(), months)]
    return max(ends)


def _end(held: Held, rule: Retention) -> date:
    if held.last_day is not None:
        return months_later(held.last_day, rule.served_months)
    return months_later(held.touched_at.astimezone(LONDON).date(), rule.unserved_months)


def due_for_erasure(session: Session, *, rules: Mapping[str, Retention], actor: Actor, now: datetime) -> list[Due]:
    """Everybody whose time is over, the longest overdue first; an authority's approver sees its own people.

    `rules` by scheme: those that stand today decide, whatever stood when somebody was referred.
    """
    actor.needs("read the retention schedule", *ERASING)
    today = now.astimezone(LONDON).date()
    found = []
    for person, held in _people(session, actor):
        until = kept_until(person.registered_at, held, rules)
        if until is not None and until <= today:
            was_served = any(one.last_day is not None for one in held)
            found.append(Due(person.ref, person.authority, was_served, until))
    return sorted(found, key=lambda due: (due.since, due.person))


def _people(session: Session, actor: Actor) -> Iterable[tuple[Person, list[Held]]]:
    """Each person who is not erased, with everything that keeps them, in one SELECT."""
    query = (
        select(Person, Package, Referral, Contract.state, Contract.last_day, Contract.agreed_at)  # type: ignore[call-overload]
        .outerjoin(Package, col(Package.person_id) == col(Person.id))
        .outerjoin(Referral, col(Referral.package_id) == col(Package.id))
        .outerjoin(Contract, col(Contract.package_id) == col(Package.id))
        .where(col(Person.erased_at).is_(None))
        .order_by(col(Person.id), col(Package.id), col(Contract.id))
    )
    if actor.authority is not None:
        query = query.where(Person.authority == actor.authority)
    rows = session.exec(query.execution_options(yield_per=2000))
    for _, of_one in groupby(rows, key=lambda row: row[0].id):
        listed = list(of_one)
        yield listed[0][0], [_held(*row[1:]) for row in listed if row[1] is not None]


def _held(
    package: Package,
    referral: Referral | None,
    contract: ContractState | None,
    last_day: date | None,
    agreed_at: datetime | None,
) -> Held:
    moments = [package.created_at, package.changed_at, agreed_at]
    if referral is not None:
        moments += [referral.published_at, referral.seeking_since, referral.unfilled_at, referral.placed_at]
    return Held(
        scheme=package.scheme,
        touched_at=max(moment for moment in moments if moment is not None),
        referral=referral.state if referral else None,
        contract=contract,
        last_day=last_day,
    )
