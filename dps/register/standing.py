"""How providers stand towards one scheme at one instant: everything that eligibility asks of the register.

A handful of SELECTs for any number of providers. Ends are derived here from the instant (law 1): a suspension over its
end no longer bites, a document past its day no longer counts, whatever a sweep has or hasn't recorded.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import bindparam
from sqlmodel import Session, col, select

from dps.kernel.calendar import LONDON
from dps.register.capacity import Ledger, free_in
from dps.register.documents import latest_documents, missing
from dps.register.limits import LimitPart, TakeLimit
from dps.register.membership import Membership, MembershipState, Place
from dps.register.providers import Location, Provider, locked_providers
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
    narrowed = {"provider_id": providers, "lot": lots, "locality": localities}
    memberships = _memberships(session, scheme_key, narrowed)
    ids = sorted(memberships if providers is None else set(providers))
    suspensions = _grouped(session, _SUSPENSIONS, ids, scheme=scheme_key)
    locations = _grouped(session, _LOCATIONS, ids)
    ledger = _grouped(session, _LEDGER, ids)
    limit_of = _grouped(session, _LIMITS, ids, scheme=scheme_key)
    documents = latest_documents(session, ids)
    return tuple(
        ProviderStanding(
            provider_id=provider.id,
            provider=provider.ref,
            at=at,
            memberships=_derived(memberships.get(provider.id, []), suspensions.get(provider.id, []), at),
            locations=_registered(locations.get(provider.id, []), at.astimezone(LONDON).date()),
            skills=frozenset(provider.skills),
            accepted_flags=frozenset(provider.accepted_flags),
            service_minutes=_service(provider),
            most_carers=provider.most_carers,
            documents=documents.get(provider.id, {}),
            is_full=provider.full_since is not None,
            ledger=_by_authority(ledger.get(provider.id, [])),
            take_limit=tuple(part for limit in limit_of.get(provider.id, []) for part in limit.as_parts()),
        )
        for provider in session.exec(_PROVIDERS, params={"ids": ids})
        if provider.id is not None
    )


def lock_standing(session: Session, provider_ids: Iterable[int]) -> None:
    """Keep everything about these providers as it is until the transaction ends. Lock, read the clock, then look.

    Whoever awards calls it once, for all providers of the transaction, before anything else of the register.
    """
    locked_providers(session, provider_ids)


_MembershipRow = tuple[int, str, str, str, MembershipState, datetime]


def _memberships(
    session: Session, scheme_key: str, narrowed: Mapping[str, Collection[Any] | None]
) -> dict[int, list[_MembershipRow]]:
    """Plain columns, not rows: a scheme has tens of thousands of memberships."""
    query = (
        select(  # type: ignore[call-overload]
            col(Membership.provider_id),
            col(Membership.list_key),
            col(Membership.lot),
            col(Membership.locality),
            col(Membership.state),
            col(Membership.admitted_at),
        )
        .where(col(Membership.scheme) == scheme_key)
        .order_by(col(Membership.id))
    )
    for column, allowed in narrowed.items():
        if allowed is not None:
            query = query.where(getattr(Membership, column).in_(allowed))
    found: dict[int, list[_MembershipRow]] = {}
    for row in session.execute(query):
        found.setdefault(row[0], []).append(row)
    return found


def _of_providers(table: Any, *rules: Any) -> Any:
    """Built once: these run for every stage, bid and award."""
    query = select(table).where(table.provider_id.in_(_IDS), *rules).order_by(table.id)
    return query.execution_options(populate_existing=True)


_IDS: Any = bindparam("ids", expanding=True)
_SCHEME: Any = bindparam("scheme")
_SUSPENSIONS = _of_providers(Suspension, col(Suspension.scheme) == _SCHEME)
_LOCATIONS = _of_providers(Location)
_LEDGER = _of_providers(Ledger)
_LIMITS = _of_providers(TakeLimit, col(TakeLimit.scheme) == _SCHEME, col(TakeLimit.replaced_at).is_(None))
_PROVIDERS: Any = (
    select(Provider)
    .where(col(Provider.id).in_(_IDS))
    .order_by(col(Provider.id))
    .execution_options(populate_existing=True)
)


def _grouped(session: Session, query: Any, ids: Sequence[int], **named: Any) -> dict[int, list[Any]]:
    found: dict[int, list[Any]] = {}
    for row in session.exec(query, params={"ids": ids, **named}):
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


def _registered(locations: Sequence[Location], today: date) -> tuple[LocationStanding, ...]:
    return tuple(
        LocationStanding(
            regulator_id=one.regulator_id, district=one.district, sector=one.sector, lad=one.lad, rating=one.rating
        )
        for one in locations
        if one.registered_on <= today and (one.closed_on is None or today < one.closed_on)
    )


def _service(provider: Provider) -> tuple[int, int] | None:
    start, end = provider.service_from_minute, provider.service_until_minute
    return None if start is None or end is None else (start, end)


def _by_authority(rows: Sequence[Ledger]) -> dict[str, dict[str, Ledger]]:
    found: dict[str, dict[str, Ledger]] = {}
    for row in rows:
        found.setdefault(row.authority, {})[row.locality] = row
    return found
