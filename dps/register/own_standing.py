"""What a provider reads of its own standing in a scheme: each place it holds or held, and what keeps work from it.

Pure over `ProviderStanding`, so that the provider reads what eligibility will say (law 8).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from dps.kernel.calendar import LONDON
from dps.register.capacity import WHOLE_AUTHORITY
from dps.register.membership import MembershipState
from dps.register.standing import ProviderStanding
from dps.register.suspensions import SuspensionScope
from dps.schemes.model import Rating, Scheme

SOON = timedelta(days=30)
"""A document or a declaration that ends within this time is worth a reminder."""


class Obstacle(StrEnum):
    """Why a provider is not invited, or soon will not be."""

    NO_PLACE = "no_place"
    SUSPENDED = "suspended"
    NO_BASE = "no_base"
    RATING = "rating"
    FULL = "full"
    NOTHING_DECLARED = "nothing_declared"
    DECLARATION_OVER = "declaration_over"
    NOTHING_LEFT = "nothing_left"
    DOCUMENT_MISSING = "document_missing"
    DOCUMENT_OVER = "document_over"
    DOCUMENT_ENDS_SOON = "document_ends_soon"


@dataclass(frozen=True, slots=True)
class Hindrance:
    """One obstacle; `what` is the authority or the kind of document, `on` the day that counts."""

    obstacle: Obstacle
    what: str = ""
    on: date | None = None

    @property
    def stops(self) -> bool:
        """Whether work is kept away now, or only soon."""
        return self.obstacle is not Obstacle.DOCUMENT_ENDS_SOON


@dataclass(frozen=True, slots=True)
class HeldPlaces:
    """Places on one list for one lot that are in the same state, for the same reason."""

    list_key: str
    lot: str
    state: MembershipState
    localities: tuple[str, ...]
    scope: SuspensionScope | None = None
    because: str | None = None
    until: datetime | None = None


def held_places(standing: ProviderStanding) -> list[HeldPlaces]:
    """The places of one scheme, those in the same state together, in order of list and lot; removed ones last."""
    grouped: dict[tuple[str, str, MembershipState, int], list[str]] = {}
    reasons = {}
    for one in standing.memberships:
        bites = one.suspension
        key = (one.place[0], one.place[1], one.state, (bites.id or 0) if bites else 0)
        grouped.setdefault(key, []).append(one.place[2])
        reasons[key] = bites
    held = []
    for (list_key, lot, state, number), localities in grouped.items():
        bites = reasons[(list_key, lot, state, number)]
        held.append(
            HeldPlaces(
                list_key=list_key,
                lot=lot,
                state=state,
                localities=tuple(sorted(set(localities))),
                scope=bites.scope if bites else None,
                because=bites.because if bites else None,
                until=bites.over_at if bites else None,
            )
        )
    return sorted(held, key=lambda one: (one.state is MembershipState.REMOVED, one.list_key, one.lot, one.localities))


def hindrances(standing: ProviderStanding, scheme: Scheme) -> list[Hindrance]:
    """Everything that keeps new work of this scheme from the provider at the standing's instant, and what soon will."""
    if not any(one.state is not MembershipState.REMOVED for one in standing.memberships):
        return [Hindrance(Obstacle.NO_PLACE)]
    found = [Hindrance(Obstacle.FULL)] if standing.is_full else []
    if not any(one.state is MembershipState.ACTIVE for one in standing.memberships):
        found.append(Hindrance(Obstacle.SUSPENDED))
    found += _of_locations(standing, scheme)
    for authority in scheme.authorities:
        found += _of_hours(standing, authority.key)
    return found + _of_documents(standing, required_documents(scheme, _lots_held(standing)))


def required_documents(scheme: Scheme, lots: Iterable[str]) -> list[str]:
    """The kinds that the scheme and these of its lots ask for, in order of the alphabet."""
    held = set(lots)
    return sorted(
        {*scheme.admission.documents, *(kind for lot in scheme.lots if lot.key in held for kind in lot.documents)}
    )


def useful_documents(scheme: Scheme) -> set[str]:
    """Every kind that a rule of the scheme reads: asked for on joining or by a lot, or what lets a provider do more."""
    reduction = scheme.variations.reduction
    more = {reduction.document} if reduction else set()
    return {*required_documents(scheme, [lot.key for lot in scheme.lots]), *more}


def _lots_held(standing: ProviderStanding) -> set[str]:
    return {one.place[1] for one in standing.memberships if one.state is not MembershipState.REMOVED}


def _of_locations(standing: ProviderStanding, scheme: Scheme) -> list[Hindrance]:
    """Locations in the area count for the rating; who has none there is judged by all it has (`matching`)."""
    lads = {lad for authority in scheme.authorities for lad in authority.lads}
    inside = [place for place in standing.locations if place.lad in lads or not scheme.admission.base_asked]
    found = [Hindrance(Obstacle.NO_BASE)] if scheme.admission.base_asked and not inside else []
    ratings = {place.rating for place in inside or standing.locations} or {Rating.NOT_RATED}
    return found if ratings.intersection(scheme.quality.accepted) else [*found, Hindrance(Obstacle.RATING)]


def _of_hours(standing: ProviderStanding, authority: str) -> list[Hindrance]:
    rows = [row for row in standing.ledger.get(authority, {}).values() if row.declared_minutes is not None]
    if not rows:
        return [Hindrance(Obstacle.NOTHING_DECLARED, authority)]
    whole = [row for row in rows if row.locality == WHOLE_AUTHORITY] or rows
    ends = [row.expires_at for row in whole if row.expires_at is not None]
    if ends and max(ends) <= standing.at:
        return [Hindrance(Obstacle.DECLARATION_OVER, authority, _last_day(max(ends)))]
    if not standing.is_full and all(row.free_minutes(standing.at, is_full=False) == 0 for row in whole):
        return [Hindrance(Obstacle.NOTHING_LEFT, authority)]
    return []


def _of_documents(standing: ProviderStanding, required: Sequence[str]) -> list[Hindrance]:
    today = standing.at.astimezone(LONDON).date()
    found = []
    for kind in required:
        if kind not in standing.documents:
            found.append(Hindrance(Obstacle.DOCUMENT_MISSING, kind))
            continue
        last = standing.documents[kind]
        if last is not None and last < today:
            found.append(Hindrance(Obstacle.DOCUMENT_OVER, kind, last))
        elif last is not None and last < today + SOON:
            found.append(Hindrance(Obstacle.DOCUMENT_ENDS_SOON, kind, last))
    return found


def _last_day(expires_at: datetime) -> date:
    return (expires_at - timedelta(microseconds=1)).astimezone(LONDON).date()
