"""A year's budget for an area, with a tolerance. Source: Kingston's paper (£2m, 5%).

Within the tolerance the provider absorbs what care cost more, or keeps what it cost less. What lies outside goes to
discussion: it is neither paid nor taken back by this statement.
"""

from dataclasses import dataclass

from dps.contracts.payment.worked import Item, Line, share
from dps.kernel.money import in_pounds


@dataclass(frozen=True, slots=True)
class Capitated:
    """The line, and what is to be discussed: above nothing the council may owe it, below nothing the provider."""

    line: Line
    borne_by_provider_pence: int
    to_discussion_pence: int


def capitated(*, budget_pence: int, actual_pence: int, tolerance_percent: int, about: str) -> Capitated:
    """What an area is paid for its year, and which part of the difference the tolerance leaves open."""
    difference = actual_pence - budget_pence
    tolerance = share(budget_pence, tolerance_percent)
    within = max(-tolerance, min(difference, tolerance))
    outside = difference - within
    bears = "bears" if difference >= 0 else "keeps"
    working = (
        f"budget {in_pounds(budget_pence)}, care cost {in_pounds(actual_pence)}: {_more_or_less(difference)}",
        f"tolerance {tolerance_percent}%, {in_pounds(tolerance)}: the provider {bears} {in_pounds(abs(within))}",
        f"to discussion: {_more_or_less(outside)}",
    )
    return Capitated(Line(Item.AREA, budget_pence, about, working, False), within, outside)


def _more_or_less(pence: int) -> str:
    """`£12.00 more`, `£12.00 less`, `nothing`."""
    if not pence:
        return "nothing"
    return f"{in_pounds(abs(pence))} {'more' if pence > 0 else 'less'}"
