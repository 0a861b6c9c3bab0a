"""The comparison in chapters: a picture where one helps, and always a table that says the same."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any

from markupsafe import Markup

from dps.kernel.money import in_pounds
from web.pages.wording import plain, span
from web.pictures import Line, Pair, lines, pairs
from web.simulation.comparing import Comparison
from web.simulation.figures import WITHIN_DAYS, Figures


class Unit(StrEnum):
    """How a whole number is read."""

    COUNT = "count"
    TIME = "time"
    HOURS = "hours"
    PENCE = "pence"
    SHARE = "share"


_ENOUGH_PERIODS = 6
_COUNT, _TIME, _HOURS, _PENCE, _SHARE = Unit


def said(value: int | None, unit: Unit) -> str:
    """A figure as people read it; times and hours are kept in minutes, shares in thousandths."""
    if value is None:
        return "none"
    match unit:
        case Unit.COUNT:
            return f"{value:,}"
        case Unit.TIME:
            return span(timedelta(minutes=value))
        case Unit.HOURS:
            return f"{value // 60:,} hours"
        case Unit.PENCE:
            return in_pounds(value)
        case Unit.SHARE:
            return f"{value // 10}.{value % 10}%"


@dataclass(frozen=True, slots=True)
class Chapter:
    """One question: the words above, the picture (empty where a table says it all), and the table."""

    key: str
    title: str
    note: str
    picture: Markup
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def in_short(compared: Comparison) -> tuple[tuple[str, ...], ...]:
    """The figures that a commissioner asks for first: each, under both rule sets, and what differs."""
    first, second = compared.figures
    return tuple(
        (words, said(one, unit), said(other, unit), difference(one, other, unit))
        for words, unit, one, other in _headlines(first, second)
    )


def _headlines(first: Figures, second: Figures) -> Iterator[tuple[str, Unit, int | None, int | None]]:
    for words, unit, name in (
        ("People referred", _COUNT, "people"),
        ("Placed", _COUNT, "placed"),
        ("Share placed", _SHARE, "placed_thousandths"),
        ("Median time to place", _TIME, "median_minutes"),
        ("Nine in ten placed within", _TIME, "nine_in_ten_minutes"),
        ("Left with nobody found", _COUNT, "left"),
        ("Still waiting at the end", _COUNT, "waiting"),
        ("Hours of care missed", _HOURS, "missed_minutes"),
        ("Price of an hour", _PENCE, "pence_per_hour"),
        ("An hour of care given, all told", _PENCE, "given_pence_per_hour"),
        ("A week of care placed", _PENCE, "weekly_pence"),
        ("Providers that won", _COUNT, "winning"),
        ("Won by the largest three", _SHARE, "top_three_thousandths"),
        ("Concentration (of 10,000)", _COUNT, "concentration"),
        ("Won by the smaller half", _SHARE, "smaller_half_thousandths"),
        ("Rounds asked", _COUNT, "rounds"),
    ):
        yield words, unit, getattr(first, name), getattr(second, name)


def difference(one: int | None, other: int | None, unit: Unit) -> str:
    """The second less the first, with its sign; shares differ by points."""
    if one is None or other is None:
        return "–"
    sign, size = ("+" if other > one else "−"), abs(other - one)
    if unit is _SHARE and size:
        return f"{sign}{size // 10}.{size % 10} points"
    if said(size, unit) == said(0, unit):
        return "none"
    return f"{sign}{said(size, unit)}"


def chapters(compared: Comparison) -> Iterator[Chapter]:
    """All of them, in the order in which a commissioner asks."""
    first, second = compared.figures
    names = compared.sides[0].name, _other_name(compared)
    yield _times(names, first, second)
    yield _within(names, first, second)
    yield _stages(names, compared.figures)
    yield _unplaced(names, first, second)
    yield _cost(names, first, second)
    if first.blocks or second.blocks:
        yield _blocks(names, first, second)
    yield _market(names, first, second)
    yield _periods(names, first, second)


def _other_name(compared: Comparison) -> str:
    """Two files of one key are told apart."""
    first, second = (side.name for side in compared.sides)
    return second if second != first else f"{second} (against)"


def names_of(compared: Comparison) -> tuple[str, str]:
    return compared.sides[0].name, _other_name(compared)


_Names = tuple[str, str]


def _pair(label: str, one: int | None, other: int | None, unit: Unit) -> Pair:
    return Pair(label, (one, other), (said(one, unit), said(other, unit)))


def _times(names: _Names, first: Figures, second: Figures) -> Chapter:
    ways = list(zip(first.ways, second.ways, strict=True))
    title = "Median time from referral to placement, by urgency"
    return Chapter(
        "times",
        "Time to place",
        "From the referral's arrival until a provider confirmed. Elapsed time, nights and weekends counted.",
        pairs(title, [_pair(plain(a.urgency), a.median_minutes, b.median_minutes, _TIME) for a, b in ways]),
        ("Urgency", "People", *_both(names, "placed"), *_both(names, "median"), *_both(names, "nine in ten within")),
        tuple(
            (
                plain(a.urgency),
                said(a.people, _COUNT),
                *(said(one.placed_thousandths, _SHARE) for one in (a, b)),
                *(said(one.median_minutes, _TIME) for one in (a, b)),
                *(said(one.nine_in_ten_minutes, _TIME) for one in (a, b)),
            )
            for a, b in ways
        ),
    )


def _both(names: _Names, what: str) -> tuple[str, str]:
    return f"{names[0]}: {what}", f"{names[1]}: {what}"


def _within(names: _Names, first: Figures, second: Figures) -> Chapter:
    sides = tuple(
        Line(name, (0, *(share for _, share in one.within_days)))
        for name, one in zip(names, (first, second), strict=True)
    )
    top = max(max(side.values) for side in sides)
    return Chapter(
        "within",
        "Placed within so many days",
        "The share of all people referred for whom a provider had confirmed by then.",
        lines(
            "Share of people placed by days since their referral",
            (sides[0], sides[1]),
            foot=["0 days", *(f"{days}" for days in WITHIN_DAYS)],
            top=said(top, _SHARE),
            bottom="0%",
        ),
        ("Days", *names, "Difference"),
        tuple(
            (str(days), said(one, _SHARE), said(other, _SHARE), difference(one, other, _SHARE))
            for (days, one), (_, other) in zip(first.within_days, second.within_days, strict=True)
        ),
    )


def _stages(names: _Names, both: Sequence[Figures]) -> Chapter:
    """The two ladders may have nothing in common: each stage is a row of its own side."""
    keys = dict.fromkeys(stage.stage for one in both for stage in one.stages)
    rows: list[tuple[str, ...]] = []
    drawn = []
    for key in keys:
        found = [next((stage for stage in one.stages if stage.stage == key), None) for one in both]
        name = next(stage.name for stage in found if stage is not None)
        shares = [None if stage is None else stage.placed_thousandths for stage in found]
        words = ["no such stage" if share is None else said(share, _SHARE) for share in shares]
        drawn.append(Pair(key, (shares[0], shares[1]), (words[0], words[1])))
        asked = [said(stage.rounds, _COUNT) if stage and stage.rounds else "–" for stage in found]
        empty = [said(stage.without_anybody_eligible, _COUNT) if stage and stage.rounds else "–" for stage in found]
        rows.append((f"{name} ({key})", *words, *asked, *empty))
    return Chapter(
        "stages",
        "Where people were placed",
        "The stage that found each person's first provider, as a share of all people referred.",
        pairs("Share of people placed by each stage of the ladder", drawn),
        ("Stage", *_both(names, "placed"), *_both(names, "times asked"), *_both(names, "nobody eligible")),
        tuple(rows),
    )


def _unplaced(names: _Names, first: Figures, second: Figures) -> Chapter:
    both = first.unplaced_minutes_by_week, second.unplaced_minutes_by_week
    sides = tuple(Line(name, weeks) for name, weeks in zip(names, both, strict=True))
    return Chapter(
        "unplaced",
        "Hours a week without a provider",
        "The weekly hours of everybody who was waiting when each week ended.",
        lines(
            "Weekly hours without a provider at the end of each week",
            (sides[0], sides[1]),
            foot=[f"{week}" for week in range(1, len(both[0]) + 1)],
            top=f"{max(map(max, both)) // 60:,} h",
        ),
        ("Week", *names, "Difference"),
        tuple(
            (str(week), said(one, _HOURS), said(other, _HOURS), difference(one, other, _HOURS))
            for week, (one, other) in enumerate(zip(*both, strict=True), start=1)
        ),
    )


def _cost(names: _Names, first: Figures, second: Figures) -> Chapter:
    rows = (
        ("Price of an hour", _PENCE, first.pence_per_hour, second.pence_per_hour),
        ("A week of care placed", _PENCE, first.weekly_pence, second.weekly_pence),
        ("Hours a week placed", _HOURS, first.weekly_minutes, second.weekly_minutes),
        ("Rounds of sealed bids", _COUNT, first.sealed_rounds, second.sealed_rounds),
        ("of which without a bid", _COUNT, first.without_bids, second.without_bids),
        ("of which with a single bid", _COUNT, first.single_bids, second.single_bids),
        ("Bids for two packages or none", _COUNT, first.bundles, second.bundles),
        ("People placed by one of them", _COUNT, first.in_bundles, second.in_bundles),
        ("Hours of care given", _HOURS, first.given_minutes, second.given_minutes),
        ("What they cost, blocks in full", _PENCE, first.given_pence, second.given_pence),
        ("An hour of care given, all told", _PENCE, first.given_pence_per_hour, second.given_pence_per_hour),
    )
    return Chapter(
        "cost",
        "Cost and competition",
        "First placements alone, at their own prices; a cheaper week may only mean that fewer hours were placed. All "
        "told is what care cost on the days when it was given, blocks of hours paid in full, used or not.",
        pairs(
            "Price of an hour",
            [
                _pair("As placed", first.pence_per_hour, second.pence_per_hour, _PENCE),
                _pair("All told", first.given_pence_per_hour, second.given_pence_per_hour, _PENCE),
            ],
        ),
        ("", *names, "Difference"),
        _rows(rows),
    )


def _rows(rows: Sequence[tuple[str, Unit, Any, Any]]) -> tuple[tuple[str, ...], ...]:
    return tuple(
        (words, said(one, unit), said(other, unit), difference(one, other, unit)) for words, unit, one, other in rows
    )


def _blocks(names: _Names, first: Figures, second: Figures) -> Chapter:
    """Whether a block pays: what was bought, what of it was used, and what an hour that was used came to."""
    one, other = first.blocks, second.blocks

    def row(words: str, unit: Unit, name: str) -> tuple[str, Unit, int | None, int | None]:
        return words, unit, getattr(one, name, None), getattr(other, name, None)

    rows = (
        row("Bought a week", _HOURS, "bought_minutes"),
        row("Paid a week", _PENCE, "weekly_pence"),
        row("Used, of what was bought", _SHARE, "used_thousandths"),
        row("An hour that was used", _PENCE, "pence_per_used_hour"),
        ("An hour placed otherwise", _PENCE, first.pence_per_hour, second.pence_per_hour),
        row("People placed in them first", _COUNT, "people"),
    )
    return Chapter(
        "blocks",
        "Blocks of paid hours",
        "Unused hours of a block are offered before anybody else is asked, and cost nothing more. They pay where an "
        "hour that was used costs less than an hour placed otherwise.",
        pairs(
            "An hour out of a block that was used, and an hour placed otherwise",
            [_pair(words, one_side, other_side, unit) for words, unit, one_side, other_side in rows[3:5]],
        ),
        ("", *names, "Difference"),
        _rows(rows),
    )


def _market(names: _Names, first: Figures, second: Figures) -> Chapter:
    rows = (
        ("Providers", _COUNT, first.providers, second.providers),
        ("Providers that won", _COUNT, first.winning, second.winning),
        ("Won by the largest three", _SHARE, first.top_three_thousandths, second.top_three_thousandths),
        ("Won by the smaller half", _SHARE, first.smaller_half_thousandths, second.smaller_half_thousandths),
        ("Concentration (of 10,000)", _COUNT, first.concentration, second.concentration),
        ("Care that failed to start", _COUNT, first.failed_starts, second.failed_starts),
        ("Handed back within days", _COUNT, first.handed_back, second.handed_back),
    )
    drawn = [_pair(words, one, other, unit) for words, unit, one, other in rows if unit is _SHARE]
    return Chapter(
        "market",
        "Who won the work",
        "Shares of the weekly hours won. The smaller half of the providers are those with the fewest hours free. "
        "Concentration is the Herfindahl-Hirschman index: 10,000 is one provider alone.",
        pairs("Shares of the hours won", drawn),
        ("", *names, "Difference"),
        _rows(rows),
    )


def _periods(names: _Names, first: Figures, second: Figures) -> Chapter:
    both = list(zip(first.periods, second.periods, strict=True))
    sooner = sum(_less(b.median_minutes, a.median_minutes) for a, b in both)
    fewer = sum(b.missed_minutes < a.missed_minutes for a, b in both)
    cheaper = sum(_less(b.pence_per_hour, a.pence_per_hour) for a, b in both)
    of = f"of {len(both)} periods"
    words = (
        f"Is a difference more than chance? Under {names[1]} people were placed sooner in {sooner} {of}, fewer hours "
        f"were missed in {fewer}, and an hour cost less in {cheaper}. About half of them would be chance."
    )
    return Chapter(
        "periods",
        "Four weeks at a time",
        words if len(both) >= _ENOUGH_PERIODS else "Too few periods to tell a difference from chance: play more weeks.",
        Markup(""),
        (
            "From week",
            "People",
            *_both(names, "placed"),
            *_both(names, "median"),
            *_both(names, "hours missed"),
            *_both(names, "an hour"),
        ),
        tuple(
            (
                str(a.first_week),
                said(a.people, _COUNT),
                *(said(one.placed, _COUNT) for one in (a, b)),
                *(said(one.median_minutes, _TIME) for one in (a, b)),
                *(said(one.missed_minutes, _HOURS) for one in (a, b)),
                *(said(one.pence_per_hour, _PENCE) for one in (a, b)),
            )
            for a, b in both
        ),
    )


def _less(one: int | None, other: int | None) -> bool:
    return one is not None and other is not None and one < other
