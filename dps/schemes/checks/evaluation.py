"""Evaluation: weights, what quality is made of, budgets, and ties."""

from collections.abc import Iterator

from dps.kernel.errors import meant
from dps.schemes.area_contracts import AreaContract
from dps.schemes.custody import Custody
from dps.schemes.faults import Fault, fault, repeated
from dps.schemes.model import Allocation, Evaluation, EvaluationRule, Lot, PriceFormula, Tie


def weights_make_100(evaluation: Evaluation, lots: tuple[Lot, ...]) -> Iterator[Fault]:
    """The weights of price and quality make 100 and suit the rule and the formula."""
    total = evaluation.price_weight + evaluation.quality_weight
    if total != 100:
        yield fault(("evaluation", "price_weight"), f"price_weight and quality_weight make {total}, not 100")
    if evaluation.rule is not EvaluationRule.PRICE_QUALITY and evaluation.quality_weight:
        yield fault(("evaluation", "quality_weight"), f"must be 0: under {evaluation.rule} only the price counts")
    is_fixed = evaluation.formula is PriceFormula.FIXED_PRICE
    if evaluation.rule is EvaluationRule.PRICE_QUALITY and is_fixed is not (evaluation.price_weight == 0):
        yield fault(("evaluation", "formula"), "fixed_price goes with a price weight of 0, and no other formula does")
    if evaluation.formula is PriceFormula.LINEAR_IN_ENVELOPE:
        for place, lot in enumerate(lots):
            if any(one.floor_pence_per_hour == one.ceiling_pence_per_hour for one in lot.envelopes):
                yield fault(
                    ("lots", place, "envelopes"), "a price can't be linear between a floor and the same ceiling"
                )


def quality_can_be_scored(evaluation: Evaluation, allocation: Allocation) -> Iterator[Fault]:
    """Where quality counts it is made of rating, recognition or questions; where it doesn't, nothing is asked."""
    counts = evaluation.quality_weight > 0 or allocation.terms.quality_pence_per_point_hour is not None
    if counts and not (evaluation.rating_points or evaluation.recognition_points or evaluation.questions):
        yield fault(
            ("evaluation", "rating_points"),
            "quality counts, but neither a rating nor a question makes it up",
        )
    if not counts and evaluation.questions:
        yield fault(("evaluation", "questions"), "are asked, but quality counts nowhere")
    for name in ("rating_points", "recognition_points"):
        if not counts and getattr(evaluation, name):
            yield fault(("evaluation", name), "are given, but quality counts nowhere")


def questions_can_be_answered(evaluation: Evaluation) -> Iterator[Fault]:
    """A scored question offers two answers or more, of which the best scores 100."""
    for place, key in repeated([question.key for question in evaluation.questions]):
        yield fault(("evaluation", "questions", place, "key"), f"{key!r} is used twice")
    for place, question in enumerate(evaluation.questions):
        where = ("evaluation", "questions", place, "answers")
        if len(question.answers) < 2:
            yield fault(where, "needs two answers or more to choose from")
        elif max(question.answers.values()) != 100:
            yield fault(where, "the best answer must score 100")


def budgets_are_evaluated_by_the_ongoing_rate(evaluation: Evaluation, lots: tuple[Lot, ...]) -> Iterator[Fault]:
    """A lot with a set budget and the ongoing-rate rule need each other."""
    is_ongoing = evaluation.rule is EvaluationRule.ONGOING_RATE
    for place, lot in enumerate(lots):
        if lot.sets_budget and not is_ongoing:
            yield fault(
                ("lots", place, "sets_budget"), f"{evaluation.rule} has nothing to compare where a budget is set"
            )
    if is_ongoing and not any(lot.sets_budget for lot in lots):
        yield fault(("evaluation", "rule"), "no lot sets a budget after which a rate could go on")


def the_lot_parts_ties_last(ties: tuple[Tie, ...]) -> Iterator[Fault]:
    """Ties end in the lot, and no step is named twice."""
    for place, tie in repeated(ties):
        yield fault(("ties", place), f"{tie!r} is named twice")
    if ties[-1] is not Tie.LOT:
        yield fault(("ties", len(ties) - 1), "the lot must come last: nothing else parts every tie")


def custodians_can_open(
    custody: Custody | None, lots: tuple[Lot, ...], area_contracts: tuple[AreaContract, ...]
) -> Iterator[Fault]:
    """Custodians open bids in known lots or for known area contracts, and as many as are needed are there."""
    if custody is None:
        return
    kinds = {
        "lots": ("lot", {lot.key for lot in lots}),
        "area_contracts": ("area contract", {one.key for one in area_contracts}),
    }
    for name, (kind, known) in kinds.items():
        for place, key in enumerate(getattr(custody, name)):
            if key not in known:
                yield fault(("custody", name, place), f"{key!r} is no {kind} of this scheme{meant(key, known)}")
    if not custody.lots and not custody.area_contracts:
        yield fault(("custody", "lots"), "name a lot or an area contract whose bids custodians open")
    if custody.needed > custody.custodians:
        yield fault(("custody", "needed"), f"{custody.needed} of {custody.custodians} custodians can't be there")
