"""Providers and their registered locations: standing facts, shared by all authorities of an installation.

The provider's row is this room's one lock: whatever changes what a provider may take (a membership, a suspension, its
hours) holds it, and so does an award while it looks again. Rooms that lock several providers do so in order of id.
"""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy import CheckConstraint
from sqlmodel import Field, Session, SQLModel, col, select

from dps.kernel import audit
from dps.kernel.actors import Actor, Role
from dps.kernel.columns import (
    day_column,
    id_column,
    json_column,
    link_column,
    ref_column,
    state_column,
    utc_column,
    whole_column,
)
from dps.kernel.database import locked
from dps.kernel.errors import BadInput, Forbidden, NotFound, RegisteredAlready
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.places.postcodes import parse_district, parse_sector
from dps.register.company_numbers import parse_company_number
from dps.register.texts import keys, one_line
from dps.schemes.model import Rating

MINUTES_A_DAY = 1440
OFFICER = (Role.REGISTER_OFFICER,)


class Provider(SQLModel, table=True):
    """Who supplies. `service_from_minute`, `service_until_minute` are minutes of the local day; none is all day."""

    __tablename__ = "provider"
    __table_args__ = (
        CheckConstraint("most_carers IN (1, 2)", name="most_carers"),
        CheckConstraint(
            "(service_from_minute IS NULL AND service_until_minute IS NULL)"
            " OR (service_from_minute BETWEEN 0 AND 1439 AND service_until_minute > service_from_minute"
            " AND service_until_minute <= service_from_minute + 1440)",
            name="service_hours",
        ),
    )

    id: int | None = id_column()
    ref: str = ref_column()
    name: str = Field(max_length=200)
    company_number: str | None = Field(default=None, max_length=8, unique=True)
    phone: str | None = Field(default=None, max_length=24)
    registered_at: datetime = utc_column()
    skills: Any = json_column()
    accepted_flags: Any = json_column()
    service_from_minute: int | None = whole_column(nullable=True)
    service_until_minute: int | None = whole_column(nullable=True)
    most_carers: int = whole_column(default=2)
    full_since: datetime | None = utc_column(nullable=True)

    @property
    def stream(self) -> str:
        return self.ref


class Location(SQLModel, table=True):
    """A location registered with the regulator, by the regulator's own id; placed no closer than its sector."""

    __tablename__ = "location"

    id: int | None = id_column()
    provider_id: int = link_column("provider.id")
    regulator_id: str = Field(unique=True, max_length=24)
    name: str = Field(max_length=200)
    district: str = Field(max_length=4)
    sector: str | None = Field(default=None, max_length=6)
    lad: str | None = Field(default=None, max_length=9)
    rating: Rating = state_column(Rating, index=False)
    registered_on: date = day_column()
    closed_on: date | None = day_column(nullable=True)


def is_known_by_name(session: Session, name: str) -> bool:
    """Whether a provider of this name, however it is spaced and written large or small, is on the register."""
    wanted = " ".join(name.split()).casefold()
    return any(" ".join(known.split()).casefold() == wanted for known in session.exec(select(Provider.name)))


def unused_company_number(session: Session, text: str) -> str:
    """The number as it is written on the register; RegisteredAlready for a company that is there."""
    number = parse_company_number(text)
    _refuse_known("Company", number, select(Provider).where(Provider.company_number == number), session)
    return number


def register_provider(
    session: Session,
    ports: Ports,
    *,
    name: str,
    company_number: str | None,
    actor: Actor,
    skills: Iterable[str] = (),
    accepted_flags: Iterable[str] = (),
    service_minutes: tuple[int, int] | None = None,
    most_carers: int = 2,
) -> Provider:
    """Put a provider on the register. A sole trader or partnership has no company number.

    An officer may, and a provider that is joining (an account that belongs to no provider yet).
    """
    actor.needs("register a provider", *OFFICER, Role.PROVIDER)
    if actor.role is Role.PROVIDER and actor.provider is not None:
        raise Forbidden(actor=actor.ref, step="register another provider")
    number = None if company_number is None else unused_company_number(session, company_number)
    now = ports.clock.read(session)
    provider = Provider(
        ref=new_reference(Kind.PROVIDER, ports.entropy),
        name=one_line(name, "name"),
        company_number=number,
        registered_at=now,
        **_service(skills, accepted_flags, service_minutes, most_carers),
    )
    session.add(provider)
    session.flush()
    audit.append(session, provider.stream, "provider.register", actor, now, {"ref": provider.ref})
    return provider


def change_service(
    session: Session,
    ports: Ports,
    *,
    provider_id: int,
    actor: Actor,
    skills: Iterable[str],
    accepted_flags: Iterable[str],
    service_minutes: tuple[int, int] | None,
    most_carers: int = 2,
) -> Provider:
    """Say anew what this provider can do and when; the provider itself may, and an officer."""
    provider = locked_provider(session, provider_id)
    may_act_for(actor, provider, "change a provider's service")
    service = _service(skills, accepted_flags, service_minutes, most_carers)
    for column, value in service.items():
        setattr(provider, column, value)
    session.flush()
    audit.append(session, provider.stream, "provider.change_service", actor, ports.clock.read(session), service)
    return provider


def add_location(
    session: Session,
    ports: Ports,
    *,
    provider_id: int,
    regulator_id: str,
    name: str,
    place: str,
    lad: str | None,
    rating: Rating,
    registered_on: date,
    actor: Actor,
) -> Location:
    """Record a registered location. `place` is a postcode sector (`L6 1`) or district (`L6`), never a full postcode."""
    actor.needs("record a location", *OFFICER)
    provider = locked_provider(session, provider_id)
    number = one_line(regulator_id, "regulator_id", 24)
    known = select(Provider).join(Location).where(Location.regulator_id == number)
    _refuse_known("Location", number, known, session)
    district, sector = district_and_sector(place)
    location = Location(
        provider_id=provider_id,
        regulator_id=number,
        name=one_line(name, "location_name"),
        district=district,
        sector=sector,
        lad=None if lad is None else lad_code(lad),
        rating=rating,
        registered_on=registered_on,
    )
    session.add(location)
    session.flush()
    now = ports.clock.read(session)
    facts = {"location": number, "rating": rating.value, "lad": location.lad}
    audit.append(session, provider.stream, "provider.add_location", actor, now, facts)
    return location


def rate(session: Session, ports: Ports, *, regulator_id: str, rating: Rating, actor: Actor) -> Location:
    """Record what the regulator has decided about a location."""
    actor.needs("rate a location", *OFFICER)
    location, provider = _locked_location(session, regulator_id)
    facts = {"location": regulator_id, "from": location.rating.value, "to": rating.value}
    location.rating = rating
    session.flush()
    audit.append(session, provider.stream, "provider.rate", actor, ports.clock.read(session), facts)
    return location


def close_location(session: Session, ports: Ports, *, regulator_id: str, on: date, actor: Actor) -> Location:
    """Record that a location is registered no longer from the day `on`."""
    actor.needs("close a location", *OFFICER)
    location, provider = _locked_location(session, regulator_id)
    if on < location.registered_on:
        raise BadInput("a location can't close before it was registered", field="on")
    location.closed_on = on
    session.flush()
    facts = {"location": regulator_id, "on": on.isoformat()}
    audit.append(session, provider.stream, "provider.close_location", actor, ports.clock.read(session), facts)
    return location


# Queries and checks


def provider_of(session: Session, ref: str, actor: Actor) -> Provider:
    """The provider with this reference, if `actor` may know of it."""
    actor.sees("provider", ref, provider=ref)
    provider = session.exec(select(Provider).where(Provider.ref == ref)).first()
    if provider is None:
        raise NotFound(kind="provider", ref=ref)
    return provider


def ids_of(session: Session, refs: Iterable[str]) -> list[int]:
    """The rows' ids of these references, in order; of those that nobody has there is none."""
    return list(session.execute(_IDS_OF, {"refs": list(refs)}).scalars())


# Built once: every bid and award asks it.
_IDS_OF = (
    sa.select(col(Provider.id))
    .where(col(Provider.ref).in_(sa.bindparam("refs", expanding=True)))
    .order_by(col(Provider.id))
)


def locked_providers(session: Session, ids: Iterable[int]) -> Sequence[Provider]:
    """These providers in order of id, locked until the transaction ends, as they are after the wait.

    The lock leaves foreign keys alone (`FOR NO KEY UPDATE`), so that a bid or an invitation never waits for it.
    """
    return locked(session, Provider, *sorted(set(ids)))


def locked_provider(session: Session, provider_id: int) -> Provider:
    """One provider, locked; `NotFound` if there is none."""
    found = locked_providers(session, [provider_id])
    if not found:
        raise NotFound(kind="provider", ref=str(provider_id))
    return found[0]


def may_act_for(actor: Actor, provider: Provider, step: str, *roles: Role) -> None:
    """Refuse unless `actor` is this provider, an officer of the register, or plays one of `roles`."""
    actor.needs(step, Role.PROVIDER, *OFFICER, *roles)
    actor.sees("provider", provider.ref, provider=provider.ref)


def district_and_sector(place: str) -> tuple[str, str | None]:
    """`("L6", "L6 1")` for a sector, `("L6", None)` for a district; refuses anything else."""
    if " " in place.strip():
        sector = parse_sector(place)
        return sector.split(" ")[0], sector
    return parse_district(place), None


def lad_code(text: str) -> str:
    """A local authority district's nine-character code; refuses anything else."""
    code = text.strip().upper()
    if len(code) != 9 or code[0] not in "ENSW" or not code[1:].isdigit() or not code.isascii():
        raise BadInput(f"{text[:40]!r} is no district code, such as E08000012", field="lad")
    return code


def _service(
    skills: Iterable[str], accepted_flags: Iterable[str], service_minutes: tuple[int, int] | None, most_carers: int
) -> dict[str, Any]:
    start, end = service_minutes or (None, None)
    if start is not None and end is not None and not 0 <= start < MINUTES_A_DAY:
        raise BadInput("service begins between minute 0 and 1439 of the day", field="service_minutes")
    if start is not None and end is not None and not start < end <= start + MINUTES_A_DAY:
        raise BadInput("service ends after it begins, within a day", field="service_minutes")
    if most_carers not in (1, 2):
        raise BadInput("one carer or two come to a visit", field="most_carers")
    return {
        "skills": keys(skills, "skills"),
        "accepted_flags": keys(accepted_flags, "accepted_flags"),
        "service_from_minute": start,
        "service_until_minute": end,
        "most_carers": most_carers,
    }


def _locked_location(session: Session, regulator_id: str) -> tuple[Location, Provider]:
    location = session.exec(select(Location).where(Location.regulator_id == regulator_id)).first()
    if location is None:
        raise NotFound(kind="location", ref=regulator_id)
    provider = locked_provider(session, location.provider_id)
    session.refresh(location)
    return location, provider


def _refuse_known(what: str, number: str, query: Any, session: Session) -> None:
    known = session.exec(query).first()
    if known is not None:
        raise RegisteredAlready(what=what, number=number, ref=known.ref)
