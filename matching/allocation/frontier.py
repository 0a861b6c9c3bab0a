"""Cost against coverage, for commissioners who set next year's prices: what each more provider in a patch would cost.

One run for each price of a missing provider; every award found is judged anew by its two numbers, and only those
that no other beats in both are kept (runs stopped by the clock are not monotone).
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape

from matching.allocation.records import Instance
from matching.allocation.solving import solve
from matching.allocation.work import DEFAULT_EFFORT

USUAL_PRICES = (0, 2_500, 5_000, 10_000, 15_000, 20_000, 25_000, 35_000, 50_000, 75_000, 100_000, 200_000)
WIDTH, HEIGHT, MARGIN = 640, 400, 60


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
    prices: Sequence[int] = USUAL_PRICES,
    effort: int = DEFAULT_EFFORT,
    time_limit_s: float | None = None,
    in_process: bool = False,
) -> Frontier:
    """Solve at each price of a missing provider; `time_limit_s` is for all runs together."""
    each = None if time_limit_s is None else time_limit_s / len(prices)
    points = []
    for price in prices:
        priced = replace(instance, policy=replace(instance.policy, coverage_pence=price, objective="prices"))
        result = solve(priced, lot_seed=lot_seed, effort=effort, time_limit_s=each, in_process=in_process)
        report = result.report
        points.append(
            Point(
                price,
                report.objective_pence - report.coverage_pence,
                report.missing_providers,
                report.unplaced,
                report.unplaced_minutes,
            )
        )
    return Frontier(undominated(points), len(points))


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
