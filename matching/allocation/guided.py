"""The guided engine, for a week and a county: prices first, then awards that follow them.

First prices from one linear relaxation, a Lagrangian bound from them, then several starts (a dive, then annealing),
and rounds of annealing and CP-SAT neighbourhoods on the best. Two lanes work side by side whatever the machine, so
that a counted run is the same with one worker or many; a run by the clock stops at its moment with what it has.
"""

import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from matching.allocation.anneal import Cooling, anneal
from matching.allocation.bound import Oracle, Prices, raise_bound
from matching.allocation.dive import Pace, dive
from matching.allocation.first_prices import first_prices
from matching.allocation.market import Market, Numbering
from matching.allocation.neighbourhood import Effort, Surroundings, search
from matching.allocation.problem import Ints
from matching.allocation.repair import repaired
from matching.allocation.stopwatch import Stopwatch

LANES = 2
USUAL_BID_PENCE = 30_000
"""The schedules below are for bids of about this price; they are scaled to the market's own median."""
COOLINGS = (
    Cooling(500.0, 30.0, 200.0, 2_000.0, 3),
    Cooling(1_000.0, 50.0, 70.0, 2_000.0, 3),
    Cooling(400.0, 40.0, 70.0, 2_000.0, 3),
    Cooling(1_000.0, 50.0, 20.0, 200.0, 3),
)
PACES = (
    Pace(5, 0.02, 0.002),
    Pace(3, 0.03, 0.004),
    Pace(8, 0.02, 0.001),
    Pace(4, 0.02, 0.004),
    Pace(5, 0.03, 0.001),
    Pace(3, 0.02, 0.002),
    Pace(6, 0.015, 0.003),
    Pace(4, 0.04, 0.002),
)
CLOSE_ENOUGH = 2e-4
"""A gap at which a run by the clock stops early."""
USUAL_MOVES_A_SECOND = 100_000
"""A cautious guess of what one lane anneals, until it has been seen."""
MOST_MOVES = 250_000
"""More in one go are rarely worth their time, whatever the size: another start or neighbourhood finds more."""
FREED = (6, 8)
"""Providers set free at a time, but no more than a third of all: what is left must still be a small problem."""
WARM_SHARE, LP_SHARE, BOUND_SHARE, STARTS_UNTIL, SEARCH_UNTIL = 0.15, 0.15, 0.14, 0.5, 0.97
"""By the clock: shares of the limit for warm prices, relaxation and first bound; when starts and all search end."""


def _scaled(cooling: Cooling, scale: float) -> Cooling:
    hot, cold, soft, stiff, chain = cooling
    return Cooling(hot * scale, cold * scale, soft * scale, stiff * scale, chain)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does. Counted: every number is kept. By the clock: numbers are ceilings and `limit_s` decides."""

    bound_steps: int
    starts: int
    rounds: int
    moves: int
    neighbourhoods: int
    deterministic_s: float | None
    limit_s: float | None


def counted_plan(effort: int) -> Plan:
    """A plan for so many steps; 5,000 are the usual ones."""
    share = effort / 5_000
    return Plan(
        bound_steps=max(20, round(300 * min(share, 2.0))),
        starts=max(1, round(4 * share)),
        rounds=max(1, round(6 * share)),
        moves=MOST_MOVES,
        neighbourhoods=12,
        deterministic_s=0.05,
        limit_s=None,
    )


def clock_plan(limit_s: float) -> Plan:
    """A plan that fills `limit_s` seconds."""
    return Plan(400, 1_000, 100_000, MOST_MOVES, 100_000, None, limit_s)


@dataclass(frozen=True, slots=True)
class Found:
    """The best award as bid numbers of the market, its objective and the bound, both with the market's offset."""

    holder: Ints
    objective: int
    bound: int
    prices: Prices | None = None
    """The prices that gave the bound; None where nothing had to be searched."""


Told = Callable[[Ints, int, int | None], None]
"""Hears the best award so far as the market's bid numbers, its objective and the bound."""


def guided(
    numbering: Numbering,
    start: list[Ints],
    plan: Plan,
    seed: int,
    told: Told | None,
    warm: Prices | None = None,
) -> Found:
    """Search from the awards in `start` (and afresh) by `plan`; `seed` varies the search, not the problem.

    `warm` prices, of a problem much like this one, spare the relaxation; it must be numbered alike.
    """
    with ThreadPoolExecutor(LANES) as lanes, Stopwatch(plan.limit_s, SEARCH_UNTIL) as watch:
        return _Search(numbering, plan, seed, told, lanes, watch).run(start, warm)


class _Search:
    def __init__(
        self, numbering: Numbering, plan: Plan, seed: int, told: Told | None, lanes: Executor, watch: Stopwatch
    ) -> None:
        self.numbering, self.plan, self.seed, self.told, self.lanes = numbering, plan, seed, told, lanes
        self.watch = watch
        self.market: Market = numbering.market
        first = Oracle(self.market)
        self.oracles = [first, *(Oracle(self.market, first.groups) for _ in range(LANES - 1))]
        median = float(np.median(self.market.cost)) if len(self.market.cost) else USUAL_BID_PENCE
        scale = max(median, 1.0) / USUAL_BID_PENCE
        self.coolings = [_scaled(cooling, scale) for cooling in COOLINGS]
        self.pool: list[tuple[int, Ints]] = []
        self.bound: int | None = None
        self.moves_a_second = float(USUAL_MOVES_A_SECOND)
        self.look_s = 0.0

    def run(self, start: list[Ints], warm: Prices | None) -> Found:
        for holder in start:
            self._keep(holder)
        if not len(self.market.unplaced):
            bound = self.numbering.offset
            return Found(np.full(0, -1, dtype=np.int64), bound, bound)
        self._keep(np.full(len(self.market.unplaced), -1, dtype=np.int64))
        prices = self._prices() if warm is None else self._raise(warm, self.plan.bound_steps, WARM_SHARE, length=0.3)
        if self.plan.starts:
            self._starts(prices)
            prices = self._raise(prices, 150, 0.06, length=0.3)
        self._polish()
        if self.bound is None or self.pool[0][0] > self.bound:
            prices = self._raise(prices, 60, 0.02, length=0.1)
        objective, holder = self.pool[0]
        assert self.bound is not None
        return Found(holder, objective + self.numbering.offset, self.bound + self.numbering.offset, prices)

    def _keep(self, holder: Ints) -> None:
        holder, objective = repaired(self.market, holder)
        self._keep_known(holder, objective)

    def _keep_known(self, holder: Ints, objective: int) -> None:
        is_best = not self.pool or objective < self.pool[0][0]
        self.pool.append((objective, holder))
        self.pool.sort(key=lambda award: award[0])
        del self.pool[8:]
        if is_best:
            self._tell()

    def _tell(self) -> None:
        if self.told is not None and self.pool:
            objective, holder = self.pool[0]
            offset = self.numbering.offset
            self.told(holder, objective + offset, None if self.bound is None else self.bound + offset)

    def _prices(self) -> Prices:
        """First prices in one lane while the other anneals the best start, so that a good award stands early."""
        early = self.lanes.submit(self._anneal, self.pool[0][1], 0, self._moves_for(0.5 * LP_SHARE), 0)
        limit = None if self.plan.limit_s is None else LP_SHARE * self.plan.limit_s
        prices = first_prices(self.market, self.oracles[0], limit)
        self._keep_known(*early.result())
        return self._raise(prices, self.plan.bound_steps, BOUND_SHARE, length=1.0)

    def _raise(self, prices: Prices, steps: int, share: float, length: float) -> Prices:
        """By the clock: for that share of the limit at most."""
        target = float(self.pool[0][0])
        most_s = float("inf") if self.plan.limit_s is None else min(share * self.plan.limit_s, self.watch.left_s())
        looks = 0

        def may_go_on() -> bool:
            nonlocal looks
            looks += 1
            return time.monotonic() - began < most_s

        began = time.monotonic()
        prices, _ = raise_bound(self.oracles[0], prices, target, steps, self.lanes, may_go_on, length)
        self.look_s = LANES * (time.monotonic() - began) / max(1, looks)
        bound = self.oracles[0].published(prices)
        if self.bound is None or bound > self.bound:
            self.bound = bound
            self._tell()
        return prices

    def _starts(self, prices: Prices) -> None:
        """Dives of different pace, each followed by annealing; the two lanes finish a start together."""
        for turn in range(self.plan.starts):
            if turn and self.watch.passed(STARTS_UNTIL):
                break
            found = [self.lanes.submit(self._one_start, prices, turn, lane) for lane in range(LANES)]
            for future in found:
                for holder, objective in future.result():
                    self._keep_known(holder, objective)

    def _one_start(self, prices: Prices, turn: int, lane: int) -> list[tuple[Ints, int]]:
        number = LANES * turn + lane
        chance = np.random.default_rng([self.seed, 1, number]) if turn else None
        pace = self._pace(PACES[number % len(PACES)])
        dived = dive(self.oracles[lane], prices, pace, chance, None, lambda: not self.watch.passed(STARTS_UNTIL + 0.1))
        return [self._anneal(dived[0], 31 * number, self._moves_for(0.06), number % 3), dived]

    def _pace(self, pace: Pace) -> Pace:
        """By the clock: a pace at which a dive is likely to end in a seventh of the time."""
        if self.plan.limit_s is None:
            return pace
        likely_s = 0.6 * self.look_s * pace.looks / pace.share
        hurry = max(1.0, likely_s / (self.plan.limit_s / 7))
        # Fewer looks first: they cost least in quality.
        fewer = max(1, min(pace.looks, round(pace.looks / hurry**0.5)))
        return Pace(fewer, min(1.0, pace.share * hurry * fewer / pace.looks), pace.step)

    def _moves_for(self, share: float) -> int:
        """By the clock: as many moves as are likely to end in that share of the time; counted: as planned."""
        most = min(self.plan.moves, 800 * max(50, len(self.market.unplaced)))
        if self.plan.limit_s is None:
            return most
        seconds = min(share * self.plan.limit_s, 0.9 * self.watch.left_s(SEARCH_UNTIL))
        return max(2_000, min(most, int(seconds * self.moves_a_second)))

    def _anneal(self, holder: Ints, seed: int, moves: int, cooling: int) -> tuple[Ints, int]:
        began = time.monotonic()
        found = anneal(self.market, holder, self.seed * 7 + seed, moves, self.coolings[cooling], self.watch.over)
        if not self.watch.over[0]:
            self.moves_a_second = moves / max(1e-3, time.monotonic() - began)
        return found

    def _polish(self) -> None:
        """Rounds on the best awards: neighbourhoods on the best two, then annealing and neighbourhoods in turn."""
        surroundings = Surroundings(self.market)
        few, many = (min(most, max(2, len(self.market.provider_new) // 3)) for most in FREED)
        for lane, (_, holder) in enumerate(self.pool[:2]):
            self._neighbourhoods(surroundings, holder, few, 1_000 + lane, 0.09)
        for turn in range(self.plan.rounds):
            if self._is_over():
                break
            self._anneal_best(turn)
            if self._is_over():
                break
            _, holder = self.pool[0]
            self._neighbourhoods(surroundings, holder, many if turn % 2 == 0 else few, 2_000 + turn, 0.12)

    def _is_over(self) -> bool:
        objective, _ = self.pool[0]
        assert self.bound is not None
        total = objective + self.numbering.offset
        close = (objective - self.bound) <= CLOSE_ENOUGH * abs(total)
        return self.watch.passed(SEARCH_UNTIL) or close or objective <= self.bound

    def _anneal_best(self, turn: int) -> None:
        _, holder = self.pool[0]
        moves = self._moves_for(0.03) // 2
        numbers = [LANES * turn + lane for lane in range(LANES)]
        found = [
            self.lanes.submit(self._anneal, holder, 500 + 17 * number, moves, number % len(self.coolings))
            for number in numbers
        ]
        for future in found:
            self._keep_known(*future.result())

    def _neighbourhoods(
        self, surroundings: Surroundings, holder: Ints, providers: int, seed: int, share: float
    ) -> None:
        began = time.monotonic()
        limit = None
        if self.plan.limit_s is not None:
            limit = min(share * self.plan.limit_s, self.watch.left_s(SEARCH_UNTIL))
            if limit <= 0:
                return

        def left_s() -> float | None:
            return None if limit is None else limit - (time.monotonic() - began)

        better = search(
            self.market,
            surroundings,
            holder,
            Effort(providers, self.plan.deterministic_s, None if limit is None else 1.0),
            self.plan.neighbourhoods,
            self.seed * 13 + seed,
            self.lanes,
            left_s,
        )
        self._keep(better)
