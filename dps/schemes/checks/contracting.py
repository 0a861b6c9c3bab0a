"""After the award: variations within bounds, and payments whose terms are whole."""

from collections.abc import Iterator

from dps.kernel.errors import meant
from dps.schemes.contracting import Blocks, Payment, PaymentModel, Variations
from dps.schemes.faults import Fault, fault, repeated
from dps.schemes.model import DirectAward, Locality, Lot

_ASKED = {
    "at_risk_percent": (PaymentModel.SHARE_AT_RISK, PaymentModel.BANDS),
    "weekly_prices": (PaymentModel.TIERS, PaymentModel.BANDS),
    "area_budgets": (PaymentModel.CAPITATED,),
    "tolerance_percent": (PaymentModel.CAPITATED,),
}
"""The terms that some models need, and no other takes."""


def variations_are_within_their_bounds(variations: Variations) -> Iterator[Fault]:
    """An exclusion ends after it starts, and no review is due before it may be proposed."""
    flex, review = variations.flex, variations.review
    for place, exclusion in enumerate(flex.exclusions if flex else ()):
        if exclusion.starts is not None and exclusion.ends is not None and exclusion.ends <= exclusion.starts:
            yield fault(
                ("variations", "flex", "exclusions", place, "ends"),
                f"{exclusion.ends} is not after the start on {exclusion.starts}",
            )
    if review is not None and review.due_weeks < review.earliest_weeks:
        yield fault(
            ("variations", "review", "due_weeks"), f"is before the first proposal in week {review.earliest_weeks}"
        )


def a_lot_is_paid_in_one_way(payments: tuple[Payment, ...], lots: tuple[Lot, ...]) -> Iterator[Fault]:
    """A lot is paid in one way, and a budget with outcomes only where the lot sets one."""
    known = {lot.key: lot for lot in lots}
    paid: set[str] = set()
    for place, payment in enumerate(payments):
        for nth, key in enumerate(payment.lots):
            where = ("payments", place, "lots", nth)
            if key not in known:
                yield fault(where, f"{key!r} is no lot of this scheme{meant(key, known)}")
            elif key in paid:
                yield fault(where, f"lot {key!r} is paid for already")
            elif payment.model is PaymentModel.OUTCOME_BUDGET and not known[key].sets_budget:
                yield fault(where, f"lot {key!r} sets no budget (sets_budget)")
            paid.add(key)


def payments_have_their_models_terms(
    payments: tuple[Payment, ...], localities: tuple[Locality, ...]
) -> Iterator[Fault]:
    """A payment has the terms that its model needs, and no others."""
    known = {locality.key for locality in localities}
    for place, payment in enumerate(payments):
        where = ("payments", place)
        for name, models in _ASKED.items():
            value = getattr(payment, name)
            is_given = value is not None and value not in ((), {})
            if payment.model in models and not is_given:
                yield fault((*where, name), f"is missing: {payment.model} is reckoned with it")
            if payment.model not in models and is_given:
                yield fault((*where, name), f"is no term of {payment.model}")
        for nth, key in repeated([price.key for price in payment.weekly_prices]):
            yield fault((*where, "weekly_prices", nth, "key"), f"{key!r} is used twice")
        for key in payment.area_budgets:
            if key not in known:
                yield fault((*where, "area_budgets", key), f"is no locality of this scheme{meant(key, known)}")


def blocks_can_be_offered(blocks: Blocks | None, lots: tuple[Lot, ...], direct_award: DirectAward) -> Iterator[Fault]:
    """Blocks are of known lots with a published price, and unused block hours are a reason for a direct award."""
    known = {lot.key: lot for lot in lots}
    for place, key in enumerate(blocks.lots if blocks else ()):
        where = ("blocks", "lots", place)
        if key not in known:
            yield fault(where, f"{key!r} is no lot of this scheme{meant(key, known)}")
        elif known[key].offer_pence_per_hour is None:
            yield fault(where, f"lot {key!r} has no published price (offer_pence_per_hour)")
    if (blocks is not None) != ("block_hours" in direct_award.reasons):
        yield fault(("direct_award", "reasons"), "block_hours stands here where there are [blocks], and only there")
