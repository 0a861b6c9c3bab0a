"""A frontier's picture: an SVG with round numbers at both axes and words for each point, readable without colour."""

from collections.abc import Iterable
from html import escape
from itertools import count

from matching.allocation.trades import Point, Trade

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 680, 400, 72, 48, 48, 64
MOST_TICKS = 7
WHOLE_POUND = 100


def picture(trade: Trade, points: tuple[Point, ...]) -> str:
    """The points of `trade` from the cheapest to the dearest; the stairs say what each weekly cost buys at best."""
    costs = ticks((point.cost_pence for point in points), WHOLE_POUND)
    amounts = ticks((point.amount for point in points), trade.finest_tick)

    def across(cost: int) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (cost - costs[0]) / (costs[-1] - costs[0])

    def down(amount: int) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * (amount - amounts[0]) / (amounts[-1] - amounts[0])

    drawn = [_text(LEFT, TOP - 24, f"{trade.axis[:1].upper()}{trade.axis[1:]}", "start", is_heading=True)]
    for amount in amounts:
        drawn.append(_line(LEFT, down(amount), WIDTH - RIGHT, down(amount)))
        drawn.append(_text(LEFT - 10, down(amount) + 4, trade.tick(amount), "end"))
    for cost in costs:
        drawn.append(_line(across(cost), HEIGHT - BOTTOM, across(cost), HEIGHT - BOTTOM + 6))
        drawn.append(_text(across(cost), HEIGHT - BOTTOM + 22, f"£{cost // WHOLE_POUND:,}", "middle"))
    drawn.append(_text(WIDTH - RIGHT, HEIGHT - 14, "Cost a week", "end", is_heading=True))
    if points:
        drawn.append(_stairs([(across(point.cost_pence), down(point.amount)) for point in points]))
    drawn += [
        f'<circle cx="{across(point.cost_pence):.1f}" cy="{down(point.amount):.1f}" r="5" fill="currentColor">'
        f"<title>{escape(trade.words(point))}</title></circle>"
        for point in points
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif">'
        f"<title>Cost against {escape(trade.axis)}</title>{''.join(drawn)}</svg>"
    )


def ticks(values: Iterable[int], finest: int) -> list[int]:
    """Round numbers around `values`, two to MOST_TICKS of them, steps of 1, 2 or 5 times a power of ten of `finest`."""
    held = list(values) or [0]
    low, high = min(held), max(held)
    steps = (finest * factor * 10**power for power in count() for factor in (1, 2, 5))
    step = next(step for step in steps if -(-high // step) - low // step < MOST_TICKS)
    first, last = low // step, -(-high // step)
    return [step * place for place in range(first, max(last, first + 1) + 1)]


def _stairs(corners: list[tuple[float, float]]) -> str:
    """A better award is had from its own cost on: level, then down."""
    path = "M{:.1f} {:.1f}".format(*corners[0]) + "".join(f"H{x:.1f}V{y:.1f}" for x, y in corners[1:])
    return f'<path d="{path}" fill="none" stroke="currentColor"/>'


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="#b1b4b6"/>'


def _text(across: float, down: float, words: str, anchor: str, *, is_heading: bool = False) -> str:
    weight = ' font-weight="bold"' if is_heading else ""
    return (
        f'<text x="{across:.1f}" y="{down:.1f}" font-size="13"{weight} fill="currentColor" '
        f'text-anchor="{anchor}">{escape(words)}</text>'
    )
