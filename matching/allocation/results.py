"""What an allocation run answers with, as frozen records."""

from dataclasses import dataclass
from enum import StrEnum

from matching.allocation.records import Mode


class Status(StrEnum):
    """How much is known about the award."""

    OPTIMAL = "optimal"
    FEASIBLE = "feasible"
    FALLBACK_GREEDY = "fallback_greedy"


@dataclass(frozen=True, slots=True)
class Award:
    """One package goes to one provider; `weekly_pence` is the package's part of the bid's price."""

    package: str
    provider: str
    bid: str
    weekly_pence: int
    reason: str


@dataclass(frozen=True, slots=True)
class Unplaced:
    """One package that nobody got: `rule` is a stable code, `words` the sentence."""

    package: str
    rule: str
    words: str


@dataclass(frozen=True, slots=True)
class Fault:
    """One broken rule, found by the referee."""

    rule: str
    words: str


@dataclass(frozen=True, slots=True)
class Report:
    """The referee's account of an award: feasible or not and why, and every part of the objective in pence a week.

    `gave_way` names each cap that an urgent person's award went beyond. `objective_pence` adds up the parts but for
    `stability_pence`, which is the price of `changes` against the previous award.
    """

    faults: tuple[Fault, ...]
    gave_way: tuple[Fault, ...]
    award_pence: int
    quality_pence: int
    delay_pence: int
    entry_pence: int
    unplaced_pence: int
    coverage_pence: int
    stability_pence: int
    missing_providers: int
    changes: int
    placed: int
    unplaced: int
    unplaced_by_priority: tuple[int, int, int, int]
    unplaced_minutes: int

    @property
    def is_feasible(self) -> bool:
        """No hard rule is broken."""
        return not self.faults

    @property
    def objective_pence(self) -> int:
        """Award cost, published prices, entry, unplaced people and missing coverage."""
        return (
            self.award_pence
            + self.quality_pence
            + self.delay_pence
            + self.entry_pence
            + self.unplaced_pence
            + self.coverage_pence
        )


@dataclass(frozen=True, slots=True)
class LevelBound:
    """One level of a published order: what the award comes to, and the least that another could.

    `is_absolute`: the levels above are proven best, so the bound holds for the best award there is. Otherwise it holds
    for awards that come to no more than this one on each level above.
    """

    name: str
    value: int
    bound: int
    is_absolute: bool

    @property
    def is_proven(self) -> bool:
        """No award is better here without being worse above."""
        return self.is_absolute and self.value == self.bound

    @property
    def words(self) -> str:
        """What is known of it."""
        if self.value == self.bound:
            known = "the least" if self.is_absolute else "the least of all awards no worse on the levels above"
        elif self.is_absolute:
            known = f"no best award comes to less than {self.bound:,}"
        else:
            known = f"no award that is no worse on the levels above comes to less than {self.bound:,}"
        return f"{self.name}: {self.value:,}; {known}"


@dataclass(frozen=True, slots=True)
class Draw:
    """A package decided by lot: the bids ("" is: nobody) that were equal by every published rule, and the one drawn."""

    package: str
    equal_bids: tuple[str, ...]
    drawn_bid: str


@dataclass(frozen=True, slots=True)
class Guide:
    """The prices that led a search, in whole pence: of each package, and of a missing newcomer in each locality.

    They say what placing the package is worth at the margin, and let a search of nearly the same problem begin there.
    """

    package: dict[str, int]
    newcomer: dict[str, int]


@dataclass(frozen=True, slots=True)
class Result:
    """One run's award with its proof: nothing in it has not passed the referee.

    `bound_pence` is never above the objective of any award with as few changes; None where a published order decides
    and optimality is not proven; above a day's size its `levels` then carry a bound each. `gap` is
    (objective - bound) / objective. `counted` means that the work was fixed beforehand in steps, so that the run
    replays to the same award; a clock-stopped run or a fallback is not.
    """

    mode: Mode
    status: Status
    counted: bool
    awards: tuple[Award, ...]
    unplaced: tuple[Unplaced, ...]
    objective_pence: int
    bound_pence: int | None
    report: Report
    draws: tuple[Draw, ...]
    lot_seed: bytes
    seconds: float
    notes: tuple[str, ...] = ()
    guide: Guide | None = None
    levels: tuple[LevelBound, ...] = ()

    @property
    def gap(self) -> float | None:
        """How far the award may be from the best, as a fraction of the objective; 0.0 when proven."""
        if self.status is Status.OPTIMAL:
            return 0.0
        if self.bound_pence is None:
            return None
        if self.objective_pence <= 0:
            return 0.0
        return (self.objective_pence - self.bound_pence) / self.objective_pence
