"""A frontier's picture: an SVG with words for each point, readable without colour."""

from html import escape

from matching.allocation.trades import Point, Trade

WIDTH, HEIGHT, MARGIN = 640, 400, 60


def picture(trade: Trade, points: tuple[Point, ...]) -> str:
    """The points of `trade` from the cheapest to the dearest."""
    costs = [point.cost_pence for point in points] or [0]
    amounts = [point.amount for point in points] or [0]

    def across(cost: int) -> float:
        return MARGIN + (WIDTH - 2 * MARGIN) * (cost - min(costs)) / max(1, max(costs) - min(costs))

    def up(count: int) -> float:
        return HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (count - min(amounts)) / max(1, max(amounts) - min(amounts))

    line = " ".join(f"{across(point.cost_pence):.1f},{up(point.amount):.1f}" for point in points)
    marks = [
        f'<circle cx="{across(point.cost_pence):.1f}" cy="{up(point.amount):.1f}" r="5">'
        f"<title>{escape(trade.words(point))}</title></circle>"
        for point in points
    ]
    labels = [
        _text(WIDTH / 2, HEIGHT - 15, "weekly cost"),
        _text(MARGIN, HEIGHT - MARGIN + 20, f"£{min(costs) / 100:,.0f}"),
        _text(WIDTH - MARGIN, HEIGHT - MARGIN + 20, f"£{max(costs) / 100:,.0f}"),
        _text(MARGIN, MARGIN - 25, trade.axis),
        _text(MARGIN - 25, up(max(amounts)) + 4, trade.tick(max(amounts))),
        _text(MARGIN - 25, up(min(amounts)) + 4, trade.tick(min(amounts))),
    ]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
        f"<title>Cost against {escape(trade.axis)}</title>"
        f'<polyline points="{line}" fill="none" stroke="currentColor"/>{"".join(marks)}{"".join(labels)}</svg>'
    )


def _text(across: float, down: float, words: str) -> str:
    return f'<text x="{across:.1f}" y="{down:.1f}" font-size="13" text-anchor="middle">{escape(words)}</text>'
