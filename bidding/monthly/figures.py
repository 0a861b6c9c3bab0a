"""What a month came to: pure, in whole numbers. Shares are thousandths, times whole minutes; nothing is rounded up.

A *small* provider served fewer than ten people in the scheme when the month began. A *single bid* is a round of sealed
bids that closed with exactly one valid one. *Joint against per package* compares only the runs that had both answers.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median_low

from bidding.awards.records import AwardState, Source
from bidding.monthly.records import (
    AreaFact,
    AwardFact,
    ContractFact,
    MonthFacts,
    PlacementFact,
    ReferralFact,
    RoundFact,
    RunFact,
)
from bidding.referrals import ReferralState
from bidding.rounds import Outcome, RoundState
from dps.kernel.money import round_half_up
from dps.schemes.model import Mode, Scheme, Urgency

SMALL_BELOW_PEOPLE = 10
_AROUND = (Source.DIRECT_AWARD, Source.OPEN_LIST, Source.OVERRIDE, Source.FIRST_ACCEPTANCE)
_ENDED_UNMADE = {
    AwardState.DECLINED: "declined by the provider",
    AwardState.EXPIRED: "not answered in time",
    AwardState.RETURNED: "returned after reading the file",
    AwardState.REFUSED_BY_PERSON: "refused by the person",
    AwardState.OVERTURNED: "overturned by two people",
}


@dataclass(frozen=True, slots=True)
class Way:
    """How far the referrals of one urgency came, and how long it took."""

    urgency: str
    published: int
    placed: int
    started: int
    waiting: int
    median_minutes_to_place: int | None
    median_days_to_start: int | None
    longest_wait_minutes: int


@dataclass(frozen=True, slots=True)
class StageFigures:
    """One stage of the ladder: how often it was asked, answered and exhausted."""

    stage: str
    rounds: int
    accepted: int
    exhausted: int
    invited: int
    declined: int


@dataclass(frozen=True, slots=True)
class Competition:
    """Rounds of sealed bids that were decided, by how many valid bids they had."""

    rounds: int
    without: int
    single: int
    several: int
    single_thousandths: int | None


@dataclass(frozen=True, slots=True)
class Single:
    """An award that went round the competition, or outside the envelope: each is listed by itself."""

    award: str
    how: str
    provider: str
    weekly_pence: int
    state: str


@dataclass(frozen=True, slots=True)
class Market:
    """Who won the weekly minutes of the contracts agreed."""

    providers: int
    weekly_minutes: int
    weekly_pence: int
    top_three_thousandths: int | None
    small_thousandths: int | None


@dataclass(frozen=True, slots=True)
class LotPrice:
    """Hourly rates agreed for one lot, in pence, against the floor of the day and place where each begins."""

    lot: str
    contracts: int
    least: int
    median: int
    most: int
    median_above_floor_pence: int
    at_or_below_floor: int


@dataclass(frozen=True, slots=True)
class BlockUse:
    """One block of paid hours: what of its week was used, and what was not."""

    block: str
    provider: str
    lot: str
    locality: str
    bought_minutes: int
    used_minutes: int
    unused_minutes: int
    weekly_pence: int


@dataclass(frozen=True, slots=True)
class Advice:
    """What joint answers would have given, against what was awarded package by package: advice, never awarded."""

    runs: int
    placed: int
    pence: int
    advised_placed: int
    advised_pence: int


@dataclass(frozen=True, slots=True)
class Month:
    """The whole report. `fell_through` and `after` count awards and contracts that came to nothing, by why."""

    ways: tuple[Way, ...]
    stages: tuple[StageFigures, ...]
    competition: Competition
    singly: tuple[Single, ...]
    otherwise: tuple[PlacementFact, ...]
    fell_through: tuple[tuple[str, int], ...]
    after: tuple[tuple[str, str, int], ...]
    market: Market
    prices: tuple[LotPrice, ...]
    blocks: tuple[BlockUse, ...]
    areas: tuple[AreaFact, ...]
    advice: Advice | None


def month_of(facts: MonthFacts) -> Month:
    """Reckon the report of these facts."""
    return Month(
        ways=tuple(_ways(facts.referrals, facts.until)),
        stages=tuple(_stages(facts.rounds, facts.scheme)),
        competition=_competition(facts.rounds),
        singly=tuple(_singly(facts.awards)),
        otherwise=facts.placements,
        fell_through=_fell_through(facts.awards),
        after=tuple(
            (kind, reason, count)
            for (kind, reason), count in sorted(Counter((end.kind, end.reason) for end in facts.ends).items())
        ),
        market=_market(facts.contracts, facts.served),
        prices=tuple(_prices(facts.contracts, facts.scheme)),
        blocks=tuple(
            BlockUse(
                one.ref,
                one.provider,
                one.lot,
                one.locality,
                one.weekly_minutes,
                one.used_minutes,
                one.weekly_minutes - one.used_minutes,
                one.weekly_pence,
            )
            for one in facts.blocks
        ),
        areas=facts.areas,
        advice=_advice(facts.runs),
    )


def thousandths(part: int, whole: int) -> int | None:
    """A share in thousandths, cut; None of nothing."""
    return part * 1000 // whole if whole else None


def _ways(referrals: Sequence[ReferralFact], until: datetime) -> Iterable[Way]:
    for urgency in Urgency:
        of_it = [one for one in referrals if one.urgency == urgency]
        if not of_it:
            continue
        placed = [one.placed_at - one.published_at for one in of_it if one.placed_at is not None]
        started = [(one.started_on - one.published_at.date()).days for one in of_it if one.started_on is not None]
        seeking = [one for one in of_it if one.placed_at is None and one.state in _SOUGHT]
        waits = [*placed, *(until - one.published_at for one in seeking)]
        yield Way(
            urgency=str(urgency),
            published=len(of_it),
            placed=len(placed),
            started=len(started),
            waiting=len(seeking),
            median_minutes_to_place=_minutes(median_low(placed)) if placed else None,
            median_days_to_start=median_low(started) if started else None,
            longest_wait_minutes=_minutes(max(waits, default=timedelta())),
        )


_SOUGHT = (ReferralState.SEEKING, ReferralState.HELD, ReferralState.UNFILLED)


def _minutes(span: timedelta) -> int:
    return int(span.total_seconds()) // 60


def _stages(rounds: Sequence[RoundFact], scheme: Scheme) -> Iterable[StageFigures]:
    """In the order in which the ladders name them."""
    names = dict.fromkeys(stage.key for ladder in scheme.ladders for stage in ladder.stages)
    names |= dict.fromkeys(one.stage for one in rounds)
    for name in names:
        of_it = [one for one in rounds if one.stage == name]
        if of_it:
            yield StageFigures(
                stage=name,
                rounds=len(of_it),
                accepted=sum(one.outcome == Outcome.ACCEPTED for one in of_it),
                exhausted=sum(one.outcome == Outcome.EXHAUSTED for one in of_it),
                invited=sum(one.invited for one in of_it),
                declined=sum(one.declined for one in of_it),
            )


def _competition(rounds: Sequence[RoundFact]) -> Competition:
    decided = [one for one in rounds if one.mode == Mode.SEALED_BID and one.state == RoundState.DECIDED]
    single = sum(one.bids == 1 for one in decided)
    several = sum(one.bids > 1 for one in decided)
    return Competition(
        rounds=len(decided),
        without=len(decided) - single - several,
        single=single,
        several=several,
        single_thousandths=thousandths(single, single + several),
    )


def _singly(awards: Sequence[AwardFact]) -> Iterable[Single]:
    for one in awards:
        if one.source in _AROUND or one.needed_a_person:
            how = one.source if one.source in _AROUND else "exceptional"
            yield Single(one.ref, str(how), one.provider, one.weekly_pence, one.state)


def _fell_through(awards: Sequence[AwardFact]) -> tuple[tuple[str, int], ...]:
    ended = Counter(one.state for one in awards)
    return tuple((words, ended[state]) for state, words in _ENDED_UNMADE.items() if ended[state])


def _market(contracts: Sequence[ContractFact], served: Mapping[str, int]) -> Market:
    won: Counter[str] = Counter()
    for one in contracts:
        won[one.provider] += one.weekly_minutes
    minutes = won.total()
    small = sum(won[provider] for provider in won if served.get(provider, 0) < SMALL_BELOW_PEOPLE)
    return Market(
        providers=len(won),
        weekly_minutes=minutes,
        weekly_pence=sum(one.weekly_pence for one in contracts),
        top_three_thousandths=thousandths(sum(sorted(won.values())[-3:]), minutes),
        small_thousandths=thousandths(small, minutes),
    )


def _prices(contracts: Sequence[ContractFact], scheme: Scheme) -> Iterable[LotPrice]:
    for lot in scheme.lots:
        # What is served from a block has no price of its own.
        of_it = [one for one in contracts if one.lot == lot.key and one.weekly_pence]
        if not of_it:
            continue
        rates = [round_half_up(one.weekly_pence * 60, one.weekly_minutes) for one in of_it]
        above = [
            rate - lot.envelope_on(one.starts_on, one.locality).floor_pence_per_hour
            for rate, one in zip(rates, of_it, strict=True)
        ]
        yield LotPrice(
            lot=lot.key,
            contracts=len(of_it),
            least=min(rates),
            median=median_low(rates),
            most=max(rates),
            median_above_floor_pence=median_low(above),
            at_or_below_floor=sum(one <= 0 for one in above),
        )


def _advice(runs: Sequence[RunFact]) -> Advice | None:
    both = [run for run in runs if run.advised_placed is not None and run.advised_pence is not None]
    if not both:
        return None
    return Advice(
        runs=len(both),
        placed=sum(run.placed for run in both),
        pence=sum(run.pence for run in both),
        advised_placed=sum(run.advised_placed or 0 for run in both),
        advised_pence=sum(run.advised_pence or 0 for run in both),
    )
