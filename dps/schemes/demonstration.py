"""What a scheme says of the synthetic market that it is played with: no rule, so neither hashed nor stored."""

from typing import Annotated

from pydantic import Field

from dps.schemes.section import Section
from dps.schemes.vocabulary import Instant, Pence

MonthPercent = Annotated[int, Field(ge=10, le=500)]


class Demo(Section):
    """How a demonstration plays this scheme: an instant inside its term and the synthetic market's size.

    `month_percents`, January first, say how many people each month brings against the others; a simulated year follows
    them from the month of `starts_at` on. None: every month alike.
    """

    starts_at: Instant
    providers: int = Field(default=50, ge=2)
    referrals: int = Field(default=300, ge=1)
    weekly_hours: int = Field(default=13, ge=1)
    capacity_percent: int = Field(default=90, ge=10)
    rate_pence_per_hour: Pence
    month_percents: tuple[MonthPercent, ...] | None = Field(default=None, min_length=12, max_length=12)
