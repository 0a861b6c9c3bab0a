"""Notices that were published, and warnings that were given: what stops a clock of the law, and what was said of it."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import ColumnElement, UniqueConstraint, func
from sqlalchemy.orm import Mapped
from sqlmodel import Field, Session, SQLModel, col, select

from dps.contracts.contracts import Contract
from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.columns import day_column, id_column, state_column, utc_column
from dps.kernel.errors import BadInput, NotFound
from dps.law.clocks import Clock
from dps.schemes.model import Scheme

RECORDERS = (Role.COMMISSIONER, Role.REGISTER_OFFICER, Role.ADMINISTRATOR)
_LONGEST_NUMBER = 80
_ABOUT_SCHEMES = (Clock.TIERS,)


class LegalNotice(SQLModel, table=True):
    """One notice as it was published: what about, when, and the number under which it can be found."""

    __tablename__ = "legal_notice"
    __table_args__ = (UniqueConstraint("scheme", "clock", "about", "published_on"),)

    id: int | None = id_column()
    scheme: str = Field(max_length=40, index=True)
    clock: Clock = state_column(Clock, index=False)
    about: str = Field(max_length=40)
    number: str = Field(max_length=_LONGEST_NUMBER)
    published_on: date = day_column()
    recorded_at: datetime = utc_column()
    recorded_by: str = Field(max_length=64)


class LegalWarning(SQLModel, table=True):
    """A warning that was sent, so that no sweep sends it again."""

    __tablename__ = "legal_warning"
    __table_args__ = (UniqueConstraint("clock", "about", "limit_on"),)

    id: int | None = id_column()
    clock: Clock = state_column(Clock, index=False)
    about: str = Field(max_length=40)
    limit_on: date = day_column()
    sent_at: datetime = utc_column()


def record_notice(
    session: Session,
    *,
    scheme: Scheme,
    clock: Clock,
    about: str,
    number: str,
    published_on: date,
    actor: Actor,
    now: datetime,
) -> LegalNotice:
    """Record that a contract's notice, or the scheme's lists, were published on a day that has come.

    The same notice recorded again is returned as it stands. A term, a reopening and an application have no notice.
    """
    actor.needs("record a notice", *RECORDERS)
    _refuse_other_scheme(scheme, actor)
    if published_on > now.astimezone(LONDON).date():
        raise BadInput("this day is still to come", field="published_on")
    if not number.strip() or len(number) > _LONGEST_NUMBER:
        raise BadInput("say under which number or address it can be found", field="number")
    if clock in _ABOUT_SCHEMES:
        about = scheme.key
    elif clock is Clock.NOTICE:
        _refuse_unknown(session, scheme, about, actor)
    else:
        raise BadInput(f"no notice stops the clock of the {clock}", field="clock")
    same = select(LegalNotice).where(
        LegalNotice.scheme == scheme.key,
        LegalNotice.clock == clock,
        LegalNotice.about == about,
        LegalNotice.published_on == published_on,
    )
    standing = session.exec(same).first()
    if standing is not None:
        return standing
    row = LegalNotice(
        scheme=scheme.key,
        clock=clock,
        about=about,
        number=number.strip(),
        published_on=published_on,
        recorded_at=now,
        recorded_by=actor.ref,
    )
    session.add(row)
    session.flush()
    facts = {"clock": clock, "about": about, "number": row.number, "published_on": published_on.isoformat()}
    audit.append(session, f"scheme:{scheme.key}", "law.notice_recorded", actor, now, facts)
    return row


def tiers_told_on(session: Session, scheme: str) -> date | None:
    """The last day on which the scheme's lists were published."""
    query = select(func.max(LegalNotice.published_on)).where(
        LegalNotice.scheme == scheme, LegalNotice.clock == Clock.TIERS
    )
    return session.exec(query).one()


def notices_of(session: Session, scheme: str) -> Sequence[LegalNotice]:
    """Everything that was recorded as published for a scheme, the latest first."""
    query = select(LegalNotice).where(LegalNotice.scheme == scheme)
    return session.exec(query.order_by(col(LegalNotice.published_on).desc(), col(LegalNotice.id).desc())).all()


def is_told(scheme: str, contract: Mapped[str]) -> ColumnElement[bool]:
    """Whether the notice of a contract of the scheme was published."""
    known = select(LegalNotice.id).where(
        LegalNotice.scheme == scheme, LegalNotice.clock == Clock.NOTICE, col(LegalNotice.about) == contract
    )
    return known.exists()


def _refuse_other_scheme(scheme: Scheme, actor: Actor) -> None:
    if actor.authority is not None and actor.authority not in {body.key for body in scheme.authorities}:
        raise NotFound(kind="scheme", ref=scheme.key)


def _refuse_unknown(session: Session, scheme: Scheme, ref: str, actor: Actor) -> None:
    contract = session.exec(select(Contract).where(Contract.ref == ref, Contract.scheme == scheme.key)).first()
    if contract is None:
        raise NotFound(kind="contract", ref=ref)
    actor.sees("contract", ref, authority=contract.authority)
