"""Weekly prices for one person: tiers that are agreed one by one, and bands in which an area's people are profiled.

Sources: Worcestershire's paper (for a block contract providers moved from Tier 4 to Tier 3, about £300 a week less per
person); Kingston's paper (people profiled, payment on overall performance).
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from dps.contracts.payment.worked import Item, Line, rounded, share
from dps.kernel.errors import BadInput
from dps.kernel.money import in_pounds
from dps.schemes.contracting import WeeklyPrice
from dps.schemes.wording import count

WEEK_DAYS = 7


def price_named(prices: Sequence[WeeklyPrice], key: str) -> WeeklyPrice:
    """The tier or band of this key; BadInput naming those there are."""
    for price in prices:
        if price.key == key:
            return price
    raise BadInput(f"{key!r} is none of {', '.join(price.key for price in prices)}", field="tier")


def tier_line(prices: Sequence[WeeklyPrice], key: str, *, days: int, about: str, chargeable: bool) -> Line:
    """One person in one tier for so many days, a seventh of the week's price each."""
    price = price_named(prices, key)
    pence = rounded(Fraction(price.weekly_pence * days, WEEK_DAYS))
    working = (f"{price.name}, {in_pounds(price.weekly_pence)} a week, {count(days, 'day')}: {in_pounds(pence)}",)
    return Line(Item.TIER, pence, about, working, chargeable)


def saved_by_moving(prices: Sequence[WeeklyPrice], *, before: str, after: str, people: int = 1) -> int:
    """What a week costs less when people move from one tier to another, as for a block contract; below 0 if more."""
    return people * (price_named(prices, before).weekly_pence - price_named(prices, after).weekly_pence)


def band_lines(
    prices: Sequence[WeeklyPrice],
    person_days: Mapping[str, int],
    *,
    at_risk_percent: int,
    performance_percent: int,
    about: str,
) -> list[Line]:
    """A line for each band with people in it, and one for the share that is paid on overall performance."""
    if not 0 <= performance_percent <= 100:
        raise BadInput(f"{performance_percent} is no percentage of performance", field="performance_percent")
    for key in person_days:
        price_named(prices, key)
    lines, held = [], 0
    for price in prices:
        days = person_days.get(price.key, 0)
        if not days:
            continue
        earned = rounded(Fraction(price.weekly_pence * days, WEEK_DAYS))
        at_risk = share(earned, at_risk_percent)
        held += at_risk
        working = (
            f"{price.name}: {count(days, 'day')} of one person at {in_pounds(price.weekly_pence)} a week: "
            f"{in_pounds(earned)}",
            f"of which {at_risk_percent}% at risk, {in_pounds(at_risk)}",
        )
        lines.append(Line(Item.BAND, earned - at_risk, f"{about}, {price.key}", working, False))
    paid = share(held, performance_percent)
    reached = f"held back {in_pounds(held)}, performance {performance_percent}%: {in_pounds(paid)}"
    return [*lines, Line(Item.PERFORMANCE, paid, about, (reached,), False)] if lines else []
