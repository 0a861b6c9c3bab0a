"""The award in the making, as compiled code keeps it: taking and dropping one bid in a few dozen instructions.

Everything known about a bid, a pair, a package … stands together in one record, what changes beside what does not:
moves touch few cache lines, and compiled functions take few arrays. (A tuple of plain arrays as argument was twenty
times slower: numba counts a reference to every array of it at every call.)
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from matching.allocation.compiled import compiled
from matching.allocation.market import Market
from matching.allocation.problem import Ints

Records = NDArray[Any]


class Holdings(NamedTuple):
    """The tables, in the order in which compiled functions take them.

    `bids`, `packages` and `providers` point to where their own rows begin in `parts` and `weights`, `options`,
    `members`; one record more than there are marks the end. `left` holds the packages that nobody holds and, last,
    how many they are.
    """

    bids: Records
    parts: Records
    weights: Records
    rows: Records
    pairs: Records
    packages: Records
    options: Ints
    localities: Records
    providers: Records
    members: Ints
    left: Ints

    @property
    def holder(self) -> Ints:
        """The bid that holds each package, -1 for nobody."""
        return np.ascontiguousarray(self.packages["holder"][:-1])


def _records(length: int, **columns: Any) -> Records:
    records = np.zeros(length, dtype=[(name, np.int64) for name in columns])
    for name, values in columns.items():
        records[name] = values
    return records


def nobody(market: Market) -> Holdings:
    """Holdings in which every package is left."""
    bids, packages = len(market.cost), len(market.unplaced)

    def ended(values: Ints) -> Ints:
        return np.append(values, 0)

    return Holdings(
        bids=_records(
            bids + 1,
            first_part=market.part_start,
            first_weight=market.row_start,
            cost=ended(market.cost),
            provider=ended(market.provider),
            place=0,
        ),
        parts=_records(
            len(market.part_pair), package=market.part_package, minutes=market.part_minutes, pair=market.part_pair
        ),
        weights=_records(len(market.row), row=market.row, weight=market.row_weight),
        rows=_records(len(market.row_capacity), capacity=market.row_capacity, load=0),
        pairs=_records(
            len(market.pair_new),
            provider=market.pair_provider,
            locality=market.pair_locality,
            entry=market.pair_entry,
            block=market.pair_block,
            is_new=market.pair_new,
            minutes=0,
        ),
        packages=_records(
            packages + 1,
            first_option=market.option_start,
            unplaced=ended(market.unplaced),
            holder=-1,
            place=np.arange(packages + 1),
        ),
        options=market.options,
        localities=_records(len(market.wanted), wanted=market.wanted, price=market.coverage, newcomers=0),
        providers=_records(
            len(market.provider_new) + 1,
            first_member=market.provider_start,
            members=0,
            most_new=ended(market.provider_new),
            opened=0,
        ),
        members=np.zeros(bids, dtype=np.int64),
        left=np.append(np.arange(packages, dtype=np.int64), packages),
    )


@compiled
def pair_price(pair: Any, minutes: int, short_price: float) -> float:
    """Entry, and the price of each minute that a newcomer's block still lacks."""
    if minutes <= 0:
        return 0.0
    price = float(pair.entry)
    if minutes < pair.block:
        price += short_price * (pair.block - minutes)
    return price


@compiled
def fits(
    bids: Records, parts: Records, weights: Records, rows: Records, pairs: Records, providers: Records, bid: int
) -> bool:
    """Taking `bid` would overfill no row and open no locality too many."""
    for place in range(bids[bid].first_weight, bids[bid + 1].first_weight):
        row = rows[weights[place].row]
        if row.load + weights[place].weight > row.capacity:
            return False
    provider = providers[bids[bid].provider]
    opened = provider.opened
    for place in range(bids[bid].first_part, bids[bid + 1].first_part):
        pair = pairs[parts[place].pair]
        if pair.is_new == 1 and pair.minutes == 0:
            opened += 1
    return bool(opened == provider.opened or opened <= provider.most_new)


@compiled
def take(
    bids: Records,
    parts: Records,
    weights: Records,
    rows: Records,
    pairs: Records,
    packages: Records,
    localities: Records,
    providers: Records,
    members: Ints,
    left: Ints,
    number: int,
    short_price: float,
) -> float:
    """Let bid `number` win packages that nobody holds; the change of the objective."""
    bid = bids[number]
    provider = providers[bid.provider]
    change = float(bid.cost)
    for place in range(bid.first_weight, bids[number + 1].first_weight):
        rows[weights[place].row].load += weights[place].weight
    for place in range(bid.first_part, bids[number + 1].first_part):
        part = parts[place]
        pair = pairs[part.pair]
        before = pair.minutes
        after = before + part.minutes
        change += pair_price(pair, after, short_price) - pair_price(pair, before, short_price)
        pair.minutes = after
        if before == 0 and pair.is_new == 1:
            locality = localities[pair.locality]
            if locality.newcomers < locality.wanted:
                change -= locality.price
            locality.newcomers += 1
            provider.opened += 1
        package = packages[part.package]
        change -= package.unplaced
        package.holder = number
        count = left[-1] - 1
        last = left[count]
        left[-1] = count
        left[package.place] = last
        packages[last].place = package.place
    members[provider.first_member + provider.members] = number
    bid.place = provider.members
    provider.members += 1
    return change


@compiled
def drop(
    bids: Records,
    parts: Records,
    weights: Records,
    rows: Records,
    pairs: Records,
    packages: Records,
    localities: Records,
    providers: Records,
    members: Ints,
    left: Ints,
    number: int,
    short_price: float,
) -> float:
    """Take bid `number` back and leave its packages; the change of the objective."""
    bid = bids[number]
    provider = providers[bid.provider]
    change = -float(bid.cost)
    for place in range(bid.first_weight, bids[number + 1].first_weight):
        rows[weights[place].row].load -= weights[place].weight
    for place in range(bid.first_part, bids[number + 1].first_part):
        part = parts[place]
        pair = pairs[part.pair]
        before = pair.minutes
        after = before - part.minutes
        change += pair_price(pair, after, short_price) - pair_price(pair, before, short_price)
        pair.minutes = after
        if after == 0 and pair.is_new == 1:
            locality = localities[pair.locality]
            if locality.newcomers <= locality.wanted:
                change += locality.price
            locality.newcomers -= 1
            provider.opened -= 1
        package = packages[part.package]
        change += package.unplaced
        package.holder = -1
        package.place = left[-1]
        left[left[-1]] = part.package
        left[-1] += 1
    provider.members -= 1
    last = members[provider.first_member + provider.members]
    members[provider.first_member + bid.place] = last
    bids[last].place = bid.place
    return change


@compiled
def price_of_taking(
    bids: Records, parts: Records, pairs: Records, packages: Records, localities: Records, number: int, short: float
) -> float:
    """What `take` would return for a bid whose packages nobody holds."""
    change = float(bids[number].cost)
    for place in range(bids[number].first_part, bids[number + 1].first_part):
        part = parts[place]
        pair = pairs[part.pair]
        change += pair_price(pair, pair.minutes + part.minutes, short) - pair_price(pair, pair.minutes, short)
        if pair.minutes == 0 and pair.is_new == 1:
            locality = localities[pair.locality]
            if locality.newcomers < locality.wanted:
                change -= locality.price
        change -= packages[part.package].unplaced
    return change


@compiled
def is_free(bids: Records, parts: Records, packages: Records, number: int) -> bool:
    """Nobody holds any of the bid's packages."""
    for place in range(bids[number].first_part, bids[number + 1].first_part):
        if packages[parts[place].package].holder >= 0:
            return False
    return True


@compiled
def best_fit(
    bids: Records,
    parts: Records,
    weights: Records,
    rows: Records,
    pairs: Records,
    packages: Records,
    options: Ints,
    localities: Records,
    providers: Records,
    package: int,
    avoid: int,
    short_price: float,
    whole_blocks: bool,
) -> int:
    """The bid for `package` that fits, lowers the objective most and isn't `avoid`; -1 if none does.

    With `whole_blocks` only bids that leave no block short.
    """
    best = -1
    least = 0.0
    for place in range(packages[package].first_option, packages[package + 1].first_option):
        number = options[place]
        if number == avoid or not is_free(bids, parts, packages, number):
            continue
        if not fits(bids, parts, weights, rows, pairs, providers, number):
            continue
        if whole_blocks and leaves_short(bids, parts, pairs, number):
            continue
        price = price_of_taking(bids, parts, pairs, packages, localities, number, short_price)
        if price < least:
            least = price
            best = number
    return best


@compiled
def leaves_short(bids: Records, parts: Records, pairs: Records, number: int) -> bool:
    """Taking the bid would leave a block short."""
    for place in range(bids[number].first_part, bids[number + 1].first_part):
        pair = pairs[parts[place].pair]
        if pair.minutes + parts[place].minutes < pair.block:
            return True
    return False


@compiled
def shortage(pairs: Records) -> int:
    """Minutes that started blocks still lack, over all pairs."""
    short = 0
    for place in range(len(pairs)):
        if 0 < pairs[place].minutes < pairs[place].block:
            short += pairs[place].block - pairs[place].minutes
    return short


@compiled
def total(bids: Records, parts: Records, pairs: Records, packages: Records, localities: Records) -> int:
    """The objective of the holdings, from scratch and in integers."""
    objective = 0
    for package in range(len(packages) - 1):
        number = packages[package].holder
        if number < 0:
            objective += packages[package].unplaced
        elif parts[bids[number].first_part].package == package:
            objective += bids[number].cost
    for place in range(len(pairs)):
        if pairs[place].minutes > 0:
            objective += pairs[place].entry
    for place in range(len(localities)):
        missing = localities[place].wanted - localities[place].newcomers
        if missing > 0:
            objective += localities[place].price * missing
    return objective
