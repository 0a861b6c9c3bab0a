"""One provider's standing towards one scheme at one instant: memberships, documents, quality, hours, limits.

Ends are derived here from the instant, never stored (law 1): a suspension that has run out no longer bites, a document
past its day no longer counts, whatever a sweep has or hasn't recorded. Windows are half-open; a day named by
`expires_on` is the last good day. The sets that the rules compare are worked out once, when the record is made.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from dps.kernel.calendar import LONDON
from dps.kernel.errors import BadInput
from dps.schemes.vocabulary import Rating
from matching.eligibility.day_span import DaySpan
from matching.eligibility.instants import refuse_naive

NOT_RATED = Rating.NOT_RATED.value


class MembershipState(StrEnum):
    """Source: design.md section 4."""

    ACTIVE = "active"
    SUSPENDED = "suspended"
    REMOVED = "removed"


class SuspensionScope(StrEnum):
    """What a suspension stops: new work; also restarts and increases; everything. Source: design.md section 4."""

    NEW_WORK = "new_work"
    CHANGES = "changes"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspension:
    """Bites during `[starts_at, ends_at)`; no start means at once, no end means until somebody lifts it."""

    scope: SuspensionScope
    starts_at: datetime | None = None
    ends_at: datetime | None = None

    def __post_init__(self) -> None:
        refuse_naive(self.starts_at, "starts_at")
        refuse_naive(self.ends_at, "ends_at")

    def bites(self, at: datetime) -> bool:
        """True if it is in force at `at`."""
        has_begun = self.starts_at is None or self.starts_at <= at
        return has_begun and (self.ends_at is None or at < self.ends_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A provider's place on one list for one lot in one locality, in force during `[starts_at, ends_at)`.

    `suspension` is given when the state is suspended, and only then.
    """

    list_name: str
    lot: str
    locality: str
    state: MembershipState = MembershipState.ACTIVE
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    suspension: Suspension | None = None

    def __post_init__(self) -> None:
        refuse_naive(self.starts_at, "starts_at")
        refuse_naive(self.ends_at, "ends_at")
        if (self.state is MembershipState.SUSPENDED) != (self.suspension is not None):
            raise BadInput("a suspended membership, and no other, carries its suspension", field="suspension")

    @property
    def key(self) -> tuple[str, str, str]:
        """(list, lot, locality): unique within one candidate."""
        return (self.list_name, self.lot, self.locality)


@dataclass(frozen=True, slots=True)
class MembershipKeys:
    """Some of a candidate's memberships as the rules compare them."""

    keys: frozenset[tuple[str, str, str]]
    """(list, lot, locality)"""
    places: frozenset[tuple[str, str]]
    """(lot, locality)"""
    lots: frozenset[str]

    @classmethod
    def of(cls, memberships: Iterable[Membership]) -> "MembershipKeys":
        """The keys, places and lots that these memberships stand on."""
        keys = frozenset(one.key for one in memberships)
        return cls(keys, frozenset(key[1:] for key in keys), frozenset(key[1] for key in keys))


NO_KEYS = MembershipKeys(frozenset(), frozenset(), frozenset())

_GROUPS = (
    "known",
    "held",
    "active",
    "removed",
    "suspended",
    "suspended_from_changes",
    "not_begun",
    "ended",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A registered location: the district (LAD code) it stands in, None where unknown, and its current rating."""

    ref: str
    lad: str | None
    rating: str = NOT_RATED


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeLimit:
    """What is left of one limit that the provider set itself; None means not limited in that respect.

    Applies to packages in `locality` (None: everywhere) with visits that touch `hours` (None: at any time).
    `starts_left` counts the week in which this package must start. A limit already passed is 0, never less.
    """

    packages_left: int | None = None
    minutes_left: int | None = None
    starts_left: int | None = None
    locality: str | None = None
    hours: DaySpan | None = None

    def applies_to(self, locality: str, visit_hours: DaySpan | None) -> bool:
        """True for a package there and then; visits at hours not yet known may fall into any."""
        is_there = self.locality is None or self.locality == locality
        return is_there and (self.hours is None or visit_hours is None or self.hours.overlaps(visit_hours))


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """One provider as it stands at the instant `at`.

    `documents` maps a kind to its last good day in UK local time (None: it does not expire). `free_minutes` and
    `free_minutes_by_locality` are carer-minutes a week for new work, already less what is reserved and committed; None,
    or a locality left out, is not limited. `free_from` is the first day on which new work can start. A provider without
    a registered location counts as not rated. `quality_score` is out of 100, None where the scheme scores nobody.
    Raises `BadInput` for a record that contradicts itself.
    """

    provider: str
    at: datetime
    memberships: tuple[Membership, ...] = ()
    locations: tuple[Location, ...] = ()
    skills: frozenset[str] = frozenset()
    accepted_flags: frozenset[str] = frozenset()
    service_hours: DaySpan | None = None
    most_carers: int = 2
    documents: Mapping[str, date | None] = field(default_factory=dict)
    is_full: bool = False
    free_minutes: int | None = None
    free_minutes_by_locality: Mapping[str, int] = field(default_factory=dict)
    declaration_expires_at: datetime | None = None
    free_from: date | None = None
    take_limits: tuple[TakeLimit, ...] = ()
    quality_score: int | None = None

    known: MembershipKeys = field(init=False, repr=False, compare=False)
    """Of all memberships, in whatever state."""
    held: MembershipKeys = field(init=False, repr=False, compare=False)
    """Within their dates and not removed: active and suspended."""
    active: MembershipKeys = field(init=False, repr=False, compare=False)
    """Held, and under no suspension."""
    removed: MembershipKeys = field(init=False, repr=False, compare=False)
    suspended: MembershipKeys = field(init=False, repr=False, compare=False)
    """Held, and under a suspension of any scope: no new work."""
    suspended_from_changes: MembershipKeys = field(init=False, repr=False, compare=False)
    """Held, and under a suspension that also stops restarts and increases."""
    not_begun: MembershipKeys = field(init=False, repr=False, compare=False)
    ended: MembershipKeys = field(init=False, repr=False, compare=False)
    current_documents: frozenset[str] = field(init=False, repr=False, compare=False)
    ratings: frozenset[str] = field(init=False, repr=False, compare=False)
    lads: frozenset[str] = field(init=False, repr=False, compare=False)
    is_declaration_expired: bool = field(init=False, repr=False, compare=False)
    full_package_limits: tuple[TakeLimit, ...] = field(init=False, repr=False, compare=False)
    """Take limits that leave no package more."""
    full_starts_limits: tuple[TakeLimit, ...] = field(init=False, repr=False, compare=False)
    """Take limits that leave no start more in the week."""
    minutes_limits: tuple[TakeLimit, ...] = field(init=False, repr=False, compare=False)
    """Take limits that count minutes."""

    def __post_init__(self) -> None:
        self._refuse_nonsense()
        self._derive_memberships()
        derive = object.__setattr__
        derive(self, "documents", dict(self.documents))
        derive(self, "free_minutes_by_locality", dict(self.free_minutes_by_locality))
        today = self.at.astimezone(LONDON).date()
        good = (kind for kind, last in self.documents.items() if last is None or today <= last)
        derive(self, "current_documents", frozenset(good))
        derive(self, "ratings", frozenset(place.rating for place in self.locations) or frozenset({NOT_RATED}))
        derive(self, "lads", frozenset(place.lad for place in self.locations if place.lad is not None))
        expires = self.declaration_expires_at
        derive(self, "is_declaration_expired", expires is not None and expires <= self.at)
        limits = self.take_limits
        derive(self, "full_package_limits", tuple(one for one in limits if _is_used_up(one.packages_left)))
        derive(self, "full_starts_limits", tuple(one for one in limits if _is_used_up(one.starts_left)))
        derive(self, "minutes_limits", tuple(one for one in limits if one.minutes_left is not None))

    def _derive_memberships(self) -> None:
        # Every membership ends in exactly one of removed, not begun, ended, suspended and active, so that one that
        # is not active always has a rule to say why.
        groups: dict[str, list[Membership]] = {name: [] for name in _GROUPS}
        for one in self.memberships:
            if one.state is MembershipState.REMOVED:
                groups["removed"].append(one)
            elif one.starts_at is not None and self.at < one.starts_at:
                groups["not_begun"].append(one)
            elif one.ends_at is not None and one.ends_at <= self.at:
                groups["ended"].append(one)
            elif one.suspension is None or not one.suspension.bites(self.at):
                groups["active"].append(one)
            else:
                groups["suspended"].append(one)
                if one.suspension.scope is not SuspensionScope.NEW_WORK:
                    groups["suspended_from_changes"].append(one)
        groups["known"] = list(self.memberships)
        groups["held"] = groups["active"] + groups["suspended"]
        # Most providers' memberships are all active, and this is worked out for everybody at every stage.
        active = MembershipKeys.of(groups["active"])
        for name, group in groups.items():
            keys = active if group == groups["active"] else MembershipKeys.of(group) if group else NO_KEYS
            object.__setattr__(self, name, keys)

    def _refuse_nonsense(self) -> None:
        refuse_naive(self.at, "at")
        refuse_naive(self.declaration_expires_at, "declaration_expires_at")
        if len({one.key for one in self.memberships}) != len(self.memberships):
            raise BadInput("one list, lot and locality is named by two memberships", field="memberships")


def _is_used_up(left: int | None) -> bool:
    return left is not None and left < 1
