"""Explanations of a joint award, per package and per provider, in words and numbers.

For each package: who stood first alone, who got it, which rule lay between, and the price of having it otherwise,
from both ends. The lower end is what the bound's prices alone say (any award with that bid costs at least the bound
and this much more); the upper end is a real award with that bid, found by freeing the providers around it. Prices are
for auditors and brokers; a provider hears `reason_for_losing`, which names no price.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from matching.allocation.book import Book
from matching.allocation.bound import Oracle, Prices, raise_bound
from matching.allocation.first_prices import first_prices
from matching.allocation.fixing import forcing_losses
from matching.allocation.groups import Groups
from matching.allocation.knapsack import best_sets, table
from matching.allocation.market import Numbering, as_market
from matching.allocation.neighbourhood import Effort, Surroundings, cheapest_with
from matching.allocation.problem import Ints, Problem, number
from matching.allocation.reasons import WORDS, bite, standing
from matching.allocation.records import Instance
from matching.allocation.repair import objective_of
from matching.allocation.results import Result

BOUND_STEPS = 200
FREED_PROVIDERS = 5
OWN_LIMITS = frozenset(
    {"capacity", "take limit", "locality capacity", "locality take limit", "new localities", "either-or", "block"}
)


@dataclass(frozen=True, slots=True)
class PackageStory:
    """One package: `alone` and `awarded` are bids ("" is nobody); the two prices are None where they are the same.

    `one_change` is the rule whose lifting would have let the most bids in, for a package that nobody got.
    """

    package: str
    alone: str
    awarded: str
    between: str
    words: str
    at_least_pence: int | None
    at_most_pence: int | None
    one_change: str


@dataclass(frozen=True, slots=True)
class ProviderStory:
    """One provider: what it won, what it would have won but for its own limits, what one more hour would be worth."""

    provider: str
    won: int
    minutes: int
    more_but_for_own_limit: int
    hour_pence: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """The whole award explained; stories in order of reference."""

    packages: tuple[PackageStory, ...]
    providers: tuple[ProviderStory, ...]


def explain(instance: Instance, result: Result, *, upper_ends: bool = True) -> Explanation:
    """Explain `result`; `upper_ends` False leaves out the real awards, which take longest."""
    problem = number(instance, result.lot_seed)
    numbers = {bid.ref: place for place, bid in enumerate(problem.bids)}
    won = sorted({numbers[award.bid] for award in result.awards})
    return _Telling(problem, won, upper_ends).explanation()


class _Telling:
    def __init__(self, problem: Problem, won: list[int], upper_ends: bool) -> None:
        self.problem, self.won, self.upper_ends = problem, won, upper_ends
        self.book = Book(problem, won)
        self.numbering: Numbering = as_market(problem)
        self.market = self.numbering.market
        self.oracle = Oracle(self.market)
        self.holder = self.numbering.from_problem(won)
        self.now = objective_of(self.market, self.holder)
        self.prices = self._prices()
        self.choice = self.oracle.choose(self.prices, None, kind=int)
        values, fixed = self.oracle.valued(self.prices, None)
        self.values, self.fixed = values.astype(np.int64), fixed.astype(np.int64)
        roomiest = self.oracle.groups.provider_cells + np.maximum(1, -(-60 // self.oracle.groups.unit))
        self.space = table(self.oracle.groups._replace(provider_cells=roomiest), int)
        self.surroundings = Surroundings(self.market)

    def _prices(self) -> Prices:
        prices = first_prices(self.market, self.oracle, None)
        prices, _ = raise_bound(self.oracle, prices, float(self.now), BOUND_STEPS, None, lambda: True)
        return prices.rounded()

    def explanation(self) -> Explanation:
        offers: list[list[int]] = [[] for _ in self.problem.packages]
        for bid in range(len(self.problem.bids)):
            for package, _, _ in self.book.parts(bid):
                offers[package].append(bid)
        for bids in offers:
            bids.sort(key=lambda bid: standing(self.problem, bid))
        self.price_of_forcing = self._prices_of_forcing([bids[0] for bids in offers if bids])
        packages = [self._package(package, bids) for package, bids in enumerate(offers)]
        more = self._kept_out(offers)
        providers = [self._provider(provider, more) for provider in range(len(self.problem.providers))]
        return Explanation(
            tuple(sorted(packages, key=lambda story: story.package)),
            tuple(sorted(providers, key=lambda story: story.provider)),
        )

    def _package(self, package: int, bids: list[int]) -> PackageStory:
        ref = self.problem.packages[package].ref
        held = self.book.holder[package]
        awarded = self.problem.bids[held].ref if held >= 0 else ""
        if not bids:
            return PackageStory(ref, "", "", "no bid", "Nobody bid for it.", None, None, "more bidders")
        alone = bids[0]
        if alone == held:
            words = f"{awarded} stood first alone and was awarded."
            return PackageStory(ref, awarded, awarded, "", words, None, None, "")
        rule = bite(self.problem, self.book, alone, instead_of=held if held >= 0 else None)
        first = self.problem.bids[alone].ref
        outcome = f"{awarded} was awarded" if awarded else "nobody was"
        words = f"{first} stood first alone; {outcome}, because its provider {WORDS[rule]}."
        change = ""
        if held < 0:
            change = Counter(bite(self.problem, self.book, bid) for bid in bids).most_common(1)[0][0]
        low, high = self._ends(alone)
        return PackageStory(ref, first, awarded, rule, words, low, high, change)

    def _ends(self, bid: int) -> tuple[int | None, int | None]:
        """What the award with `bid` would cost more: by the prices, and by a real award (None where none was found)."""
        place = int(np.searchsorted(self.numbering.bids, bid))
        if place >= len(self.numbering.bids) or self.numbering.bids[place] != bid:
            return None, None
        low = self.price_of_forcing[place]
        if not self.upper_ends:
            return low, None
        freed = self._around(place)
        other = cheapest_with(self.market, self.holder, place, freed, Effort(len(freed), 0.05, None))
        return low, None if other is None else other - self.now

    def _prices_of_forcing(self, bids: list[int]) -> dict[int, int]:
        """By bid of the market, for those of `bids` that could win: how much dearer any award with it must be."""
        asked = np.flatnonzero(np.isin(self.numbering.bids, bids))
        return dict(zip(asked.tolist(), forcing_losses(self.oracle, self.prices, asked).tolist(), strict=True))

    def _worth(self, provider: int, groups: Groups, values: Ints) -> int:
        """What one provider could make of the prices."""
        worth = np.zeros(self.oracle.providers, dtype=np.int64)
        chosen, count = np.zeros(len(values), dtype=np.int64), np.zeros(self.oracle.providers, dtype=np.int64)
        nobody = np.zeros(self.oracle.providers, dtype=np.bool_)
        best_sets(provider, provider + 1, groups, values, self.fixed, nobody, self.space, worth, chosen, count)
        return int(worth[provider])

    def _around(self, bid: int) -> Ints:
        """The bid's provider, who holds its packages now, and the providers that share most with it."""
        provider = int(self.market.provider[bid])
        parts = slice(self.market.part_start[bid], self.market.part_start[bid + 1])
        holders = self.holder[self.market.part_package[parts]]
        now = self.market.provider[holders[holders >= 0]]
        like = np.argsort(-self.surroundings.shared[provider], kind="stable")[:FREED_PROVIDERS]
        return np.unique(np.concatenate(([provider], now, like))).astype(np.int64)

    def _kept_out(self, offers: list[list[int]]) -> Counter[int]:
        """By provider: packages it would have stood to win, but for a limit of its own."""
        more: Counter[int] = Counter()
        for package, bids in enumerate(offers):
            held = self.book.holder[package]
            before = bids[: bids.index(held)] if held >= 0 else bids
            for bid in before:
                rule = bite(self.problem, self.book, bid, instead_of=held if held >= 0 else None)
                if rule in OWN_LIMITS:
                    more[int(self.problem.bid_provider[bid])] += 1
        return more

    def _provider(self, provider: int, more: Counter[int]) -> ProviderStory:
        return ProviderStory(
            self.problem.providers[provider].ref,
            self.book.packages[provider],
            self.book.minutes[provider],
            more[provider],
            self._hour_pence(provider),
        )

    def _hour_pence(self, provider: int) -> int:
        """The shadow price of an hour: what the provider could make of the prices with one hour more."""
        groups = self.oracle.groups
        unit = int(groups.unit[provider])
        cells = max(1, -(-60 // unit))
        roomier = groups.provider_cells.copy()
        roomier[provider] += cells
        more = self._worth(provider, groups._replace(provider_cells=roomier), self.values)
        return (more - int(self.choice.worth[provider])) * 60 // (cells * unit)


def reason_for_losing(instance: Instance, result: Result, bid_ref: str) -> str:
    """What the provider of a losing bid hears: its place, and its own limit or that another stood better. No price."""
    problem = number(instance, result.lot_seed)
    numbers = {bid.ref: place for place, bid in enumerate(problem.bids)}
    won = sorted({numbers[award.bid] for award in result.awards})
    book = Book(problem, won)
    bid = numbers[bid_ref]
    told = []
    for package, _, _ in book.parts(bid):
        rivals = [other for other in range(len(problem.bids)) if any(part[0] == package for part in book.parts(other))]
        rivals.sort(key=lambda other: standing(problem, other))
        held = book.holder[package]
        place = f"number {rivals.index(bid) + 1} of {len(rivals)} bids for {problem.packages[package].ref}"
        if held >= 0 and standing(problem, held) <= standing(problem, bid):
            told.append(f"{place}; a bid that stood better was awarded")
        else:
            rule = bite(problem, book, bid, instead_of=held if held >= 0 else None)
            told.append(f"{place}; you {_to_you(rule)}")
    return ". ".join(told)


def _to_you(rule: str) -> str:
    return WORDS[rule].replace("its own", "your own").replace("its ", "your ").replace("has no", "have no")
