"""Visits at a contract's prices: by the minute or by the visit, as delivered or as commissioned.

Missed visits are never paid; a visit that nobody planned is paid only where something else (a flex) allows it, which is
for the caller to say by giving it a plan.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from fractions import Fraction

from dps.contracts.payment.worked import Item, Line, in_time, rounded, summed
from dps.kernel.errors import NoPrice
from dps.kernel.money import Band, Price, PriceBasis, RateCard, in_pounds, round_half_up
from dps.schemes.contracting import Payment
from dps.schemes.wording import count

HOUR_MINUTES = 60
_UNITS = {PriceBasis.PER_HOUR: "an hour", PriceBasis.PER_VISIT_LENGTH: "a visit", PriceBasis.PER_NIGHT: "a night"}


class VisitOutcome(StrEnum):
    """What became of a visit."""

    DONE = "done"
    MISSED = "missed"
    CANCELLED = "cancelled"
    CANCELLED_LATE = "cancelled_late"


@dataclass(frozen=True, slots=True)
class PricedVisit:
    """One call: minutes are those of one carer; `planned_minutes` is 0 where nobody planned it."""

    day: date
    bands: frozenset[Band]
    planned_minutes: int
    delivered_minutes: int
    carers: int = 1
    outcome: VisitOutcome = VisitOutcome.DONE


CardOn = Callable[[date], RateCard]
"""The prices in force on a day: uplifts change them."""


def minutes_paid(visit: PricedVisit, rule: Payment) -> int:
    """How many minutes of one carer are paid for this visit.

    By the minute: what was delivered, up to the tolerance over the plan. By the visit: the plan, unless the visit was
    more than the tolerance short. A late cancellation is paid as planned where the scheme says so.
    """
    match visit.outcome:
        case VisitOutcome.MISSED | VisitOutcome.CANCELLED:
            return 0
        case VisitOutcome.CANCELLED_LATE:
            return visit.planned_minutes if rule.late_cancellation_paid else 0
        case VisitOutcome.DONE:
            pass
    if not visit.planned_minutes:
        return 0
    if rule.counts == "visit":
        is_short = visit.delivered_minutes < visit.planned_minutes - rule.tolerance_minutes
        return visit.delivered_minutes if is_short else visit.planned_minutes
    return min(visit.delivered_minutes, visit.planned_minutes + rule.tolerance_minutes)


def commissioned(visit: PricedVisit, rule: Payment) -> int:
    """How many minutes are paid where the plan is: all of it, unless the provider missed the visit."""
    return 0 if visit.outcome is VisitOutcome.MISSED else visit.planned_minutes


def visits_line(
    visits: Iterable[PricedVisit],
    card_on: CardOn,
    rule: Payment,
    *,
    item: Item,
    about: str,
    counted: Callable[[PricedVisit, Payment], int] = minutes_paid,
    is_chargeable: bool = True,
) -> Line:
    """These visits at the prices of their days, summed exactly and rounded once. NoPrice where a card has none."""
    calls: Counter[tuple[PriceBasis, Price]] = Counter()
    by_carer: Counter[tuple[PriceBasis, Price]] = Counter()
    has_bands = False
    minutes: Counter[tuple[PriceBasis, Price]] = Counter()
    exact: dict[tuple[PriceBasis, Price], Fraction] = {}
    for visit in visits:
        paid = counted(visit, rule)
        if not paid:
            continue
        card = card_on(visit.day)
        price = _price(card, visit)
        key = (card.basis, price)
        has_bands = has_bands or any(one.band is not Band.WEEKDAY for one in card.prices)
        calls[key] += 1
        by_carer[key] += visit.carers
        minutes[key] += paid * visit.carers
        exact[key] = exact.get(key, Fraction(0)) + price.pence * visit.carers * _quantity(card.basis, visit, paid)
    said = [
        (
            f"{_calls(calls[key], by_carer[key], key[1].band if has_bands else None)}, {in_time(minutes[key])} "
            f"at {in_pounds(key[1].pence)} {_UNITS[key[0]]}",
            exact[key],
        )
        for key in sorted(exact, key=lambda key: (key[0], key[1].minutes or 0, key[1].band, key[1].pence))
    ]
    return Line(item, rounded(sum(exact.values(), Fraction(0))), about, summed(said), is_chargeable)


def _calls(calls: int, by_carer: int, band: Band | None) -> str:
    """`5 weekday visits`; of a card with one price alone `5 visits`, and of two carers `5 visits (10 by carer)`."""
    said = count(calls, f"{band.replace('_', ' ')} visit" if band else "visit")
    return said if calls == by_carer else f"{said} ({by_carer} by carer)"


def uplifted(card: RateCard, basis_points: int) -> RateCard:
    """The card with every price raised by so many hundredths of a percent, each rounded half up to a penny."""
    prices = (
        price._replace(pence=round_half_up(price.pence * (10_000 + basis_points), 10_000)) for price in card.prices
    )
    return RateCard(card.basis, tuple(prices))


def _price(card: RateCard, visit: PricedVisit) -> Price:
    if card.basis is PriceBasis.PER_WEEK:
        raise NoPrice("a price per week is not paid by the visit", field="prices")
    return card.price_in(visit.bands, visit.planned_minutes)


def _quantity(basis: PriceBasis, visit: PricedVisit, paid: int) -> Fraction:
    """How much of what the basis buys; a visit paid in part costs that part of its price."""
    if basis is PriceBasis.PER_HOUR:
        return Fraction(paid, HOUR_MINUTES)
    return Fraction(min(paid, visit.planned_minutes), visit.planned_minutes)
