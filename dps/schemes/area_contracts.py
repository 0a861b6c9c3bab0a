"""What a scheme says of contracts for a whole area: what is bid for, in which way, and on what stated volume of work.

The volume is a year's, of one area, and is published: bids are evaluated on it, whatever the year will bring. A
contract of an area pays for its lots there, in place of the lots' own payment. Source: Kingston's paper.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from dps.schemes.section import Section
from dps.schemes.vocabulary import Key, Pence, Percent

Units = Annotated[int, Field(strict=True, ge=1, le=10_000_000)]


class BiddingModel(StrEnum):
    """What a bid for an area says."""

    OUTCOMES = "outcomes_in_budget"
    RATE_CARD = "rate_card"
    SEPARATE_RATES = "separate_rates"


class Unit(StrEnum):
    """What one rate buys."""

    HOUR = "hour"
    NIGHT = "night"
    WEEK = "week"
    CALL_OUT = "call_out"
    PLAN = "plan"
    REVIEW = "review"


class Element(Section):
    """One kind of work of the area, and how much of it a year is taken to bring.

    `lot` is the lot that a provider's standing prices for it are kept under. `may_be_free` allows a rate of nothing.
    """

    key: Key
    name: str
    unit: Unit
    units_a_year: Units
    ceiling_pence: Pence
    lot: Key | None = None
    may_be_free: bool = False


class Target(Section):
    """An outcome that a bid says how far it will reach, in percent of people; `points` weigh it against the others."""

    key: Key
    name: str
    least_percent: Percent
    points: int = Field(ge=1, le=100)


class Area(Section):
    """What may be spent in a locality a year, and what it costs and does today: a bid of outcomes is made on it."""

    locality: Key
    budget_pence: Pence
    spend_pence: Pence
    people: Units
    hours: Units


class AreaContract(Section):
    """A contract for all of some lots in one locality at a time, won in a competition of its own.

    Members of `lists` for one of the lots may bid, for `days_open` days at least. Rates are bid for `elements`. A price
    for a year within an area's budget is bid with `targets`: what they promise counts `target_points` in the bid's
    quality, and `at_risk_percent` of the price waits for it.
    """

    key: Key
    name: str
    model: BiddingModel
    lots: tuple[Key, ...] = Field(min_length=1)
    localities: tuple[Key, ...] = Field(min_length=1)
    lists: tuple[Key, ...] = Field(min_length=1)
    days_open: int = Field(ge=1, le=365)
    years: int = Field(ge=1, le=10)
    elements: tuple[Element, ...] = ()
    areas: tuple[Area, ...] = ()
    targets: tuple[Target, ...] = ()
    target_points: int | None = Field(default=None, ge=1, le=100)
    tolerance_percent: Percent | None = None
    at_risk_percent: Percent | None = None

    def area(self, locality: str) -> Area:
        """The budget of a locality; a contract of outcomes within a budget has one for each of its own."""
        return next(area for area in self.areas if area.locality == locality)
