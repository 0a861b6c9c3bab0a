"""Scoring the bids for one area: by the formula that ranks bids for packages, on the evaluated year.

Pure, and kept whole: what is stored says everything that it was worked out from, so that anybody can do it again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from fractions import Fraction
from typing import Any

from bidding.evaluation import Measured, low_flags, points_of, quality_parts
from bidding.tenders.content import AreaBid, evaluated_pence, problems, promised, working
from dps.schemes.area_contracts import AreaContract
from dps.schemes.model import Scheme


@dataclass(frozen=True, slots=True)
class AreaEntry:
    """One opened bid as it enters the evaluation. `lot` parts equal ones, lowest first; `barred` shuts it out."""

    bid: str
    provider: str
    content: AreaBid
    rating_score: int
    recognition_score: int
    lot: int
    barred: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AreaScore:
    """What the evaluation made of one bid; points are thousandths of 100. `place` is its place in line, from 1."""

    bid: str
    provider: str
    reasons: tuple[str, ...]
    flags: tuple[str, ...]
    yearly_pence: int
    price_points: int
    quality_points: int
    total_points: int
    rank: int | None
    place: int | None
    lot: int
    rating_score: int
    recognition_score: int
    promised_score: int
    working: tuple[str, ...]

    @property
    def is_valid(self) -> bool:
        return not self.reasons

    def to_dict(self) -> dict[str, Any]:
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> "AreaScore":
        columns: dict[str, Any] = {
            key: tuple(value) if isinstance(value, list) else value for key, value in raw.items()
        }
        return cls(**columns)


def score_area(entries: Sequence[AreaEntry], scheme: Scheme, asked: AreaContract, locality: str) -> list[AreaScore]:
    """Score every bid, in the order of their references; bids that are equal by the rule are parted by the lot."""
    evaluation = scheme.evaluation
    reasons = {one.bid: (*one.barred, *problems(one.content, asked, locality, evaluation.questions)) for one in entries}
    valid = [one for one in entries if not reasons[one.bid]]
    prices = {one.bid: Fraction(evaluated_pence(one.content, asked)) for one in valid}
    measured = []
    for one in valid:
        parts = quality_parts(evaluation, one.rating_score, one.recognition_score, one.content.answers)
        of_targets = (asked.target_points or 0, promised(one.content, asked))
        measured.append(Measured(one.bid, prices[one.bid], (*parts, of_targets)))
    points, flags = points_of(measured, evaluation), low_flags(prices, evaluation)
    scores = [
        AreaScore(
            bid=one.bid,
            provider=one.provider,
            reasons=reasons[one.bid],
            flags=tuple(flags.get(one.bid, ())),
            yearly_pence=evaluated_pence(one.content, asked),
            price_points=points[one.bid].price if one.bid in points else 0,
            quality_points=points[one.bid].quality if one.bid in points else 0,
            total_points=points[one.bid].total if one.bid in points else 0,
            rank=points[one.bid].rank if one.bid in points else None,
            place=None,
            lot=one.lot,
            rating_score=one.rating_score,
            recognition_score=one.recognition_score,
            promised_score=promised(one.content, asked),
            working=working(one.content, asked, locality),
        )
        for one in sorted(entries, key=lambda entry: entry.bid)
    ]
    line = [one.bid for one in sorted((one for one in scores if one.rank), key=lambda one: (one.rank or 0, one.lot))]
    return [replace(one, place=line.index(one.bid) + 1 if one.bid in line else None) for one in scores]
