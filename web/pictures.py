"""Small pictures as SVG: bars beside a table that says the same. No script, no style of their own, no third party."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

WIDTH, LABEL, ROW, BAR = 640, 170, 30, 18


@dataclass(frozen=True, slots=True)
class Bar:
    """One row: a whole of which a part is filled, and the words behind it."""

    label: str
    part: int
    whole: int
    words: str


def bars(title: str, rows: Sequence[Bar]) -> Markup:
    """Bars below each other, drawn to the largest whole; empty without rows. The title is what a screen reader says."""
    if not rows:
        return Markup("")
    largest = max(max(row.whole, row.part) for row in rows) or 1
    room = WIDTH - LABEL - 130
    height = ROW * len(rows)
    drawn = Markup("").join(_row(number, row, room, largest) for number, row in enumerate(rows))
    return Markup('<svg class="dps-bars" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, height, title, drawn
    )


def _row(number: int, row: Bar, room: int, largest: int) -> Markup:
    top, middle = number * ROW, number * ROW + ROW // 2
    whole, part = (value * room // largest for value in (row.whole, row.part))
    return Markup(
        '<text class="dps-bars__label" x="{}" y="{}" text-anchor="end" dominant-baseline="central">{}</text>'
        '<rect class="dps-bars__whole" x="{}" y="{}" width="{}" height="{}"/>'
        '<rect class="dps-bars__part" x="{}" y="{}" width="{}" height="{}"/>'
        '<text class="dps-bars__words" x="{}" y="{}" dominant-baseline="central">{}</text>'
    ).format(
        *(LABEL - 8, middle, escape(row.label)),
        *(LABEL, top + (ROW - BAR) // 2, whole, BAR),
        *(LABEL, top + (ROW - BAR) // 2, part, BAR),
        *(LABEL + max(whole, part) + 8, middle, escape(row.words)),
    )
