"""Suspensions: what a provider may not do for a while, where, and what happens to the contracts it runs.

A suspension bites during `[starts_at, ends_at)` until it is lifted, on every membership it covers, also on one made
later. That is derived on each read (law 1): a sweep only records it in the memberships' states.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import CheckConstraint, Index
from sqlmodel import Field, Session, SQLModel, and_, col, or_, select

from dps.kernel import audit, outbox
from dps.kernel.actors import CLOCK, Actor, Role
from dps.kernel.columns import id_column, json_column, link_column, ref_column, state_column, utc_column
from dps.kernel.errors import BadInput, NotAdmitted, NotFound
from dps.kernel.ports import Ports
from dps.kernel.references import Kind, new_reference
from dps.kernel.states import StateTable, advance
from dps.register.interests import refuse_tied
from dps.register.membership import Membership, MembershipState, held_by
from dps.register.officers import needs_officer
from dps.register.providers import Provider, locked_provider
from dps.register.texts import known, reason
from dps.schemes.model import Scheme

_OFFICER = (Role.REGISTER_OFFICER,)


class SuspensionState(StrEnum):
    IMPOSED = "imposed"
    LIFTED = "lifted"


class SuspensionScope(StrEnum):
    """What is stopped, from the least to the most."""

    NEW_WORK = "new_work"
    RESTARTS_AND_INCREASES = "restarts_and_increases"
    ALL = "all"


class RunningContracts(StrEnum):
    """What happens to what the provider delivers already."""

    CONTINUE = "continue"
    TRANSFER = "transfer"
    END_NOW = "end_now"


class Suspension(SQLModel, table=True):
    """One decision. No lots or no localities named: all of them. No end: until it is lifted."""

    __tablename__ = "suspension"
    __table_args__ = (
        CheckConstraint("ends_at IS NULL OR ends_at > starts_at", name="ends_after_start"),
        Index("ix_suspension_state", "state", "scheme", "provider_ref"),
    )
    STEPS: ClassVar[StateTable] = StateTable(
        "suspension",
        SuspensionState.IMPOSED,
        (SuspensionState.IMPOSED, "lift", SuspensionState.LIFTED, _OFFICER),
    )

    id: int | None = id_column()
    ref: str = ref_column()
    provider_id: int = link_column("provider.id")
    provider_ref: str = Field(max_length=24)
    scheme: str = Field(max_length=40)
    state: SuspensionState = state_column(SuspensionState, index=False)
    scope: SuspensionScope = state_column(SuspensionScope, index=False)
    lots: Any = json_column()
    localities: Any = json_column()
    starts_at: datetime = utc_column()
    ends_at: datetime | None = utc_column(nullable=True)
    running_contracts: RunningContracts = state_column(RunningContracts, index=False)
    because: str
    imposed_by: str
    imposed_at: datetime = utc_column()
    lifted_at: datetime | None = utc_column(nullable=True)
    lifted_because: str | None = Field(default=None)

    @property
    def stream(self) -> str:
        return self.provider_ref

    @property
    def over_at(self) -> datetime | None:
        """When it ends, or ended because it was lifted; None: not before somebody lifts it."""
        return min((end for end in (self.ends_at, self.lifted_at) if end is not None), default=None)

    def bites(self, at: datetime) -> bool:
        """Whether it is in force at `at`."""
        return self.starts_at <= at and (self.over_at is None or at < self.over_at)

    def covers(self, lot: str, locality: str) -> bool:
        """Whether a membership for this lot in this locality is meant."""
        return (not self.lots or lot in self.lots) and (not self.localities or locality in self.localities)


def suspend(
    session: Session,
    ports: Ports,
    *,
    provider_id: int,
    scheme: Scheme,
    scope: SuspensionScope,
    running_contracts: RunningContracts,
    because: str,
    actor: Actor,
    lots: Iterable[str] = (),
    localities: Iterable[str] = (),
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> Suspension:
    """Suspend a provider in this scheme, from now on or from `starts_at`; `NotAdmitted` if it holds no place there.

    An officer does not say the same twice: the second one would have to be lifted as well, and nobody would know. An
    award in progress for this provider ends first, and sees nothing of it; the next one sees it (law 5).
    """
    needs_officer(actor, scheme, "suspend a provider")
    words = reason(because)
    named_lots = _named(lots, [lot.key for lot in scheme.lots], "lot", "lots")
    named_places = _named(localities, [place.key for place in scheme.localities], "locality", "localities")
    provider = locked_provider(session, provider_id)
    refuse_tied(session, actor, provider.ref, "suspend a provider")
    now = ports.clock.read(session)
    starts = now if starts_at is None else starts_at
    if starts < now:
        raise BadInput("a suspension does not begin in the past", field="starts_at")
    if ends_at is not None and ends_at <= starts:
        raise BadInput("a suspension ends after it begins", field="ends_at")
    suspension = Suspension(
        ref=new_reference(Kind.SUSPENSION, ports.entropy),
        provider_id=provider_id,
        provider_ref=provider.ref,
        scheme=scheme.key,
        state=SuspensionState.IMPOSED,
        scope=scope,
        lots=named_lots,
        localities=named_places,
        starts_at=starts,
        ends_at=ends_at,
        running_contracts=running_contracts,
        because=words,
        imposed_by=actor.ref,
        imposed_at=now,
    )
    if not any(suspension.covers(one.lot, one.locality) for one in held_by(session, provider_id, scheme.key)):
        raise NotAdmitted(provider=provider.ref, scheme=scheme.key)
    # What follows from a notice (the engine's) stands beside what an officer decided: each is lifted for itself.
    if actor.ref != CLOCK.ref and (twin := _said_already(session, suspension)) is not None:
        raise BadInput(f"{twin.ref} says all of this already: lift it first, or change what differs", field="scope")
    session.add(suspension)
    session.flush()
    facts = {
        "ref": suspension.ref,
        "scheme": scheme.key,
        "scope": scope.value,
        "lots": named_lots,
        "localities": named_places,
        "starts_at": starts.isoformat(),
        "ends_at": ends_at.isoformat() if ends_at else None,
        "running_contracts": running_contracts.value,
    }
    audit.append(session, suspension.stream, "suspension.impose", actor, now, facts)
    _record(session, provider_id, scheme.key, actor, now)
    _tell(session, ports, suspension, "suspension.imposed", now)
    return suspension


def lift(session: Session, ports: Ports, suspension: Suspension, *, scheme: Scheme, because: str, actor: Actor) -> None:
    """End a suspension before its time, or one that has none."""
    needs_officer(actor, scheme, "lift a suspension")
    words = reason(because)
    if suspension.scheme != scheme.key:
        raise NotFound(kind="suspension", ref=suspension.ref)
    refuse_tied(session, actor, suspension.provider_ref, "lift a suspension")
    locked_provider(session, suspension.provider_id)
    session.refresh(suspension)
    now = ports.clock.read(session)
    advance(session, suspension, "lift", actor, now, lifted_at=now, lifted_because=words)
    _record(session, suspension.provider_id, suspension.scheme, actor, now)
    _tell(session, ports, suspension, "suspension.lifted", now)


def record_suspensions(session: Session, *, provider_id: int, scheme_key: str, actor: Actor, now: datetime) -> int:
    """Write into the memberships what is already true at `now`; how many changed. Nobody's rights hang on it."""
    locked_provider(session, provider_id)
    return _record(session, provider_id, scheme_key, actor, now)


# Queries


def suspension_of(session: Session, ref: str, actor: Actor) -> Suspension:
    """The suspension with this reference, if `actor` may know of it."""
    found = session.exec(select(Suspension).where(Suspension.ref == ref)).first()
    if found is None:
        raise NotFound(kind="suspension", ref=ref)
    actor.sees("suspension", ref, provider=found.provider_ref)
    return found


def not_yet_recorded(session: Session, now: datetime) -> list[tuple[int, str]]:
    """(provider id, scheme) whose memberships do not show what holds at `now`: work for a sweep."""
    imposed: dict[tuple[int, str], list[Suspension]] = {}
    known = select(Suspension).where(col(Suspension.state) == SuspensionState.IMPOSED).order_by(col(Suspension.id))
    for suspension in session.exec(known):
        imposed.setdefault((suspension.provider_id, suspension.scheme), []).append(suspension)
    touched = select(Membership).where(
        or_(
            col(Membership.state) == MembershipState.SUSPENDED,
            and_(
                col(Membership.state) == MembershipState.ACTIVE,
                col(Membership.scheme).in_({scheme for _, scheme in imposed}),
                col(Membership.provider_ref).in_({one.provider_ref for its in imposed.values() for one in its}),
            ),
        )
    )
    return sorted(
        {
            (one.provider_id, one.scheme)
            for one in session.exec(touched)
            if (in_force(imposed.get((one.provider_id, one.scheme), []), one.lot, one.locality, now) is None)
            is (one.state is MembershipState.SUSPENDED)
        }
    )


def suspended_from(session: Session, provider: str, now: datetime) -> set[str]:
    """The schemes in which this provider, by its reference, is kept from some new work now."""
    query = (
        select(Suspension)
        .join(Provider, col(Provider.id) == col(Suspension.provider_id))
        .where(Provider.ref == provider, Suspension.state == SuspensionState.IMPOSED)
        .order_by(col(Suspension.id))
    )
    return {one.scheme for one in session.exec(query) if one.bites(now)}


def in_force(suspensions: Iterable[Suspension], lot: str, locality: str, at: datetime) -> Suspension | None:
    """The widest of these suspensions that bites at `at` on a membership there; the latest made among equals."""
    biting = [one for one in suspensions if one.bites(at) and one.covers(lot, locality)]
    widths = list(SuspensionScope)
    return max(biting, key=lambda one: (widths.index(one.scope), one.id or 0), default=None)


def barring(
    session: Session, provider_id: int, scheme_key: str, lot: str, locality: str, at: datetime
) -> Suspension | None:
    """The suspension that keeps a provider from new work there at `at`, if one does."""
    return in_force(_imposed(session, provider_id, scheme_key), lot, locality, at)


def _record(session: Session, provider_id: int, scheme_key: str, actor: Actor, now: datetime) -> int:
    suspensions = _imposed(session, provider_id, scheme_key)
    changed = 0
    for one in held_by(session, provider_id, scheme_key):
        biting = in_force(suspensions, one.lot, one.locality, now)
        if biting is not None and one.state is MembershipState.ACTIVE:
            advance(session, one, "suspend", actor, now, facts={"membership": one.ref, "suspension": biting.ref})
        elif biting is None and one.state is MembershipState.SUSPENDED:
            advance(session, one, "reinstate", actor, now, facts={"membership": one.ref})
        else:
            continue
        changed += 1
    return changed


def _imposed(session: Session, provider_id: int, scheme_key: str) -> Sequence[Suspension]:
    query = (
        select(Suspension)
        .where(
            Suspension.provider_id == provider_id,
            Suspension.scheme == scheme_key,
            col(Suspension.state) == SuspensionState.IMPOSED,
        )
        .order_by(col(Suspension.id))
    )
    return session.exec(query).all()


def _said_already(session: Session, new: Suspension) -> Suspension | None:
    """A suspension that stops the same in the same places with the same effect, for all the time that this one does."""
    for one in _imposed(session, new.provider_id, new.scheme):
        is_alike = (one.scope, one.running_contracts) == (new.scope, new.running_contracts)
        is_there = set(one.lots) == set(new.lots) and set(one.localities) == set(new.localities)
        is_as_long = one.ends_at is None or (new.ends_at is not None and new.ends_at <= one.ends_at)
        if is_alike and is_there and one.starts_at <= new.starts_at and is_as_long:
            return one
    return None


def _named(keys: Iterable[str], among: Sequence[str], what: str, field: str) -> list[str]:
    named = list(keys)
    return known(named, among, what, field) if named else []


def _tell(session: Session, ports: Ports, suspension: Suspension, kind: str, now: datetime) -> None:
    recipient = f"provider:{suspension.provider_ref}"
    outbox.post(session, ports.entropy, recipient=recipient, kind=kind, about=suspension.ref, now=now)
