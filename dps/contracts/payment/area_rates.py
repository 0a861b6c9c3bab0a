"""An area's period at the rates that were bid: units delivered by element, or a share of a year's price.

Source: Kingston's paper (bids by rate card, at separate rates, and for outcomes within a budget).
"""

from collections.abc import Mapping
from fractions import Fraction

from dps.contracts.payment.areas import AreaPayment
from dps.contracts.payment.capitated import capitated
from dps.contracts.payment.worked import Item, Line, rounded, share
from dps.kernel.errors import BadInput, meant
from dps.kernel.money import in_pounds
from dps.schemes.area_contracts import AreaContract
from dps.schemes.wording import UNITS, count

YEAR_DAYS = 365
"""A day is the 365th part of a year's price, in a leap year as well (assumed)."""


def rate_lines(
    asked: AreaContract, rates: Mapping[str, int], units: Mapping[str, int], *, about: str
) -> tuple[Line, ...]:
    """A line for each element of which something was delivered. BadInput for one that the contract does not have."""
    known = {element.key: element for element in asked.elements}
    for key, number in units.items():
        if key not in known:
            raise BadInput(f"{key!r} is no element of {asked.key}{meant(key, known)}", field="units")
        if type(number) is not int or number < 0:
            raise BadInput(f"say how much of {known[key].name} was delivered in whole numbers", field="units")
    if not units:
        raise BadInput("say how much of each element was delivered", field="units")
    return tuple(
        Line(
            Item.ELEMENT,
            units[key] * rates[key],
            about,
            (f"{element.name}: {count(units[key], UNITS[element.unit])} at {in_pounds(rates[key])}",),
            False,
        )
        for key, element in known.items()
        if units.get(key)
    )


def outcome_lines(
    asked: AreaContract,
    *,
    yearly_pence: int,
    targets: Mapping[str, int],
    days: int,
    actual_pence: int | None,
    reached: Mapping[str, int],
    about: str,
) -> AreaPayment:
    """The days' part of a year's price: what is guaranteed within the tolerance, and what of the rest was earned.

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
    due = rounded(Fraction(yearly_pence * days, YEAR_DAYS))
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
            *found.line.working[1:],
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
