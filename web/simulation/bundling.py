"""Bundles: where all packages of a closing are solved together, who bids for two near each other may want both or none.

Each is a bid of its own beside the bids for its packages, at a lower rate, because one round of visits serves both.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

from bidding.asking import asked_of
from bidding.bids.content import problems
from dps.schemes.model import AllocationMode, Scheme
from web.simulation.cases import AskedRound, Bundle
from web.simulation.supply import Supply
from web.simulation.willing import Willing


def bundles_of(
    rounds: Sequence[AskedRound], scheme: Scheme, supply: Supply, willing: Willing, closes_at: datetime
) -> tuple[Bundle, ...]:
    """The bundles of these rounds, which close together; none where each package is awarded by itself."""
    if scheme.allocation.mode is not AllocationMode.JOINT:
        return ()
    return tuple(_drawn(rounds, scheme, supply, willing, closes_at))


def _drawn(
    rounds: Sequence[AskedRound], scheme: Scheme, supply: Supply, willing: Willing, closes_at: datetime
) -> Iterator[Bundle]:
    for provider in sorted({ref for one in rounds for ref in one.bids}):
        who = supply.providers[provider]
        own = sorted((one for one in rounds if provider in one.bids), key=lambda one: (_place(one), one.case.number))
        for _, near in groupby(own, key=_place):
            found = list(near)
            for pair in zip(found[::2], found[1::2], strict=False):
                if not willing.wants_both(who, pair[0].case.number, pair[1].case.number):
                    continue
                asked = [asked_of(one.case.package, scheme, closes_at) for one in pair]
                first, second = (one.bids[provider] for one in pair)
                content = willing.both(first, second, asked[0].envelope)
                if not any(problems(content, one) for one in asked):
                    yield Bundle("+".join((*(one.ref for one in pair), provider)), provider, content, pair)


def _place(round_: AskedRound) -> tuple[str, str]:
    """One price is for one service; near each other is what lies in one locality."""
    return round_.case.package.locality, round_.case.package.lot
