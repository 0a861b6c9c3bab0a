"""Cost against coverage, for commissioners who set next year's prices: what each more provider in a patch would cost.

The published price comes first, then the two ends: coverage at no price, and at one that nobody would pay. Then,
again and again, the widest stretch between two neighbouring points is asked at the price at which both cost the same.
Where that has been asked, nothing lies below the straight line between them; what lies a little above it is looked
for with targets half way between what the two ends reach in each locality. Every award met is judged anew by its two
numbers, and only those that no other beats in both are kept. Above a day's size each search begins from what the
others found (`sweep`).

Source: Aneja and Nair 1979 on bicriteria transportation problems.
"""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from itertools import pairwise
from typing import Protocol

from matching.allocation.problem import Problem, is_large, number
from matching.allocation.reasons import awards_with_reasons
from matching.allocation.records import Instance
from matching.allocation.referee import check
from matching.allocation.solving import solve
from matching.allocation.work import DEFAULT_EFFORT, Work

USUAL_RUNS = 16
USUAL_PENCE = 25_000
DEAREST_PENCE = 200_000
"""The far end: nobody would pay £2,000 a week for one more provider in a patch."""
WIDTH, HEIGHT, MARGIN = 640, 400, 60


Award = tuple[int, ...]
"""Canonical numbers of the bids that win."""


class Searcher(Protocol):
    """Finds awards of one problem at any price of a missing provider."""

    def at(self, price: int) -> list[Award]:
        """Awards met at that price, the best one last."""
        ...

    def between(self, price: int, ends: tuple[Award, Award]) -> list[Award]:
        """Awards that lie between the two, where there is a way to look for them."""
        ...


@dataclass(frozen=True, slots=True)
class Point:
    """One award worth choosing: its weekly cost with everything but coverage, and the providers still missing."""

    coverage_price_pence: int
    cost_pence: int
    missing_providers: int
    unplaced: int
    unplaced_minutes: int


@dataclass(frozen=True, slots=True)
class Frontier:
    """Points from the cheapest to the best covered; none is beaten in both by another."""

    points: tuple[Point, ...]
    runs: int

    def to_json(self) -> str:
        """One line of JSON."""
        names = Point.__slots__
        rows = [{name: getattr(point, name) for name in names} for point in self.points]
        return json.dumps({"runs": self.runs, "points": rows})

    def to_svg(self) -> str:
        """A picture with words for each point, readable without colour."""
        return _picture(self.points)


def frontier(
    instance: Instance,
    *,
    lot_seed: bytes,
    runs: int = USUAL_RUNS,
    effort: int = DEFAULT_EFFORT,
    time_limit_s: float | None = None,
    in_process: bool = False,
) -> Frontier:
    """Search at `runs` prices of a missing provider at most; `time_limit_s` is for all of them together."""
    instance = replace(instance, policy=replace(instance.policy, objective="prices"))
    problem = number(instance, lot_seed)
    if is_large(problem):
        # The compiler takes seconds to load: only who searches waits for it.
        from matching.allocation.sweep import Sweep

        searcher: Searcher = Sweep(problem, Work(effort, time_limit_s), runs)
    else:
        each_s = None if time_limit_s is None else time_limit_s / runs
        searcher = _Proving(problem, lot_seed, effort, each_s, in_process)
    return _bisected(problem, searcher, runs, time_limit_s)


class _Proving:
    """Awards of a problem small enough to be solved afresh each time."""

    def __init__(
        self, problem: Problem, lot_seed: bytes, effort: int, time_limit_s: float | None, in_process: bool
    ) -> None:
        self.problem, self.lot_seed = problem, lot_seed
        self.effort, self.time_limit_s, self.in_process = effort, time_limit_s, in_process
        self.numbers = {bid.ref: place for place, bid in enumerate(problem.bids)}

    def at(self, price: int) -> list[Award]:
        """The best award at that price."""
        instance = self.problem.instance
        result = solve(
            replace(instance, policy=replace(instance.policy, coverage_pence=price)),
            lot_seed=self.lot_seed,
            effort=self.effort,
            time_limit_s=self.time_limit_s,
            in_process=self.in_process,
        )
        return [tuple(sorted({self.numbers[award.bid] for award in result.awards}))]

    def between(self, price: int, ends: tuple[Award, Award]) -> list[Award]:
        """None: both ends are proven, and nothing lies below the line between them."""
        return []


def _bisected(problem: Problem, searcher: Searcher, runs: int, limit_s: float | None) -> Frontier:
    began = time.monotonic()
    judged: dict[Award, Point] = {}
    asked: set[int | tuple[Award, Award]] = set()

    def judge(price: int, met: list[Award]) -> None:
        for won in met:
            if won not in judged:
                judged[won] = _judge(problem, price, won)

    def may_go_on() -> bool:
        return len(asked) < runs and (limit_s is None or time.monotonic() - began < limit_s * (1 - 1 / runs))

    for price in (problem.coverage_pence or USUAL_PENCE, 0, DEAREST_PENCE):
        asked.add(price)
        judge(price, searcher.at(price))
    while may_go_on():
        points = undominated(list(judged.values()))
        awards = {point: won for won, point in judged.items()}
        for stretch in sorted(pairwise(points), key=_width, reverse=True):
            ends = awards[stretch[0]], awards[stretch[1]]
            price = _price_between(stretch)
            if _width(stretch) > 1 and price not in asked:
                asked.add(price)
                judge(price, searcher.at(price))
                break
            if _width(stretch) > 1 and ends not in asked:
                asked.add(ends)
                judge(price, searcher.between(price, ends))
                break
        else:
            break
    return Frontier(undominated(list(judged.values())), len(asked))


Stretch = tuple["Point", "Point"]


def _width(stretch: Stretch) -> int:
    return stretch[0].missing_providers - stretch[1].missing_providers


def _price_between(stretch: Stretch) -> int:
    """The price of a missing provider at which both ends cost the same."""
    return (stretch[1].cost_pence - stretch[0].cost_pence) // _width(stretch)


def _judge(problem: Problem, price: int, won: tuple[int, ...]) -> Point:
    """The referee's numbers, whatever the search believed."""
    report = check(problem.instance, awards_with_reasons(problem, list(won)))
    cost = report.objective_pence - report.coverage_pence
    return Point(price, cost, report.missing_providers, report.unplaced, report.unplaced_minutes)


def undominated(points: Sequence[Point]) -> tuple[Point, ...]:
    """Those that no other point equals or beats in cost and coverage, cheapest first."""
    kept: list[Point] = []
    for point in sorted(
        points, key=lambda point: (point.cost_pence, point.missing_providers, point.coverage_price_pence)
    ):
        if not kept or point.missing_providers < kept[-1].missing_providers:
            kept.append(point)
    return tuple(kept)


def _picture(points: tuple[Point, ...]) -> str:
    costs = [point.cost_pence for point in points] or [0]
    missing = [point.missing_providers for point in points] or [0]

    def across(cost: int) -> float:
        return MARGIN + (WIDTH - 2 * MARGIN) * (cost - min(costs)) / max(1, max(costs) - min(costs))

    def up(count: int) -> float:
        return HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (count - min(missing)) / max(1, max(missing) - min(missing))

    line = " ".join(f"{across(point.cost_pence):.1f},{up(point.missing_providers):.1f}" for point in points)
    marks = [
        f'<circle cx="{across(point.cost_pence):.1f}" cy="{up(point.missing_providers):.1f}" r="5">'
        f"<title>{escape(_words(point))}</title></circle>"
        for point in points
    ]
    labels = [
        _text(WIDTH / 2, HEIGHT - 15, "weekly cost without coverage"),
        _text(MARGIN, HEIGHT - MARGIN + 20, f"£{min(costs) / 100:,.0f}"),
        _text(WIDTH - MARGIN, HEIGHT - MARGIN + 20, f"£{max(costs) / 100:,.0f}"),
        _text(MARGIN, MARGIN - 25, "providers missing"),
        _text(MARGIN - 25, up(max(missing)) + 4, str(max(missing))),
        _text(MARGIN - 25, up(min(missing)) + 4, str(min(missing))),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
        "<title>Cost against coverage</title>"
        f'<polyline points="{line}" fill="none" stroke="currentColor"/>{"".join(marks)}{"".join(labels)}</svg>'
    )


def _text(across: float, down: float, words: str) -> str:
    return f'<text x="{across:.1f}" y="{down:.1f}" font-size="13" text-anchor="middle">{escape(words)}</text>'


def _words(point: Point) -> str:
    return (
        f"£{point.cost_pence / 100:,.2f} a week, {point.missing_providers} providers missing, "
        f"{point.unplaced} people unplaced, at £{point.coverage_price_pence / 100:,.0f} for a missing provider"
    )
