"""The referee: reads the award against the records alone, in integers, with no solver in sight.

Rules are numbered as in problem.md. Hard rules make faults; the two caps may be exceeded where, without the
urgent people (priority 1 and 2) placed there, they would be kept: that is reported as having given way.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable

from matching.allocation import terms
from matching.allocation.records import Bid, Instance, Package
from matching.allocation.results import Award, Fault, Report


def check(instance: Instance, awards: Iterable[Award]) -> Report:
    """Recompute feasibility and every part of the objective of `awards`."""
    return _Hearing(instance, tuple(awards)).report()


class _Hearing:
    def __init__(self, instance: Instance, awards: tuple[Award, ...]) -> None:
        self.instance = instance
        self.awards = awards
        self.packages = {package.ref: package for package in instance.packages}
        self.bids = {bid.ref: bid for bid in instance.bids}
        self.terms = terms.terms_by_pair(instance)
        self.faults: list[Fault] = []
        self.gave_way: list[Fault] = []
        self.won = self._won_bids()
        self.won_minutes: defaultdict[str, int] = defaultdict(int)
        self.pair_minutes: defaultdict[terms.Pair, int] = defaultdict(int)
        self.pair_packages: defaultdict[terms.Pair, list[Package]] = defaultdict(list)
        self.pair_calm_minutes: defaultdict[terms.Pair, int] = defaultdict(int)
        self.held: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for bid in self.won:
            for ref, minutes in zip(bid.packages, terms.bid_minutes(bid, self.packages), strict=True):
                package = self.packages[ref]
                pair = (bid.provider, package.locality)
                self.won_minutes[bid.provider] += minutes
                self.pair_minutes[pair] += minutes
                self.pair_packages[pair].append(package)
                self.pair_calm_minutes[pair] += 0 if package.is_urgent else minutes
                self.held[bid.provider][ref] = minutes

    def _fault(self, rule: str, words: str) -> None:
        self.faults.append(Fault(rule, words))

    def _won_bids(self) -> list[Bid]:
        """Rule 1: every package at most once, every bid whole, every award as bid."""
        by_bid: defaultdict[str, list[Award]] = defaultdict(list)
        for ref, times in Counter(award.package for award in self.awards).items():
            if times > 1:
                self._fault("1 once", f"{ref} is awarded {times} times")
        for award in self.awards:
            if award.bid not in self.bids:
                self._fault("1 bid", f"{award.bid} is no bid")
            elif award.package not in self.bids[award.bid].packages:
                self._fault("1 bid", f"{award.bid} is not for {award.package}")
            elif award.provider != self.bids[award.bid].provider:
                self._fault("1 bid", f"{award.bid} is not {award.provider}'s")
            else:
                by_bid[award.bid].append(award)
        whole = []
        for ref, parts in by_bid.items():
            bid = self.bids[ref]
            if {award.package for award in parts} != set(bid.packages):
                self._fault("1 bundle", f"{ref} is awarded in part")
                continue
            if sum(award.weekly_pence for award in parts) != bid.weekly_pence:
                self._fault("1 price", f"{ref} is awarded at another price")
            whole.append(bid)
        return sorted(whole, key=lambda bid: bid.ref)

    def report(self) -> Report:
        """All rules, then all prices."""
        self._capacity()
        self._localities()
        self._take_limits()
        self._caps()
        return self._prices()

    def _capacity(self) -> None:
        """Rules 2 and 5: a provider's minutes, packages and new localities."""
        for provider in self.instance.providers:
            ref = provider.ref
            _at_most(self, "2 capacity", f"{ref} minutes", self.won_minutes[ref], provider.capacity_minutes)
            _at_most(self, "5 take limit", f"{ref} packages", len(self.held[ref]), provider.max_packages)
            new = sum(pair[0] == ref and self._is_new(pair) for pair in self.pair_minutes)
            _at_most(self, "6 new localities", f"{ref} new localities", new, provider.max_new_localities)

    def _is_new(self, pair: terms.Pair) -> bool:
        return pair not in self.terms or not self.terms[pair].is_incumbent

    def _localities(self) -> None:
        """Rules 3 and 5: a pair's capacity, take limit and, for a newcomer, smallest block."""
        for pair, minutes in self.pair_minutes.items():
            stated = self.terms.get(pair)
            if stated is None:
                continue
            name = f"{pair[0]} in {pair[1]}"
            _at_most(self, "3 locality capacity", f"{name}: minutes", minutes, stated.capacity_minutes)
            _at_most(self, "5 take limit", f"{name}: packages", len(self.pair_packages[pair]), stated.max_packages)
            if not stated.is_incumbent and minutes < stated.block_minutes:
                self._fault("3 block", f"{name}: {minutes} minutes are below the block of {stated.block_minutes}")

    def _take_limits(self) -> None:
        """Rule 5: a provider's own limits over sets of packages, and either-or bids."""
        for provider in self.instance.providers:
            held = self.held[provider.ref]
            for limit in provider.take_limits:
                inside = [minutes for ref, minutes in held.items() if ref in limit.packages]
                name = f"{provider.ref}, {limit.name}"
                _at_most(self, "5 take limit", f"{name}: packages", len(inside), limit.max_packages)
                _at_most(self, "5 take limit", f"{name}: minutes", sum(inside), limit.max_minutes)
        won = {bid.ref for bid in self.won}
        for bid in self.won:
            for other in bid.excludes:
                if other in won:
                    self._fault("5 either-or", f"{bid.ref} and {other} both won")

    def _caps(self) -> None:
        """Rule 6: share and award caps, which give way to urgent people only."""
        caps = terms.share_caps(self.instance)
        for pair, minutes in self.pair_minutes.items() if caps is not None else ():
            assert caps is not None
            self._cap(
                "6 share cap", f"{pair[0]} in {pair[1]}: minutes", minutes, self.pair_calm_minutes[pair], caps[pair]
            )
        most = self.instance.policy.awards_per_provider
        for ref, held in self.held.items() if most is not None else ():
            assert most is not None
            calm = sum(not self.packages[package].is_urgent for package in held)
            self._cap("6 award cap", f"{ref}: awards", len(held), calm, most)

    def _cap(self, rule: str, name: str, number: int, calm: int, most: int) -> None:
        if calm > most:
            self._fault(rule, f"{name} {number} above {most}")
        elif number > most:
            self.gave_way.append(Fault(rule, f"{name} {number} above {most}, for people of priority 1 or 2"))

    def _prices(self) -> Report:
        policy = self.instance.policy
        placed = {ref for bid in self.won for ref in bid.packages}
        left = [package for package in self.instance.packages if package.ref not in placed]
        new = [pair for pair in self.pair_minutes if self._is_new(pair)]
        missing = 0
        # Rule 4 prices what is missing; a ranked award is not made by prices, but the account is the same.
        for locality, wanted in terms.newcomers_wanted(self.instance).items():
            missing += max(0, wanted - sum(pair[1] == locality for pair in new))
        holder = {ref: bid.provider for bid in self.won for ref in bid.packages}
        changes = sum(
            holder.get(old.package) != old.provider for old in self.instance.previous if old.package in self.packages
        )
        by_priority = Counter(package.priority for package in left)
        quality = sum(terms.quality_pence(bid, sum(terms.bid_minutes(bid, self.packages)), policy) for bid in self.won)
        return Report(
            faults=tuple(sorted(self.faults, key=lambda fault: (fault.rule, fault.words))),
            gave_way=tuple(sorted(self.gave_way, key=lambda fault: (fault.rule, fault.words))),
            award_pence=sum(bid.weekly_pence for bid in self.won),
            quality_pence=quality,
            delay_pence=sum(terms.delay_pence(bid, self.packages, policy) for bid in self.won),
            entry_pence=sum(self.terms[pair].entry_pence for pair in new if pair in self.terms),
            unplaced_pence=sum(terms.unplaced_pence(package, policy) for package in left),
            coverage_pence=policy.coverage_pence * missing,
            stability_pence=policy.stability_pence * changes,
            missing_providers=missing,
            changes=changes,
            placed=len(placed),
            unplaced=len(left),
            unplaced_by_priority=(by_priority[1], by_priority[2], by_priority[3], by_priority[4]),
            unplaced_minutes=sum(package.weekly_minutes for package in left),
        )


def _at_most(hearing: _Hearing, rule: str, name: str, number: int, most: int | None) -> None:
    if most is not None and number > most:
        hearing.faults.append(Fault(rule, f"{name} {number} above {most}"))
