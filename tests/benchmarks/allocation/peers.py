"""The solvers compared: CP-SAT plain and hinted, HiGHS and SCIP through MathOpt, and what people do by hand.

All get the same compact model, the same limit and the same referee, each in a process of its own, one at a time.
"""

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from ortools.math_opt.python import mathopt
from ortools.sat.python import cp_model

from matching.allocation import Instance, check
from matching.allocation.book import Book, objective
from matching.allocation.compile import compile_everything
from matching.allocation.exact import Model
from matching.allocation.greedy import greedy
from matching.allocation.joint import solve_joint
from matching.allocation.outcome import Incumbent
from matching.allocation.problem import Problem, number
from matching.allocation.work import Work
from tests.benchmarks.allocation.own_process import alone

SEED = b"benchmark"
ENDLESS = 1 << 60
PATIENCE_S = 120.0
"""A peer that has given nothing so long after its limit is ended; so is a counted run after so many limits more."""
COUNTED_LIMITS = 40
Met = tuple[float, int]
"""Seconds after the start, and the objective of the award then met."""


@dataclass(slots=True)
class Awarded:
    """Won bids, the peer's own bound if it has one, and when it met better awards (empty: it can't tell)."""

    won: list[int]
    bound: int | None
    met: list[Met]


@dataclass(frozen=True, slots=True)
class Run:
    """What the referee says of one peer's award; `gave_nothing` is one that died or had to be ended."""

    peer: str
    objective: int
    bound: int | None
    unplaced: int
    unplaced_hours: float
    seconds: float
    processor_s: float
    peak_mib: int
    load: float
    met: list[Met]
    gave_nothing: bool


def _ours(problem: Problem, work: Work) -> Awarded:
    met: list[Met] = []

    def hear(best: Incumbent) -> None:
        met.append((time.monotonic() - work.began, best.objective))

    outcome = solve_joint(problem, work, hear)
    return Awarded(outcome.won, outcome.bound, met)


def ours(problem: Problem, limit_s: float) -> Awarded:
    """The engine of this library, by the clock."""
    return _ours(problem, Work(time_limit_s=limit_s, workers=2))


def counted(problem: Problem, limit_s: float) -> Awarded:
    """The engine of this library, with the usual counted work and no limit."""
    return _ours(problem, Work())


class _Listener(cp_model.CpSolverSolutionCallback):
    def __init__(self, met: list[Met]) -> None:
        super().__init__()
        self.met, self.began = met, time.monotonic()

    def on_solution_callback(self) -> None:
        """Note the time."""
        self.met.append((time.monotonic() - self.began, round(self.objective_value)))


def _cp_sat(problem: Problem, limit_s: float, hint: list[int] | None) -> Awarded:
    model = Model(problem)
    terms = model.cost(problem.coverage_pence)
    model.model.minimize(cp_model.LinearExpr.weighted_sum([var for var, _ in terms], [weight for _, weight in terms]))
    if hint is not None:
        model.hint(hint)
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 2
    solver.parameters.max_time_in_seconds = limit_s
    met: list[Met] = []
    status = solver.solve(model.model, _Listener(met))
    if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
        return Awarded([], None, met)
    won = [bid for bid, var in model.win.items() if solver.value(var)]
    return Awarded(won, int(solver.best_objective_bound), met)


def cp_sat(problem: Problem, limit_s: float) -> Awarded:
    """CP-SAT, two workers, nothing given."""
    return _cp_sat(problem, limit_s, None)


def cp_sat_hinted(problem: Problem, limit_s: float) -> Awarded:
    """CP-SAT, two workers, the priority-greedy award as a hint."""
    return _cp_sat(problem, limit_s, greedy(problem))


def _math_opt(problem: Problem, limit_s: float, solver: mathopt.SolverType) -> Awarded:
    model = Model(problem)
    terms = model.cost(problem.coverage_pence)
    model.model.minimize(cp_model.LinearExpr.weighted_sum([var for var, _ in terms], [weight for _, weight in terms]))
    built, variables = _as_math_opt(model.model)
    parameters = mathopt.SolveParameters(time_limit=timedelta(seconds=limit_s))
    found = mathopt.solve(built, solver, params=parameters)
    if not found.has_primal_feasible_solution():
        return Awarded([], None, [])
    values = found.variable_values()
    won = [bid for bid, var in model.win.items() if values[variables[var.index]] > 0.5]
    return Awarded(won, None, [])


def _as_math_opt(model: cp_model.CpModel) -> tuple[mathopt.Model, list[mathopt.Variable]]:
    """The CP-SAT model's rows as linear rows: implications, clauses and exactly-ones among them."""
    proto = model.proto
    built = mathopt.Model()
    domains = [list(var.domain) for var in proto.variables]
    variables = [built.add_variable(lb=domain[0], ub=domain[-1], is_integer=True) for domain in domains]

    def literal(index: int) -> mathopt.LinearBase:
        return variables[index] if index >= 0 else 1 - variables[-index - 1]

    for row in proto.constraints:
        if row.has_linear():
            terms = mathopt.fast_sum(
                weight * variables[index] for index, weight in zip(row.linear.vars, row.linear.coeffs, strict=True)
            )
            assert not row.enforcement_literal
            low, *_, high = row.linear.domain
            if low > -ENDLESS:
                built.add_linear_constraint(terms >= low)
            if high < ENDLESS:
                built.add_linear_constraint(terms <= high)
        elif row.has_exactly_one():
            built.add_linear_constraint(mathopt.fast_sum(map(literal, row.exactly_one.literals)) == 1)
        elif row.has_at_most_one():
            built.add_linear_constraint(mathopt.fast_sum(map(literal, row.at_most_one.literals)) <= 1)
        elif row.has_bool_or():
            off = mathopt.fast_sum(1 - literal(index) for index in row.enforcement_literal)
            built.add_linear_constraint(mathopt.fast_sum(map(literal, row.bool_or.literals)) + off >= 1)
        elif row.has_bool_and():
            off = mathopt.fast_sum(1 - literal(index) for index in row.enforcement_literal)
            for index in row.bool_and.literals:
                built.add_linear_constraint(literal(index) + off >= 1)
    target = mathopt.fast_sum(
        weight * variables[index] for index, weight in zip(proto.objective.vars, proto.objective.coeffs, strict=True)
    )
    built.minimize(target)
    return built, variables


def highs(problem: Problem, limit_s: float) -> Awarded:
    """HiGHS through MathOpt."""
    return _math_opt(problem, limit_s, mathopt.SolverType.HIGHS)


def scip(problem: Problem, limit_s: float) -> Awarded:
    """SCIP through MathOpt."""
    return _math_opt(problem, limit_s, mathopt.SolverType.GSCIP)


def _by_hand(problem: Problem, order: list[int]) -> Awarded:
    """In `order`, each package to its cheapest bid that fits; blocks that stay short are given up at the end."""
    book = Book(problem)
    options = problem.bids_of_package()
    for package in order:
        for bid in sorted(options[package], key=lambda bid: (int(problem.bid_cost[bid]), bid)):
            if not book.breach(bid):
                book.add(bid)
                break
    while below := book.below_block():
        for bid in below:
            book.drop(bid)
    return Awarded(sorted(book.won), None, [])


def by_publication(problem: Problem, limit_s: float) -> Awarded:
    """Lowest price, package by package in the order of publication (drawn): what people do."""
    return _by_hand(problem, np.random.default_rng(7).permutation(len(problem.packages)).tolist())


def by_price(problem: Problem, limit_s: float) -> Awarded:
    """Lowest price, the most urgent and largest packages first."""
    return Awarded(greedy(problem), None, [])


PEERS: dict[str, Callable[[Problem, float], Awarded]] = {
    "ours": ours,
    "ours counted": counted,
    "CP-SAT": cp_sat,
    "CP-SAT + hint": cp_sat_hinted,
    "HiGHS": highs,
    "SCIP": scip,
    "greedy by price": by_price,
    "publication order": by_publication,
}


def run(peer: str, instance: Instance, limit_s: float) -> Run:
    """One peer in a process of its own; a peer that finds nothing leaves everybody unplaced."""
    patience_s = (COUNTED_LIMITS if peer == "ours counted" else 1) * limit_s + PATIENCE_S
    answer, peak = alone(patience_s, _measured, peer, instance, limit_s)
    awarded, seconds, processor_s = answer or (Awarded([], None, []), 0.0, 0.0)
    problem = number(instance, SEED)
    report = check(instance, problem.awards(awarded.won, ""))
    assert report.is_feasible, (peer, report.faults[:3])
    assert report.objective_pence == objective(problem, awarded.won)
    return Run(
        peer,
        report.objective_pence,
        awarded.bound,
        report.unplaced,
        report.unplaced_minutes / 60,
        seconds,
        processor_s,
        peak,
        os.getloadavg()[0],
        awarded.met,
        answer is None,
    )


def _measured(peer: str, instance: Instance, limit_s: float) -> tuple[Awarded, float, float]:
    problem = number(instance, SEED)
    if peer.startswith("ours"):
        compile_everything()
    began, used = time.monotonic(), time.process_time()
    awarded = PEERS[peer](problem, limit_s)
    return awarded, time.monotonic() - began, time.process_time() - used
