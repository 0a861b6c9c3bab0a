"""An area's period at the rates that were bid: units delivered by element, or a part of a year's price.

Source: Kingston's paper (bids by rate card, at separate rates, and for outcomes within a budget).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction

from dps.contracts.payment.areas import AreaPayment
from dps.contracts.payment.capitated import capitated
from dps.contracts.payment.visits import HOUR_MINUTES
from dps.contracts.payment.worked import Item, Line, in_time, rounded, share, summed
from dps.kernel.calendar import years_later
from dps.kernel.errors import BadInput, meant
from dps.kernel.money import in_pounds
from dps.schemes.area_contracts import AreaContract, Element, Unit
from dps.schemes.wording import UNITS, count

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class OnRecord:
    """How much of one element the records of visits say was delivered, exactly, in so many visits."""

    units: Fraction
    visits: int


def year_part(first: date, last: date, *, begins: date) -> Fraction:
    """Which part of a contract's years these days are, both included; `begins` is the first day of its first year.

    Every year costs its price: of a year with a 29th of February a day is the 366th part.
    """
    part, year = Fraction(0), 0
    while (since := years_later(begins, year)) <= last:
        until = years_later(begins, year + 1)
        days = (min(last + ONE_DAY, until) - max(first, since)).days
        part += Fraction(max(days, 0), (until - since).days)
        year += 1
    return part


def rate_lines(
    asked: AreaContract,
    rates: Mapping[str, int],
    units: Mapping[str, int],
    *,
    about: str,
    recorded: Mapping[str, OnRecord] | None = None,
) -> tuple[Line, ...]:
    """A line for each element of which something was delivered: what is `recorded`, and of the others the `units` told.

    BadInput for an element that the contract does not have, and for one that is told although it is recorded.
    """
    recorded = recorded or {}
    known = {element.key: element for element in asked.elements}
    for key, number in units.items():
        if key not in known:
            raise BadInput(f"{key!r} is no element of {asked.key}{meant(key, known)}", field="units")
        if key in recorded:
            raise BadInput(f"{known[key].name} is read from the records of visits: leave it out", field="units")
        if type(number) is not int or number < 0:
            raise BadInput(f"say how much of {known[key].name} was delivered in whole numbers", field="units")
    if not units and not recorded:
        raise BadInput("say how much of each element was delivered", field="units")
    amounts = {key: (Fraction(number), count(number, UNITS[known[key].unit])) for key, number in units.items()}
    amounts |= {key: (found.units, _in_words(known[key], found)) for key, found in recorded.items()}
    return tuple(
        Line(
            Item.ELEMENT,
            rounded(amounts[key][0] * rates[key]),
            about,
            summed([(f"{element.name}: {amounts[key][1]} at {in_pounds(rates[key])}", amounts[key][0] * rates[key])]),
            False,
        )
        for key, element in known.items()
        if key in amounts and amounts[key][0]
    )


def _in_words(element: Element, found: OnRecord) -> str:
    """`123 h 30 min in 240 recorded visits`, `53 1/2 nights in 54 recorded visits`."""
    if element.unit is Unit.HOUR:
        much = in_time(rounded(found.units * HOUR_MINUTES))
    else:
        whole, rest = divmod(found.units, 1)
        much = count(whole, UNITS[element.unit]) if not rest else f"{whole} {rest} {UNITS[element.unit]}s"
    return f"{much} in {count(found.visits, 'recorded visit')}"


def outcome_lines(
    asked: AreaContract,
    *,
    yearly_pence: int,
    targets: Mapping[str, int],
    days: int,
    part: Fraction,
    actual_pence: int | None,
    reached: Mapping[str, int],
    about: str,
) -> AreaPayment:
    """These days' `part` of a year's price: what is guaranteed within the tolerance, and what of the rest was earned.

    `actual_pence` is what care cost on these days, `reached` in what percent of people each outcome was reached.
    """
    if actual_pence is None:
        raise BadInput("say what care in the area cost", field="actual_pence")
    known = {goal.key: goal for goal in asked.targets}
    for key in known.keys() ^ reached.keys():
        words = "was not said to be reached or not" if key in known else f"is no outcome of {asked.key}"
        raise BadInput(f"{key!r} {words}", field="reached")
    if any(type(percent) is not int or not 0 <= percent <= 100 for percent in reached.values()):
        raise BadInput("an outcome is reached in 0 to 100 percent of people", field="reached")
    assert asked.tolerance_percent is not None  # the loader's rule 41
    assert asked.at_risk_percent is not None
    due = rounded(yearly_pence * part)
    at_risk = share(due, asked.at_risk_percent)
    found = capitated(
        budget_pence=due, actual_pence=actual_pence, tolerance_percent=asked.tolerance_percent, about=about
    )
    of_year = f"{count(days, 'day')} of a year at {in_pounds(yearly_pence)}: {in_pounds(due)}"
    guaranteed = Line(
        Item.AREA,
        due - at_risk,
        about,
        (
            of_year,
            f"of it {asked.at_risk_percent}%, {in_pounds(at_risk)}, waits for the outcomes",
            *found.line.working,
        ),
        False,
    )
    counted = sum(goal.points for goal in asked.targets)
    met = sum(goal.points for goal in asked.targets if reached[goal.key] >= targets[goal.key])
    said = tuple(
        f"{goal.name}: {targets[goal.key]}% promised, {reached[goal.key]}% reached, {count(goal.points, 'point')}"
        for goal in asked.targets
    )
    earned = Line(
        Item.PERFORMANCE,
        rounded(Fraction(at_risk * met, counted)),
        about,
        (*said, f"{met} of {counted} points of {in_pounds(at_risk)}"),
        False,
    )
    return AreaPayment((guaranteed, earned), found.to_discussion_pence)
