"""A block of hours: paid in full, used or not; its line says how much of it was used.

Source: Worcestershire's paper (block contracts).
"""

from collections.abc import Sequence
from fractions import Fraction

from dps.contracts.payment.worked import Item, Line, in_time, rounded
from dps.kernel.errors import BadInput
from dps.kernel.money import in_pounds
from dps.schemes.wording import count

WEEK_DAYS = 7


def block_line(*, weekly_pence: int, weekly_minutes: int, used_by_day: Sequence[int], about: str) -> Line:
    """A seventh of the week's price for each day. `used_by_day` are the carer-minutes a week in use on each of them."""
    if any(not 0 <= used <= weekly_minutes for used in used_by_day):
        raise BadInput(f"a block of {weekly_minutes} minutes can't have more in use", field="used_by_day")
    days = len(used_by_day)
    pence = rounded(Fraction(weekly_pence * days, WEEK_DAYS))
    bought = rounded(Fraction(weekly_minutes * days, WEEK_DAYS))
    used = rounded(Fraction(sum(used_by_day), WEEK_DAYS))
    working = (
        f"{in_time(weekly_minutes)} a week for {in_pounds(weekly_pence)}, {count(days, 'day')}: {in_pounds(pence)}",
        f"of {in_time(bought)} bought, used {in_time(used)}, unused {in_time(bought - used)}",
    )
    return Line(Item.BLOCK, pence, about, working, False)
