"""How bids for a package are ranked, packages of a closing allocated, and awards approved, answered and confirmed."""

from pydantic import Field

from dps.schemes.section import Section
from dps.schemes.vocabulary import (
    AllocationMode,
    EvaluationRule,
    Key,
    Pence,
    Percent,
    PriceFormula,
    Urgency,
    WindowText,
)


class ScoredQuestion(Section):
    """A question answered in the bid with one of `answers`; each says what it scores out of 100."""

    key: Key
    text: str
    points: int = Field(ge=1, le=100)
    answers: dict[str, Percent] = Field(default_factory=dict)


class Evaluation(Section):
    """How bids for one package are ranked. `price_weight` + `quality_weight` = 100.

    Quality is the mean of the rating's score (counted `rating_points` times), the quality recognition's (counted
    `recognition_points` times) and the scored questions (each counted `points` times). Bids below the mean of their
    package, or below the next bid, by these percentages are flagged as abnormally low.
    """

    rule: EvaluationRule
    price_weight: Percent = 100
    quality_weight: Percent = 0
    formula: PriceFormula = PriceFormula.LOWEST_OVER_BID
    rating_points: int = Field(default=0, ge=0, le=100)
    recognition_points: int = Field(default=0, ge=0, le=100)
    questions: tuple[ScoredQuestion, ...] = ()
    low_below_mean_percent: Percent = 20
    low_below_next_percent: Percent = 15


class Terms(Section):
    """The priced terms of a joint allocation: a term counts only where its price stands here and is published."""

    coverage_pence: Pence | None = None
    coverage_target: int | None = Field(default=None, ge=0, le=20)
    entry_pence: Pence | None = None
    quality_pence_per_point_hour: Pence | None = None
    start_delay_pence_per_day: dict[Urgency, Pence] | None = None
    waited_pence_per_day: dict[Urgency, Pence] | None = None
    locality_share_cap_percent: Percent | None = None
    awards_cap: int | None = Field(default=None, ge=1)
    stability_pence: Pence | None = None
    unplaced_pence_per_hour: dict[Urgency, Pence] | None = None


class Allocation(Section):
    """`per_package`: each package by itself; `joint`: all packages of a closing together.

    `published` names the terms that stand in the published criteria; a joint scheme must publish every term it sets.
    """

    mode: AllocationMode
    terms: Terms = Terms()
    published: tuple[str, ...] = ()
    joint_as_advice: bool = False


class Award(Section):
    """Clocks and approval of an award. Limits are weekly pence: an award up to `automatic_to_pence` needs no person,
    one above `second_person_above_pence` needs two.
    """

    acceptance: dict[Urgency, WindowText]
    confirmation: WindowText
    return_hours: int = Field(default=48, ge=0)
    automatic_to_pence: Pence | None = None
    second_person_above_pence: Pence | None = None
    bid_valid: WindowText
    start_moves_days: int = Field(default=7, ge=0)
