"""Awards that are equal on every level: found one by one, parted by the published ties, then by the lots."""

from dataclasses import dataclass

from ortools.sat.python import cp_model

from matching.allocation.exact import Budget, Model, Proven, minimise

MOST_ALTERNATIVES = 16
"""Equal awards looked at one by one; where there are more, ties and lots are minimised as further levels."""


def draw_ties(model: Model, award: Proven, budget: Budget) -> Proven:
    """Among awards equal on every level: the published tie order, then the lots. Call after a proven `minimise`.

    Equal awards are looked for one by one; mostly there is none, and the first search ends it.
    """
    equal = _equal_awards(model, [award.won], budget)
    if equal.complete:
        return _drawn(model, equal, award.bound)
    settled = minimise(model, model.ties(), award.won, budget)
    if not settled.proven:
        return Proven(settled.won, proven=False, bound=award.bound)
    equal = _equal_awards(model, [settled.won], budget)
    if equal.complete:
        return _drawn(model, equal, award.bound)
    drawn = minimise(model, [model.lots()], settled.won, budget)
    return Proven(drawn.won, proven=drawn.proven, bound=award.bound, alternatives=equal.awards)


@dataclass(frozen=True, slots=True)
class _Equal:
    awards: list[list[int]]
    complete: bool


def _drawn(model: Model, equal: _Equal, bound: int | None) -> Proven:
    """The first of all equal awards by ties, then lots; those equal in ties too are what the lots decided between."""

    def tied(won: list[int]) -> tuple[int, ...]:
        return tuple(model.value(terms, won) for terms in model.ties())

    first = min(equal.awards, key=lambda won: (tied(won), model.value(model.lots(), won)))
    return Proven(
        first, proven=True, bound=bound, alternatives=[won for won in equal.awards if tied(won) == tied(first)]
    )


def _equal_awards(model: Model, awards: list[list[int]], budget: Budget) -> _Equal:
    """All awards within what the model holds, up to MOST_ALTERNATIVES.

    The objective stays in the model although it is already held at its best value: its linear relaxation is what
    lets the solver show quickly that no other award is as good.
    """
    question = model.model.clone()
    found = list(awards)
    fresh = found
    while len(found) <= MOST_ALTERNATIVES:
        for won in fresh:
            placed = {package for bid in won for package in model.packages_of(bid)}
            same = [model.win[bid].index for bid in won]
            same += [left.index for package, left in enumerate(model.left) if package not in placed]
            question.add_bool_or([question.get_bool_var_from_proto_index(index).negated() for index in same])
        solver = cp_model.CpSolver()
        if not budget.set_on(solver):
            break
        status = solver.solve(question)
        budget.spend(solver)
        if status == cp_model.INFEASIBLE:
            return _Equal(found, complete=True)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            break
        values = solver.response_proto.solution
        fresh = [[bid for bid, var in model.win.items() if values[var.index]]]
        found += fresh
    return _Equal(found, complete=False)
