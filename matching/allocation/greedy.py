"""The greedy award: most urgent and largest first, each to the cheapest bid that still fits.

It is the hint the exact engine starts from and the award that stands in when a solver hangs or dies.
"""

from matching.allocation.book import Book, objective
from matching.allocation.problem import Problem
from matching.allocation.records import URGENT


def greedy(problem: Problem) -> list[int]:
    """A feasible award as canonical bid numbers; caps give way where an urgent person would else be left."""
    book = Book(problem)
    options = problem.bids_of_package()
    banned: set[int] = set()
    _fill(book, options, banned)
    while below := book.below_block():
        for bid in below:
            book.drop(bid)
        banned.update(below)
        _fill(book, options, banned, open_pairs_only=True)
    let_caps_give_way(book, options, banned)
    won = sorted(book.won)
    return won if objective(problem, won) <= objective(problem, []) else []


def let_caps_give_way(book: Book, options: tuple[tuple[int, ...], ...], banned: set[int]) -> bool:
    """Place urgent people who are left wherever nothing but a cap stands in the way; whether any was placed."""
    before = len(book.won)
    for package, holder in enumerate(book.holder):
        if holder < 0 and book.problem.package_priority[package] <= URGENT:
            _place(book, options[package], banned, caps=False, open_pairs_only=True)
    return len(book.won) > before


def _fill(book: Book, options: tuple[tuple[int, ...], ...], banned: set[int], open_pairs_only: bool = False) -> None:
    for package, bids in enumerate(options):
        if book.holder[package] < 0:
            _place(book, bids, banned, caps=True, open_pairs_only=open_pairs_only)


def _place(book: Book, bids: tuple[int, ...], banned: set[int], *, caps: bool, open_pairs_only: bool) -> None:
    """The cheapest bid by its own price per package; `open_pairs_only` opens no block that nothing may complete."""
    unplaced = book.problem.unplaced_cost
    for bid in sorted(bids, key=lambda bid: (book.marginal_cost(bid) / len(book.parts(bid)), bid)):
        if bid in banned or book.breach(bid, caps=caps):
            continue
        if open_pairs_only and any(
            book.pair_minutes[pair] + minutes < book.problem.pair_block[pair] for _, minutes, pair in book.parts(bid)
        ):
            continue
        if book.marginal_cost(bid) >= sum(int(unplaced[package]) for package, _, _ in book.parts(bid)):
            continue
        book.add(bid)
        return
