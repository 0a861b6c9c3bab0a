"""A day's batch, proven: one CP-SAT model, minimised level by level; `equals` then draws among what is as good.

The model is rules 1 to 6 of problem.md over the problem's arrays. Work is counted in CP-SAT's deterministic
time with one worker, so that the same input takes the same steps on every machine.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import ceil

import numpy as np
from numpy.typing import NDArray
from ortools.sat.python import cp_model

from matching.allocation.problem import UNLIMITED, Problem
from matching.allocation.records import URGENT

Terms = Sequence[tuple[cp_model.IntVar, int]]
STEPS_PER_DETERMINISTIC_SECOND = 1_000


@dataclass(slots=True)
class Budget:
    """The work still allowed: steps of a thousandth of a deterministic second, or a moment on the monotonic clock."""

    steps: int | None
    until: float | None
    workers: int

    def set_on(self, solver: cp_model.CpSolver) -> bool:
        """Give `solver` what is left; False if nothing is."""
        parameters = solver.parameters
        parameters.random_seed = 1
        # With the full linear relaxation beside it one worker proves such models many times sooner, and before two do.
        parameters.linearization_level = 2
        if self.steps is not None:
            parameters.num_workers = 1
            parameters.max_deterministic_time = self.steps / STEPS_PER_DETERMINISTIC_SECOND
            return self.steps > 0
        parameters.num_workers = 1 if self.workers <= 2 else self.workers
        left = (self.until or 0.0) - time.monotonic()
        parameters.max_time_in_seconds = max(0.0, left)
        return left > 0

    def spend(self, solver: cp_model.CpSolver) -> None:
        """Take off what `solver` used, rounded up."""
        if self.steps is not None:
            self.steps -= ceil(STEPS_PER_DETERMINISTIC_SECOND * solver.response_proto.deterministic_time)


@dataclass(slots=True)
class Proven:
    """What the levels came to: `proven` says that every level, tie and lot was closed."""

    won: list[int]
    proven: bool
    bound: int | None
    alternatives: list[list[int]] = field(default_factory=list)


class Model:
    """The CP-SAT model of one problem. `caps` False frees the two caps at the price of counted waivers."""

    def __init__(self, problem: Problem, *, caps: bool = True) -> None:
        self.problem = problem
        self.model = cp_model.CpModel()
        usable = np.flatnonzero(problem.is_usable).tolist()
        self.win = {bid: self.model.new_bool_var("") for bid in usable}
        self.left = [self.model.new_bool_var("") for _ in problem.packages]
        self.works: dict[int, cp_model.IntVar] = {}
        self.missing: dict[int, cp_model.IntVar] = {}
        self.waivers: list[cp_model.IntVar] = []
        self.by_pair: dict[int, list[tuple[int, int, int]]] = {}
        self.by_provider: dict[int, list[int]] = {}
        for bid in usable:
            self.by_provider.setdefault(int(problem.bid_provider[bid]), []).append(bid)
            for part in range(problem.part_start[bid], problem.part_start[bid + 1]):
                row = (bid, int(problem.part_minutes[part]), int(problem.part_package[part]))
                self.by_pair.setdefault(int(problem.part_pair[part]), []).append(row)
        self._once()
        self._providers(caps)
        self._pairs(caps)
        self._coverage()
        self._take_limits()

    def _at_most(self, terms: Terms, most: int) -> None:
        if sum(weight for _, weight in terms) > most:
            self.model.add(_sum(terms) <= most)

    def _once(self) -> None:
        """Rule 1."""
        for package, bids in enumerate(self.problem.bids_of_package()):
            self.model.add_exactly_one([*(self.win[bid] for bid in bids), self.left[package]])

    def _providers(self, caps: bool) -> None:
        """Rule 2, and of rules 5 and 6 what counts a provider's packages."""
        problem = self.problem
        for provider, bids in self.by_provider.items():
            minutes = [(self.win[bid], int(problem.bid_minutes[bid])) for bid in bids]
            packages = [(self.win[bid], int(problem.bid_packages[bid])) for bid in bids]
            self._at_most(minutes, int(problem.provider_capacity[provider]))
            self._at_most(packages, int(problem.provider_packages[provider]))
            rows = [
                (bid, 1, int(problem.part_package[part]))
                for bid in bids
                for part in range(problem.part_start[bid], problem.part_start[bid + 1])
            ]
            self._cap(rows, int(problem.provider_awards[provider]), caps)

    def _cap(self, rows: list[tuple[int, int, int]], most: int, caps: bool) -> None:
        """Rule 6: calm packages alone keep the cap; urgent ones may exceed it, at a waiver, where `caps` is False."""
        if most >= UNLIMITED:
            return
        everything = [(self.win[bid], weight) for bid, weight, _ in rows]
        if caps:
            self._at_most(everything, most)
            return
        calm = [(self.win[bid], weight) for bid, weight, package in rows if not self._is_urgent(package)]
        self._at_most(calm, most)
        whole = sum(weight for _, weight in everything)
        if whole > most:
            waiver = self.model.new_bool_var("")
            self.waivers.append(waiver)
            self.model.add(_sum(everything) <= most + (whole - most) * waiver)

    def _is_urgent(self, package: int) -> bool:
        return bool(self.problem.package_priority[package] <= URGENT)

    def _pairs(self, caps: bool) -> None:
        """Rule 3, with the pair's share cap and take limit; a newcomer's pair is switched by `works`."""
        problem = self.problem
        for pair, rows in self.by_pair.items():
            minutes = [(self.win[bid], weight) for bid, weight, _ in rows]
            self._at_most(minutes, int(problem.pair_capacity[pair]))
            self._at_most([(self.win[bid], 1) for bid, _, _ in rows], int(problem.pair_packages[pair]))
            self._cap(rows, int(problem.pair_share[pair]), caps)
            if not problem.pair_is_new[pair]:
                continue
            works = self.works[pair] = self.model.new_bool_var("")
            distinct = sorted({bid for bid, _, _ in rows})
            for bid in distinct:
                self.model.add_implication(self.win[bid], works)
            self.model.add_bool_or([*(self.win[bid] for bid in distinct), works.negated()])
            block = int(problem.pair_block[pair])
            if block > min(weight for _, weight, _ in rows):
                self.model.add(_sum(minutes) >= block * works)
        for provider, most in enumerate(problem.provider_new.tolist()):
            own = [(works, 1) for pair, works in self.works.items() if problem.pair_provider[pair] == provider]
            self._at_most(own, most)

    def _coverage(self) -> None:
        """Rule 4."""
        problem = self.problem
        for locality, wanted in enumerate(problem.locality_wanted.tolist()):
            if wanted:
                new = [works for pair, works in self.works.items() if problem.pair_locality[pair] == locality]
                missing = self.missing[locality] = self.model.new_int_var(0, wanted, "")
                self.model.add(_sum([(works, 1) for works in new]) + missing >= wanted)

    def _take_limits(self) -> None:
        """Rule 5."""
        for limit in self.problem.set_limits:
            rows = list(zip(limit.bids.tolist(), limit.packages.tolist(), limit.minutes.tolist(), strict=True))
            rows = [row for row in rows if row[0] in self.win]
            self._at_most([(self.win[bid], packages) for bid, packages, _ in rows], limit.max_packages)
            self._at_most([(self.win[bid], minutes) for bid, _, minutes in rows], limit.max_minutes)
        for low, high in self.problem.exclusions:
            if low in self.win and high in self.win:
                self.model.add_at_most_one([self.win[low], self.win[high]])

    def packages_of(self, bid: int) -> list[int]:
        """The packages a bid is for."""
        packages: list[int] = self.problem.part_package[
            self.problem.part_start[bid] : self.problem.part_start[bid + 1]
        ].tolist()
        return packages

    def cost(self, coverage_pence: int) -> Terms:
        """Bids, entry, people left at their price, and missing coverage at `coverage_pence`."""
        problem = self.problem
        return [
            *self._placed_cost(),
            *zip(self.left, problem.unplaced_cost.tolist(), strict=True),
            *((missing, coverage_pence) for missing in self.missing.values()),
        ]

    def _placed_cost(self) -> Terms:
        problem = self.problem
        return [
            *((var, int(problem.bid_cost[bid])) for bid, var in self.win.items()),
            *((works, int(problem.pair_entry[pair])) for pair, works in self.works.items()),
        ]

    def urgent_left(self, *, by_price: bool) -> Terms:
        """Urgent people left: at their prices, or counted so that priority 1 comes before priority 2."""
        problem = self.problem
        many = len(problem.packages) + 1
        return [
            (left, int(problem.unplaced_cost[package]) if by_price else many ** (URGENT - int(priority)))
            for package, (left, priority) in enumerate(zip(self.left, problem.package_priority.tolist(), strict=True))
            if priority <= URGENT
        ]

    def levels(self) -> list[Terms]:
        """What is minimised, first things first; in a published order urgent people always come first."""
        policy = self.problem.instance.policy
        if not policy.levels:
            return [self.cost(self.problem.coverage_pence)]
        calm: list[Terms] = [
            [
                (left, 1)
                for left, own in zip(self.left, self.problem.package_priority.tolist(), strict=True)
                if own == one
            ]
            for one in (3, 4)
        ]
        named: dict[str, list[Terms]] = {
            "unplaced": calm,
            "coverage": [[(missing, 1) for missing in self.missing.values()]],
            "cost": [self._placed_cost()],
        }
        return [self.urgent_left(by_price=False), *(terms for level in policy.levels for terms in named[level])]

    def ties(self) -> list[Terms]:
        """People left, then each place of the published tie order, then the lots: each summed over what is won."""
        problem = self.problem
        length = max((len(bid.tie) for bid in problem.bids), default=0)
        order: list[Terms] = [[(left, 1) for left in self.left]]
        for place in range(length):
            order.append(
                [(var, problem.bids[bid].tie[place] * int(problem.bid_packages[bid])) for bid, var in self.win.items()]
            )
        return order

    def value(self, terms: Terms, won: list[int]) -> int:
        """The sum of `terms` over bids and people left, for the award `won`."""
        chosen = {self.win[bid].index for bid in won}
        placed = {package for bid in won for package in self.packages_of(bid)}
        chosen |= {left.index for package, left in enumerate(self.left) if package not in placed}
        return sum(weight for var, weight in terms if var.index in chosen)

    def lots(self) -> Terms:
        """The sum of the lots of the bids that win."""
        return [(var, int(self.problem.bid_lot[bid])) for bid, var in self.win.items()]

    def keep(self, may_win: NDArray[np.bool_], placed: NDArray[np.bool_]) -> None:
        """From now on only bids that `may_win` do, and the packages `placed` are not left."""
        for bid, var in self.win.items():
            if not may_win[bid]:
                self.model.add(var == 0)
        for package in np.flatnonzero(placed).tolist():
            self.model.add(self.left[package] == 0)

    def hint(self, won: list[int]) -> None:
        """Start from this award."""
        self.model.proto.clear_solution_hint()
        chosen = set(won)
        placed = set()
        opened = set()
        for bid, var in self.win.items():
            self.model.add_hint(var, bid in chosen)
        for bid in won:
            parts = slice(self.problem.part_start[bid], self.problem.part_start[bid + 1])
            placed.update(self.problem.part_package[parts].tolist())
            opened.update(self.problem.part_pair[parts].tolist())
        for package, var in enumerate(self.left):
            self.model.add_hint(var, package not in placed)
        for pair, var in self.works.items():
            self.model.add_hint(var, pair in opened)


def _sum(terms: Terms) -> cp_model.LinearExpr:
    return cp_model.LinearExpr.weighted_sum([var for var, _ in terms], [weight for _, weight in terms])


def _value(solver: cp_model.CpSolver, terms: Terms) -> int:
    return sum(weight * solver.value(var) for var, weight in terms)


def minimise(model: Model, levels: list[Terms], hint: list[int], budget: Budget) -> Proven:
    """Minimise the levels in order, each held at its value for the next; `bound` is the first level's."""
    won, bound = hint, None
    for place, terms in enumerate(levels):
        if not terms:
            continue
        solver = cp_model.CpSolver()
        if not budget.set_on(solver):
            return Proven(won, proven=False, bound=bound)
        model.model.minimize(_sum(terms))
        model.hint(won)
        status = solver.solve(model.model)
        budget.spend(solver)
        if place == 0:
            bound = ceil(solver.best_objective_bound - 1e-6)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return Proven(won, proven=False, bound=bound)
        won = [bid for bid, var in model.win.items() if solver.value(var)]
        if status != cp_model.OPTIMAL:
            return Proven(won, proven=False, bound=bound)
        model.model.add(_sum(terms) <= _value(solver, terms))
    return Proven(won, proven=True, bound=bound)
