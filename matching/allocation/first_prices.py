"""First prices: the linear relaxation of the compact model, solved once by HiGHS through MathOpt.

Only its duals are used, to begin the bound near its best; no bound is taken from it.
"""

from datetime import timedelta

import numpy as np
from numpy.typing import NDArray
from ortools.math_opt import model_pb2
from ortools.math_opt.python import mathopt

from matching.allocation.bound import Oracle, Prices
from matching.allocation.market import Market
from matching.allocation.problem import Ints

USUAL_MARGIN = 1.15
Triples = list[tuple[Ints, Ints, Ints]]


class _Model:
    """Rows and columns gathered as arrays, written into the protocol buffer at once."""

    def __init__(self, cost: NDArray[np.float64], upper: NDArray[np.float64]) -> None:
        self.cost, self.upper = cost, upper
        self.triples: Triples = []
        self.low: list[NDArray[np.float64]] = []
        self.high: list[NDArray[np.float64]] = []
        self.rows = 0

    def add(self, row: Ints, column: Ints, value: Ints) -> None:
        self.triples.append((self.rows + row, column, value))

    def close(self, low: NDArray[np.float64], high: NDArray[np.float64]) -> None:
        self.low.append(low)
        self.high.append(high)
        self.rows += len(low)

    def built(self) -> mathopt.Model:
        model = model_pb2.ModelProto()
        columns = len(self.cost)
        model.variables.ids.extend(range(columns))
        model.variables.lower_bounds.extend(np.zeros(columns))
        model.variables.upper_bounds.extend(self.upper)
        model.variables.integers.extend([False] * columns)
        priced = np.flatnonzero(self.cost)
        model.objective.linear_coefficients.ids.extend(priced)
        model.objective.linear_coefficients.values.extend(self.cost[priced])
        model.linear_constraints.ids.extend(range(self.rows))
        model.linear_constraints.lower_bounds.extend(np.concatenate(self.low))
        model.linear_constraints.upper_bounds.extend(np.concatenate(self.high))
        row, column, value = (np.concatenate(part) for part in zip(*self.triples, strict=True))
        order = np.lexsort((column, row))
        model.linear_constraint_matrix.row_ids.extend(row[order])
        model.linear_constraint_matrix.column_ids.extend(column[order])
        model.linear_constraint_matrix.coefficients.extend(value[order].astype(float))
        return mathopt.Model.from_model_proto(model)


def first_prices(market: Market, oracle: Oracle, limit_s: float | None) -> Prices:
    """The relaxation's duals; where it finds none in time, a little above each package's cheapest bid."""
    prices = oracle.start()
    model = _compact(market, oracle)
    parameters = mathopt.SolveParameters(time_limit=None if limit_s is None else timedelta(seconds=limit_s))
    solution = mathopt.solve(model, mathopt.SolverType.HIGHS, params=parameters)
    if not solution.has_dual_feasible_solution():
        cheapest = np.minimum.reduceat(market.cost[market.options], market.option_start[:-1])
        prices.package[:] = np.minimum(market.unplaced, USUAL_MARGIN * cheapest)
        return prices
    duals = solution.dual_values()
    values = np.array([duals[row] for row in model.linear_constraints()])
    packages, wanted = len(market.unplaced), len(oracle.localities)
    prices.package[:] = values[:packages]
    prices.newcomer[:] = values[packages : packages + wanted]
    prices.row[:] = -values[packages + wanted : packages + wanted + len(prices.row)]
    oracle.clip(prices)
    return prices


def _compact(market: Market, oracle: Oracle) -> mathopt.Model:
    """Columns: bids, people left, pairs worked in, newcomers missing. Rows: 1, 4, lesser, 2, 3."""
    bids, packages, pairs = len(market.cost), len(market.unplaced), len(market.pair_provider)
    wanted = oracle.localities
    left, works, missing = bids, bids + packages, bids + packages + pairs
    cost = np.concatenate(
        (market.cost, market.unplaced, market.pair_entry, np.full(len(wanted), market.coverage))
    ).astype(float)
    upper = np.concatenate((np.ones(missing), market.wanted[wanted])).astype(float)
    model = _Model(cost, upper)
    part_bid = np.repeat(np.arange(bids), np.diff(market.part_start))
    row_bid = np.repeat(np.arange(bids), np.diff(market.row_start))

    def ones(count: int) -> Ints:
        return np.ones(count, dtype=np.int64)

    model.add(market.part_package, part_bid, ones(len(part_bid)))
    model.add(np.arange(packages), left + np.arange(packages), ones(packages))
    model.close(np.ones(packages), np.ones(packages))
    place = np.full(len(market.wanted), -1, dtype=np.int64)
    place[wanted] = np.arange(len(wanted))
    new = np.flatnonzero((market.pair_new == 1) & (place[market.pair_locality] >= 0))
    model.add(place[market.pair_locality[new]], works + new, ones(len(new)))
    model.add(np.arange(len(wanted)), missing + np.arange(len(wanted)), ones(len(wanted)))
    model.close(market.wanted[wanted].astype(float), np.full(len(wanted), np.inf))
    lesser = market.row >= oracle.lesser
    model.add(market.row[lesser] - oracle.lesser, row_bid[lesser], market.row_weight[lesser])
    rest = market.row_capacity[oracle.lesser :].astype(float)
    model.close(np.full(len(rest), -np.inf), rest)
    own = market.row < oracle.providers
    model.add(market.row[own], row_bid[own], market.row_weight[own])
    model.close(np.full(oracle.providers, -np.inf), market.row_capacity[: oracle.providers].astype(float))
    linked = (market.row >= oracle.providers) & (market.row < oracle.lesser)
    model.add(market.row[linked] - oracle.providers, row_bid[linked], market.row_weight[linked])
    model.add(np.arange(pairs), works + np.arange(pairs), -market.row_capacity[oracle.providers : oracle.lesser])
    model.close(np.full(pairs, -np.inf), np.zeros(pairs))
    blocked = np.flatnonzero(market.pair_block > 0)
    position = np.full(pairs, -1, dtype=np.int64)
    position[blocked] = np.arange(len(blocked))
    inside = linked & (position[np.maximum(market.row - oracle.providers, 0) % pairs] >= 0)
    model.add(position[market.row[inside] - oracle.providers], row_bid[inside], market.row_weight[inside])
    model.add(np.arange(len(blocked)), works + blocked, -market.pair_block[blocked])
    model.close(np.zeros(len(blocked)), np.full(len(blocked), np.inf))
    return model.built()
