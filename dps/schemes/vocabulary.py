"""The words of a scheme file: what may stand where a mode, an urgency or a window is asked for."""

from datetime import UTC, time
from enum import StrEnum
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, Field, PlainSerializer, PlainValidator

from dps.kernel.calendar import on_the_minute
from dps.kernel.errors import BadInput
from dps.kernel.windows import ByWorkingDay, ElapsedHours, Window, WorkingHours, parse_window


def _window(value: Any) -> Window:
    if isinstance(value, ElapsedHours | WorkingHours | ByWorkingDay):
        return value
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is no window: write it as a text such as '5h'")
    try:
        return parse_window(value)
    except BadInput as bad:
        raise ValueError(bad.facts["reason"]) from None


def _wall_time(value: time) -> time:
    try:
        on_the_minute(value, "time")
    except BadInput as bad:
        raise ValueError(bad.facts["reason"]) from None
    return value


Key = Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=40)]
Lad = Annotated[str, Field(pattern=r"^[EWSN][0-9]{8}$")]
WindowText = Annotated[Window, PlainValidator(_window), PlainSerializer(lambda window: window.text(), return_type=str)]
WallTime = Annotated[time, AfterValidator(_wall_time)]
Instant = Annotated[AwareDatetime, AfterValidator(lambda instant: instant.astimezone(UTC))]
Percent = Annotated[int, Field(ge=0, le=100)]
Pence = Annotated[int, Field(ge=0)]


class LegalBasis(StrEnum):
    PCR2015_DPS = "pcr2015_dps"
    LIGHT_TOUCH_FRAMEWORK = "light_touch_framework"
    OPEN_FRAMEWORK = "open_framework"
    DYNAMIC_MARKET = "dynamic_market"
    NHS_2013 = "nhs_2013"
    PSR = "psr"


class Mode(StrEnum):
    """How a round finds its provider (design.md §2)."""

    DIRECT_AWARD = "direct_award"
    RANKED_OFFER = "ranked_offer"
    FIRST_ACCEPTANCE = "first_acceptance"
    ACCEPTANCE_WINDOW = "acceptance_window"
    SEALED_BID = "sealed_bid"


class Reach(StrEnum):
    """How far a stage looks: the home locality, its stated neighbours, the whole scheme, or across the border."""

    LOCALITY = "locality"
    NEIGHBOURS = "neighbours"
    SCHEME = "scheme"
    BORDER = "border"


class Urgency(StrEnum):
    STANDARD = "standard"
    URGENT = "urgent"
    DISCHARGE = "hospital_discharge"
    CRISIS = "crisis"


class EvaluationRule(StrEnum):
    LOWEST_PRICE = "lowest_price"
    PRICE_QUALITY = "price_quality"
    ONGOING_RATE = "ongoing_rate_after_budget"


class PriceFormula(StrEnum):
    LOWEST_OVER_BID = "lowest_over_bid"
    LINEAR_IN_ENVELOPE = "linear_in_envelope"
    FIXED_PRICE = "fixed_price"


class AllocationMode(StrEnum):
    PER_PACKAGE = "per_package"
    JOINT = "joint"


class Tie(StrEnum):
    """What parts equal bids, in the scheme's published order; the lot always comes last."""

    EARLIER_START = "earlier_start"
    EXISTING_PROVIDER = "existing_provider"
    OWN_PREFERENCE = "own_preference"
    FEWER_HOURS_28_DAYS = "fewer_hours_28_days"
    HIGHER_RECOGNITION = "higher_recognition"
    LOT = "lot"


class Rating(StrEnum):
    """A regulator's rating of a registered location; `not rated` is a rating here, and every scheme says its worth."""

    OUTSTANDING = "outstanding"
    GOOD = "good"
    REQUIRES_IMPROVEMENT = "requires_improvement"
    INADEQUATE = "inadequate"
    NOT_RATED = "not_rated"
