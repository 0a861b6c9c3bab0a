"""Invitations that did not arrive: the broker is told after a quarter of the window, while there is time (law 1).

What the broker is offered is an extension of the whole closing, for everybody alike; nobody's deadline is moved alone.
"""

from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from functools import partial

from sqlalchemy import and_, case, func
from sqlmodel import Session, col, select

from bidding.referrals import Referral
from bidding.rounds import UNREACHED, Round, RoundState
from dps.kernel import audit
from dps.kernel.actors import CLOCK
from dps.kernel.database import Database, locked_one
from dps.kernel.outbox import Delivery, OutboxMessage, post
from dps.kernel.ports import Ports
from web.sending.letters import Letter

AFTER = Fraction(1, 4)
MANY = Fraction(1, 3)
"""Design.md law 1 says "many"; a third is assumed."""


@dataclass(frozen=True, slots=True)
class Reach:
    """How many providers a round asked, and how many of them no message has reached yet."""

    asked: int
    unreached: int


def is_silence(reach: Reach, *, opens_at: datetime, closes_at: datetime, now: datetime) -> bool:
    """Whether the broker is to be told: a quarter has passed, the round is open, and many were not reached."""
    is_time = look_at(opens_at, closes_at) <= now < closes_at
    return is_time and reach.unreached > 0 and Fraction(reach.unreached, reach.asked) >= MANY


def look_at(opens_at: datetime, closes_at: datetime) -> datetime:
    """The instant from which a round of this window is looked at."""
    return opens_at + (closes_at - opens_at) * AFTER.numerator / AFTER.denominator


def reach_of(session: Session, *rounds: str) -> dict[str, Reach]:
    """For each round by reference: whom its invitations reached, by any channel. One statement."""
    has_left = col(OutboxMessage.delivery) == Delivery.SENT
    letters, sent = func.count(col(Letter.id)), func.count(case((col(Letter.delivery) == Delivery.SENT, 1)))
    # Grouped by message first: one letter of several is enough. Bound to these rounds before it is grouped.
    each = (
        select(
            col(OutboxMessage.about), case((and_(has_left, (letters == 0) | (sent > 0)), 0), else_=1).label("unreached")
        )
        .outerjoin(Letter, col(Letter.message_id) == col(OutboxMessage.id))
        .where(col(OutboxMessage.about).in_(rounds), OutboxMessage.kind == "invitation")
        .group_by(col(OutboxMessage.id))
        .subquery()
    )
    query = select(each.c.about, func.count(), func.sum(each.c.unreached)).group_by(each.c.about)
    return {about: Reach(int(asked), int(unreached)) for about, asked, unreached in session.exec(query).all()}


@dataclass
class SilenceWatch:
    """One worker's look at the rounds whose quarter has passed: each once, for what has arrived by then stays so."""

    database: Database
    ports: Ports
    _looked_at: set[int] = field(default_factory=set, init=False)

    def warn(self) -> int:
        """Tell each council, once a round, that many of its invitations did not arrive; returns how many were told."""
        with self.database.reading() as session:
            now = self.ports.clock.read(session)
            due = _due(session, now)
            fresh = {id_: window for id_, window in due.items() if id_ not in self._looked_at}
            reach = reach_of(session, *(window.ref for window in fresh.values())) if fresh else {}
        silent = [
            id_ for id_, window in fresh.items() if window.ref in reach and window.is_silent(reach[window.ref], now)
        ]
        told = sum(self.database.run(partial(_warn, ports=self.ports, round_id=id_)) for id_ in silent)
        self._looked_at = set(due)
        return told


@dataclass(frozen=True, slots=True)
class _Window:
    ref: str
    opens_at: datetime
    closes_at: datetime

    def is_silent(self, reach: Reach, now: datetime) -> bool:
        return is_silence(reach, opens_at=self.opens_at, closes_at=self.closes_at, now=now)


def _due(session: Session, now: datetime) -> dict[int, _Window]:
    """Open rounds whose quarter has passed. Plain columns: a round's published part is long, and not asked for."""
    query = select(Round.id, Round.ref, Round.opens_at, Round.closes_at).where(
        col(Round.state) == RoundState.PUBLISHED, col(Round.closes_at) > now
    )
    found = {
        id_: _Window(ref, opens_at, closes_at)
        for id_, ref, opens_at, closes_at in session.exec(query)
        if id_ and closes_at
    }
    return {id_: window for id_, window in found.items() if look_at(window.opens_at, window.closes_at) <= now}


def _warn(session: Session, *, ports: Ports, round_id: int) -> int:
    row = locked_one(session, Round, round_id)
    now = ports.clock.read(session)
    if row.state is not RoundState.PUBLISHED or row.closes_at is None or _is_told(session, row.ref):
        return 0
    reach = reach_of(session, row.ref)[row.ref]
    if not is_silence(reach, opens_at=row.opens_at, closes_at=row.closes_at, now=now):
        return 0
    authority, referral = session.exec(
        select(Referral.authority, Referral.ref).where(Referral.id == row.referral_id)
    ).one()
    counted = {"asked": reach.asked, "unreached": reach.unreached}
    audit.append(session, row.stream, f"round.{UNREACHED}", CLOCK, now, counted)
    post(
        session,
        ports.entropy,
        recipient=f"authority:{authority}",
        kind=UNREACHED,
        about=row.ref,
        now=now,
        facts={"referral": referral, **counted},
    )
    return 1


def _is_told(session: Session, round_ref: str) -> bool:
    told = select(OutboxMessage.id).where(OutboxMessage.about == round_ref, OutboxMessage.kind == UNREACHED)
    return session.exec(told).first() is not None
