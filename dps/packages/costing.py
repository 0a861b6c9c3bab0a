"""What a rate card costs on a package's own schedule, in exact fractions, rounded once.

Which price applies to a visit on one day, the first that the card prices: bank holiday, night, weekend, weekday.
What a basis buys: an hour of one carer; one carer's visit of one length; one carer's night; or, per week, the whole
package with all its visits and carers. The standard week has no bank holiday. Source: design.md §6.
"""

from collections import Counter
from dataclasses import dataclass
from fractions import Fraction

from dps.kernel.calendar import Weekday
from dps.kernel.errors import NoPrice
from dps.kernel.money import Band, Price, PriceBasis, RateCard, round_half_up
from dps.packages.schedule import NIGHT_KINDS, STANDARD_NIGHT, NightHours, Schedule, Visit

HOUR_MINUTES = 60


@dataclass(frozen=True, slots=True)
class WorkingsLine:
    """One line of a cost's explanation: all carer-visits of the week to which one price applies.

    `length_minutes` is the visit's length where the price depends on it; `pence` is the exact cost as a fraction.
    """

    band: Band
    length_minutes: int | None
    carer_visits: int
    carer_minutes: int
    price_pence: int
    pence: str


def weekly_cost_pence(
    card: RateCard,
    schedule: Schedule,
    *,
    bank_holidays: frozenset[Weekday] = frozenset(),
    night: NightHours = STANDARD_NIGHT,
) -> int:
    """The week's cost, rounded once, a half up; `bank_holidays` are the days of this week that are holidays.

    NoPrice if the card has none for a visit's length, or prices nights and the schedule has other visits.
    """
    return _rounded(exact_weekly_cost(card, schedule, bank_holidays=bank_holidays, night=night))


def exact_weekly_cost(
    card: RateCard,
    schedule: Schedule,
    *,
    bank_holidays: frozenset[Weekday] = frozenset(),
    night: NightHours = STANDARD_NIGHT,
) -> Fraction:
    """The week's cost in pence before rounding."""
    lines = workings(card, schedule, bank_holidays=bank_holidays, night=night)
    return sum((Fraction(line.pence) for line in lines), Fraction(0))


def effective_rate_pence_per_hour(card: RateCard, schedule: Schedule, *, night: NightHours = STANDARD_NIGHT) -> int:
    """The standard week's price of one carer-hour, from the exact cost, rounded once, a half up."""
    return _rounded(exact_effective_rate(card, schedule, night=night))


def exact_effective_rate(card: RateCard, schedule: Schedule, *, night: NightHours = STANDARD_NIGHT) -> Fraction:
    """The same before rounding: what an envelope's floor and ceiling are compared with."""
    return exact_weekly_cost(card, schedule, night=night) * HOUR_MINUTES / schedule.weekly_minutes


def workings(
    card: RateCard,
    schedule: Schedule,
    *,
    bank_holidays: frozenset[Weekday] = frozenset(),
    night: NightHours = STANDARD_NIGHT,
) -> tuple[WorkingsLine, ...]:
    """The lines whose exact costs sum to the week's, in the card's order."""
    visits: Counter[Price] = Counter()
    minutes: Counter[Price] = Counter()
    for visit in schedule.visits:
        for day in visit.days:
            price = _price_of(card, visit, _bands_of(visit, day, bank_holidays, night))
            visits[price] += visit.carers
            minutes[price] += visit.carers * visit.minutes
    return tuple(
        WorkingsLine(
            band=price.band,
            length_minutes=price.minutes,
            carer_visits=visits[price],
            carer_minutes=minutes[price],
            price_pence=price.pence,
            pence=str(price.pence * _quantity(card.basis, visits[price], minutes[price])),
        )
        for price in card.prices
        if price in visits
    )


def _bands_of(visit: Visit, day: Weekday, bank_holidays: frozenset[Weekday], night: NightHours) -> frozenset[Band]:
    applies = {
        Band.BANK_HOLIDAY: day in bank_holidays,
        Band.NIGHT: visit.is_at_night(night),
        Band.WEEKEND: day.is_weekend,
    }
    return frozenset(band for band, does in applies.items() if does)


def _price_of(card: RateCard, visit: Visit, bands: frozenset[Band]) -> Price:
    if card.basis is PriceBasis.PER_NIGHT and visit.kind not in NIGHT_KINDS:
        raise NoPrice("the card prices nights only, and the schedule has other visits", field="prices")
    return card.price_in(bands, visit.minutes)


def _quantity(basis: PriceBasis, carer_visits: int, carer_minutes: int) -> Fraction:
    """How many of what the basis buys."""
    match basis:
        case PriceBasis.PER_HOUR:
            return Fraction(carer_minutes, HOUR_MINUTES)
        case PriceBasis.PER_VISIT_LENGTH | PriceBasis.PER_NIGHT:
            return Fraction(carer_visits)
        case PriceBasis.PER_WEEK:
            return Fraction(1)


def _rounded(pence: Fraction) -> int:
    return round_half_up(pence.numerator, pence.denominator)
