"""Scoring opened bids, package by package, with the workings that a loser or an auditor may read.

Pure. Points are thousandths of 100 (0 to 100,000), so that no float decides an award; relative formulas rank the bids
of one package and are never summed over packages. Source: design.md §3, and the scheme's own evaluation section.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Any

from bidding.bids.content import Asked, BidContent, is_outside, problems, weekly_pence
from dps.kernel.errors import NoPrice
from dps.kernel.money import round_half_up
from dps.packages.costing import exact_effective_rate, workings
from dps.schemes.model import Evaluation, EvaluationRule, PriceFormula, Tie

FULL = 100_000
_NO_PREFERENCE = 1_000_000


@dataclass(frozen=True, slots=True)
class Entry:
    """One opened bid as it enters a round's evaluation."""

    bid: str
    provider: str
    content: BidContent
    asked: Asked
    rating_score: int
    is_existing_provider: bool
    minutes_won_28_days: int
    recognition_score: int = 0


@dataclass(frozen=True, slots=True)
class Score:
    """What the evaluation made of one bid. `rank` is None where the bid is not valid."""

    bid: str
    provider: str
    is_valid: bool
    reasons: tuple[str, ...]
    flags: tuple[str, ...]
    weekly_pence: int
    weekly_minutes: int
    price_points: int
    quality_points: int
    total_points: int
    rank: int | None
    ties: tuple[int, ...]
    workings: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Measured:
    """A valid bid as it enters the formula, whatever it is for.

    `price` is what prices are compared by, `quality` each part's weight and its score out of 100, `place` how far below
    the ceiling the price lies, as a share of the envelope.
    """

    bid: str
    price: Fraction
    quality: tuple[tuple[int, int], ...]
    place: Fraction | None = None


@dataclass(frozen=True, slots=True)
class Points:
    """Thousandths of 100, and the rank from 1; bids that are equal by the rule share theirs."""

    price: int
    quality: int
    total: int
    rank: int


def points_of(measured: Sequence[Measured], evaluation: Evaluation) -> dict[str, Points]:
    """The points and ranks of bids that compete with each other, by the scheme's formula: of a package, of an area."""
    lowest = min((one.price for one in measured), default=Fraction(0))
    price = {one.bid: _price_points(one, lowest, evaluation.formula) for one in measured}
    quality = {one.bid: _mean(one.quality) for one in measured}
    total = {one.bid: _total(price[one.bid], quality[one.bid], evaluation) for one in measured}
    ranks = _ranks({one.bid: one.price for one in measured}, total, evaluation.rule)
    return {bid: Points(price[bid], quality[bid], total[bid], rank) for bid, rank in ranks.items()}


def score_round(entries: Sequence[Entry], *, evaluation: Evaluation, ties: Sequence[Tie]) -> tuple[Score, ...]:
    """Score every bid of one package: valid ones ranked, others with all their reasons. Order is the input's."""
    reasons = {entry.bid: problems(entry.content, entry.asked) for entry in entries}
    valid = [entry for entry in entries if not reasons[entry.bid]]
    measures = {entry.bid: _measure(entry, evaluation.rule) for entry in valid}
    points = points_of([_measured(entry, measures[entry.bid], evaluation) for entry in valid], evaluation)
    flags = _flags(measures, valid, evaluation)
    none = Points(0, 0, 0, 0)
    return tuple(
        Score(
            bid=entry.bid,
            provider=entry.provider,
            is_valid=not reasons[entry.bid],
            reasons=reasons[entry.bid],
            flags=flags.get(entry.bid, ()),
            weekly_pence=_weekly_pence(entry),
            weekly_minutes=entry.content.weekly_minutes or entry.asked.schedule.weekly_minutes,
            price_points=points.get(entry.bid, none).price,
            quality_points=points.get(entry.bid, none).quality,
            total_points=points.get(entry.bid, none).total,
            rank=points.get(entry.bid, none).rank or None,
            ties=tie_order(
                ties,
                starts_on=entry.content.starts_on,
                is_existing_provider=entry.is_existing_provider,
                preference=entry.content.preference,
                minutes_won_28_days=entry.minutes_won_28_days,
                recognition_score=entry.recognition_score,
            ),
            workings=_workings(entry, evaluation),
        )
        for entry in entries
    )


def tie_order(
    ties: Sequence[Tie],
    *,
    starts_on: date,
    is_existing_provider: bool,
    preference: int | None,
    minutes_won_28_days: int,
    recognition_score: int = 0,
) -> tuple[int, ...]:
    """The published ties of one bid as numbers, the lower the better; the lot itself is drawn elsewhere."""
    values: Mapping[Tie, int] = {
        Tie.EARLIER_START: starts_on.toordinal(),
        Tie.EXISTING_PROVIDER: 0 if is_existing_provider else 1,
        Tie.OWN_PREFERENCE: preference or _NO_PREFERENCE,
        Tie.FEWER_HOURS_28_DAYS: minutes_won_28_days,
        Tie.HIGHER_RECOGNITION: 100 - recognition_score,
    }
    return tuple(values[tie] for tie in ties if tie is not Tie.LOT)


def _measure(entry: Entry, rule: EvaluationRule) -> Fraction:
    """What prices are compared by: pence a week, or pence an hour of the ongoing support."""
    if rule is EvaluationRule.ONGOING_RATE:
        return exact_effective_rate(entry.content.card, entry.asked.schedule)
    return Fraction(weekly_pence(entry.content, entry.asked.schedule))


def _measured(entry: Entry, price: Fraction, evaluation: Evaluation) -> Measured:
    envelope, place = entry.asked.envelope, None
    if evaluation.formula is PriceFormula.LINEAR_IN_ENVELOPE:
        rate = exact_effective_rate(entry.content.card, entry.asked.schedule)
        room = envelope.ceiling_pence_per_hour - envelope.floor_pence_per_hour
        place = (envelope.ceiling_pence_per_hour - rate) / room if room else Fraction(1)
    recognised = entry.recognition_score
    quality = quality_parts(evaluation, entry.rating_score, recognised, entry.content.answers)
    return Measured(entry.bid, price, quality, place)


def quality_parts(
    evaluation: Evaluation, rating_score: int, recognition_score: int, answers: Iterable[tuple[str, str]]
) -> tuple[tuple[int, int], ...]:
    """The rating's, the recognition's and the answers' scores, each with the weight that the scheme gives it."""
    given = dict(answers)
    asked = ((question.points, question.answers[given[question.key]]) for question in evaluation.questions)
    return (
        (evaluation.rating_points, rating_score),
        (evaluation.recognition_points, recognition_score),
        *asked,
    )


def _price_points(one: Measured, lowest: Fraction, formula: PriceFormula) -> int:
    match formula:
        case PriceFormula.FIXED_PRICE:
            return FULL
        case PriceFormula.LOWEST_OVER_BID:
            share = lowest / one.price if one.price else Fraction(1)
        case PriceFormula.LINEAR_IN_ENVELOPE:
            assert one.place is not None  # the loader's rule 42: an area has no envelope
            share = min(max(one.place, Fraction(0)), Fraction(1))
    return round_half_up(share.numerator * FULL, share.denominator)


def _mean(parts: Sequence[tuple[int, int]]) -> int:
    """The weighted mean of these scores; nothing where nothing is weighed."""
    counted = sum(weight for weight, _ in parts)
    if counted == 0:
        return 0
    return round_half_up(sum(weight * score for weight, score in parts) * FULL, counted * 100)


def _total(price: int, quality: int, evaluation: Evaluation) -> int:
    return round_half_up(price * evaluation.price_weight + quality * evaluation.quality_weight, 100)


def _ranks(measures: Mapping[str, Fraction], total: Mapping[str, int], rule: EvaluationRule) -> dict[str, int]:
    """Ranks from 1; bids that are equal by the rule share theirs."""
    if rule is EvaluationRule.PRICE_QUALITY:
        order: dict[str, Fraction] = {bid: Fraction(-points) for bid, points in total.items()}
    else:
        order = dict(measures)
    return {bid: 1 + sum(1 for other in order.values() if other < value) for bid, value in order.items()}


def _flags(
    measures: Mapping[str, Fraction], valid: Sequence[Entry], evaluation: Evaluation
) -> dict[str, tuple[str, ...]]:
    """Abnormally low bids, from the mean and from the next; and exceptional prices. A flag decides nothing."""
    found: dict[str, list[str]] = {entry.bid: [] for entry in valid}
    for entry in valid:
        if is_outside(entry.content.card, entry.asked.schedule, entry.asked.envelope):
            found[entry.bid].append("exceptional_price")
    for bid, words in low_flags(measures, evaluation).items():
        found[bid] += words
    return {bid: tuple(flags) for bid, flags in found.items()}


def low_flags(measures: Mapping[str, Fraction], evaluation: Evaluation) -> dict[str, list[str]]:
    """Which of the prices that compete with each other are abnormally low."""
    found: dict[str, list[str]] = {bid: [] for bid in measures}
    if len(measures) > 1:
        mean = sum(measures.values(), Fraction(0)) / len(measures)
        for bid, value in measures.items():
            if value <= mean * (100 - evaluation.low_below_mean_percent) / 100:
                found[bid].append("low_below_mean")
        ordered = sorted(measures.items(), key=lambda item: item[1])
        (lowest, value), (_, following) = next(pairwise(ordered))
        if value <= following * (100 - evaluation.low_below_next_percent) / 100:
            found[lowest].append("low_below_next")
    return found


def _weekly_pence(entry: Entry) -> int:
    """What the bid costs a week; nothing can be said where a visit has no price, and that bid is not valid."""
    try:
        return weekly_pence(entry.content, entry.asked.schedule)
    except NoPrice:
        return 0


def _workings(entry: Entry, evaluation: Evaluation) -> dict[str, Any]:
    """How the weekly cost came about, line by line, and what the points were made from.

    The lines are exact and add up to the cost of the minutes asked for; `minutes` scale it to those offered.
    """
    return {
        "lines": _lines(entry),
        "minutes": {
            "asked": entry.asked.schedule.weekly_minutes,
            "offered": entry.content.weekly_minutes or entry.asked.schedule.weekly_minutes,
        },
        "rating_score": entry.rating_score,
        "recognition_score": entry.recognition_score,
        "answers": dict(entry.content.answers),
        "rule": str(evaluation.rule),
        "formula": str(evaluation.formula),
        "price_weight": evaluation.price_weight,
        "quality_weight": evaluation.quality_weight,
    }


def _lines(entry: Entry) -> list[dict[str, Any]]:
    try:
        found = workings(entry.content.card, entry.asked.schedule)
    except NoPrice:
        return []
    return [
        {
            "band": str(line.band),
            "carer_minutes": line.carer_minutes,
            "price_pence": line.price_pence,
            "pence": line.pence,
        }
        for line in found
    ]
