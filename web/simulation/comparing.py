"""Two rule sets on one year: both are played on the same people, providers and minds, each in a process of its own."""

import multiprocessing
import queue
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from dps.schemes.loader import rule_hash
from dps.schemes.model import Scheme
from web.demo.market import Market
from web.simulation.course import Course
from web.simulation.figures import Figures, figures_of
from web.simulation.ground import Rules, ground_of, market_of, playable, put_on, refuse_person_only

Report = Callable[[int, datetime], None]
"""Told which side has come how far."""

_EVERY = 400
_LOOK_S = 0.25


@dataclass(frozen=True, slots=True)
class Comparison:
    """Both rule sets' year. `ground` is the council on whose people and places they were played."""

    ground: str
    seed: int
    weeks: int
    people_a_week: int
    begins: datetime
    sides: tuple[Rules, Rules]
    figures: tuple[Figures, Figures]

    def to_dict(self) -> dict[str, Any]:
        """One JSON object: the same schemes, seed and sizes give the same object."""
        named = zip(("scheme", "against"), self.sides, self.figures, strict=True)
        return {
            "ground": self.ground,
            "seed": self.seed,
            "weeks": self.weeks,
            "people_a_week": self.people_a_week,
            "begins": self.begins.isoformat(),
        } | {
            side: {"key": rules.name, "rules": rule_hash(rules.scheme), "notes": list(rules.notes)} | asdict(figures)
            for side, rules, figures in named
        }


def compare(
    first: Scheme,
    second: Scheme,
    *,
    seed: int,
    weeks: int,
    referrals: int | None = None,
    providers: int | None = None,
    apart: bool = True,
    progress: Report = lambda _side, _at: None,
) -> Comparison:
    """Play both. `apart` gives each a process of its own; the answer is the same either way."""
    refuse_person_only(second)
    stands = playable(first, weeks=weeks, referrals=referrals, providers=providers)
    market = market_of(stands, ground_of(stands), seed=seed, weeks=weeks)
    sides = Rules(first.key, stands, ()), put_on(second, stands)
    play = _apart if apart else _in_turn
    return Comparison(
        ground=first.key,
        seed=seed,
        weeks=weeks,
        people_a_week=len(market.needs) // weeks,
        begins=_begins(stands),
        sides=sides,
        figures=play([rules.scheme for rules in sides], market, seed, weeks, progress),
    )


def _begins(scheme: Scheme) -> datetime:
    assert scheme.demo is not None
    return scheme.demo.starts_at


def played(scheme: Scheme, market: Market, seed: int, weeks: int, progress: Callable[[datetime], None]) -> Figures:
    """One rule set's year."""
    course = Course(scheme, market, seed=seed, weeks=weeks)

    def told(at: datetime, count: int, _waiting: int) -> None:
        if count % _EVERY == 0:
            progress(at)

    course.play(told)
    return figures_of(
        course.cases,
        course.tally,
        scheme,
        free_minutes=course.supply.usual_minutes,
        begins=course.begins,
        until=course.until,
        weeks=weeks,
        blocks=course.supply.blocks,
    )


def _in_turn(schemes: list[Scheme], market: Market, seed: int, weeks: int, progress: Report) -> tuple[Figures, Figures]:
    first, second = (
        played(scheme, market, seed, weeks, lambda at, side=side: progress(side, at))  # type: ignore[misc]
        for side, scheme in enumerate(schemes)
    )
    return first, second


_TOLD: "list[multiprocessing.Queue[tuple[int, datetime]]]" = []
"""In a process that plays one side: where it says how far it has come."""


def _listen(told: "multiprocessing.Queue[tuple[int, datetime]]") -> None:
    _TOLD.append(told)


def _one_side(side: int, scheme: Scheme, market: Market, seed: int, weeks: int) -> Figures:
    return played(scheme, market, seed, weeks, lambda at: _TOLD[0].put((side, at)))


def _apart(schemes: list[Scheme], market: Market, seed: int, weeks: int, progress: Report) -> tuple[Figures, Figures]:
    context = multiprocessing.get_context("spawn")
    told = context.Queue()
    with ProcessPoolExecutor(len(schemes), context, _listen, (told,)) as pool:
        futures = [pool.submit(_one_side, side, scheme, market, seed, weeks) for side, scheme in enumerate(schemes)]
        while not all(future.done() for future in futures):
            try:
                progress(*told.get(timeout=_LOOK_S))
            except queue.Empty:
                continue
        first, second = (future.result() for future in futures)
    return first, second
