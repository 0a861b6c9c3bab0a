"""What is kept of each person, each stage asked for them, and each placement, while a year is played."""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from bidding.awards.records import Source
from bidding.bids.content import BidContent
from bidding.evaluation import Score
from dps.packages.packages import Package
from dps.schemes.model import Mode, Stage
from web.demo.market import SyntheticNeed
from web.simulation.supply import Block

OPEN_LIST = "open list"
"""Where a placement came from that no stage of a ladder gave."""


class Phase(StrEnum):
    """Where a person's search stands."""

    SEEKING = "seeking"
    UNFILLED = "unfilled"
    PLACED = "placed"
    LEFT = "left"


@dataclass
class Placement:
    """One confirmed award: by which stage, to whom, at what price, and when care was agreed to begin."""

    at: datetime
    stage: str
    source: Source
    provider: str
    weekly_pence: int
    starts_on: date
    is_bundled: bool = False


@dataclass
class Given:
    """Care given: from its first day to the last, which is None while it runs, at this price beside blocks."""

    first_day: date
    weekly_pence: int
    last_day: date | None = None


@dataclass
class Case:
    """One person's package under one rule set. `leaves_at` is when they look elsewhere if nobody has been found."""

    need: SyntheticNeed
    package: Package
    stages: tuple[Stage, ...]
    leaves_at: datetime
    phase: Phase = Phase.SEEKING
    cycle: int = 0
    seeking_since: datetime | None = None
    left_at: datetime | None = None
    asked: set[str] = field(default_factory=set)
    blocks_tried: set[str] = field(default_factory=set)
    times_asked: dict[str, int] = field(default_factory=dict)
    round: "AskedRound | None" = None
    award: "Offer | None" = None
    placements: list[Placement] = field(default_factory=list)
    waits: list[tuple[datetime, datetime | None]] = field(default_factory=list)
    """When nobody had taken the package: half-open, the last one without an end while it lasts."""
    served: list[Given] = field(default_factory=list)

    @property
    def number(self) -> int:
        return self.need.number

    def wait(self, now: datetime) -> None:
        """From now on nobody has the package."""
        self.seeking_since = now
        self.waits.append((now, None))

    def wait_no_more(self, now: datetime) -> None:
        self.waits[-1] = self.waits[-1][0], now


@dataclass
class AskedRound:
    """One stage asked for one person."""

    ref: str
    case: Case
    stage_no: int
    stage_key: str
    mode: Mode
    opened_at: datetime
    closes_at: datetime | None
    invited: tuple[str, ...]
    bids: dict[str, BidContent] = field(default_factory=dict)
    scores: dict[str, Score] = field(default_factory=dict)
    lot_seed: bytes = b""
    tried: set[str] = field(default_factory=set)
    is_over: bool = False


@dataclass(frozen=True, slots=True)
class Bundle:
    """One bid for several rounds of a closing, all or nothing; `scores` are by round, once it is scored."""

    ref: str
    provider: str
    content: BidContent
    rounds: tuple[AskedRound, ...]
    scores: dict[str, Score] = field(default_factory=dict)

    @property
    def is_valid(self) -> bool:
        return all(one.ref in self.scores and self.scores[one.ref].is_valid for one in self.rounds)


@dataclass
class Offer:
    """An award on its way: who is to have the package, at what price; out of a block, where it is paid already."""

    ref: str
    case: Case
    round: AskedRound
    provider: str
    weekly_pence: int
    starts_on: date
    source: Source
    already_accepted: bool
    needs_person: bool
    block: Block | None = None
    is_bundled: bool = False
    is_live: bool = True


@dataclass
class Tally:
    """What is counted beside the cases: rounds by stage, how many valid bids each round of sealed bids had, bundles.

    `block_minutes_used` are those of a week that blocks served as each week ended.
    """

    rounds: dict[str, int] = field(default_factory=dict)
    nobody_eligible: dict[str, int] = field(default_factory=dict)
    bids: list[int] = field(default_factory=list)
    closings: int = 0
    uncounted: int = 0
    failed_starts: int = 0
    handed_back: int = 0
    bundles: int = 0
    block_minutes_used: list[int] = field(default_factory=list)
