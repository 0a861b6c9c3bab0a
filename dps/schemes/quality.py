"""What a scheme says of outcomes and quality: how they are found, followed up, reported, and what hangs on them."""

from enum import StrEnum
from typing import Literal

from pydantic import Field

from dps.schemes.section import Section
from dps.schemes.vocabulary import Key, Percent


class Enablement(Section):
    """How the outcomes of a request with a budget are found, and when a provider is declined further requests.

    What the council found stands once the provider agrees, or `answer_days` have passed without an answer. A provider
    fails consistently that failed `failures` of its last `of_last` requests; it is told `notice_days` ahead, may
    challenge within `challenge_days`, and is asked for none for `weeks`.
    """

    answer_days: int = Field(ge=1, le=28)
    failures: int = Field(ge=1, le=50)
    of_last: int = Field(ge=1, le=50)
    notice_days: int = Field(ge=1, le=90)
    challenge_days: int = Field(ge=1, le=90)
    weeks: int = Field(ge=1, le=104)


class FollowUp(Section):
    """People of these lots are asked after so many `days` since the first visit, or since the last."""

    key: Key
    name: str
    lots: tuple[Key, ...] = Field(min_length=1)
    since: Literal["start", "end"]
    days: int = Field(ge=1, le=400)


class IndicatorKey(StrEnum):
    """What can be reported; a share is in percent, everything else is counted."""

    OUTCOMES_MET = "outcomes_met"
    INDEPENDENT = "independent"
    SATISFIED = "satisfied"
    LESS_NEED = "less_need"
    VISITS_DELIVERED = "visits_delivered"
    VISITS_ON_TIME = "visits_on_time"
    HOSPITAL_AVERTED = "hospital_averted"
    CARE_HOME_AVERTED = "care_home_averted"
    HOSPITAL_ADMISSIONS = "hospital_admissions"
    CARE_HOME_ADMISSIONS = "care_home_admissions"
    SAFEGUARDING = "safeguarding"
    COMPLAINTS_UPHELD = "complaints_upheld"
    HAND_BACKS = "hand_backs"
    SPEND = "spend"


SHARES = frozenset(
    {
        IndicatorKey.OUTCOMES_MET,
        IndicatorKey.INDEPENDENT,
        IndicatorKey.SATISFIED,
        IndicatorKey.LESS_NEED,
        IndicatorKey.VISITS_DELIVERED,
        IndicatorKey.VISITS_ON_TIME,
    }
)


class Indicator(Section):
    """One figure of the council's report. `follow_up` names when people were asked; `target_percent` is of a share."""

    key: IndicatorKey
    follow_up: Key | None = None
    target_percent: Percent | None = None


class Recognition(Section):
    """A provider's published score out of 100: a weighted mean of five parts over the last `weeks`.

    Outcomes met, visits delivered and visits on time are shares. Complaints upheld, and contracts handed back or never
    started for want of the provider, each take their points off 100 for one in ten contracts served. A part that
    nothing is known of, and all of them below `least_contracts`, scores `without_evidence`. A list in `least_scores`
    brings nobody in whose score is lower.
    """

    weeks: int = Field(ge=4, le=104)
    outcomes_weight: Percent
    reliability_weight: Percent
    punctuality_weight: Percent
    complaints_weight: Percent
    hand_backs_weight: Percent
    complaint_points: Percent
    hand_back_points: Percent
    least_contracts: int = Field(ge=1, le=100)
    without_evidence: Percent
    appeal_days: int = Field(ge=1, le=90)
    least_scores: dict[Key, Percent] = Field(default_factory=dict)
