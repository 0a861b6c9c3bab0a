"""The published formula of a provider's quality score: five parts out of 100, weighted; exact, rounded once, half up.

Pure: counts and the scheme's rule in, the score and each part's working in words out.
"""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from dps.contracts.quality.evidence import Evidence
from dps.kernel.money import round_half_up
from dps.schemes.quality import Recognition

TEN = 10


@dataclass(frozen=True, slots=True)
class Part:
    """One part: its points out of 100, how much it counts, and the sum in words. `is_known`: there was evidence."""

    name: str
    points: Fraction
    weight: int
    is_known: bool
    working: str

    def to_dict(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "points": str(self.points),
            "weight": self.weight,
            "is_known": self.is_known,
            "working": self.working,
        }


@dataclass(frozen=True, slots=True)
class Scored:
    """The score out of 100 and what it is made of."""

    score: int
    parts: tuple[Part, ...]


def score(rule: Recognition, counts: Evidence) -> Scored:
    """A provider's score from its counts."""
    has_enough = counts.contracts >= rule.least_contracts

    def part(name: str, weight: int, points: Callable[[], Fraction], of: int, working: str) -> Part:
        if has_enough and of > 0:
            return Part(name, points(), weight, True, working)
        too_few = f"{_contracts(counts.contracts)} served, fewer than {rule.least_contracts}"
        why = "nothing is known" if has_enough else too_few
        return Part(name, Fraction(rule.without_evidence), weight, False, f"{why}: {rule.without_evidence}")

    due = counts.visits_done + counts.visits_missed
    on_time = counts.visits_done - counts.visits_late
    lost = counts.hand_backs + counts.failed_starts
    parts = (
        part(
            "outcomes",
            rule.outcomes_weight,
            lambda: Fraction(100 * counts.outcomes_met, counts.outcomes_agreed),
            counts.outcomes_agreed,
            f"{counts.outcomes_met} of {counts.outcomes_agreed} outcomes met",
        ),
        part(
            "reliability",
            rule.reliability_weight,
            lambda: Fraction(100 * counts.visits_done, due),
            due,
            f"{counts.visits_done} of {due} visits delivered",
        ),
        part(
            "punctuality",
            rule.punctuality_weight,
            lambda: Fraction(100 * on_time, counts.visits_done),
            counts.visits_done,
            f"{on_time} of {counts.visits_done} visits on time",
        ),
        part(
            "complaints",
            rule.complaints_weight,
            lambda: _less(rule.complaint_points, counts.complaints_upheld, counts.contracts),
            counts.contracts,
            f"{counts.complaints_upheld} complaints upheld in {_contracts(counts.contracts)}",
        ),
        part(
            "hand-backs",
            rule.hand_backs_weight,
            lambda: _less(rule.hand_back_points, lost, counts.contracts),
            counts.contracts,
            f"{lost} handed back or never started in {_contracts(counts.contracts)}",
        ),
    )
    total = sum((one.points * one.weight for one in parts), Fraction(0)) / 100
    return Scored(round_half_up(total.numerator, total.denominator), parts)


def _contracts(number: int) -> str:
    return "1 contract" if number == 1 else f"{number} contracts"


def _less(points: int, number: int, contracts: int) -> Fraction:
    """100, less the points for each one in ten contracts; never below 0."""
    return max(Fraction(100) - Fraction(points * number * TEN, contracts), Fraction(0))
