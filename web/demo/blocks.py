"""The block of paid hours in a synthetic market, where its rules buy any: in a demonstration as in a simulation."""

from collections.abc import Sequence
from dataclasses import dataclass

from dps.schemes.model import Scheme
from web.demo.provider import SyntheticProvider

_LEAST_HOURS = 10


@dataclass(frozen=True, slots=True)
class SyntheticBlock:
    """Hours a week that one provider is paid for, used or not; `holder` is its place among the market's providers."""

    holder: int
    lot: str
    locality: str
    weekly_minutes: int
    weekly_pence: int


def block_of(scheme: Scheme, providers: Sequence[SyntheticProvider]) -> SyntheticBlock | None:
    """A quarter of the largest provider's hours at home, at the usual price, less the tenth that a block saves."""
    if scheme.blocks is None:
        return None
    assert scheme.demo is not None
    accepted = [n for n, one in enumerate(providers) if one.places and one.rating in scheme.quality.accepted]
    number = max(accepted, key=lambda n: (providers[n].minutes, -n))
    lot = scheme.lot(scheme.blocks.lots[0])
    hours = max(providers[number].minutes // 4 // 60, _LEAST_HOURS)
    return SyntheticBlock(
        holder=number,
        lot=lot.key,
        locality=providers[number].home,
        weekly_minutes=hours * 60,
        weekly_pence=hours * (lot.offer_pence_per_hour or scheme.demo.rate_pence_per_hour) * 9 // 10,
    )
