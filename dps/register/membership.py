"""Membership: one provider's place on one list of a scheme, for one lot in one locality.

The stored state is what was last recorded; what holds at an instant is derived from the suspensions (`suspensions.py`).
Removal is final: a provider admitted again gets a new row.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from sqlalchemy import Index, text
from sqlalchemy.exc import IntegrityError
from sqlmodel import Field, Session, SQLModel, col, select

from dps.kernel import audit, outbox
from dps.kernel.actors import Actor, Role
from dps.kernel.calendar import LONDON
from dps.kernel.columns import id_column, link_column, ref_column, state_column, utc_column, whole_column
from dps.kernel.errors import BadInput, NotAdmitted, RuleNotMet
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.kernel.states import StateTable, advance
from dps.register.arrangements import refuse_bound
from dps.register.interests import refuse_tied
from dps.register.officers import needs_officer
from dps.register.providers import Provider, locked_provider
from dps.register.shapes import Place, against_admission, against_removal, limited, seats_for
from dps.register.texts import known, reason
from dps.schemes.model import Scheme

_RECORDS = (Role.CLOCK, Role.REGISTER_OFFICER)
_OFFICER = (Role.REGISTER_OFFICER,)


class MembershipState(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"
    REMOVED = "removed"


_S = MembershipState


class Membership(SQLModel, table=True):
    """A place held. At most one that is not removed per provider, scheme, list, lot and locality.

    Where the list's shape has seats, it is one of them: no two that are not removed share it, whoever admits at once.
    """

    __tablename__ = "membership"
    __table_args__ = (
        Index(
            "uq_membership_held",
            "provider_id",
            "scheme",
            "list_key",
            "lot",
            "locality",
            unique=True,
            sqlite_where=text("state <> 'removed'"),
            postgresql_where=text("state <> 'removed'"),
        ),
        Index(
            "uq_membership_seat",
            "scheme",
            "list_key",
            "lot",
            "locality",
            "seat",
            unique=True,
            sqlite_where=text("seat IS NOT NULL AND state <> 'removed'"),
            postgresql_where=text("seat IS NOT NULL AND state <> 'removed'"),
        ),
        Index("ix_membership_scheme", "scheme", "provider_id"),
        Index("ix_membership_state", "state", "scheme", "provider_ref"),
    )
    STEPS: ClassVar[StateTable] = StateTable(
        "membership",
        _S.ACTIVE,
        (_S.ACTIVE, "suspend", _S.SUSPENDED, _RECORDS),
        (_S.SUSPENDED, "reinstate", _S.ACTIVE, _RECORDS),
        (_S.ACTIVE, "remove", _S.REMOVED, _OFFICER),
        (_S.SUSPENDED, "remove", _S.REMOVED, _OFFICER),
    )

    id: int | None = id_column()
    ref: str = ref_column()
    provider_id: int = link_column("provider.id", index=False)
    provider_ref: str = Field(max_length=24)
    scheme: str = Field(max_length=40)
    list_key: str = Field(max_length=40)
    lot: str = Field(max_length=40)
    locality: str = Field(max_length=40)
    seat: int | None = whole_column(nullable=True)
    state: MembershipState = state_column(MembershipState, index=False)
    admitted_at: datetime = utc_column()
    removed_at: datetime | None = utc_column(nullable=True)
    removed_because: str | None = Field(default=None)

    @property
    def stream(self) -> str:
        return self.provider_ref

    @property
    def place(self) -> Place:
        return self.list_key, self.lot, self.locality


def admit(
    session: Session,
    ports: Ports,
    *,
    provider_id: int,
    scheme: Scheme,
    lists: Iterable[str],
    lots: Iterable[str],
    localities: Iterable[str],
    actor: Actor,
) -> Sequence[Membership]:
    """Admit a provider without an application: lists that a tender or an older register settled. What this made."""
    needs_officer(actor, scheme, "admit a provider")
    provider = locked_provider(session, provider_id)
    refuse_tied(session, actor, provider.ref, "admit a provider")
    names = known(lists, (one.key for one in scheme.lists), "list", "lists")
    services = known(lots, (lot.key for lot in scheme.lots), "lot", "lots")
    areas = known(localities, (place.key for place in scheme.localities), "locality", "localities")
    places = [(name, lot, where) for name in names for lot in services for where in areas]
    now = ports.clock.read(session)
    return admit_places(session, ports, provider=provider, scheme=scheme, places=places, actor=actor, now=now)


def admit_places(
    session: Session,
    ports: Ports,
    *,
    provider: Provider,
    scheme: Scheme,
    places: Sequence[Place],
    actor: Actor,
    now: datetime,
) -> Sequence[Membership]:
    """Make the memberships of these places that a locked provider does not hold yet.

    RuleNotMet, with every reason, where the shape of a list has no room or asks for the whole of the scheme.
    """
    assert provider.id is not None
    new, others = places_open(session, provider=provider, scheme=scheme, places=places, now=now)
    seated = {place: [one.seat for one in rows if one.seat is not None] for place, rows in others.items()}
    made = [
        Membership(
            ref=new_reference(Kind.MEMBERSHIP, ports.entropy),
            provider_id=provider.id,
            provider_ref=provider.ref,
            scheme=scheme.key,
            list_key=list_key,
            lot=lot,
            locality=locality,
            seat=seat,
            state=_S.ACTIVE,
            admitted_at=now,
        )
        for (list_key, lot, locality), seat in seats_for(scheme, new, seated).items()
    ]
    _seat(session, made)
    facts = {"scheme": scheme.key, "memberships": [[one.ref, one.list_key, one.lot, one.locality] for one in made]}
    audit.append(session, provider.stream, "membership.admit", actor, now, facts)
    return made


def places_open(
    session: Session, *, provider: Provider, scheme: Scheme, places: Sequence[Place], now: datetime
) -> tuple[list[Place], dict[Place, list[Membership]]]:
    """Of these places those that a locked provider does not hold yet, and who else stands on limited lists among them.

    RuleNotMet, with every reason, where an admission to them would break the shape of a list, or an arrangement binds.
    """
    assert provider.id is not None
    refuse_bound(session, scheme=scheme.key, provider=provider.ref, on=now.astimezone(LONDON).date())
    own = {one.place for one in held_by(session, provider.id, scheme.key)}
    new = [place for place in dict.fromkeys(places) if place not in own]
    others = _on_limited(session, scheme, provider, new)
    taken = {place: [one.provider_ref for one in rows] for place, rows in others.items()}
    if against := against_admission(scheme, asked=places, own=own, taken=taken):
        raise RuleNotMet(reason=" ".join(against))
    return new, others


def move(
    session: Session,
    ports: Ports,
    *,
    provider_id: int,
    scheme: Scheme,
    from_list: str,
    to_list: str,
    because: str,
    actor: Actor,
    lots: Iterable[str] = (),
    localities: Iterable[str] = (),
) -> Sequence[Membership]:
    """Take a provider's places from one list to another, all or those of the lots and localities named; the new rows.

    Both lists are asked for their shape. `NotAdmitted` if it holds none of these places on the first.
    """
    needs_officer(actor, scheme, "move a provider between lists")
    known([from_list, to_list], (one.key for one in scheme.lists), "list", "lists")
    if from_list == to_list:
        raise BadInput("name another list than the one it stands on", field="to_list")
    gone = remove(
        session,
        ports,
        provider_id=provider_id,
        scheme=scheme,
        because=because,
        actor=actor,
        lists=[from_list],
        lots=lots,
        localities=localities,
    )
    provider = locked_provider(session, provider_id)
    places = [(to_list, one.lot, one.locality) for one in gone]
    now = ports.clock.read(session)
    return admit_places(session, ports, provider=provider, scheme=scheme, places=places, actor=actor, now=now)


def remove(
    session: Session,
    ports: Ports,
    *,
    provider_id: int,
    scheme: Scheme,
    because: str,
    actor: Actor,
    lists: Iterable[str] = (),
    lots: Iterable[str] = (),
    localities: Iterable[str] = (),
) -> Sequence[Membership]:
    """Take a provider off the scheme for good, or off the lists, lots and localities named; the rows removed.

    `NotAdmitted` if it holds none of them; RuleNotMet for a part of a list that is held for the whole of the scheme.
    """
    needs_officer(actor, scheme, "remove a provider")
    words = reason(because)
    provider = locked_provider(session, provider_id)
    refuse_tied(session, actor, provider.ref, "remove a provider")
    names, services, areas = set(lists), set(lots), set(localities)
    held = held_by(session, provider_id, scheme.key)
    going = [
        one
        for one in held
        if (not names or one.list_key in names)
        and (not services or one.lot in services)
        and (not areas or one.locality in areas)
    ]
    if not going:
        raise NotAdmitted(provider=provider.ref, scheme=scheme.key)
    if against := against_removal(scheme, going=[one.place for one in going], own=[one.place for one in held]):
        raise RuleNotMet(reason=" ".join(against))
    now = ports.clock.read(session)
    for one in going:
        facts = {"list": one.list_key, "lot": one.lot, "locality": one.locality}
        advance(session, one, "remove", actor, now, facts=facts, removed_at=now, removed_because=words)
    recipient = f"provider:{provider.ref}"
    outbox.post(session, ports.entropy, recipient=recipient, kind="membership.removed", about=provider.ref, now=now)
    return going


def held_by(session: Session, provider_id: int, scheme_key: str) -> Sequence[Membership]:
    """The provider's memberships in this scheme that are not removed, as they are now, in order of id."""
    query = (
        select(Membership)
        .where(
            Membership.provider_id == provider_id,
            Membership.scheme == scheme_key,
            col(Membership.state) != _S.REMOVED,
        )
        .order_by(col(Membership.id))
        .execution_options(populate_existing=True)
    )
    return session.exec(query).all()


def _on_limited(
    session: Session, scheme: Scheme, provider: Provider, places: Sequence[Place]
) -> dict[Place, list[Membership]]:
    """Who else stands, not removed, on those of these lists that have seats."""
    lists = limited(scheme, (place[0] for place in places))
    found: dict[Place, list[Membership]] = {}
    if lists:
        query = select(Membership).where(
            Membership.scheme == scheme.key,
            col(Membership.list_key).in_(lists),
            col(Membership.state) != _S.REMOVED,
            Membership.provider_id != provider.id,
        )
        for one in session.exec(query.order_by(col(Membership.id)).execution_options(populate_existing=True)):
            found.setdefault(one.place, []).append(one)
    return found


def _seat(session: Session, made: Sequence[Membership]) -> None:
    """Write the new rows. Whoever was given the last seat meanwhile keeps it: the constraint decides, not the look."""
    try:
        with session.begin_nested():
            session.add_all(made)
    except IntegrityError:
        raise RuleNotMet(
            reason="A place on this list was given to another provider at the same moment. Look again."
        ) from None
