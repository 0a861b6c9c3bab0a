"""Invitations that did not arrive: the broker is told after a quarter of the window, while there is time (law 1).

What the broker is offered is an extension of the whole closing, for everybody alike; nobody's deadline is moved alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import partial

from sqlalchemy import and_, case, func
from sqlmodel import Session, col, select

from bidding.referrals import Referral
from bidding.rounds import Round, RoundState
from dps.kernel.database import Database, locked_one
from dps.kernel.outbox import Delivery, OutboxMessage, post
from dps.kernel.ports import Ports
from web.sending.letters import Letter

KIND = "invitations_undelivered"
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
    is_time = opens_at + (closes_at - opens_at) * AFTER.numerator / AFTER.denominator <= now < closes_at
    return is_time and reach.unreached > 0 and Fraction(reach.unreached, reach.asked) >= MANY


def reach_of(session: Session, *rounds: str) -> dict[str, Reach]:
    """For each round by reference: whom its invitations reached, by any channel. One statement."""
    letters = (
        select(
            Letter.message_id,
            func.count().label("letters"),
            func.sum(case((col(Letter.delivery) == Delivery.SENT, 1), else_=0)).label("sent"),
        )
        .group_by(col(Letter.message_id))
        .subquery()
    )
    has_left = col(OutboxMessage.delivery) == Delivery.SENT
    is_reached = and_(has_left, letters.c.letters.is_(None) | (letters.c.sent > 0))
    query = (
        select(OutboxMessage.about, func.count(), func.sum(case((is_reached, 0), else_=1)))
        .outerjoin(letters, letters.c.message_id == col(OutboxMessage.id))
        .where(col(OutboxMessage.about).in_(rounds), OutboxMessage.kind == "invitation")
        .group_by(col(OutboxMessage.about))
    )
    return {about: Reach(int(asked), int(unreached)) for about, asked, unreached in session.exec(query).all()}


def warn_of_silence(database: Database, ports: Ports) -> int:
    """Tell each council, once a round, that many of its invitations did not arrive; returns how many were told."""
    with database.reading() as session:
        now = ports.clock.read(session)
        due = _silent(session, now)
    return sum(database.run(partial(_warn, ports=ports, round_id=id_)) for id_ in due)


def _silent(session: Session, now: datetime) -> Sequence[int]:
    told = select(OutboxMessage.about).where(OutboxMessage.kind == KIND)
    rows = session.exec(
        select(Round)
        .where(col(Round.state) == RoundState.PUBLISHED, col(Round.closes_at) > now, col(Round.ref).not_in(told))
        .order_by(col(Round.id))
    ).all()
    reach = reach_of(session, *(row.ref for row in rows))
    return [row.id for row in rows if row.id is not None and _is_due(row, reach.get(row.ref), now)]


def _is_due(row: Round, reach: Reach | None, now: datetime) -> bool:
    if reach is None or row.opens_at is None or row.closes_at is None:
        return False
    return is_silence(reach, opens_at=row.opens_at, closes_at=row.closes_at, now=now)


def _warn(session: Session, *, ports: Ports, round_id: int) -> int:
    row = locked_one(session, Round, round_id)
    now = ports.clock.read(session)
    is_told = session.exec(select(OutboxMessage.id).where(OutboxMessage.kind == KIND, OutboxMessage.about == row.ref))
    if is_told.first() is not None or not _is_due(row, reach_of(session, row.ref).get(row.ref), now):
        return 0
    authority = session.exec(select(Referral.authority).where(Referral.id == row.referral_id)).one()
    post(session, ports.entropy, recipient=f"authority:{authority}", kind=KIND, about=row.ref, now=now)
    return 1
