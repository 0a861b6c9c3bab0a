"""What a month is reckoned from, as flat records: nothing of a person, nothing sealed."""

from dataclasses import dataclass
from datetime import date, datetime

from dps.schemes.model import Scheme


@dataclass(frozen=True, slots=True)
class ReferralFact:
    """A referral that was published in these days; `placed_at` is when its first contract was agreed, if one was."""

    ref: str
    urgency: str
    state: str
    published_at: datetime
    placed_at: datetime | None
    started_on: date | None


@dataclass(frozen=True, slots=True)
class RoundFact:
    """A round that was opened in these days. `bids` are the valid ones, known once its closing was scored."""

    ref: str
    stage: str
    mode: str
    state: str
    outcome: str | None
    invited: int
    declined: int
    bids: int


@dataclass(frozen=True, slots=True)
class AwardFact:
    """An award that was proposed in these days, whatever became of it."""

    ref: str
    state: str
    source: str
    provider: str
    locality: str
    weekly_minutes: int
    weekly_pence: int
    needed_a_person: bool


@dataclass(frozen=True, slots=True)
class PlacementFact:
    """A package that was placed otherwise in these days, and the two people who did it.

    `provider` is `other` where the register does not hold who serves.
    """

    referral: str
    how: str
    provider: str
    weekly_pence: int
    proposed_by: str
    approved_by: str


@dataclass(frozen=True, slots=True)
class ContractFact:
    """A contract that was agreed in these days."""

    ref: str
    provider: str
    lot: str
    locality: str
    starts_on: date
    weekly_minutes: int
    weekly_pence: int


@dataclass(frozen=True, slots=True)
class EndFact:
    """A contract that did not start, or was handed back, in these days, with its coded reason."""

    contract: str
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class BlockFact:
    """A block of paid hours that ran at the end of these days, and what of it was taken then."""

    ref: str
    provider: str
    lot: str
    locality: str
    weekly_minutes: int
    used_minutes: int
    weekly_pence: int


@dataclass(frozen=True, slots=True)
class AreaFact:
    """A contract for a whole area that ran on one of these days, and what statements that end in them came to.

    Beyond a tolerance `to_discussion_pence` is neither stated nor paid; below nothing it is the council's.
    """

    contract: str
    provider: str
    key: str
    locality: str
    yearly_pence: int
    stated_pence: int
    paid_pence: int
    to_discussion_pence: int


@dataclass(frozen=True, slots=True)
class RunFact:
    """A finished allocation run; `advised_pence` and `advised_placed` are of its joint answer, where it had one."""

    ref: str
    mode: str
    placed: int
    pence: int
    advised_placed: int | None
    advised_pence: int | None


@dataclass(frozen=True, slots=True)
class MonthFacts:
    """Everything that a report of these days is reckoned from. `served` counts people by provider as they began."""

    scheme: Scheme
    authorities: tuple[str, ...]
    first: date
    last: date
    until: datetime
    referrals: tuple[ReferralFact, ...]
    rounds: tuple[RoundFact, ...]
    awards: tuple[AwardFact, ...]
    placements: tuple[PlacementFact, ...]
    contracts: tuple[ContractFact, ...]
    ends: tuple[EndFact, ...]
    runs: tuple[RunFact, ...]
    blocks: tuple[BlockFact, ...]
    areas: tuple[AreaFact, ...]
    served: dict[str, int]
