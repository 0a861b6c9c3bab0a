"""`joint`: all packages solved together, and caps and coverage giving way to urgent people.

The engine goes by size: CP-SAT alone for a few bids; for a day's batch a short guided search, what its prices settle,
and CP-SAT's proof of the rest; the guided engine above that and wherever a proof does not come. Where nothing competes
an exact argument has answered before (`separable`).
"""

from matching.allocation.book import Book, objective
from matching.allocation.equals import draw_ties
from matching.allocation.exact import Budget, Model, Proven, minimise
from matching.allocation.greedy import greedy
from matching.allocation.large import keeps_caps, search_on, solve_large
from matching.allocation.narrowing import Sketch, sketch
from matching.allocation.outcome import Heard, Incumbent, Outcome
from matching.allocation.problem import UNLIMITED, Problem, is_large, needs_prices
from matching.allocation.records import URGENT
from matching.allocation.results import Draw, Guide
from matching.allocation.work import Work

PROOF_UNTIL = 0.5
"""By the clock: the share of the limit after which a proof that has not come is left for the guided engine."""


def solve_joint(problem: Problem, work: Work, heard: Heard | None, guide: Guide | None = None) -> Outcome:
    """The best award found within `work`; proven where the levels, ties and lots all closed."""
    if is_large(problem):
        return solve_large(problem, work, heard, guide)
    start = greedy(problem)
    _tell(problem, start, None, heard)
    hint = start if keeps_caps(problem, start) else []
    if problem.instance.policy.levels or not needs_prices(problem):
        return _prove(problem, hint, None, work.budget(), heard)
    drawn = sketch(problem, hint, work)
    _tell(problem, drawn.won, drawn.bound, heard)
    outcome = _prove(problem, drawn.won, drawn, work.budget(PROOF_UNTIL), heard)
    outcome.bound = drawn.bound if outcome.bound is None else max(outcome.bound, drawn.bound)
    return outcome if outcome.proven else search_on(problem, outcome, work, heard)


def _prove(problem: Problem, hint: list[int], drawn: Sketch | None, budget: Budget, heard: Heard | None) -> Outcome:
    """CP-SAT on the whole problem, or on what a sketch of it has not settled."""
    model = Model(problem)
    if drawn is not None:
        drawn.narrow(model, drawn.objective)
    first = minimise(model, model.levels(), hint, budget)
    _tell(problem, first.won, None if problem.instance.policy.levels else first.bound, heard)
    if _leaves_urgent(problem, first.won) and _may_give_way(problem):
        return _give_way(problem, first, model, budget)
    if drawn is not None and first.proven:
        drawn.narrow(model, objective(problem, first.won))
    return _finish(problem, model, first, budget, [])


def _tell(problem: Problem, won: list[int], bound: int | None, heard: Heard | None) -> None:
    if heard is not None:
        heard(Incumbent(won, objective(problem, won), bound))


def _finish(problem: Problem, model: Model, award: Proven, budget: Budget, notes: list[str]) -> Outcome:
    if award.proven:
        award = draw_ties(model, award, budget)
    return Outcome(award.won, award.proven, _bound(problem, award), _draws(problem, award), notes)


def _bound(problem: Problem, award: Proven) -> int | None:
    if award.proven:
        return objective(problem, award.won)
    return None if problem.instance.policy.levels else award.bound


def _give_way(problem: Problem, first: Proven, strict: Model, budget: Budget) -> Outcome:
    """Place as many urgent people as prices alone would without caps and coverage; then the fewest caps exceeded.

    The work of the strict problem stands if nothing is gained by giving way.
    """
    by_price = not problem.instance.policy.levels
    free = Model(problem, caps=False)
    free_levels = [free.cost(0)] if by_price else [free.urgent_left(by_price=False)]
    most_placed = minimise(free, free_levels, first.won, budget)
    reached = _urgent_weight(problem, most_placed.won, by_price)
    if not most_placed.proven or reached >= _urgent_weight(problem, first.won, by_price):
        return _finish(problem, strict, first, budget, [])
    model = Model(problem, caps=False)
    urgent = model.urgent_left(by_price=by_price)
    model.model.add(sum(weight * var for var, weight in urgent) <= reached)
    levels = [[(waiver, 1) for waiver in model.waivers], *model.levels()]
    award = minimise(model, levels, most_placed.won, budget)
    return _finish(
        problem,
        model,
        award,
        budget,
        ["caps and coverage gave way so that no more urgent people were left than need be"],
    )


def _urgent_weight(problem: Problem, won: list[int], by_price: bool) -> int:
    many = len(problem.packages) + 1
    return sum(
        int(problem.unplaced_cost[package]) if by_price else many ** (URGENT - int(problem.package_priority[package]))
        for package in _urgent_left(problem, won)
    )


def _urgent_left(problem: Problem, won: list[int]) -> list[int]:
    book = Book(problem, won)
    return [
        package
        for package, holder in enumerate(book.holder)
        if holder < 0 and problem.package_priority[package] <= URGENT
    ]


def _leaves_urgent(problem: Problem, won: list[int]) -> bool:
    options = problem.bids_of_package()
    return any(options[package] for package in _urgent_left(problem, won))


def _may_give_way(problem: Problem) -> bool:
    capped = (problem.pair_share < UNLIMITED).any() or (problem.provider_awards < UNLIMITED).any()
    return bool(capped or (problem.coverage_pence and problem.locality_wanted.any()))


def _draws(problem: Problem, award: Proven) -> tuple[Draw, ...]:
    """Where the equal awards looked at differ, package by package."""
    if len(award.alternatives) < 2:
        return ()
    holders: list[set[int]] = [set() for _ in problem.packages]
    for won in [award.won, *award.alternatives]:
        for package, bid in enumerate(Book(problem, won).holder):
            holders[package].add(bid)
    final = Book(problem, award.won).holder
    name = ["" if bid < 0 else problem.bids[bid].ref for bid in final]

    def refs(bids: set[int]) -> tuple[str, ...]:
        return tuple(sorted("" if bid < 0 else problem.bids[bid].ref for bid in bids))

    return tuple(
        Draw(problem.packages[package].ref, refs(bids), name[package])
        for package, bids in enumerate(holders)
        if len(bids) > 1
    )
