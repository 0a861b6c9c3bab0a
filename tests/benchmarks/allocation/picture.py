"""The gap over time as a picture: one line for each peer that told when it met better awards."""

from collections.abc import Mapping, Sequence
from html import escape
from math import log10

from tests.benchmarks.allocation.peers import Met

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 720, 420, 60, 150, 40, 50
LEAST_GAP, MOST_GAP = 0.001, 1.0
DASHES = ("", "8 4", "2 4", "10 3 2 3")
Lines = Mapping[str, Sequence[Met]]


def gap_over_time(title: str, limit_s: float, bound: int, lines: Lines) -> str:
    """An SVG; the gap against `bound` on a logarithmic scale, lines told apart by dashes and names, not colour."""

    def across(seconds: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * min(1.0, seconds / limit_s)

    def down(gap: float) -> float:
        share = log10(min(MOST_GAP, max(LEAST_GAP, gap)) / LEAST_GAP) / log10(MOST_GAP / LEAST_GAP)
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share

    drawn = [_text(LEFT, 20, title, "start")]
    for gap in (0.001, 0.01, 0.1, 1.0):
        drawn.append(
            f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{down(gap):.1f}" y2="{down(gap):.1f}" stroke="#ccc"/>'
        )
        drawn.append(_text(LEFT - 8, down(gap) + 4, f"{gap:.1%}", "end"))
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        drawn.append(_text(across(share * limit_s), HEIGHT - BOTTOM + 20, f"{share * limit_s:g} s", "middle"))
    labels = sorted((down((met[-1][1] - bound) / met[-1][1]), name) for name, met in lines.items() if met)
    lowest = 0.0
    for place, (height, name) in enumerate(labels):
        points = _steps([(across(seconds), down((value - bound) / value)) for seconds, value in lines[name]])
        points += f" {across(limit_s):.1f},{height:.1f}"
        dashes = DASHES[place % len(DASHES)]
        drawn.append(f'<polyline points="{points}" fill="none" stroke="#000" stroke-dasharray="{dashes}"/>')
        # Names that would lie on each other are moved apart.
        lowest = max(height + 4, lowest + 16)
        drawn.append(_text(WIDTH - RIGHT + 8, lowest, name, "start"))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
        f'<title>{escape(title)}</title><rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>{"".join(drawn)}</svg>\n'
    )


def _steps(points: list[tuple[float, float]]) -> str:
    """An award stands until a better one is met: level, then down."""
    corners = [points[0]]
    for point in points[1:]:
        corners += [(point[0], corners[-1][1]), point]
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)


def _text(across: float, down: float, words: str, anchor: str) -> str:
    return (
        f'<text x="{across:.1f}" y="{down:.1f}" font-size="13" font-family="sans-serif" '
        f'text-anchor="{anchor}">{escape(words)}</text>'
    )
