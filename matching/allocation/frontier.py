"""What next year's rules would cost, for commissioners: cost against coverage, share caps or priority.

Today's number comes first, then the two ends, then again and again what its trade asks next (`trades`). Every award met
is judged anew by its cost and its amount, and only those that no other beats in both are kept. Above a day's size each
search begins from what the others found (`sweep`).
"""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from dps.kernel.errors import BadInput
from matching.allocation.frontier_picture import picture
from matching.allocation.problem import Problem, is_large, number
from matching.allocation.reasons import awards_with_reasons
from matching.allocation.records import Instance, Mode
from matching.allocation.referee import check
from matching.allocation.sense import refuse_contradictions
from matching.allocation.solving import solve
from matching.allocation.trades import TRADES, Against, Point, Trade
from matching.allocation.work import DEFAULT_EFFORT, Work

USUAL_RUNS = 16
Award = tuple[int, ...]
"""Canonical numbers of the bids that win."""


class Searcher(Protocol):
    """Finds awards of one problem whatever its trade asks."""

    def at(self, asked: int) -> list[Award]:
        """Awards met when that is asked, the best one last."""
        ...

    def between(self, asked: int, ends: tuple[Award, Award]) -> list[Award]:
        """Awards that lie between the two, where there is a way to look for them."""
        ...


@dataclass(frozen=True, slots=True)
class Frontier:
    """Points from the cheapest to the dearest; none is beaten in cost and amount by another."""

    against: Against
    points: tuple[Point, ...]
    runs: int

    def to_json(self) -> str:
        """One line of JSON; what was asked and what it came to carry their trade's names."""
        trade = TRADES[self.against]
        rows = [
            {
                trade.asked_name: point.asked,
                "cost_pence": point.cost_pence,
                trade.amount_name: point.amount,
                "unplaced": point.unplaced,
                "unplaced_minutes": point.unplaced_minutes,
            }
            for point in self.points
        ]
        return json.dumps({"against": self.against, "runs": self.runs, "points": rows})

    def to_svg(self) -> str:
        """A picture with words for each point, readable without colour."""
        return picture(TRADES[self.against], self.points)

    def lines(self) -> list[str]:
        """Each point in words."""
        return [TRADES[self.against].words(point) for point in self.points]


def frontier(
    instance: Instance,
    *,
    lot_seed: bytes,
    against: Against = Against.COVERAGE,
    runs: int = USUAL_RUNS,
    effort: int = DEFAULT_EFFORT,
    time_limit_s: float | None = None,
    in_process: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Frontier:
    """Search `runs` times at most; `time_limit_s` is for all of them together, `progress` hears runs and points.

    A published order is read as prices and previous awards are left aside. Raises `BadInput` for an instance whose
    packages are decided one by one, and where there is nothing to trade.
    """
    if instance.policy.mode is Mode.PER_PACKAGE:
        raise BadInput("a frontier needs packages that are decided together: mode = 'joint'", field="mode")
    instance = replace(instance, policy=replace(instance.policy, objective="prices"), previous=())
    refuse_contradictions(instance)
    trade = TRADES[against]
    trade.refuse(instance)
    problem = number(instance, lot_seed)
    if is_large(problem):
        # The compiler takes seconds to load: only who searches waits for it.
        from matching.allocation.sweep import Sweep

        searcher: Searcher = Sweep(problem, trade, Work(effort, time_limit_s), runs)
    else:
        each_s = None if time_limit_s is None else time_limit_s / runs
        searcher = _Proving(problem, trade, lot_seed, effort, each_s, in_process)
    return _Drawing(problem, trade, searcher, runs, time_limit_s, progress).run()


class _Proving:
    """Awards of a problem small enough to be solved afresh each time."""

    def __init__(
        self,
        problem: Problem,
        trade: Trade,
        lot_seed: bytes,
        effort: int,
        time_limit_s: float | None,
        in_process: bool,
    ) -> None:
        self.problem, self.trade, self.lot_seed = problem, trade, lot_seed
        self.effort, self.time_limit_s, self.in_process = effort, time_limit_s, in_process
        self.numbers = {bid.ref: place for place, bid in enumerate(problem.bids)}

    def at(self, asked: int) -> list[Award]:
        """The best award when that is asked."""
        result = solve(
            self.trade.instance_at(self.problem.instance, asked),
            lot_seed=self.lot_seed,
            effort=self.effort,
            time_limit_s=self.time_limit_s,
            in_process=self.in_process,
        )
        return [tuple(sorted({self.numbers[award.bid] for award in result.awards}))]

    def between(self, asked: int, ends: tuple[Award, Award]) -> list[Award]:
        """None: both ends are proven, and nothing lies below the line between them."""
        return []


class _Drawing:
    """One frontier in the making."""

    def __init__(
        self,
        problem: Problem,
        trade: Trade,
        searcher: Searcher,
        runs: int,
        limit_s: float | None,
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self.problem, self.trade, self.searcher = problem, trade, searcher
        self.runs, self.limit_s, self.progress = runs, limit_s, progress
        self.began = time.monotonic()
        self.judged: dict[Award, Point] = {}
        self.asked: set[int] = set()
        self.looked: set[tuple[Award, Award]] = set()

    def run(self) -> Frontier:
        """What is asked first, then what the trade asks next, until nothing new is or the runs are used up."""
        for asked in self.trade.first(self.problem.instance):
            if asked not in self.asked:
                self._ask(asked)
        while self._may_go_on() and self._go_on():
            pass
        points = undominated(list(self.judged.values()))
        return Frontier(self.trade.against, points, len(self.asked) + len(self.looked))

    def _may_go_on(self) -> bool:
        is_late = self.limit_s is not None and time.monotonic() - self.began >= self.limit_s * (1 - 1 / self.runs)
        return len(self.asked) + len(self.looked) < self.runs and not is_late

    def _go_on(self) -> bool:
        """The first question that is new; False if none is."""
        points = undominated(list(self.judged.values()))
        awards = {point: won for won, point in self.judged.items()}
        last = 0
        for question in self.trade.questions(points, self.asked):
            if isinstance(question, int):
                last = question
                if question not in self.asked:
                    self._ask(question)
                    return True
            elif (ends := (awards[question[0]], awards[question[1]])) not in self.looked:
                self.looked.add(ends)
                self._judge(last, self.searcher.between(last, ends))
                return True
        return False

    def _ask(self, asked: int) -> None:
        self.asked.add(asked)
        self._judge(asked, self.searcher.at(asked))

    def _judge(self, asked: int, met: list[Award]) -> None:
        """By the referee's numbers, whatever the search believed."""
        instance = self.problem.instance
        for won in met:
            if won in self.judged:
                continue
            awards = awards_with_reasons(self.problem, list(won))
            report = check(instance, awards)
            cost, amount = self.trade.measure(instance, awards, report)
            self.judged[won] = Point(asked, cost, amount, report.unplaced, report.unplaced_minutes)
        if self.progress is not None:
            self.progress(len(self.asked) + len(self.looked), len(undominated(list(self.judged.values()))))


def undominated(points: Sequence[Point]) -> tuple[Point, ...]:
    """Those that no other point equals or beats in cost and amount, cheapest first."""
    kept: list[Point] = []
    for point in sorted(points, key=lambda point: (point.cost_pence, point.amount, point.asked)):
        if not kept or point.amount < kept[-1].amount:
            kept.append(point)
    return tuple(kept)
