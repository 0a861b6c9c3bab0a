"""`per_package`: the best-ranked bid of each package wins, and a provider whose limits bind keeps what it preferred.

Deferred acceptance. In turn every package goes to the best-ranked bid that would keep it. A provider decides in its
own order of preference (those it ranked, then the more urgent, then the larger, then the lot): it keeps each package
that still fits and passes over one that does not, so a smaller one further down may stay although a larger one above
it could not (the rule for hours). What it gives up passes on to its next bid, until nothing moves.

With counted limits alone that ends in the one stable award that is best for the packages. With hours a stable award
need not exist; so a bid that its provider gave up MOST_GIVEN_UP times is not asked again, and the award names it.
A smallest block that is not reached is given up whole. Last, the two caps give way to urgent people still left.

Stable: no package and provider would both rather have each other, among bids still asked.
Source: Gale and Shapley 1962; McDermid and Manlove 2010 on sizes.
"""

from dataclasses import dataclass, field

from matching.allocation.book import Book
from matching.allocation.problem import Problem
from matching.allocation.records import MOST_CAPACITY, URGENT
from matching.allocation.results import Draw

MOST_GIVEN_UP = 3


@dataclass(slots=True)
class Settled:
    """The award, the bids that were struck (`not_asked_again`) and the draws that decided."""

    won: list[int]
    not_asked_again: set[int] = field(default_factory=set)
    draws: tuple[Draw, ...] = ()


def settle(problem: Problem) -> Settled:
    """Run deferred acceptance; the same for every order of rows."""
    return _Acceptance(problem).settle()


class _Acceptance:
    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.book = Book(problem)
        self.struck: set[int] = set()
        self.given_up = [0] * len(problem.bids)
        self.ranked = tuple(
            tuple(sorted(bids, key=lambda bid: (*self._rank(bid), int(problem.bid_lot[bid]))))
            for bids in problem.bids_of_package()
        )

    def _rank(self, bid: int) -> tuple[int, tuple[int, ...]]:
        record = self.problem.bids[bid]
        assert record.rank is not None
        return record.rank, record.tie

    def _liking(self, bid: int) -> tuple[int, int, int, int]:
        """A provider's order over its bids: lower is kept first."""
        record = self.problem.bids[bid]
        package = self.book.parts(bid)[0][0]
        preference = MOST_CAPACITY + 1 if record.preference is None else record.preference
        priority = int(self.problem.package_priority[package])
        return preference, priority, -int(self.problem.bid_minutes[bid]), int(self.problem.bid_lot[bid])

    def settle(self) -> Settled:
        self._until_nothing_moves()
        while below := self.book.below_block():
            for bid in below:
                self.book.drop(bid)
            self.struck.update(below)
            self._until_nothing_moves()
        self._caps_give_way()
        return Settled(sorted(self.book.won), set(self.struck), self._draws())

    def _until_nothing_moves(self) -> None:
        moved = True
        while moved:
            moved = False
            for package in range(len(self.ranked)):
                moved |= self._propose(package)

    def _propose(self, package: int) -> bool:
        """Move `package` to the best-ranked bid above its own that would keep it."""
        now = self.book.holder[package]
        for bid in self.ranked[package]:
            if bid == now:
                return False
            if bid in self.struck:
                continue
            if now >= 0:
                self.book.drop(now)
            lost = self._kept_instead(bid)
            if lost is None:
                if now >= 0:
                    self.book.add(now)
                continue
            for other in lost:
                self.given_up[other] += 1
                if self.given_up[other] >= MOST_GIVEN_UP:
                    self.struck.add(other)
            return True
        return False

    def _kept_instead(self, bid: int) -> list[int] | None:
        """Let the provider choose with `bid` in hand: what it gives up for it, or None (and nothing changed)."""
        held = sorted(self.book.held[int(self.problem.bid_provider[bid])])
        for other in held:
            self.book.drop(other)
        kept = []
        for candidate in sorted([*held, bid], key=self._liking):
            if not self.book.breach(candidate):
                self.book.add(candidate)
                kept.append(candidate)
        if bid in kept:
            return [other for other in held if other not in kept]
        for other in kept:
            self.book.drop(other)
        for other in held:
            self.book.add(other)
        return None

    def _caps_give_way(self) -> None:
        for package, bids in enumerate(self.ranked):
            if self.book.holder[package] >= 0 or self.problem.package_priority[package] > URGENT:
                continue
            for bid in bids:
                blocked = any(
                    self.book.pair_minutes[pair] + minutes < self.problem.pair_block[pair]
                    for _, minutes, pair in self.book.parts(bid)
                )
                if not blocked and not self.book.breach(bid, caps=False):
                    self.book.add(bid)
                    break

    def _draws(self) -> tuple[Draw, ...]:
        """Packages whose winner was equal in rank and tie order to another bid that was not refused its place."""
        draws = []
        for package, bids in enumerate(self.ranked):
            won = self.book.holder[package]
            if won < 0:
                continue
            self.book.drop(won)
            equal = [bid for bid in bids if self._rank(bid) == self._rank(won) and not self.book.breach(bid)]
            self.book.add(won)
            if len(equal) > 1:
                refs = tuple(sorted(self.problem.bids[bid].ref for bid in equal))
                draws.append(Draw(self.problem.packages[package].ref, refs, self.problem.bids[won].ref))
        return tuple(draws)
