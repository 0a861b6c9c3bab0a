"""What a provider says of its registered locations: one more, or one that has closed. An officer records it or not.

Nothing counts before an officer has held it against the regulator's own register: a location decides whom the base rule
and the accepted ratings let in, and nobody states its own rating.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import Index, text
from sqlmodel import Field, Session, SQLModel, col, select

from dps.kernel import audit, outbox
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.columns import day_column, id_column, link_column, ref_column, state_column, utc_column
from dps.kernel.database import locked_one
from dps.kernel.errors import BadInput, NotFound
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.kernel.states import StateTable, advance
from dps.places.directory import Existence, entry, existence
from dps.places.postcodes import parse
from dps.register.concerned import concerned_schemes, of_these
from dps.register.interests import refuse_tied
from dps.register.officers import tell_officers
from dps.register.providers import Location, Provider, add_location, close_location, locked_provider
from dps.register.texts import one_line, reason
from dps.schemes.model import Rating

_OFFICER = (Role.REGISTER_OFFICER,)
_PROVIDER = (Role.PROVIDER,)


class LocationNoticeKind(StrEnum):
    """What is said of a location."""

    OPENED = "opened"
    CLOSED = "closed"


class LocationNoticeState(StrEnum):
    STATED = "stated"
    RECORDED = "recorded"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


_S = LocationNoticeState


class LocationNotice(SQLModel, table=True):
    """One statement. `on_day` is since when it is registered, or from when it is not; of a postcode the sector alone
    is kept. A provider has at most one of a location that waits.
    """

    __tablename__ = "location_notice"
    __table_args__ = (
        Index(
            "uq_location_notice_waits",
            "provider_id",
            "regulator_id",
            unique=True,
            sqlite_where=text("state = 'stated'"),
            postgresql_where=text("state = 'stated'"),
        ),
        Index("ix_location_notice_state", "state", "provider_id"),
    )
    STEPS: ClassVar[StateTable] = StateTable(
        "location-notice",
        _S.STATED,
        (_S.STATED, "record", _S.RECORDED, _OFFICER),
        (_S.STATED, "refuse", _S.REFUSED, _OFFICER),
        (_S.STATED, "withdraw", _S.WITHDRAWN, _PROVIDER),
    )

    id: int | None = id_column()
    ref: str = ref_column()
    kind: LocationNoticeKind = state_column(LocationNoticeKind, index=False)
    state: LocationNoticeState = state_column(LocationNoticeState, index=False)
    provider_id: int = link_column("provider.id", index=False)
    provider: str = Field(max_length=24)
    regulator_id: str = Field(max_length=24)
    name: str = Field(max_length=200)
    sector: str | None = Field(default=None, max_length=6)
    lad: str | None = Field(default=None, max_length=9)
    on_day: date = day_column()
    stated_at: datetime = utc_column()
    stated_by: str = Field(max_length=64)
    decided_at: datetime | None = utc_column(nullable=True)
    decided_by: str | None = Field(default=None, max_length=64)
    reason: str | None = Field(default=None)

    @property
    def stream(self) -> str:
        return self.provider


# Commands


def state_location(
    session: Session, ports: Ports, *, regulator_id: str, name: str, postcode: str, registered_on: date, actor: Actor
) -> LocationNotice:
    """A provider says that it has one more registered location; its sector and district follow from the postcode."""
    provider = _own(session, actor, "state a location")
    number = one_line(regulator_id, "regulator_id", 24)
    if session.exec(select(Location.id).where(Location.regulator_id == number)).first() is not None:
        raise BadInput("this location is on the register already", field="regulator_id")
    where = parse(postcode)
    if existence(session, where) in (Existence.UNKNOWN, Existence.WAS_TERMINATED):
        raise BadInput("there is no such postcode today: look it up", field="postcode")
    now = ports.clock.read(session)
    if registered_on > now.astimezone(LONDON).date():
        raise BadInput("the regulator has registered it already, or it waits until then", field="registered_on")
    known = entry(session, where)
    return _stated(
        session,
        ports,
        LocationNotice(
            ref=new_reference(Kind.LOCATION_NOTICE, ports.entropy),
            kind=LocationNoticeKind.OPENED,
            state=_S.STATED,
            provider_id=provider.id or 0,
            provider=provider.ref,
            regulator_id=number,
            name=one_line(name, "name"),
            sector=where.sector,
            lad=known.lad_code if known else None,
            on_day=registered_on,
            stated_at=now,
            stated_by=actor.ref,
        ),
        actor,
        now,
    )


def state_closing(
    session: Session, ports: Ports, *, regulator_id: str, closed_on: date, actor: Actor
) -> LocationNotice:
    """A provider says that one of its locations is, or will be, registered no longer from the day `closed_on`."""
    provider = _own(session, actor, "state that a location has closed")
    query = select(Location).where(Location.regulator_id == regulator_id, Location.provider_id == provider.id)
    location = session.exec(query).first()
    if location is None:
        raise NotFound(kind="location", ref=regulator_id)
    if location.closed_on is not None:
        raise BadInput("this location is closed already", field="closed_on")
    if closed_on < location.registered_on:
        raise BadInput("a location can't close before it was registered", field="closed_on")
    now = ports.clock.read(session)
    return _stated(
        session,
        ports,
        LocationNotice(
            ref=new_reference(Kind.LOCATION_NOTICE, ports.entropy),
            kind=LocationNoticeKind.CLOSED,
            state=_S.STATED,
            provider_id=provider.id or 0,
            provider=provider.ref,
            regulator_id=location.regulator_id,
            name=location.name,
            sector=location.sector,
            lad=location.lad,
            on_day=closed_on,
            stated_at=now,
            stated_by=actor.ref,
        ),
        actor,
        now,
    )


def withdraw_stated(session: Session, ports: Ports, *, notice_ref: str, actor: Actor) -> None:
    """The provider takes it back before it is decided."""
    found = own_notice(session, notice_ref, actor=actor)
    locked_provider(session, found.provider_id)
    notice = locked_one(session, LocationNotice, found.id)
    advance(session, notice, "withdraw", actor, ports.clock.read(session))


def record_stated(
    session: Session, ports: Ports, *, notice_ref: str, actor: Actor, rating: Rating | None = None
) -> None:
    """An officer has found it in the regulator's register: it counts from now on.

    A location that is opened needs the `rating` that stands there; RegisteredAlready where another holds its number.
    """
    notice = _to_decide(session, notice_ref, actor, "record a location")
    notice.STEPS.step(notice.state, "record", notice.ref)
    now = ports.clock.read(session)
    if notice.kind is LocationNoticeKind.OPENED:
        if rating is None:
            raise BadInput("choose the rating that the regulator shows", field="rating")
        assert notice.sector is not None
        add_location(
            session,
            ports,
            provider_id=notice.provider_id,
            regulator_id=notice.regulator_id,
            name=notice.name,
            place=notice.sector,
            lad=notice.lad,
            rating=rating,
            registered_on=notice.on_day,
            actor=actor,
        )
    else:
        close_location(session, ports, regulator_id=notice.regulator_id, on=notice.on_day, actor=actor)
    advance(session, notice, "record", actor, now, decided_at=now, decided_by=actor.ref)
    _tell(session, ports, notice, "location_recorded", now)


def refuse_stated(session: Session, ports: Ports, *, notice_ref: str, because: str, actor: Actor) -> None:
    """An officer does not find it so; the provider reads why."""
    words = reason(because)
    notice = _to_decide(session, notice_ref, actor, "refuse a location")
    now = ports.clock.read(session)
    advance(session, notice, "refuse", actor, now, decided_at=now, decided_by=actor.ref, reason=words)
    _tell(session, ports, notice, "location_refused", now)


# Queries


def own_locations(session: Session, *, actor: Actor) -> Sequence[Location]:
    """The locations of the actor's provider: open ones first, then by number."""
    actor.needs("see its locations", *_PROVIDER)
    return locations_of(session, actor.provider or "")


def locations_of(session: Session, provider: str) -> Sequence[Location]:
    """The same of any provider, for whoever may see it."""
    query = select(Location).join(Provider, col(Provider.id) == col(Location.provider_id))
    closed = col(Location.closed_on).is_not(None)
    return session.exec(query.where(Provider.ref == provider).order_by(closed, col(Location.regulator_id))).all()


def own_notices(session: Session, *, actor: Actor) -> Sequence[LocationNotice]:
    """What the actor's provider has stated: what waits first, then the latest."""
    actor.needs("see what it stated", *_PROVIDER)
    query = select(LocationNotice).where(LocationNotice.provider == actor.provider)
    waits_not = col(LocationNotice.state) != _S.STATED
    return session.exec(query.order_by(waits_not, col(LocationNotice.id).desc()).limit(50)).all()


def own_notice(session: Session, ref: str, *, actor: Actor) -> LocationNotice:
    """One of these; NotFound for another provider's."""
    found = session.exec(select(LocationNotice).where(LocationNotice.ref == ref)).first()
    if found is None or actor.role is not Role.PROVIDER or found.provider != actor.provider:
        raise NotFound(kind="notice of a location", ref=ref)
    return found


@dataclass(frozen=True, slots=True)
class WaitingNotice:
    """A notice and the name of its provider."""

    notice: LocationNotice
    provider_name: str


def notices_to_decide(
    session: Session, schemes: Collection[str], *, actor: Actor, ref: str | None = None
) -> list[WaitingNotice]:
    """What providers of these schemes, or applicants to them, have stated and nobody has decided; the oldest first.

    With `ref` that one alone, decided or not.
    """
    actor.needs("look at notices of locations", *_OFFICER)
    query = (
        select(LocationNotice, Provider.name)
        .join(Provider, col(Provider.id) == col(LocationNotice.provider_id))
        .where(of_these(col(LocationNotice.provider_id), schemes))
        .order_by(col(LocationNotice.id))
    )
    if ref is None:
        query = query.where(col(LocationNotice.state) == _S.STATED)
    else:
        query = query.where(LocationNotice.ref == ref)
    return [WaitingNotice(notice, name) for notice, name in session.exec(query)]


def _own(session: Session, actor: Actor, step: str) -> Provider:
    actor.needs(step, *_PROVIDER)
    provider = session.exec(select(Provider).where(Provider.ref == actor.provider)).first()
    if provider is None or provider.id is None:
        raise NotFound(kind="provider", ref=actor.provider or "")
    return locked_provider(session, provider.id)


def _to_decide(session: Session, ref: str, actor: Actor, step: str) -> LocationNotice:
    """The notice, its provider locked first: whatever changes what a provider may take holds that row."""
    actor.needs(step, *_OFFICER)
    found = session.exec(select(LocationNotice).where(LocationNotice.ref == ref)).first()
    if found is None:
        raise NotFound(kind="notice of a location", ref=ref)
    refuse_tied(session, actor, found.provider, step)
    locked_provider(session, found.provider_id)
    return locked_one(session, LocationNotice, found.id)


def _stated(session: Session, ports: Ports, notice: LocationNotice, actor: Actor, now: datetime) -> LocationNotice:
    # Under the provider's lock; the index says the same of whoever comes without it.
    waits = select(LocationNotice.id).where(
        LocationNotice.provider_id == notice.provider_id,
        LocationNotice.regulator_id == notice.regulator_id,
        LocationNotice.state == _S.STATED,
    )
    if session.exec(waits).first() is not None:
        raise BadInput("what you reported of this location waits: take that back first", field="regulator_id")
    session.add(notice)
    session.flush()
    facts = {
        "ref": notice.ref,
        "kind": notice.kind,
        "location": notice.regulator_id,
        "on_day": notice.on_day.isoformat(),
    }
    audit.append(session, notice.stream, "location-notice.state", actor, now, facts)
    schemes = concerned_schemes(session, notice.provider_id)
    tell_officers(session, ports, schemes, kind="location_to_check", about=notice.ref, now=now)
    return notice


def _tell(session: Session, ports: Ports, notice: LocationNotice, kind: str, now: datetime) -> None:
    recipient = f"provider:{notice.provider}"
    outbox.post(session, ports.entropy, recipient=recipient, kind=kind, about=notice.ref, now=now)
