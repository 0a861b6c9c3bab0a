"""A share of a person's support plan that waits for outcomes. Source: Kingston's paper, payment per person."""

from dps.contracts.payment.worked import Item, Line, share
from dps.kernel.errors import BadInput
from dps.kernel.money import in_pounds, round_half_up


def guaranteed_line(*, plan_pence: int, at_risk_percent: int, about: str, chargeable: bool) -> Line:
    """What is paid in any case: the plan without its share at risk."""
    held = share(plan_pence, at_risk_percent)
    pence = plan_pence - held
    working = (f"plan {in_pounds(plan_pence)}, at risk {at_risk_percent}%, {in_pounds(held)}: {in_pounds(pence)}",)
    return Line(Item.GUARANTEED, pence, about, working, chargeable)


def released_line(*, held_pence: int, met: int, agreed: int, about: str, chargeable: bool) -> Line:
    """What of the amount held back the outcomes release: in proportion to those that were met."""
    if agreed < 1 or not 0 <= met <= agreed:
        raise BadInput(f"{met} of {agreed} outcomes can't be met", field="met")
    pence = round_half_up(held_pence * met, agreed)
    working = (f"held back {in_pounds(held_pence)}, {met} of {agreed} outcomes met: {in_pounds(pence)}",)
    return Line(Item.RELEASED, pence, about, working, chargeable)
