"""A budget for outcomes, then a rate. Source: Cornwall's bidders' paper, 2017.

The budget is due whatever time was delivered if the outcomes are met; what was delivered beyond it is not paid unless
exceptional circumstances are proven. If they are not met only the delivered visits are paid, unless exceptional.
"""

from enum import StrEnum

from dps.contracts.payment.worked import Item, Line
from dps.kernel.money import in_pounds


class ProvenException(StrEnum):
    """What was proven to the council: why more was needed, or why the outcomes could not be met."""

    NONE = "none"
    EXCESS_NEEDED = "excess_needed"
    UNMET_EXCUSED = "unmet_excused"


def budget_line(
    *, budget_pence: int, delivered_pence: int, met: bool, exception: ProvenException, about: str, chargeable: bool
) -> Line:
    """What is due for the budget's weeks."""
    delivered = f"delivered visits are worth {in_pounds(delivered_pence)}, the budget is {in_pounds(budget_pence)}"
    if met and exception is ProvenException.EXCESS_NEEDED:
        pence, why = max(budget_pence, delivered_pence), "outcomes met, and the excess was proven needed"
    elif met:
        pence, why = budget_pence, "outcomes met: the budget in full, whatever was delivered"
    elif exception is ProvenException.UNMET_EXCUSED:
        pence, why = budget_pence, "outcomes not met, for proven exceptional reasons: the budget in full"
    elif exception is ProvenException.EXCESS_NEEDED:
        pence, why = delivered_pence, "outcomes not met: the delivered visits, the excess proven needed"
    else:
        pence, why = min(budget_pence, delivered_pence), "outcomes not met: the delivered visits only"
    return Line(Item.BUDGET, pence, about, (delivered, f"{why}: {in_pounds(pence)}"), chargeable)
