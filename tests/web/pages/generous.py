"""A scheme that allows what one or another council allows: for pages that offer only what the rules do."""

from dps.schemes.contracting import Payment, PaymentModel, WeeklyPrice
from dps.schemes.loader import preset
from dps.schemes.model import Scheme
from dps.schemes.quality import FollowUp


def generous() -> Scheme:
    """St Helens, with every variation, notice, follow-ups, payments by week and by area, and providers that supply
    together: a scheme that loads.
    """
    own, kingston = preset("st-helens"), preset("kingston")
    first, second = (lot.key for lot in own.lots)
    areas = {place.key: 200_000_000 for place in own.localities}
    return own.model_copy(
        update={
            "admission": own.admission.model_copy(update={"arrangements": ("lead", "consortium")}),
            "variations": own.variations.model_copy(
                update={
                    "flex": preset("kent-flex").variations.flex,
                    "review": preset("worcestershire").variations.review,
                    "reduction": preset("wirral").variations.reduction,
                    "retainer": preset("cornwall").variations.retainer,
                    "increase": kingston.variations.increase,
                    "uplift": kingston.variations.uplift,
                    "hand_back": kingston.variations.hand_back,
                }
            ),
            "follow_ups": (
                FollowUp(key="a-week", name="A week", lots=(first,), since="start", days=7),
                FollowUp(key="a-year", name="A year", lots=(first,), since="start", days=365),
            ),
            "payments": (
                Payment(
                    lots=(first,),
                    model=PaymentModel.TIERS,
                    weekly_prices=(WeeklyPrice(key="low", name="Low", weekly_pence=10_000),),
                ),
                Payment(lots=(second,), model=PaymentModel.CAPITATED, area_budgets=areas, tolerance_percent=5),
            ),
        }
    )


def answered() -> Scheme:
    """The same, with days in which a provider may answer a review; no file, because it sets no budgets."""
    return generous().model_copy(update={"enablement": preset("cornwall").enablement})
