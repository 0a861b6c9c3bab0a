"""Contracts for a whole area: each place let once, whole terms for the way in which they are bid for."""

from collections.abc import Iterator

from dps.kernel.errors import meant
from dps.schemes.area_contracts import AreaContract, BiddingModel
from dps.schemes.faults import Fault, fault, repeated
from dps.schemes.model import Evaluation, EvaluationRule, Locality, Lot, PriceFormula, ProviderList

_OF_RATES = ("elements",)
_OF_OUTCOMES = ("areas", "targets", "target_points", "tolerance_percent", "at_risk_percent")


def area_contracts_are_of_known_places(
    area_contracts: tuple[AreaContract, ...],
    lots: tuple[Lot, ...],
    localities: tuple[Locality, ...],
    lists: tuple[ProviderList, ...],
) -> Iterator[Fault]:
    """An area contract is of known lots, localities and lists, and no lot of a locality is let in two of them."""
    sections = {
        "lots": {row.key for row in lots},
        "localities": {row.key for row in localities},
        "lists": {row.key for row in lists},
    }
    for nth, key in repeated([one.key for one in area_contracts]):
        yield fault(("area_contracts", nth, "key"), f"{key!r} is used twice")
    let: set[tuple[str, str]] = set()
    for nth, one in enumerate(area_contracts):
        for name, known in sections.items():
            for place, key in enumerate(getattr(one, name)):
                if key not in known:
                    words = f"{key!r} is in no [[{name}]] of this scheme{meant(key, known)}"
                    yield fault(("area_contracts", nth, name, place), words)
        for place, locality in enumerate(one.localities):
            for lot in one.lots:
                if (lot, locality) in let:
                    yield fault(
                        ("area_contracts", nth, "localities", place), f"{lot!r} is let there by another contract"
                    )
                let.add((lot, locality))


def area_contracts_have_their_models_terms(
    area_contracts: tuple[AreaContract, ...], lots: tuple[Lot, ...]
) -> Iterator[Fault]:
    """An area contract has the terms of the way in which it is bid for, and no others."""
    for nth, one in enumerate(area_contracts):
        where = ("area_contracts", nth)
        is_of_outcomes = one.model is BiddingModel.OUTCOMES
        needed, others = (_OF_OUTCOMES, _OF_RATES) if is_of_outcomes else (_OF_RATES, _OF_OUTCOMES)
        for name in needed:
            if getattr(one, name) in (None, ()):
                yield fault((*where, name), f"is missing: {one.model} is bid for with it")
        for name in others:
            if getattr(one, name) not in (None, ()):
                yield fault((*where, name), f"is no term of {one.model}")
        for name in ("elements", "targets"):
            for place, key in repeated([row.key for row in getattr(one, name)]):
                yield fault((*where, name, place, "key"), f"{key!r} is used twice")
        if one.areas and sorted(area.locality for area in one.areas) != sorted(one.localities):
            yield fault((*where, "areas"), "says each of the contract's localities once, and no other")
        yield from _elements(one, nth, {lot.key for lot in lots})


def _elements(one: AreaContract, nth: int, known: set[str]) -> Iterator[Fault]:
    for place, element in enumerate(one.elements):
        where = ("area_contracts", nth, "elements", place)
        if element.lot is not None and element.lot not in known:
            yield fault((*where, "lot"), f"{element.lot!r} is no lot of this scheme{meant(element.lot, known)}")
        if element.ceiling_pence == 0:
            yield fault((*where, "ceiling_pence"), "is above nothing")
    if one.model is BiddingModel.SEPARATE_RATES and sorted(str(e.lot) for e in one.elements) != sorted(one.lots):
        yield fault(("area_contracts", nth, "elements"), "has one element for each of the contract's lots")


def area_bids_can_be_ranked(area_contracts: tuple[AreaContract, ...], evaluation: Evaluation) -> Iterator[Fault]:
    """Where areas are bid for, bids are ranked by price or price and quality, and not by their place in an envelope."""
    if not area_contracts:
        return
    if evaluation.rule is EvaluationRule.ONGOING_RATE:
        yield fault(("evaluation", "rule"), "ranks no bid for an area, and there are [[area_contracts]]")
    if evaluation.formula is PriceFormula.LINEAR_IN_ENVELOPE:
        yield fault(("evaluation", "formula"), "an area has no envelope, and there are [[area_contracts]]")
