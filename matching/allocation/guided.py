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


MOVES_PER_SECOND = 150_000
"""A cautious guess of what one lane anneals."""


def _scaled(cooling: Cooling, scale: float) -> Cooling:
    hot, cold, soft, stiff, chain = cooling
    return Cooling(hot * scale, cold * scale, soft * scale, stiff * scale, chain)


@dataclass(frozen=True, slots=True)
class Plan:
    """What a run does. Counted: every number is kept. By the clock: numbers are ceilings and `limit_s` decides."""

    bound_steps: int
    starts: int
    rounds: int
    moves_per_package: int
    neighbourhoods: int
    deterministic_s: float | None
    limit_s: float | None


def counted_plan(effort: int) -> Plan:
    """A plan for so many steps; 5,000 are the usual ones."""
    share = effort / 5_000
    return Plan(
        bound_steps=max(20, round(300 * min(share, 2.0))),
        starts=max(1, round(3 * share)),
        rounds=max(1, round(6 * share)),
        moves_per_package=800,
        neighbourhoods=6,
        deterministic_s=0.05,
        limit_s=None,
    )


def clock_plan(limit_s: float) -> Plan:
    """A plan that fills `limit_s` seconds."""
    return Plan(400, 1_000, 100_000, 800, 100_000, None, limit_s)


@dataclass(frozen=True, slots=True)
class Found:
    """The best award as bid numbers of the market, its objective and the bound, both with the market's offset."""

    holder: Ints
    objective: int
    bound: int


Told = Callable[[int, int | None], None]


def guided(numbering: Numbering, start: list[Ints], plan: Plan, seed: int, told: Told | None) -> Found:
    """Search from the awards in `start` (and afresh) by `plan`; `seed` varies the search, not the problem."""
    with ThreadPoolExecutor(LANES) as lanes:
        return _Search(numbering, plan, seed, told, lanes).run(start)


class _Search:
    def __init__(self, numbering: Numbering, plan: Plan, seed: int, told: Told | None, lanes: Executor) -> None:
        self.numbering, self.plan, self.seed, self.told, self.lanes = numbering, plan, seed, told, lanes
        self.market: Market = numbering.market
        self.began = time.monotonic()
        self.oracles = [Oracle(self.market) for _ in range(LANES)]
        median = float(np.median(self.market.cost)) if len(self.market.cost) else USUAL_BID_PENCE
        scale = max(median, 1.0) / USUAL_BID_PENCE
        self.coolings = [_scaled(cooling, scale) for cooling in COOLINGS]
        self.pool: list[tuple[int, Ints]] = []
        self.bound: int | None = None
        self.moves = plan.moves_per_package * max(50, len(self.market.unplaced))

    def passed(self, share: float) -> bool:
        """By the clock: that share of the time has passed. Counted: never."""
        return self.plan.limit_s is not None and time.monotonic() - self.began > share * self.plan.limit_s

    def left_s(self) -> float:
        """Seconds left; endless when counted."""
        return float("inf") if self.plan.limit_s is None else self.plan.limit_s - (time.monotonic() - self.began)

    def run(self, start: list[Ints]) -> Found:
        for holder in start:
            self._keep(holder)
        if not len(self.market.unplaced):
            bound = self.numbering.offset
            return Found(np.full(0, -1, dtype=np.int64), bound, bound)
        prices = self._prices()
        self._starts(prices)
        prices = self._raise(prices, 150, 0.65, length=0.3)
        self._polish()
        if self.bound is None or self.pool[0][0] - self.bound > 0:
            self._raise(prices, 60, 1.0, length=0.1)
        objective, holder = self.pool[0]
        assert self.bound is not None
        return Found(holder, objective + self.numbering.offset, self.bound + self.numbering.offset)

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
            offset = self.numbering.offset
            self.told(self.pool[0][0] + offset, None if self.bound is None else self.bound + offset)

    def _prices(self) -> Prices:
        limit = None if self.plan.limit_s is None else 0.25 * self.plan.limit_s
        prices = first_prices(self.market, self.oracles[0], limit)
        self._keep(np.full(len(self.market.unplaced), -1, dtype=np.int64))
        return self._raise(prices, self.plan.bound_steps, 0.28, length=1.0)

    def _raise(self, prices: Prices, steps: int, until: float, length: float) -> Prices:
        target = float(self.pool[0][0])
        prices, _ = raise_bound(
            self.oracles[0], prices, target, steps, self.lanes, lambda: not self.passed(until), length
        )
        bound = self.oracles[0].published(prices)
        if self.bound is None or bound > self.bound:
            self.bound = bound
            self._tell()
        return prices

    def _starts(self, prices: Prices) -> None:
        """Dives of different pace, each followed by annealing; the two lanes finish a start together."""
        for turn in range(self.plan.starts):
            if turn and self.passed(0.55):
                break
            found = [self.lanes.submit(self._one_start, prices, turn, lane) for lane in range(LANES)]
            for future in found:
                for objective, holder in future.result():
                    self._keep_known(holder, objective)

    def _one_start(self, prices: Prices, turn: int, lane: int) -> list[tuple[int, Ints]]:
        number = LANES * turn + lane
        chance = np.random.default_rng([self.seed, 1, number]) if turn else None
        oracle, pace = self.oracles[lane], PACES[number % len(PACES)]
        dived, value = dive(oracle, prices, pace, chance, None, lambda: not self.passed(0.7))
        moves = self._moves_for(0.2)
        holder, objective = anneal(self.market, dived, self.seed * 7 + 31 * number, moves, self.coolings[number % 3])
        return [(objective, holder), (value, dived)]

    def _moves_for(self, share: float) -> int:
        """By the clock: as many moves as are likely to end in that share of the time; counted: as planned."""
        if self.plan.limit_s is None:
            return self.moves
        return max(2_000, min(self.moves, int(share * self.plan.limit_s * MOVES_PER_SECOND)))

    def _polish(self) -> None:
        """Rounds on the best awards: neighbourhoods on the best two, then annealing and neighbourhoods in turn."""
        surroundings = Surroundings(self.market)
        for lane, (_, holder) in enumerate(self.pool[:2]):
            self._neighbourhoods(surroundings, holder, 6, 1_000 + lane, 0.09)
        for turn in range(self.plan.rounds):
            if self._is_over():
                break
            self._anneal_best(turn)
            if self._is_over():
                break
            _, holder = self.pool[0]
            self._neighbourhoods(surroundings, holder, 8 if turn % 2 == 0 else 6, 2_000 + turn, 0.1)

    def _is_over(self) -> bool:
        objective, _ = self.pool[0]
        assert self.bound is not None
        total = objective + self.numbering.offset
        return self.passed(0.97) or (objective - self.bound) <= CLOSE_ENOUGH * abs(total) or objective <= self.bound

    def _anneal_best(self, turn: int) -> None:
        moves = self._moves_for(min(0.12, max(0.0, 0.8 * self.left_s() / (self.plan.limit_s or 1.0))))
        _, holder = self.pool[0]
        found = [
            self.lanes.submit(
                anneal,
                self.market,
                holder,
                self.seed * 11 + 500 + 17 * (LANES * turn + lane),
                moves,
                self.coolings[(LANES * turn + lane) % len(self.coolings)],
            )
            for lane in range(LANES)
        ]
        for future in found:
            holder, objective = future.result()
            self._keep_known(holder, objective)

    def _neighbourhoods(
        self, surroundings: Surroundings, holder: Ints, providers: int, seed: int, share: float
    ) -> None:
        began = time.monotonic()
        limit = None if self.plan.limit_s is None else min(share * self.plan.limit_s, self.left_s() - 0.05)

        def may_go_on() -> bool:
            return limit is None or time.monotonic() - began < limit

        one = None if limit is None else max(0.05, min(1.0, limit))
        effort = Effort(providers, self.plan.deterministic_s, one)
        better = search(
            self.market,
            surroundings,
            holder,
            effort,
            self.plan.neighbourhoods,
            self.seed * 13 + seed,
            self.lanes,
            may_go_on,
        )
        self._keep(better)
