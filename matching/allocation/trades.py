"""What a frontier trades cost against: coverage, share caps, priority.

A trade has a number that is asked, a price or a cap, and an amount that an award comes to: providers missing, the
largest share of a locality that one provider holds, urgent people left. Cost is a week's objective without what the
trade prices. Where a price is asked, the stretch between two neighbouring points is asked at the price at which both
cost the same; a cap is asked half way down the widest gap that no award has filled.

Source: Aneja and Nair 1979 on bicriteria transportation problems; Haimes, Lasdon and Wismer 1971 on caps.
"""

import statistics
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import pairwise

import numpy as np

from dps.kernel.errors import BadInput
from matching.allocation import terms
from matching.allocation.problem import Problem
from matching.allocation.records import BASIS_POINTS, URGENT, Instance
from matching.allocation.results import Award, Report

USUAL_PENCE = 25_000
DEAREST_PENCE = 200_000
"""The far end of coverage: nobody would pay £2,000 a week for one more provider in a patch."""
DEAREST_PERSON_PENCE = 2_000_000
"""The far end of priority: no package costs £20,000 a week more than another."""
SMALLEST_SHARE_BP = 1_000
FINEST_BP = 50
"""Caps closer than half a per cent are not told apart."""


class Against(StrEnum):
    """What cost is traded against."""

    COVERAGE = "coverage"
    SHARE = "share"
    PRIORITY = "priority"


@dataclass(frozen=True, slots=True)
class Point:
    """One award worth choosing: what was asked when it was met, its weekly cost, and the amount it comes to."""

    asked: int
    cost_pence: int
    amount: int
    unplaced: int
    unplaced_minutes: int


Stretch = tuple[Point, Point]
Question = int | Stretch
"""A number to be asked, or two neighbouring points between which awards are looked for."""


class Trade(ABC):
    """One kind of frontier; those below say what is asked and what counts."""

    against: Against
    asked_name: str
    amount_name: str
    axis: str
    finest_tick = 1
    """The smallest step between two amounts at the side of a picture."""

    @abstractmethod
    def refuse(self, instance: Instance) -> None:
        """Raise `BadInput` where there is nothing to trade."""

    @abstractmethod
    def first(self, instance: Instance) -> tuple[int, ...]:
        """What is asked first: today's number, then both ends."""

    @abstractmethod
    def instance_at(self, instance: Instance, asked: int) -> Instance:
        """The instance in which `asked` is published."""

    @abstractmethod
    def problem_at(self, problem: Problem, asked: int) -> Problem:
        """The same of a numbered problem, whose numbers stay what they are."""

    @abstractmethod
    def measure(self, instance: Instance, awards: Sequence[Award], report: Report) -> tuple[int, int]:
        """Cost in pence and the amount, from what the referee found."""

    def questions(self, points: tuple[Point, ...], asked: set[int]) -> Iterator[Question]:
        """What to ask next, the most promising first; what was asked may be among them."""
        for stretch in sorted(pairwise(points), key=_width, reverse=True):
            if _width(stretch) > 1:
                yield (stretch[1].cost_pence - stretch[0].cost_pence) // _width(stretch)
                yield stretch

    @abstractmethod
    def amount(self, point: Point) -> str:
        """The amount in words."""

    @abstractmethod
    def asked(self, point: Point) -> str:
        """What was asked, in words."""

    def tick(self, amount: int) -> str:
        """An amount at the side of the picture."""
        return str(amount)

    def words(self, point: Point) -> str:
        """A point in words."""
        return (
            f"£{point.cost_pence / 100:,.2f} a week, {self.amount(point)}, {point.unplaced} unplaced, "
            f"{self.asked(point)}"
        )


def _width(stretch: Stretch) -> int:
    return stretch[0].amount - stretch[1].amount


class Coverage(Trade):
    """Providers missing in their localities, at a price for each."""

    against = Against.COVERAGE
    asked_name, amount_name, axis = "coverage_price_pence", "missing_providers", "providers missing"

    def refuse(self, instance: Instance) -> None:
        """Some locality has to want newcomers."""
        if not terms.newcomers_wanted(instance):
            raise BadInput("no locality wants another provider: set default_target or targets higher", field="coverage")

    def first(self, instance: Instance) -> tuple[int, ...]:
        """The published price, nothing, and what nobody would pay."""
        return (instance.policy.coverage_pence or USUAL_PENCE, 0, DEAREST_PENCE)

    def instance_at(self, instance: Instance, asked: int) -> Instance:
        """Each missing provider costs what is asked."""
        return replace(instance, policy=replace(instance.policy, coverage_pence=asked))

    def problem_at(self, problem: Problem, asked: int) -> Problem:
        """Each missing provider costs what is asked."""
        return replace(problem, coverage_pence=asked)

    def measure(self, instance: Instance, awards: Sequence[Award], report: Report) -> tuple[int, int]:
        """Everything but coverage, and the providers missing."""
        return report.objective_pence - report.coverage_pence, report.missing_providers

    def amount(self, point: Point) -> str:
        """Providers."""
        return f"{point.amount} provider{'s' * (point.amount != 1)} missing"

    def asked(self, point: Point) -> str:
        """A price."""
        return f"at £{point.asked / 100:,.0f} for a missing provider"


class Share(Trade):
    """The largest share of a locality's minutes that one provider with new work there holds, under a cap."""

    against = Against.SHARE
    asked_name, amount_name, axis = "locality_share_bp", "largest_share_bp", "largest share of a locality"
    finest_tick = 100

    def refuse(self, instance: Instance) -> None:
        """Somebody has to bid."""
        if not instance.bids:
            raise BadInput("nobody bids: there is no share to cap", field="bids")

    def first(self, instance: Instance) -> tuple[int, ...]:
        """No cap, today's cap where one is published, and the smallest."""
        today = instance.policy.locality_share_bp
        return (BASIS_POINTS, SMALLEST_SHARE_BP) if today is None else (today, BASIS_POINTS, SMALLEST_SHARE_BP)

    def instance_at(self, instance: Instance, asked: int) -> Instance:
        """No provider holds more than what is asked."""
        return replace(instance, policy=replace(instance.policy, locality_share_bp=asked))

    def problem_at(self, problem: Problem, asked: int) -> Problem:
        """No provider holds more than what is asked."""
        caps = terms.share_caps(self.instance_at(problem.instance, asked))
        assert caps is not None
        rows = zip(problem.pair_provider.tolist(), problem.pair_locality.tolist(), strict=True)
        share = [caps[problem.providers[seller].ref, problem.localities[place]] for seller, place in rows]
        return replace(problem, pair_share=np.array(share, dtype=np.int64))

    def measure(self, instance: Instance, awards: Sequence[Award], report: Report) -> tuple[int, int]:
        """The whole objective, and the least cap that the award keeps."""
        return report.objective_pence, least_share(instance, awards)

    def questions(self, points: tuple[Point, ...], asked: set[int]) -> Iterator[Question]:
        """Half way between what one cap came to and the next cap that was asked; nothing lies elsewhere."""
        caps = sorted(asked, reverse=True)
        gaps = []
        for cap, below in pairwise(caps):
            kept = max((point.amount for point in points if point.amount <= cap), default=cap)
            gaps.append((kept - below, kept, below))
        for gap, kept, below in sorted(gaps, reverse=True):
            if gap > 2 * FINEST_BP:
                yield (kept + below) // 2

    def amount(self, point: Point) -> str:
        """Per cent."""
        return f"{point.amount / 100:.1f}% of a locality with one provider at most"

    def asked(self, point: Point) -> str:
        """A cap."""
        return f"under a cap of {point.asked / 100:g}%"

    def tick(self, amount: int) -> str:
        """Per cent."""
        return f"{amount / 100:.0f}%"


class Priority(Trade):
    """People of priority 1 and 2 left, at one price for each, beside everything else at its own price."""

    against = Against.PRIORITY
    asked_name, amount_name, axis = "urgent_person_pence", "urgent_left", "urgent people left"

    def refuse(self, instance: Instance) -> None:
        """There have to be urgent people."""
        if not any(package.is_urgent for package in instance.packages):
            raise BadInput("nobody has priority 1 or 2: there is nothing to trade", field="priority")

    def first(self, instance: Instance) -> tuple[int, ...]:
        """The usual price of an urgent person, that of anybody else, and what nobody would pay."""
        urgent = [package.price_unplaced for package in instance.packages if package.is_urgent]
        calm = [package.price_unplaced for package in instance.packages if not package.is_urgent]
        return (int(statistics.median(urgent)), int(statistics.median(calm or [0])), DEAREST_PERSON_PENCE)

    def instance_at(self, instance: Instance, asked: int) -> Instance:
        """Each urgent person left costs what is asked."""
        return replace(
            instance,
            packages=tuple(
                replace(package, unplaced_pence=asked) if package.is_urgent else package
                for package in instance.packages
            ),
        )

    def problem_at(self, problem: Problem, asked: int) -> Problem:
        """Each urgent person left costs what is asked."""
        own = np.array([package.price_unplaced for package in problem.packages], dtype=np.int64)
        urgent = problem.package_priority <= URGENT
        return replace(problem, unplaced_cost=problem.unplaced_cost + np.where(urgent, asked - own, 0))

    def measure(self, instance: Instance, awards: Sequence[Award], report: Report) -> tuple[int, int]:
        """Everything but urgent people left at their own prices, and how many they are."""
        placed = {award.package for award in awards}
        left = [package for package in instance.packages if package.is_urgent and package.ref not in placed]
        return report.objective_pence - sum(package.price_unplaced for package in left), len(left)

    def amount(self, point: Point) -> str:
        """People."""
        return f"{point.amount} urgent {'person' if point.amount == 1 else 'people'} left"

    def asked(self, point: Point) -> str:
        """A price."""
        return f"at £{point.asked / 100:,.0f} for an urgent person left"


TRADES: dict[Against, Trade] = {trade.against: trade for trade in (Coverage(), Share(), Priority())}


def least_share(instance: Instance, awards: Sequence[Award]) -> int:
    """The least cap, in ten-thousandths, that the awards keep; what the policy spares of it is not counted."""
    packages = {package.ref: package for package in instance.packages}
    bids = {bid.ref: bid for bid in instance.bids}
    won: defaultdict[terms.Pair, int] = defaultdict(int)
    for ref in {award.bid for award in awards}:
        bid = bids[ref]
        for package, minutes in zip(bid.packages, terms.bid_minutes(bid, packages), strict=True):
            won[bid.provider, packages[package].locality] += minutes
    whole = terms.locality_minutes(instance)
    spared = terms.spared_minutes(instance)
    stated = terms.terms_by_pair(instance)
    shares = [0]
    for pair, minutes in won.items():
        if minutes > spared[pair]:
            committed = stated[pair].committed_minutes if pair in stated else 0
            shares.append(-(-(committed + minutes) * BASIS_POINTS // whole[pair[1]]))
    return max(shares)
