"""Weeks and counties: the guided engine between the problem's numbers and an outcome.

Two things are done less exactly than below MOST_EXACT_BIDS, and the outcome's notes say so: a published order is
approached by steep prices, and coverage is weighed at its price instead of giving way altogether to urgent people.
"""

from dataclasses import replace

import numpy as np

from matching.allocation.book import Book, objective
from matching.allocation.bound import Oracle, Prices, raise_bound
from matching.allocation.first_prices import first_prices
from matching.allocation.greedy import greedy, let_caps_give_way
from matching.allocation.guided import Plan, clock_plan, counted_plan, guided
from matching.allocation.market import Numbering, as_market
from matching.allocation.ordered import KEPT_SHARE, dominating, level_bounds
from matching.allocation.outcome import SEARCH_SEED, Heard, Incumbent, Outcome
from matching.allocation.problem import UNLIMITED, Ints, Problem
from matching.allocation.records import URGENT
from matching.allocation.results import Guide
from matching.allocation.work import Work

STEPS_WITHOUT_CAPS = 60
LEAST_WRITE_UP_S, WRITE_UP_SHARE = 0.1, 0.5
"""Kept back from a limit for the referee and the reasons: at least so long, and that share of what reading took.

The two are the same kind of work, so that a loaded machine slows both.
"""


def solve_large(problem: Problem, work: Work, heard: Heard | None, guide: Guide | None = None) -> Outcome:
    """The guided engine's award and bound; with a `guide` it goes on from the previous awards and those prices."""
    ordered = bool(problem.instance.policy.levels)
    reading_s = 0.0 if work.time_limit_s is None else work.time_limit_s - work.left_s()
    priced = dominating(problem) if ordered else problem
    numbering = as_market(priced)
    start = greedy(problem)
    kept = start if keeps_caps(problem, start) else []
    plan = _plan(work, reading_s)
    if ordered and plan.limit_s is not None:
        plan = replace(plan, limit_s=(1 - KEPT_SHARE) * plan.limit_s)

    def told(holder: Ints, value: int, bound: int | None) -> None:
        assert heard is not None
        won = numbering.to_problem(holder)
        heard(Incumbent(won, objective(problem, won), None) if ordered else Incumbent(won, value, bound))

    starts = [numbering.from_problem(award) for award in (kept, _as_before(problem))]
    warm = None if guide is None or ordered else _warm(problem, numbering, guide)
    if warm is not None and problem.instance.previous:
        plan = replace(plan, starts=0)
    found = guided(numbering, starts, plan, SEARCH_SEED, None if heard is None else told, warm)
    won = numbering.to_problem(found.holder)
    nobody = sum(not bids for bids in problem.bids_of_package())
    notes = [f"{nobody} packages that nobody who bid could hold were priced beforehand"] if nobody else []
    bound: int | None = found.bound
    book = Book(problem, won)
    if let_caps_give_way(book, problem.bids_of_package(), set()):
        won = sorted(book.won)
        notes.append("caps gave way so that fewer urgent people were left; the bound is of awards without caps")
        bound = None if ordered else bound_without_caps(problem, found.prices, objective(problem, won), work)
    if _weighed_coverage(problem, book):
        notes.append("at this size coverage is weighed at its price; it did not give way further to urgent people")
    if ordered:
        levels = level_bounds(problem, won, work)
        notes.append("at this size the published order is approached by steep prices")
        notes += [level.words for level in levels]
        return Outcome(won, False, None, notes=notes, levels=levels)
    proven = bound is not None and objective(problem, won) == bound
    return Outcome(won, proven, bound, notes=notes, guide=_guide(problem, numbering, found.prices))


def _guide(problem: Problem, numbering: Numbering, prices: Prices | None) -> Guide | None:
    if prices is None:
        return None
    whole = prices.rounded()
    refs = [problem.packages[package].ref for package in numbering.packages.tolist()]
    wanting = [problem.localities[place] for place in np.flatnonzero(numbering.market.wanted > 0).tolist()]
    return Guide(
        dict(zip(refs, whole.package.astype(int).tolist(), strict=True)),
        dict(zip(wanting, whole.newcomer.astype(int).tolist(), strict=True)),
    )


def _warm(problem: Problem, numbering: Numbering, guide: Guide) -> Prices:
    """The guide's prices as this market numbers them; what it does not know costs what leaving it costs, or nothing."""
    market = numbering.market
    prices = Oracle(market).start()
    prices.package[:] = [
        guide.package.get(problem.packages[package].ref, left)
        for package, left in zip(numbering.packages.tolist(), market.unplaced.tolist(), strict=True)
    ]
    wanting = np.flatnonzero(market.wanted > 0).tolist()
    prices.newcomer[:] = [guide.newcomer.get(problem.localities[place], 0) for place in wanting]
    return prices


def _plan(work: Work, reading_s: float) -> Plan:
    if work.is_counted:
        return counted_plan(work.effort)
    return clock_plan(max(0.1, work.left_s() - max(LEAST_WRITE_UP_S, WRITE_UP_SHARE * reading_s)))


def search_on(problem: Problem, outcome: Outcome, work: Work, heard: Heard | None) -> Outcome:
    """A better award than `outcome`, whose proof did not come, and a better bound; with what is left of the limit."""
    if not keeps_caps(problem, outcome.won) or work.left_s() < LEAST_WRITE_UP_S:
        return outcome
    numbering = as_market(problem)

    def told(holder: Ints, value: int, bound: int | None) -> None:
        assert heard is not None
        heard(Incumbent(numbering.to_problem(holder), value, bound))

    start = numbering.from_problem(outcome.won)
    found = guided(numbering, [start], _plan(work, 0.0), SEARCH_SEED, None if heard is None else told)
    bound = found.bound if outcome.bound is None else max(found.bound, outcome.bound)
    return Outcome(numbering.to_problem(found.holder), False, bound, notes=outcome.notes)


def bound_without_caps(problem: Problem, prices: Prices | None, objective_pence: int, work: Work) -> int:
    """A bound of every award that may exceed the two caps, from `prices` made with them or from a relaxation."""
    free = replace(
        problem,
        pair_share=np.full_like(problem.pair_share, UNLIMITED),
        provider_awards=np.full_like(problem.provider_awards, UNLIMITED),
    )
    numbering = as_market(free)
    oracle = Oracle(numbering.market)
    if prices is None:
        start = first_prices(numbering.market, oracle, None if work.is_counted else max(0.1, 0.5 * work.left_s()))
    else:
        start = oracle.start()
        # Bids, packages and localities are numbered alike; the rows are not.
        start.package[:], start.newcomer[:] = prices.package, prices.newcomer
    target = float(objective_pence - numbering.offset)
    raised, _ = raise_bound(oracle, start, target, STEPS_WITHOUT_CAPS, None, lambda: work.left_s() > 1.0, 0.3)
    return oracle.published(raised) + numbering.offset


def _weighed_coverage(problem: Problem, book: Book) -> bool:
    """Urgent people whom somebody could hold are left while coverage has a price."""
    if not problem.coverage_pence or not problem.locality_wanted.any():
        return False
    return any(
        book.holder[package] < 0 and bids and problem.package_priority[package] <= URGENT
        for package, bids in enumerate(problem.bids_of_package())
    )


def _as_before(problem: Problem) -> list[int]:
    """What still stands of the previous awards: each package with its provider's cheapest bid that fits."""
    before = {old.package: old.provider for old in problem.instance.previous}
    book = Book(problem)
    for package, bids in enumerate(problem.bids_of_package()):
        provider = before.get(problem.packages[package].ref)
        same = [bid for bid in bids if problem.bids[bid].provider == provider and not book.breach(bid)]
        if same:
            book.add(same[0])
    return sorted(book.won)


def keeps_caps(problem: Problem, won: list[int]) -> bool:
    """No cap has given way in the award `won`."""
    book = Book(problem)
    for bid in won:
        if book.breach(bid):
            return False
        book.add(bid)
    return True
