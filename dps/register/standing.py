"""How providers stand towards one scheme at one instant: everything that eligibility asks of the register.

A handful of SELECTs for any number of providers. Ends are derived here from the instant (law 1): a suspension over its
end no longer bites, a document past its day no longer counts, whatever a sweep has or hasn't recorded.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any

import sqlalchemy as sa
from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from dps.kernel.calendar import LONDON
from dps.register.capacity import Ledger, free_in
from dps.register.documents import latest_documents, missing
from dps.register.limits import LimitPart, TakeLimit
from dps.register.membership import Membership, MembershipState
from dps.register.providers import Location, Provider, locked_providers
from dps.register.shapes import Place
from dps.register.suspensions import Suspension, in_force
from dps.schemes.model import Rating


@dataclass(frozen=True, slots=True, kw_only=True)
class MembershipStanding:
    """One membership as it is at the instant; `suspension` is the widest that bites, and given when suspended."""

    place: Place
    state: MembershipState
    admitted_at: datetime
    suspension: Suspension | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LocationStanding:
    """A location that is registered at the instant."""

    regulator_id: str
    district: str
    sector: str | None
    lad: str | None
    rating: Rating


@dataclass(frozen=True, slots=True, kw_only=True)
class ProviderStanding:
    """One provider towards one scheme at `at`. `ledger` holds its capacity rows by authority, then by locality."""

    provider_id: int
    provider: str
    at: datetime
    memberships: tuple[MembershipStanding, ...]
    locations: tuple[LocationStanding, ...]
    skills: frozenset[str]
    accepted_flags: frozenset[str]
    service_minutes: tuple[int, int] | None
    most_carers: int
    documents: Mapping[str, date | None]
    is_full: bool
    ledger: Mapping[str, Mapping[str, Ledger]]
    take_limit: tuple[LimitPart, ...]

    def free_minutes(self, authority: str, locality: str) -> int:
        """Carer-minutes a week free for new work there."""
        return free_in(self.ledger.get(authority, {}), locality, self.at, is_full=self.is_full)

    def missing_documents(self, required: Iterable[str]) -> list[str]:
        """The required kinds that are not here or no longer good: each suspends by itself."""
        return missing(self.documents, required, self.at)

    def state_of(self, place: Place, required_documents: Iterable[str] = ()) -> MembershipState | None:
        """The state of a membership, documents counted; None if the provider never held this place."""
        found = next((one.state for one in self.memberships if one.place == place), None)
        if found is MembershipState.ACTIVE and self.missing_documents(required_documents):
            return MembershipState.SUSPENDED
        return found


def standing(
    session: Session,
    scheme_key: str,
    at: datetime,
    *,
    providers: Collection[int] | None = None,
    lots: Collection[str] | None = None,
    localities: Collection[str] | None = None,
) -> tuple[ProviderStanding, ...]:
    """Every provider that is or was a member of this scheme, in order of id.

    `lots` and `localities` narrow the memberships that are looked at, and with them the providers; `providers` names
    them by id instead, and those named are there even if they never were members. Who is going to award locks them
    first (`lock_standing`).
    """
    if providers is not None and not providers:
        return ()
    session.flush()
    memberships = _memberships(session, scheme_key, provider_id=providers, lot=lots, locality=localities)
    ids = sorted(memberships if providers is None else set(providers))
    found = session.connection().execute(_PROVIDERS, {"ids": ids, "scheme": scheme_key}).all()
    suspensions = _grouped(session, _SUSPENSIONS, [one.id for one in found if one.is_suspended], scheme=scheme_key)
    limits = _grouped(session, _LIMITS, [one.id for one in found if one.is_limited], scheme=scheme_key)
    locations = _by_provider(session.connection().execute(_LOCATIONS, {"ids": ids}))
    ledger = _grouped(session, _LEDGER, ids)
    documents = latest_documents(session, ids)
    return tuple(
        ProviderStanding(
            provider_id=one.id,
            provider=one.ref,
            at=at,
            memberships=_derived(memberships.get(one.id, []), suspensions.get(one.id, []), at),
            locations=_registered(locations.get(one.id, []), at.astimezone(LONDON).date()),
            skills=frozenset(one.skills),
            accepted_flags=frozenset(one.accepted_flags),
            service_minutes=_service(one.service_from_minute, one.service_until_minute),
            most_carers=one.most_carers,
            documents=documents.get(one.id, {}),
            is_full=one.full_since is not None,
            ledger=_by_authority(ledger.get(one.id, [])),
            take_limit=tuple(part for limit in limits.get(one.id, []) for part in limit.as_parts()),
        )
        for one in found
    )


def lock_standing(session: Session, provider_ids: Iterable[int]) -> None:
    """Keep everything about these providers as it is until the transaction ends. Lock, read the clock, then look.

    Whoever awards calls it once, for all providers of the transaction, before anything else of the register.
    """
    locked_providers(session, provider_ids)


_MembershipRow = tuple[int, str, str, str, MembershipState, datetime]


def _memberships(
    session: Session, scheme_key: str, **narrowed: Collection[Any] | None
) -> dict[int, list[_MembershipRow]]:
    """The rows of a scheme, narrowed by the columns that are given."""
    by = {column: list(allowed) for column, allowed in narrowed.items() if allowed is not None}
    found: dict[int, list[_MembershipRow]] = {}
    for row in session.connection().execute(_held(tuple(by)), {"scheme": scheme_key, **by}):
        found.setdefault(row[0], []).append(row)
    return found


# Statements are built once, because these run for every stage, bid and award; and they read plain columns where no row
# is needed, because a scheme has tens of thousands of memberships.

_IDS: Any = bindparam("ids", expanding=True)
_SCHEME: Any = bindparam("scheme")


@cache
def _held(narrowed: tuple[str, ...]) -> Any:
    held = (Membership.provider_id, Membership.list_key, Membership.lot, Membership.locality)
    query = (
        sa.select(*map(col, held), col(Membership.state), col(Membership.admitted_at))
        .where(col(Membership.scheme) == _SCHEME)
        .order_by(col(Membership.id))
    )
    rules = [getattr(Membership, column).in_(bindparam(column, expanding=True)) for column in narrowed]
    return query.where(*rules)


def _of_providers(table: Any, *rules: Any) -> Any:
    query = select(table).where(table.provider_id.in_(_IDS), *rules).order_by(table.id)
    return query.execution_options(populate_existing=True)


_is_here = (col(Suspension.scheme) == _SCHEME,)
_is_set = (col(TakeLimit.scheme) == _SCHEME, col(TakeLimit.replaced_at).is_(None))
_SUSPENSIONS = _of_providers(Suspension, *_is_here)
_LIMITS = _of_providers(TakeLimit, *_is_set)
_LEDGER = _of_providers(Ledger)
_LOCATIONS = (
    sa.select(
        col(Location.provider_id),
        col(Location.regulator_id),
        col(Location.district),
        col(Location.sector),
        col(Location.lad),
        col(Location.rating),
        col(Location.registered_on),
        col(Location.closed_on),
    )
    .where(col(Location.provider_id).in_(_IDS))
    .order_by(col(Location.id))
)
_PROVIDERS = (
    sa.select(
        col(Provider.id),
        col(Provider.ref),
        col(Provider.skills),
        col(Provider.accepted_flags),
        col(Provider.service_from_minute),
        col(Provider.service_until_minute),
        col(Provider.most_carers),
        col(Provider.full_since),
        sa.exists().where(col(Suspension.provider_id) == col(Provider.id), *_is_here).label("is_suspended"),
        sa.exists().where(col(TakeLimit.provider_id) == col(Provider.id), *_is_set).label("is_limited"),
    )
    .where(col(Provider.id).in_(_IDS))
    .order_by(col(Provider.id))
)


def _grouped(session: Session, query: Any, ids: Sequence[int], **named: Any) -> dict[int, list[Any]]:
    return _by_provider(session.exec(query, params={"ids": ids, **named})) if ids else {}


def _by_provider(rows: Iterable[Any]) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in rows:
        found.setdefault(row.provider_id, []).append(row)
    return found


def _derived(
    rows: Sequence[_MembershipRow], suspensions: Sequence[Suspension], at: datetime
) -> tuple[MembershipStanding, ...]:
    """One per place: the last of its rows, which is the one not removed if there is one (removal is final)."""
    current = {(row[1], row[2], row[3]): row for row in rows}
    return tuple(_stands(place, row[4], row[5], suspensions, at) for place, row in current.items())


def _stands(
    place: Place, recorded: MembershipState, admitted_at: datetime, suspensions: Sequence[Suspension], at: datetime
) -> MembershipStanding:
    if recorded is MembershipState.REMOVED:
        return MembershipStanding(place=place, state=recorded, admitted_at=admitted_at)
    biting = in_force(suspensions, place[1], place[2], at) if suspensions else None
    state = MembershipState.ACTIVE if biting is None else MembershipState.SUSPENDED
    return MembershipStanding(place=place, state=state, admitted_at=admitted_at, suspension=biting)


def _registered(locations: Sequence[Any], today: date) -> tuple[LocationStanding, ...]:
    return tuple(
        LocationStanding(
            regulator_id=one.regulator_id, district=one.district, sector=one.sector, lad=one.lad, rating=one.rating
        )
        for one in locations
        if one.registered_on <= today and (one.closed_on is None or today < one.closed_on)
    )


def _service(start: int | None, end: int | None) -> tuple[int, int] | None:
    return None if start is None or end is None else (start, end)


def _by_authority(rows: Sequence[Ledger]) -> dict[str, dict[str, Ledger]]:
    found: dict[str, dict[str, Ledger]] = {}
    for row in rows:
        found.setdefault(row.authority, {})[row.locality] = row
    return found
