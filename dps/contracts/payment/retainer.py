"""What keeps a provider's place while a service is paused. Source: Cornwall's paper (up to 4 weeks, if it restarts)."""

from datetime import date, timedelta
from fractions import Fraction

from dps.contracts.payment.weekly_prices import WEEK_DAYS
from dps.contracts.payment.worked import Item, Line, rounded
from dps.kernel.money import in_pounds
from dps.schemes.contracting import Retainer
from dps.schemes.wording import count


def may_restart(rule: Retainer, *, paused_from: date, restarts_on: date) -> bool:
    """Whether a service paused on `paused_from` restarts without a competition on this day: within the weeks."""
    return restarts_on <= kept_until(rule, paused_from=paused_from)


def kept_until(rule: Retainer, *, paused_from: date) -> date:
    """The last day on which a service paused on `paused_from` may restart without a competition."""
    return paused_from + timedelta(weeks=rule.most_weeks)


def retainer_line(
    rule: Retainer, *, weekly_pence: int, paused_from: date, restarted_on: date, chargeable: bool
) -> Line:
    """The retainer for the days from `paused_from` (included) to `restarted_on` (excluded), capped at the weeks."""
    days = min((restarted_on - paused_from).days, rule.most_weeks * WEEK_DAYS)
    pence = rounded(Fraction(weekly_pence * rule.percent * days, WEEK_DAYS * 100))
    working = (f"{count(days, 'day')} at {rule.percent}% of {in_pounds(weekly_pence)} a week: {in_pounds(pence)}",)
    last = restarted_on - timedelta(days=1)
    return Line(Item.RETAINER, pence, f"{paused_from} to {last}", working, chargeable)
