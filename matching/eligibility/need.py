"""What one referral at one stage of its ladder asks of a provider.

The caller composes it from the package, the stage and the scheme; only what a rule reads stands here. Nothing in it
names or locates the person.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from dps.kernel.errors import BadInput
from matching.eligibility.day_span import DaySpan
from matching.eligibility.instants import refuse_naive


class DirectRoute(StrEnum):
    """Why one named provider is asked without competition. Source: design.md, `direct_award`."""

    FIRST_REFUSAL = "first_refusal"
    RESTART = "restart"
    INCREASE = "increase"
    BLOCK_HOURS = "block_hours"
    PERSONS_CHOICE = "persons_choice"
    OFF_LIST = "off_list"


SERVED_ALREADY = frozenset({DirectRoute.RESTART, DirectRoute.INCREASE})
ASKED_WITHOUT_MEMBERSHIP = SERVED_ALREADY | {DirectRoute.OFF_LIST}


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One referral at one stage, at the instant `at`.

    `ref` is the referral's reference. `weekly_minutes` are carer-minutes. `reach` holds every locality whose members
    are asked and always contains the home `locality`. `None` for `area_lads`, `accepted_ratings` or `visit_hours`
    means that the scheme or the package does not ask. Raises `BadInput` for a record that contradicts itself.
    """

    ref: str
    at: datetime
    lot: str
    locality: str
    lists: frozenset[str]
    reach: frozenset[str]
    weekly_minutes: int
    carers_needed: int = 1
    skills: frozenset[str] = frozenset()
    flags: frozenset[str] = frozenset()
    visit_hours: DaySpan | None = None
    start_by: date | None = None
    required_documents: frozenset[str] = frozenset()
    accepted_ratings: frozenset[str] | None = None
    area_lads: frozenset[str] | None = None
    bordering_lads: frozenset[str] = frozenset()
    may_cross_border: bool = False
    excluded_providers: frozenset[str] = frozenset()
    direct_route: DirectRoute | None = None
    direct_to: str | None = None
    asked_before: frozenset[str] = frozenset()
    """Providers that an earlier stage asked, where this one asks others only."""
    least_scores: Mapping[str, int] = field(default_factory=dict)
    """By list the quality score below which it brings nobody in."""

    keys: frozenset[tuple[str, str, str]] = field(init=False, repr=False, compare=False)
    """Every (list, lot, locality) at which an active membership makes a provider one of those asked."""
    home_keys: frozenset[tuple[str, str, str]] = field(init=False, repr=False, compare=False)
    """Those of `keys` that are in the home locality."""
    lists_in_order: tuple[str, ...] = field(init=False, repr=False, compare=False)
    place: tuple[str, str] = field(init=False, repr=False, compare=False)
    """(lot, home locality)."""
    base_lads: frozenset[str] | None = field(init=False, repr=False, compare=False)
    """Districts in which a registered location counts, those across the border included where they are allowed."""
    asks_membership: bool = field(init=False, repr=False, compare=False)
    """False where a contract (restart, increase) or an approved exception (off-list spot) stands in for the list."""
    is_for_a_person_already_served: bool = field(init=False, repr=False, compare=False)
    """True for a restart or an increase: not new work, and the ledger raises ceiling and commitment together."""

    def __post_init__(self) -> None:
        self._refuse_nonsense()
        derive = object.__setattr__
        keys = frozenset((name, self.lot, place) for name in self.lists for place in self.reach)
        derive(self, "keys", keys)
        derive(self, "home_keys", frozenset(key for key in keys if key[2] == self.locality))
        derive(self, "lists_in_order", tuple(sorted(self.lists)))
        derive(self, "place", (self.lot, self.locality))
        across = self.bordering_lads if self.may_cross_border else frozenset()
        derive(self, "base_lads", None if self.area_lads is None else self.area_lads | across)
        derive(self, "asks_membership", self.direct_route not in ASKED_WITHOUT_MEMBERSHIP)
        derive(self, "is_for_a_person_already_served", self.direct_route in SERVED_ALREADY)

    def _refuse_nonsense(self) -> None:
        refuse_naive(self.at, "at")
        if self.weekly_minutes < 1:
            raise BadInput(f"{self.weekly_minutes} carer-minutes a week are no package", field="weekly_minutes")
        if self.carers_needed not in (1, 2):
            raise BadInput(f"a visit takes one carer or two, not {self.carers_needed}", field="carers_needed")
        if self.locality not in self.reach:
            raise BadInput(f"the home locality {self.locality} is outside the stage's reach", field="reach")
        if (self.direct_route is None) != (self.direct_to is None):
            raise BadInput("a direct route names its provider, and only a direct route does", field="direct_to")
        if not self.lists and self.direct_route not in ASKED_WITHOUT_MEMBERSHIP:
            raise BadInput("a stage that asks members names at least one list", field="lists")
