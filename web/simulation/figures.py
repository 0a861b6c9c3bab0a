"""What a played year came to: pure, in whole numbers, from the cases alone.

Money is pence, time minutes, shares thousandths (cut). *Care missed* counts the days from the one on which care was
wanted to the one on which it began. *Concentration* is of the weekly minutes won: 10,000 is one provider alone (the
Herfindahl-Hirschman index). The *smaller half* of the providers is the half that usually has the fewest hours free.
What is served out of a block has no price of its own; the *care given* pays blocks in full, used or not.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median_low

from bidding.monthly.figures import thousandths
from bidding.stages import BLOCK_STAGE
from dps.kernel.calendar import LONDON
from dps.kernel.money import round_half_up
from dps.schemes.model import Scheme, Urgency
from web.demo.market import weeks_later
from web.simulation.cases import OPEN_LIST, Case, Given, Phase, Tally
from web.simulation.supply import Block

WITHIN_DAYS = (1, 2, 3, 5, 7, 10, 14, 21, 28)
PERIOD_WEEKS = 4
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Way:
    """How the people of one urgency fared."""

    urgency: str
    people: int
    placed: int
    placed_thousandths: int
    median_minutes: int | None
    nine_in_ten_minutes: int | None


@dataclass(frozen=True, slots=True)
class StageShare:
    """What one stage gave: the people whom it found a provider for first, and their share of all."""

    stage: str
    name: str
    rounds: int
    without_anybody_eligible: int
    placed: int
    placed_thousandths: int


@dataclass(frozen=True, slots=True)
class Period:
    """Four weeks of arrivals."""

    first_week: int
    people: int
    placed: int
    median_minutes: int | None
    missed_minutes: int
    pence_per_hour: int | None


@dataclass(frozen=True, slots=True)
class Blocks:
    """Hours that were bought in blocks: so many a week, for so much, and which share of them was used on average."""

    bought_minutes: int
    weekly_pence: int
    used_thousandths: int
    people: int
    pence_per_used_hour: int | None


@dataclass(frozen=True, slots=True)
class Figures:
    """One rule set's year."""

    people: int
    placed: int
    placed_thousandths: int
    left: int
    waiting: int
    median_minutes: int | None
    nine_in_ten_minutes: int | None
    missed_minutes: int
    weekly_minutes: int
    weekly_pence: int
    pence_per_hour: int | None
    given_minutes: int
    given_pence: int
    given_pence_per_hour: int | None
    ways: tuple[Way, ...]
    within_days: tuple[tuple[int, int], ...]
    stages: tuple[StageShare, ...]
    rounds: int
    sealed_rounds: int
    without_bids: int
    single_bids: int
    bundles: int
    in_bundles: int
    blocks: Blocks | None
    failed_starts: int
    handed_back: int
    providers: int
    winning: int
    top_three_thousandths: int | None
    concentration: int | None
    smaller_half_thousandths: int | None
    unplaced_minutes_by_week: tuple[int, ...]
    periods: tuple[Period, ...]
    uncounted_runs: int


def figures_of(
    cases: Sequence[Case],
    tally: Tally,
    scheme: Scheme,
    *,
    free_minutes: Mapping[str, int],
    begins: datetime,
    until: datetime,
    weeks: int,
    blocks: Sequence[Block] = (),
) -> Figures:
    """Reckon one year. `free_minutes` are the hours that each provider usually has free."""
    placed = [case for case in cases if case.placements]
    times = [_minutes_to_place(case) for case in placed]
    minutes, pence = _won(placed)
    given_minutes, given_pence = _given(cases, begins, until, blocks)
    won: Counter[str] = Counter()
    for case in placed:
        won[case.placements[0].provider] += _minutes(case)
    total = won.total()
    smaller = sorted(free_minutes, key=lambda ref: (free_minutes[ref], ref))[: len(free_minutes) // 2]
    return Figures(
        people=len(cases),
        placed=len(placed),
        placed_thousandths=_share(len(placed), len(cases)),
        left=sum(case.phase is Phase.LEFT and not case.placements for case in cases),
        waiting=sum(case.phase in (Phase.SEEKING, Phase.UNFILLED) and not case.placements for case in cases),
        median_minutes=median_low(times) if times else None,
        nine_in_ten_minutes=_nine_in_ten(times),
        missed_minutes=_missed(cases, until),
        weekly_minutes=minutes,
        weekly_pence=pence,
        pence_per_hour=_price(placed),
        given_minutes=given_minutes,
        given_pence=given_pence,
        given_pence_per_hour=_rate(given_pence, given_minutes),
        ways=tuple(_ways(cases)),
        within_days=tuple(
            (days, _share(sum(time <= days * 24 * 60 for time in times), len(cases))) for days in WITHIN_DAYS
        ),
        stages=tuple(_stages(cases, tally, scheme)),
        rounds=sum(tally.rounds.values()),
        sealed_rounds=len(tally.bids),
        without_bids=tally.bids.count(0),
        single_bids=tally.bids.count(1),
        bundles=tally.bundles,
        in_bundles=sum(case.placements[0].is_bundled for case in placed),
        blocks=_blocks(placed, tally, blocks),
        failed_starts=tally.failed_starts,
        handed_back=tally.handed_back,
        providers=len(free_minutes),
        winning=len(won),
        top_three_thousandths=thousandths(sum(sorted(won.values())[-3:]), total),
        concentration=sum(share**2 for share in won.values()) * 10_000 // total**2 if total else None,
        smaller_half_thousandths=thousandths(sum(won[ref] for ref in smaller), total),
        unplaced_minutes_by_week=tuple(_unplaced(cases, weeks_later(begins, week + 1)) for week in range(weeks)),
        periods=tuple(_periods(cases, begins, until, weeks)),
        uncounted_runs=tally.uncounted,
    )


def _share(part: int, whole: int) -> int:
    return thousandths(part, whole) or 0


def _minutes(case: Case) -> int:
    return case.package.weekly_minutes or 0


def _minutes_to_place(case: Case) -> int:
    return int((case.placements[0].at - case.need.arrives_at).total_seconds()) // 60


def _nine_in_ten(times: Sequence[int]) -> int | None:
    """The time within which nine in ten of those placed were placed."""
    return sorted(times)[-(-len(times) * 9 // 10) - 1] if times else None


def _won(placed: Iterable[Case]) -> tuple[int, int]:
    minutes = pence = 0
    for case in placed:
        minutes += _minutes(case)
        pence += case.placements[0].weekly_pence
    return minutes, pence


def _rate(pence: int, minutes: int) -> int | None:
    return round_half_up(pence * 60, minutes) if minutes else None


def _price(placed: Iterable[Case]) -> int | None:
    """The price of an hour of what has one."""
    minutes, pence = _won(case for case in placed if case.placements[0].stage != BLOCK_STAGE)
    return _rate(pence, minutes)


def _given(cases: Iterable[Case], begins: datetime, until: datetime, blocks: Sequence[Block]) -> tuple[int, int]:
    """Minutes of care given until then, and what they cost: each day a seventh of its week, and blocks as a whole."""
    last = until.astimezone(LONDON).date()
    minute_days = pence_days = 0
    for case in cases:
        for given in case.served:
            days = _days_given(given, last)
            minute_days += _minutes(case) * days
            pence_days += given.weekly_pence * days
    played = (last - begins.astimezone(LONDON).date()).days + 1
    pence_days += sum(block.weekly_pence for block in blocks) * played
    return round_half_up(minute_days, 7), round_half_up(pence_days, 7)


def _days_given(given: Given, last: date) -> int:
    end = last if given.last_day is None else min(given.last_day, last)
    return max((end - given.first_day).days + 1, 0)


def _blocks(placed: Iterable[Case], tally: Tally, blocks: Sequence[Block]) -> Blocks | None:
    if not blocks:
        return None
    bought, pence = sum(one.weekly_minutes for one in blocks), sum(one.weekly_pence for one in blocks)
    weeks, used = len(tally.block_minutes_used), sum(tally.block_minutes_used)
    return Blocks(
        bought_minutes=bought,
        weekly_pence=pence,
        used_thousandths=_share(used, bought * weeks),
        people=sum(case.placements[0].stage == BLOCK_STAGE for case in placed),
        pence_per_used_hour=_rate(pence * weeks, used),
    )


def _missed(cases: Iterable[Case], until: datetime) -> int:
    """Weekly minutes of each person by the days that they were wanted and not given."""
    return round_half_up(sum(_minutes(case) * _days_missed(case, until) for case in cases), 7)


def _days_missed(case: Case, until: datetime) -> int:
    today = until.astimezone(LONDON).date()
    wanted, days = case.need.earliest_start, 0
    for given in case.served:
        days += max((given.first_day - wanted).days, 0)
        if given.last_day is None:
            return days
        wanted = given.last_day + _DAY
    if case.phase is Phase.PLACED and len(case.served) >= len(case.placements):
        return days  # Care has come to its own end.
    stop = case.left_at.astimezone(LONDON).date() if case.left_at else today
    return days + max((stop - wanted).days, 0)


def _ways(cases: Sequence[Case]) -> Iterable[Way]:
    for urgency in Urgency:
        of_it = [case for case in cases if case.need.urgency is urgency]
        if of_it:
            times = [_minutes_to_place(case) for case in of_it if case.placements]
            yield Way(
                urgency=str(urgency),
                people=len(of_it),
                placed=len(times),
                placed_thousandths=_share(len(times), len(of_it)),
                median_minutes=median_low(times) if times else None,
                nine_in_ten_minutes=_nine_in_ten(times),
            )


def _stages(cases: Sequence[Case], tally: Tally, scheme: Scheme) -> Iterable[StageShare]:
    """In the order in which the ladders name them, the open list last."""
    names: dict[str, str] = {BLOCK_STAGE: "Unused hours of a block"} if scheme.blocks else {}
    for ladder in scheme.ladders:
        for stage in ladder.stages:
            names.setdefault(stage.key, stage.name)
    if scheme.unfilled.open_list:
        names[OPEN_LIST] = "Offered on the open list"
    placed = Counter(case.placements[0].stage for case in cases if case.placements)
    for key, name in names.items():
        yield StageShare(
            stage=key,
            name=name,
            rounds=tally.rounds.get(key, 0),
            without_anybody_eligible=tally.nobody_eligible.get(key, 0),
            placed=placed[key],
            placed_thousandths=_share(placed[key], len(cases)),
        )


def _unplaced(cases: Iterable[Case], at: datetime) -> int:
    """Weekly minutes for which nobody had been found at this moment."""
    return sum(
        _minutes(case)
        for case in cases
        if any(begun <= at and (ended is None or at < ended) for begun, ended in case.waits)
    )


def four_weeks(begins: datetime, first: int) -> tuple[datetime, datetime]:
    """The half-open period from the week of this number, from nought: local weeks, so that none loses an hour."""
    return weeks_later(begins, first), weeks_later(begins, first + PERIOD_WEEKS)


def _periods(cases: Sequence[Case], begins: datetime, until: datetime, weeks: int) -> Iterable[Period]:
    for first in range(0, weeks, PERIOD_WEEKS):
        start, end = four_weeks(begins, first)
        of_it = [case for case in cases if start <= case.need.arrives_at < end]
        placed = [case for case in of_it if case.placements]
        times = [_minutes_to_place(case) for case in placed]
        yield Period(
            first_week=first + 1,
            people=len(of_it),
            placed=len(placed),
            median_minutes=median_low(times) if times else None,
            missed_minutes=_missed(of_it, until),
            pence_per_hour=_price(placed),
        )
