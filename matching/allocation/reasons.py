"""Why each package went where it went, in words that show no rival's price."""

import re
from collections import Counter

from matching.allocation.book import Book
from matching.allocation.problem import Problem
from matching.allocation.records import Mode
from matching.allocation.results import Award, Unplaced

WORDS = {
    "taken": "bid for a bundle whose other packages went elsewhere",
    "capacity": "has no free hours left for it",
    "take limit": "reached its own take limit",
    "locality capacity": "has no free hours left in the locality",
    "locality take limit": "reached its own take limit in the locality",
    "share cap": "reached the most one provider may hold of the locality",
    "award cap": "reached the most awards one provider may win",
    "new localities": "reached its own number of new localities",
    "either-or": "won the other of its either-or bids",
    "block": "would not reach its smallest worthwhile block there",
    "price": "could hold it, but the published prices favour leaving it open or another use of the hours",
    "unusable": "could never hold it within its stated limits",
}


def of_so_many(times: int, rule: str) -> str:
    """So many bids whose providers met that rule, as a clause: "1 has no free hours left for it", "2 have …"."""
    if times == 1:
        return f"1 {WORDS[rule]}"
    of_many = re.sub(r"\bits\b", "their", WORDS[rule])
    return f"{times} {re.sub('^has ', 'have ', of_many)}"


def awards_with_reasons(problem: Problem, won: list[int]) -> tuple[Award, ...]:
    """The awards, each saying how its bid stood alone and, if not first, what stopped the better ones."""
    book = Book(problem, won)
    offers = _offers(problem)
    reasons = {bid: _reason(problem, book, offers, bid) for bid in won}
    made: list[Award] = []
    for bid in won:
        made += problem.awards([bid], reasons[bid])
    return tuple(sorted(made, key=lambda award: award.package))


def _offers(problem: Problem) -> list[list[int]]:
    """All bids by package, best first by the mode's own order for a package standing alone."""
    offers: list[list[int]] = [[] for _ in problem.packages]
    for bid in range(len(problem.bids)):
        for part in range(problem.part_start[bid], problem.part_start[bid + 1]):
            offers[problem.part_package[part]].append(bid)
    for bids in offers:
        bids.sort(key=lambda bid: standing(problem, bid))
    return offers


def standing(problem: Problem, bid: int) -> tuple[float, tuple[int, ...], int]:
    """Where a bid stands when its package is looked at alone: rank or price, tie order, lot."""
    record = problem.bids[bid]
    if problem.instance.policy.mode is Mode.PER_PACKAGE:
        assert record.rank is not None
        return record.rank, record.tie, int(problem.bid_lot[bid])
    return problem.bid_cost[bid] / problem.bid_packages[bid], record.tie, int(problem.bid_lot[bid])


def _reason(problem: Problem, book: Book, offers: list[list[int]], bid: int) -> str:
    packages = [package for package, _, _ in book.parts(bid)]
    if len(packages) > 1:
        return f"bundle of {len(packages)}, best for the closing as a whole"
    bids = offers[packages[0]]
    place = bids.index(bid)
    if place == 0:
        return "only bid" if len(bids) == 1 else f"best of {len(bids)} bids"
    stopped = Counter(bite(problem, book, other, instead_of=bid) for other in bids[:place])
    words = "; ".join(of_so_many(times, rule) for rule, times in stopped.most_common())
    return f"number {place + 1} of {len(bids)} bids; of those before it: {words}"


def bite(problem: Problem, book: Book, bid: int, *, instead_of: int | None = None) -> str:
    """The rule that stops `bid` from joining the award (in place of `instead_of`); "price" if none does."""
    if not problem.is_usable[bid]:
        return "unusable"
    if instead_of is not None:
        book.drop(instead_of)
    rule = book.breach(bid)
    if not rule and any(
        book.pair_minutes[pair] + minutes < problem.pair_block[pair] for _, minutes, pair in book.parts(bid)
    ):
        rule = "block"
    if instead_of is not None:
        book.add(instead_of)
    return rule or "price"


def unplaced(problem: Problem, won: list[int]) -> tuple[Unplaced, ...]:
    """Each package that nobody got, with the rule that stops the most of its bids."""
    book = Book(problem, won)
    offers = _offers(problem)
    left = []
    for package, holder in enumerate(book.holder):
        if holder >= 0:
            continue
        ref = problem.packages[package].ref
        bids = offers[package]
        if not bids:
            left.append(Unplaced(ref, "no bid", "Nobody bid for it."))
            continue
        stopped = Counter(bite(problem, book, bid) for bid in bids).most_common()
        words = "; ".join(of_so_many(times, rule) for rule, times in stopped)
        left.append(Unplaced(ref, stopped[0][0], f"Of {len(bids)} bids: {words}."))
    return tuple(sorted(left, key=lambda package: package.package))
