"""What every provider holds while an award is put together, and which rule stops one bid more."""

import numpy as np

from matching.allocation.problem import Problem

Breach = str


class Book:
    """The bids won so far. `breach` names the first rule that one bid more would break, or is empty."""

    def __init__(self, problem: Problem, won: list[int] | None = None) -> None:
        self.problem = problem
        self.won: set[int] = set()
        self.holder = [-1] * len(problem.packages)
        self.held: list[set[int]] = [set() for _ in problem.providers]
        self.minutes = [0] * len(problem.providers)
        self.packages = [0] * len(problem.providers)
        self.new_localities = [0] * len(problem.providers)
        self.pair_minutes = [0] * len(problem.pair_provider)
        self.pair_packages = [0] * len(problem.pair_provider)
        self.set_packages = [0] * len(problem.set_limits)
        self.set_minutes = [0] * len(problem.set_limits)
        self._limits = _Columns(problem)
        self._sets: dict[int, list[tuple[int, int, int]]] = {}
        for place, limit in enumerate(problem.set_limits):
            for bid, packages, minutes in zip(
                limit.bids.tolist(), limit.packages.tolist(), limit.minutes.tolist(), strict=True
            ):
                self._sets.setdefault(bid, []).append((place, packages, minutes))
        self._excluded: dict[int, list[int]] = {}
        for low, high in problem.exclusions:
            self._excluded.setdefault(low, []).append(high)
            self._excluded.setdefault(high, []).append(low)
        for bid in won or []:
            self.add(bid)

    def parts(self, bid: int) -> list[tuple[int, int, int]]:
        """(package, minutes, pair) for each package of the bid."""
        start, end = self._limits.start[bid], self._limits.start[bid + 1]
        return self._limits.parts[start:end]

    def breach(self, bid: int, *, caps: bool = True) -> Breach:
        """The rule that stops `bid` now; with `caps` False the two caps that may give way are left aside."""
        limits, parts = self._limits, self.parts(bid)
        provider = limits.bid_provider[bid]
        minutes = self.minutes[provider] + sum(part[1] for part in parts)
        count = self.packages[provider] + len(parts)
        if any(self.holder[package] >= 0 for package, _, _ in parts):
            return "taken"
        if minutes > limits.capacity[provider]:
            return "capacity"
        if count > limits.packages[provider]:
            return "take limit"
        by_pair: dict[int, tuple[int, int]] = {}
        for _, part_minutes, pair in parts:
            before = by_pair.get(pair, (self.pair_minutes[pair], self.pair_packages[pair]))
            by_pair[pair] = (before[0] + part_minutes, before[1] + 1)
        opened = 0
        for pair, (pair_minutes, pair_count) in by_pair.items():
            if pair_minutes > limits.pair_capacity[pair]:
                return "locality capacity"
            if pair_count > limits.pair_packages[pair]:
                return "locality take limit"
            if caps and pair_minutes > limits.pair_share[pair]:
                return "share cap"
            opened += limits.is_new[pair] and self.pair_packages[pair] == 0
        if caps and count > limits.awards[provider]:
            return "award cap"
        if self.new_localities[provider] + opened > limits.new_localities[provider]:
            return "new localities"
        for place, set_packages, set_minutes in self._sets.get(bid, ()):
            limit = self.problem.set_limits[place]
            if self.set_packages[place] + set_packages > limit.max_packages:
                return "take limit"
            if self.set_minutes[place] + set_minutes > limit.max_minutes:
                return "take limit"
        if any(other in self.won for other in self._excluded.get(bid, ())):
            return "either-or"
        return ""

    def add(self, bid: int) -> None:
        """Let `bid` win; the caller has asked `breach`."""
        self._turn(bid, 1)
        self.won.add(bid)
        self.held[self._limits.bid_provider[bid]].add(bid)
        for package, _, _ in self.parts(bid):
            self.holder[package] = bid

    def drop(self, bid: int) -> None:
        """Take `bid` back."""
        self.won.remove(bid)
        self.held[self._limits.bid_provider[bid]].remove(bid)
        for package, _, _ in self.parts(bid):
            self.holder[package] = -1
        self._turn(bid, -1)

    def _turn(self, bid: int, sign: int) -> None:
        provider = self._limits.bid_provider[bid]
        for _, minutes, pair in self.parts(bid):
            self.minutes[provider] += sign * minutes
            self.packages[provider] += sign
            was = self.pair_packages[pair]
            self.pair_minutes[pair] += sign * minutes
            self.pair_packages[pair] = was + sign
            if self._limits.is_new[pair] and (was == 0 or was + sign == 0):
                self.new_localities[provider] += sign
        for place, packages, minutes in self._sets.get(bid, ()):
            self.set_packages[place] += sign * packages
            self.set_minutes[place] += sign * minutes

    def below_block(self) -> list[int]:
        """Won bids that stand in a pair whose smallest block is not reached, in canonical order."""
        blocks = self._limits.pair_block
        return sorted(
            bid for bid in self.won if any(self.pair_minutes[pair] < blocks[pair] for _, _, pair in self.parts(bid))
        )

    def marginal_cost(self, bid: int) -> int:
        """The bid's cost with the entry price of the localities it opens."""
        opened = {pair for _, _, pair in self.parts(bid) if self.pair_packages[pair] == 0}
        return self._limits.cost[bid] + sum(self._limits.pair_entry[pair] for pair in opened)


class _Columns:
    """The problem's arrays as lists: single look-ups in a list are several times faster than in an array."""

    def __init__(self, problem: Problem) -> None:
        self.start: list[int] = problem.part_start.tolist()
        self.parts: list[tuple[int, int, int]] = list(
            zip(problem.part_package.tolist(), problem.part_minutes.tolist(), problem.part_pair.tolist(), strict=True)
        )
        self.bid_provider: list[int] = problem.bid_provider.tolist()
        self.cost: list[int] = problem.bid_cost.tolist()
        self.capacity: list[int] = problem.provider_capacity.tolist()
        self.packages: list[int] = problem.provider_packages.tolist()
        self.awards: list[int] = problem.provider_awards.tolist()
        self.new_localities: list[int] = problem.provider_new.tolist()
        self.pair_capacity: list[int] = problem.pair_capacity.tolist()
        self.pair_packages: list[int] = problem.pair_packages.tolist()
        self.pair_share: list[int] = problem.pair_share.tolist()
        self.pair_block: list[int] = problem.pair_block.tolist()
        self.pair_entry: list[int] = problem.pair_entry.tolist()
        self.is_new: list[bool] = problem.pair_is_new.tolist()


def objective(problem: Problem, won: list[int]) -> int:
    """The objective with stability, from the arrays; the referee says it again from the records."""
    bids = np.array(won, dtype=np.int64)
    placed = np.zeros(len(problem.packages), dtype=np.bool_)
    active = np.zeros(len(problem.pair_provider), dtype=np.bool_)
    for bid in won:
        parts = slice(problem.part_start[bid], problem.part_start[bid + 1])
        placed[problem.part_package[parts]] = True
        active[problem.part_pair[parts]] = True
    new = active & problem.pair_is_new
    here = np.bincount(problem.pair_locality[new], minlength=len(problem.localities))
    missing = int(np.maximum(0, problem.locality_wanted - here).sum())
    return (
        int(problem.bid_cost[bids].sum())
        + int(problem.unplaced_cost[~placed].sum())
        + int(problem.pair_entry[active].sum())
        + problem.coverage_pence * missing
    )
