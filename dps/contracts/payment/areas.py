"""An area's period as lines: a year's budget with a tolerance, or its people in bands."""

from collections.abc import Mapping
from dataclasses import dataclass

from dps.contracts.payment.capitated import capitated
from dps.contracts.payment.weekly_prices import band_lines
from dps.contracts.payment.worked import Line
from dps.kernel.errors import BadInput, CannotState
from dps.schemes.contracting import Payment, PaymentModel

BY_AREA = (PaymentModel.CAPITATED, PaymentModel.BANDS)
"""What pays for an area and not contract by contract."""


@dataclass(frozen=True, slots=True)
class AreaPayment:
    """The lines, and what is left to discuss beyond the tolerance."""

    lines: tuple[Line, ...]
    to_discussion_pence: int


def area_lines(
    payment: Payment,
    *,
    locality: str,
    about: str,
    actual_pence: int | None,
    person_days: Mapping[str, int],
    performance_percent: int | None,
) -> AreaPayment:
    """What an area is paid. BadInput where the figure that the model needs was not given."""
    if payment.model is PaymentModel.CAPITATED:
        if locality not in payment.area_budgets:
            raise CannotState(reason=f"no budget is set for {locality}")
        if actual_pence is None:
            raise BadInput("say what care in the area cost", field="actual_pence")
        assert payment.tolerance_percent is not None  # the loader's rule 33
        found = capitated(
            budget_pence=payment.area_budgets[locality],
            actual_pence=actual_pence,
            tolerance_percent=payment.tolerance_percent,
            about=f"{locality}, {about}",
        )
        return AreaPayment((found.line,), found.to_discussion_pence)
    if payment.model is PaymentModel.BANDS:
        if performance_percent is None:
            raise BadInput("say how far the area's outcomes were reached", field="performance_percent")
        assert payment.at_risk_percent is not None  # the loader's rule 33
        lines = band_lines(
            payment.weekly_prices,
            person_days,
            at_risk_percent=payment.at_risk_percent,
            performance_percent=performance_percent,
            about=f"{locality}, {about}",
        )
        return AreaPayment(tuple(lines), 0)
    raise CannotState(reason="this lot is paid contract by contract, not by area")
