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


# Two things side by side

TALL, FOOT, HEAD, LEFT, RIGHT = 272, 34, 24, 64, 200


@dataclass(frozen=True, slots=True)
class Pair:
    """One row: the same figure of two, as lengths and in words; None where there is nothing to draw."""

    label: str
    values: tuple[int | None, int | None]
    words: tuple[str, str]


def pairs(title: str, rows: Sequence[Pair]) -> Markup:
    """Two bars for each row, the first above the second, drawn to the largest; empty without rows."""
    if not rows:
        return Markup("")
    largest = max((value or 0 for row in rows for value in row.values), default=0) or 1
    label, step = 230, 2 * BAR + 14
    room = WIDTH - label - 130
    drawn = Markup("").join(
        Markup('<text class="label" x="{}" y="{}" text-anchor="end" dominant-baseline="central">{}</text>{}').format(
            label - 8,
            number * step + BAR,
            row.label,
            Markup("").join(
                Markup(
                    '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>'
                    '<text class="words" x="{}" y="{}" dominant-baseline="central">{}</text>'
                ).format(
                    *(_SIDES[side], label, number * step + side * BAR, (value or 0) * room // largest, BAR - 2),
                    *(label + (value or 0) * room // largest + 8, number * step + side * BAR + BAR // 2 - 1, words),
                )
                for side, (value, words) in enumerate(zip(row.values, row.words, strict=True))
            ),
        )
        for number, row in enumerate(rows)
    )
    return Markup('<svg class="dps-two" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, step * len(rows), title, drawn
    )


_SIDES = ("first", "second")


@dataclass(frozen=True, slots=True)
class Line:
    """One side's values, in the order of the foot's labels, and the name that stands at its end."""

    name: str
    values: tuple[int, ...]


def lines(title: str, sides: tuple[Line, Line], *, foot: Sequence[str], top: str, bottom: str = "0") -> Markup:
    """Two lines over the same steps: the first whole, the second broken. `top` says what the highest value is."""
    steps = len(foot)
    largest = max((value for side in sides for value in side.values), default=0) or 1
    width, height = WIDTH - LEFT - RIGHT, TALL - FOOT - HEAD

    def at(step: int, value: int) -> tuple[int, int]:
        return LEFT + step * width // max(steps - 1, 1), HEAD + height - value * height // largest

    ends = [at(steps - 1, side.values[-1])[1] for side in sides]
    if abs(ends[0] - ends[1]) < BAR:
        # Two names that would stand on each other are moved apart.
        upper = 0 if ends[0] <= ends[1] else 1
        ends[upper], ends[1 - upper] = ends[upper] - BAR // 2, ends[upper] + BAR // 2
    drawn = Markup("").join(
        Markup(
            '<polyline class="{}" points="{}"/><text class="words" x="{}" y="{}" dominant-baseline="central">{}</text>'
        ).format(
            _SIDES[number],
            " ".join(f"{x},{y}" for x, y in (at(step, value) for step, value in enumerate(side.values))),
            *(LEFT + width + 8, ends[number], side.name),
        )
        for number, side in enumerate(sides)
    )
    every = max(-(-steps // 9), 1)
    labels = Markup("").join(
        Markup('<text class="label" x="{}" y="{}" text-anchor="middle">{}</text>').format(
            at(step, 0)[0], TALL - 12, words
        )
        for step, words in enumerate(foot)
        if step % every == 0
    )
    axes = Markup(
        '<path class="axis" d="M{0} {6}V{1}H{2}"/>'
        '<text class="label" x="{3}" y="{7}" text-anchor="end">{4}</text>'
        '<text class="label" x="{3}" y="{1}" text-anchor="end">{5}</text>'
    ).format(LEFT, HEAD + height, LEFT + width, LEFT - 8, top, bottom, HEAD, HEAD + 4)
    return Markup('<svg class="dps-two" viewBox="0 0 {} {}" role="img" aria-label="{}">{}{}{}</svg>').format(
        WIDTH, TALL, title, axes, labels, drawn
    )
