"""What an allocation run is given: packages, providers, bids and the published rules, as frozen records.

Every record refuses nonsense about itself when it is made; what contradicts across records is refused by
`sense.refuse_contradictions`. Units: minutes are carer-minutes a week, money is integer pence a week,
capacities are *free* minutes for new work. References are any text; they carry no meaning and decide nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Literal

from dps.kernel.errors import BadInput

MOST_PENCE = 1_000_000_000
MOST_MINUTES = 100_000
MOST_CAPACITY = 100_000_000
URGENT = 2
"""Priorities 1 to URGENT: caps and coverage give way before such a person is left unplaced."""

PRIORITY_WEIGHT = MappingProxyType({1: 8, 2: 4, 3: 2, 4: 1})
UNPLACED_PENCE_PER_HOUR = 6_000
UNPLACED_PENCE_PER_PERSON = 20_000


class Mode(StrEnum):
    """How the packages of one run hang together."""

    JOINT = "joint"
    PER_PACKAGE = "per_package"


def _within(name: str, value: int | None, least: int, most: int) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int):
        raise BadInput(f"{value!r} is not a whole number", field=name)
    if not least <= value <= most:
        raise BadInput(f"{value} is outside {least} to {most}", field=name)


def _named(name: str, value: str) -> None:
    if not value:
        raise BadInput("is empty", field=name)


def default_unplaced_pence(weekly_minutes: int, priority: int) -> int:
    """The price of leaving somebody unplaced where none is published: £60 an hour and £200, doubled per priority."""
    hours_pence = (weekly_minutes * UNPLACED_PENCE_PER_HOUR + 30) // 60
    return PRIORITY_WEIGHT[priority] * (hours_pence + UNPLACED_PENCE_PER_PERSON)


@dataclass(frozen=True, slots=True)
class Package:
    """One package of care: `unplaced_pence` is the published weekly price of leaving it unplaced."""

    ref: str
    locality: str
    weekly_minutes: int
    priority: int = 4
    unplaced_pence: int | None = None
    days_waited: int = 0

    def __post_init__(self) -> None:
        _named("package", self.ref)
        _named("locality", self.locality)
        _within("weekly_minutes", self.weekly_minutes, 1, MOST_MINUTES)
        _within("priority", self.priority, 1, 4)
        _within("unplaced_pence", self.unplaced_pence, 0, MOST_PENCE)
        _within("days_waited", self.days_waited, 0, 10_000)
        if self.unplaced_pence is None:
            object.__setattr__(self, "unplaced_pence", default_unplaced_pence(self.weekly_minutes, self.priority))

    @property
    def is_urgent(self) -> bool:
        """Priority 1 or 2."""
        return self.priority <= URGENT

    @property
    def price_unplaced(self) -> int:
        """`unplaced_pence`, which is never None once the record is made."""
        assert self.unplaced_pence is not None
        return self.unplaced_pence


@dataclass(frozen=True, slots=True)
class TakeLimit:
    """A provider's own limit over a set of packages (a time of day, starts in a week, some localities): hard."""

    name: str
    packages: frozenset[str]
    max_packages: int | None = None
    max_minutes: int | None = None

    def __post_init__(self) -> None:
        _named("take_limit", self.name)
        _within("max_packages", self.max_packages, 0, MOST_CAPACITY)
        _within("max_minutes", self.max_minutes, 0, MOST_CAPACITY)
        if self.max_packages is None and self.max_minutes is None:
            raise BadInput("limits neither packages nor minutes", field="take_limit")


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider's free capacity and take limits; None means no limit."""

    ref: str
    capacity_minutes: int | None = None
    max_packages: int | None = None
    max_new_localities: int | None = None
    take_limits: tuple[TakeLimit, ...] = ()

    def __post_init__(self) -> None:
        _named("provider", self.ref)
        _within("capacity_minutes", self.capacity_minutes, 0, MOST_CAPACITY)
        _within("max_packages", self.max_packages, 0, MOST_CAPACITY)
        _within("max_new_localities", self.max_new_localities, 0, MOST_CAPACITY)


@dataclass(frozen=True, slots=True)
class LocalityTerms:
    """A provider's terms in one locality.

    With committed minutes the provider is an incumbent there: no entry price, no smallest block. `entry_pence` and
    `block_minutes` (the smallest worthwhile block of new work) are a newcomer's.
    """

    provider: str
    locality: str
    capacity_minutes: int | None = None
    committed_minutes: int = 0
    block_minutes: int = 0
    entry_pence: int = 0
    max_packages: int | None = None

    def __post_init__(self) -> None:
        _named("provider", self.provider)
        _named("locality", self.locality)
        _within("capacity_minutes", self.capacity_minutes, 0, MOST_CAPACITY)
        _within("committed_minutes", self.committed_minutes, 0, MOST_CAPACITY)
        _within("block_minutes", self.block_minutes, 0, MOST_CAPACITY)
        _within("entry_pence", self.entry_pence, 0, MOST_PENCE)
        _within("max_packages", self.max_packages, 0, MOST_CAPACITY)

    @property
    def is_incumbent(self) -> bool:
        """Works there already."""
        return self.committed_minutes > 0


@dataclass(frozen=True, slots=True)
class Bid:
    """One opened bid, for one package or for several (a bundle: all or nothing).

    `weekly_minutes` None means the packages' own minutes. `quality` is 0 to 100. `preference` is the provider's own
    order (1 is liked best). `excludes` are bids of the same provider of which at most one may win together with
    this one. `rank` (1 is best; equal ranks tie) is needed in `per_package`. `tie` holds the published tie order as
    whole numbers, lower is better. `lot_key` names the bid in the drawing of lots; a caller whose references are
    themselves random passes something that is not (the bid's place in the closing's manifest, say).
    """

    ref: str
    provider: str
    packages: tuple[str, ...]
    weekly_pence: int
    weekly_minutes: int | None = None
    quality: int = 100
    start_delay_days: int = 0
    preference: int | None = None
    excludes: tuple[str, ...] = ()
    rank: int | None = None
    tie: tuple[int, ...] = ()
    lot_key: str = ""

    def __post_init__(self) -> None:
        _named("bid", self.ref)
        _named("provider", self.provider)
        if not self.packages:
            raise BadInput("names no package", field="packages")
        if len(set(self.packages)) != len(self.packages):
            raise BadInput("names a package twice", field="packages")
        _within("weekly_pence", self.weekly_pence, 0, MOST_PENCE)
        _within("weekly_minutes", self.weekly_minutes, 1, MOST_MINUTES * len(self.packages))
        _within("quality", self.quality, 0, 100)
        _within("start_delay_days", self.start_delay_days, 0, 10_000)
        _within("preference", self.preference, 0, MOST_CAPACITY)
        _within("rank", self.rank, 0, MOST_CAPACITY)
        for value in self.tie:
            _within("tie", value, -MOST_CAPACITY, MOST_CAPACITY)
        if not self.lot_key:
            object.__setattr__(self, "lot_key", self.ref)

    @property
    def is_bundle(self) -> bool:
        """For several packages, all or nothing."""
        return len(self.packages) > 1


Level = Literal["unplaced", "coverage", "cost"]
LEVELS: tuple[Level, ...] = ("unplaced", "coverage", "cost")
BASIS_POINTS = 10_000


@dataclass(frozen=True, slots=True)
class Policy:
    """The published rules of an allocation; the defaults price nothing but the bids and the people left unplaced.

    `objective` is "prices" (one sum in pence) or a published order, first things first. `locality_share_bp` is in
    ten-thousandths of a locality's minutes; `share_spares_first_package` keeps it from barring a provider's first
    package there, without which a locality's only package could go to nobody. The three price lists by day are for
    priorities 1 to 4, in that order.
    """

    mode: Mode = Mode.JOINT
    objective: Literal["prices"] | tuple[Level, ...] = "prices"
    coverage_pence: int = 0
    default_target: int = 0
    targets: Mapping[str, int] = field(default_factory=dict)
    locality_share_bp: int | None = None
    awards_per_provider: int | None = None
    quality_weight: int = 0
    quality_formula: Literal["lowest_over_bid", "linear_in_envelope"] = "lowest_over_bid"
    envelope_pence_per_hour: tuple[int, int] | None = None
    quality_pence_per_point_hour: int = 0
    delay_pence_per_day: tuple[int, int, int, int] = (0, 0, 0, 0)
    waiting_pence_per_day: tuple[int, int, int, int] = (0, 0, 0, 0)
    stability_pence: int = 0
    share_spares_first_package: bool = False

    def __post_init__(self) -> None:
        if self.objective != "prices":
            if not set(self.objective) <= set(LEVELS) or len(set(self.objective)) != len(self.objective):
                raise BadInput(f"an order holds each of {', '.join(LEVELS)} at most once", field="objective")
            if "unplaced" not in self.objective:
                raise BadInput("an order without 'unplaced' would place nobody", field="objective")
        _within("coverage.price_pence", self.coverage_pence, 0, MOST_PENCE)
        _within("coverage.default_target", self.default_target, 0, 1_000)
        for locality, target in self.targets.items():
            _within(f"coverage.targets.{locality}", target, 0, 1_000)
        _within("caps.locality_share", self.locality_share_bp, 1, BASIS_POINTS)
        _within("caps.awards_per_provider", self.awards_per_provider, 1, MOST_CAPACITY)
        _within("quality.weight", self.quality_weight, 0, 100)
        _within("quality.pence_per_point_hour", self.quality_pence_per_point_hour, 0, 100_000)
        for name, prices in (("start", self.delay_pence_per_day), ("waiting", self.waiting_pence_per_day)):
            if len(prices) != 4:
                raise BadInput("needs four prices, for priorities 1 to 4", field=f"{name}.pence_per_day")
            for price in prices:
                _within(f"{name}.pence_per_day", price, 0, MOST_PENCE)
        _within("stability.price_pence", self.stability_pence, 0, MOST_PENCE)
        if self.quality_weight and self.mode is Mode.JOINT and not self.quality_pence_per_point_hour:
            raise BadInput(
                "a relative formula ranks the bids of one package and is never summed over packages: "
                "publish quality.pence_per_point_hour, or use mode = 'per_package'",
                field="quality.weight",
            )

    @property
    def levels(self) -> tuple[Level, ...]:
        """The published order, what it leaves out coming last; () where prices decide."""
        if self.objective == "prices":
            return ()
        return (*self.objective, *(level for level in LEVELS if level not in self.objective))


@dataclass(frozen=True, slots=True)
class Previous:
    """An earlier award that stability wants kept: its package and its provider."""

    package: str
    provider: str


@dataclass(frozen=True, slots=True)
class Instance:
    """Everything one allocation run is decided from; the order of the tuples carries no meaning."""

    packages: tuple[Package, ...]
    providers: tuple[Provider, ...]
    bids: tuple[Bid, ...]
    localities: tuple[LocalityTerms, ...] = ()
    policy: Policy = field(default_factory=Policy)
    previous: tuple[Previous, ...] = ()
