"""Maps as SVG, drawn from boundaries that the engine works out itself: no tiles, no script, no third party.

A map is a picture for the eye. What it says stands in a table or a list beside it, which keyboards and screen readers
get to; so its own links are passed over by both.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from dps.places.boundaries import Boundary, Ring

WIDTH = 640
_TALLEST = 760
_MARGIN = 8
_CHARACTER, _LINE = 9, 15
"""About as wide is a letter of a label, and as high its line."""

LEAST_SHADE, MOST_SHADE = 0, 4


@dataclass(frozen=True, slots=True)
class Area:
    """One area: how dark it is (0 to 4, None where nothing is known), what it is called and what is said of it.

    `href` is where a click leads; `key` names the box of a form that a click ticks; `label` is what is written on it,
    its name unless told otherwise.
    """

    name: str
    boundary: Boundary
    words: str
    shade: int | None = None
    href: str | None = None
    key: str | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A point with a number in it."""

    at: tuple[int, int]
    text: str
    words: str


def shade_of(value: int | None, steps: Sequence[int]) -> int | None:
    """How dark: 0 for nothing, then one more for each step that the value reaches. Four steps at most."""
    return None if value is None else sum(value >= step for step in steps)


def map_of(title: str, areas: Sequence[Area], marks: Sequence[Mark] = ()) -> Markup:
    """The map; empty without areas. `title` is what a screen reader says of a map that is only looked at."""
    if not areas:
        return Markup("")
    frame = _Frame.around([ring for area in areas for ring in area.boundary.rings])
    is_pressed = any(area.href for area in areas)
    drawn = Markup("").join(_area(area, frame) for area in areas)
    named = Markup("").join(_labels(areas, frame))
    pointed = Markup("").join(_mark(mark, frame) for mark in marks)
    about = Markup('aria-hidden="true"') if is_pressed else Markup('role="img" aria-label="{}"').format(title)
    return Markup('<svg class="dps-map" viewBox="0 0 {} {}" {}>{}{}{}</svg>').format(
        WIDTH, frame.height, about, drawn, named, pointed
    )


@dataclass(frozen=True, slots=True)
class _Frame:
    """Metres on the ground to units of the picture, north at the top."""

    west: int
    north: int
    scale: float
    left: float
    height: int

    @classmethod
    def around(cls, rings: Sequence[Ring]) -> "_Frame":
        easts = [east for ring in rings for east, _ in ring]
        norths = [north for ring in rings for _, north in ring]
        wide, tall = max(easts) - min(easts) or 1, max(norths) - min(norths) or 1
        scale = min((WIDTH - 2 * _MARGIN) / wide, (_TALLEST - 2 * _MARGIN) / tall)
        left = (WIDTH - wide * scale) / 2
        return cls(min(easts), max(norths), scale, left, round(tall * scale) + 2 * _MARGIN)

    def at(self, place: tuple[int, int]) -> tuple[int, int]:
        """In tenths of a unit, so that a path can be written in whole numbers."""
        east, north = place
        return (
            round(10 * (self.left + (east - self.west) * self.scale)),
            round(10 * (_MARGIN + (self.north - north) * self.scale)),
        )

    def point(self, place: tuple[int, int]) -> tuple[str, str]:
        across, down = self.at(place)
        return _tenths(across), _tenths(down)


def _area(area: Area, frame: _Frame) -> Markup:
    shade = "none" if area.shade is None else area.shade
    path = Markup('<path class="dps-map__area dps-map__area--{}" d="{}"><title>{}</title></path>').format(
        shade, " ".join(_path(ring, frame) for ring in area.boundary.rings), escape(f"{area.name}: {area.words}")
    )
    if area.href is None:
        return path
    key = Markup(' data-ticks="{}"').format(area.key) if area.key else Markup("")
    return Markup('<a href="{}" tabindex="-1"{}>{}</a>').format(area.href, key, path)


def _path(ring: Ring, frame: _Frame) -> str:
    """Each step from the point before it, which is shorter; steps too short to be seen are left out."""
    points = [frame.at(place) for place in ring]
    steps, here = [], points[0]
    for there in points[1:]:
        across, down = there[0] - here[0], there[1] - here[1]
        if across or down:
            steps.append(f"{_tenths(across)} {_tenths(down)}")
            here = there
    return f"M{_tenths(points[0][0])} {_tenths(points[0][1])}l{' '.join(steps)}z" if steps else ""


def _tenths(value: int) -> str:
    whole, rest = divmod(abs(value), 10)
    return f"{'-' if value < 0 else ''}{whole}{f'.{rest}' if rest else ''}"


def _labels(areas: Sequence[Area], frame: _Frame) -> Iterator[Markup]:
    """The names, those of the widest areas first, where there is room in the area and between the others."""
    taken: list[tuple[float, float, float]] = []
    for room, area in sorted(((_width(area, frame), area) for area in areas), key=lambda one: (-one[0], one[1].name)):
        words = area.label or area.name
        half = _CHARACTER * len(words) / 2
        across, down = (tenths / 10 for tenths in frame.at(area.boundary.inside))
        is_free = all(abs(across - x) >= half + other or abs(down - y) >= _LINE for x, y, other in taken)
        if room >= 2 * half and is_free:
            taken.append((across, down, half))
            yield Markup(
                '<text class="dps-map__label" x="{}" y="{}" text-anchor="middle" dominant-baseline="central">{}</text>'
            ).format(*frame.point(area.boundary.inside), words)


def _width(area: Area, frame: _Frame) -> float:
    across = [frame.at(place)[0] for place in max(area.boundary.rings, key=len)]
    return (max(across) - min(across)) / 10


def _mark(mark: Mark, frame: _Frame) -> Markup:
    across, down = frame.point(mark.at)
    return Markup(
        '<g class="dps-map__mark"><title>{}</title><circle cx="{}" cy="{}" r="11"/>'
        '<text x="{}" y="{}" text-anchor="middle" dominant-baseline="central">{}</text></g>'
    ).format(mark.words, across, down, across, down, mark.text)
