"""The take limit: how much new work a provider will take at most, across all its open bids and offers.

One per provider and scheme, in force until it is replaced; it may say less for a locality or a time of day. What
counts against it (open offers, awards) is the competition's to say; here stands only what the provider said.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Index, text
from sqlmodel import Field, Session, SQLModel, col, select

from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.columns import id_column, json_column, link_column, utc_column
from dps.kernel.errors import BadInput, NotAdmitted
from dps.kernel.ports import Ports
from dps.register.capacity import MOST_MINUTES
from dps.register.membership import held_by
from dps.register.providers import MINUTES_A_DAY, locked_provider, may_act_for
from dps.register.texts import known
from dps.schemes.model import Scheme

MOST_PARTS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitPart:
    """At most this many packages, carer-minutes a week, and starts in one week; None is not limited.

    It counts work in `locality` ('' is everywhere) whose visits touch `[from_minute, until_minute)` of the local day
    (both None: at any time; `until_minute` beyond 1440 is past midnight).
    """

    locality: str = ""
    from_minute: int | None = None
    until_minute: int | None = None
    packages: int | None = None
    minutes: int | None = None
    starts_a_week: int | None = None


class TakeLimit(SQLModel, table=True):
    """What a provider said; `replaced_at` None is in force."""

    __tablename__ = "take_limit"
    __table_args__ = (
        Index(
            "uq_take_limit_in_force",
            "provider_id",
            "scheme",
            unique=True,
            sqlite_where=text("replaced_at IS NULL"),
            postgresql_where=text("replaced_at IS NULL"),
        ),
    )

    id: int | None = id_column()
    provider_id: int = link_column("provider.id", index=False)
    scheme: str = Field(max_length=40)
    parts: Any = json_column()
    set_at: datetime = utc_column()
    set_by: str
    replaced_at: datetime | None = utc_column(nullable=True)

    def as_parts(self) -> tuple[LimitPart, ...]:
        return tuple(LimitPart(**part) for part in self.parts)


def set_take_limit(
    session: Session,
    ports: Ports,
    *,
    provider_id: int,
    scheme: Scheme,
    parts: Iterable[LimitPart],
    actor: Actor,
) -> TakeLimit:
    """Put this take limit in force in place of the one before; no part at all means: not limited.

    The provider may, and a broker on its word. `NotAdmitted` if it is no member of the scheme.
    """
    said = _checked(scheme, list(parts))
    provider = locked_provider(session, provider_id)
    may_act_for(actor, provider, "set a take limit", Role.BROKER)
    if not held_by(session, provider_id, scheme.key):
        raise NotAdmitted(provider=provider.ref, scheme=scheme.key)
    now = ports.clock.read(session)
    before = take_limit_of(session, provider_id, scheme.key)
    if before is not None:
        before.replaced_at = now
        # The index allows one in force: the old one must be out before the new one comes.
        session.flush()
    limit = TakeLimit(
        provider_id=provider_id,
        scheme=scheme.key,
        parts=[asdict(part) for part in said],
        set_at=now,
        set_by=actor.ref,
    )
    session.add(limit)
    session.flush()
    facts = {"scheme": scheme.key, "parts": limit.parts}
    audit.append(session, provider.stream, "take_limit.set", actor, now, facts)
    return limit


def take_limit_of(session: Session, provider_id: int, scheme_key: str) -> TakeLimit | None:
    """The limit in force, if the provider set one."""
    query = select(TakeLimit).where(
        TakeLimit.provider_id == provider_id, TakeLimit.scheme == scheme_key, col(TakeLimit.replaced_at).is_(None)
    )
    return session.exec(query.execution_options(populate_existing=True)).first()


def _checked(scheme: Scheme, parts: Sequence[LimitPart]) -> list[LimitPart]:
    if len(parts) > MOST_PARTS:
        raise BadInput(f"at most {MOST_PARTS} limits", field="parts")
    if len({(part.locality, part.from_minute, part.until_minute) for part in parts}) != len(parts):
        raise BadInput("the same place and time is limited twice", field="parts")
    for number, part in enumerate(parts):
        field = f"parts[{number}]"
        if part.locality:
            known([part.locality], (place.key for place in scheme.localities), "locality", f"{field}.locality")
        figures = (part.packages, part.minutes, part.starts_a_week)
        given = [figure for figure in figures if figure is not None]
        if not given:
            raise BadInput("say how many packages, minutes or starts", field=field)
        if any(type(figure) is not int or not 0 <= figure <= MOST_MINUTES for figure in given):
            raise BadInput("a limit is a whole number", field=field)
        _refuse_strange_hours(part, field)
    return list(parts)


def _refuse_strange_hours(part: LimitPart, field: str) -> None:
    start, end = part.from_minute, part.until_minute
    if start is None and end is None:
        return
    if start is None or end is None or not 0 <= start < MINUTES_A_DAY or not start < end <= start + MINUTES_A_DAY:
        raise BadInput("the hours begin and end within a day", field=f"{field}.from_minute")
