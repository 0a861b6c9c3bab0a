"""Which variations a scheme allows: its rule, or a refusal that says so."""

from collections.abc import Iterable
from typing import TypeVar

from dps.kernel.errors import VariationRefused
from dps.schemes.contracting import Flex, HandBack, Increase, Reduction, Retainer, Review, RunOff, Uplift
from dps.schemes.model import Scheme

Rule = TypeVar("Rule")


def flex_rule(scheme: Scheme) -> Flex:
    """VariationRefused where the scheme allows no flex; the others alike."""
    return _allowed(scheme.variations.flex, scheme, "flexes")


def reduction_rule(scheme: Scheme) -> Reduction:
    return _allowed(scheme.variations.reduction, scheme, "reductions by a provider")


def review_rule(scheme: Scheme) -> Review:
    return _allowed(scheme.variations.review, scheme, "proposals by a provider")


def retainer_rule(scheme: Scheme) -> Retainer:
    return _allowed(scheme.variations.retainer, scheme, "retainers")


def increase_rule(scheme: Scheme) -> Increase:
    return _allowed(scheme.variations.increase, scheme, "increases without a competition")


def uplift_rule(scheme: Scheme) -> Uplift:
    return _allowed(scheme.variations.uplift, scheme, "uplifts")


def run_off_rule(scheme: Scheme) -> RunOff:
    return _allowed(scheme.variations.run_off, scheme, "run-off of a provider's contracts")


def hand_back_rule(scheme: Scheme) -> HandBack:
    """The notice of a hand-back; none where the scheme says nothing."""
    return scheme.variations.hand_back or HandBack(notice_days=0)


def refuse_if(reasons: Iterable[str]) -> None:
    """VariationRefused with every reason, if there is one."""
    said = tuple(reasons)
    if said:
        raise VariationRefused(reasons=said)


def _allowed(rule: Rule | None, scheme: Scheme, what: str) -> Rule:
    if rule is None:
        raise VariationRefused(reasons=(f"{scheme.name} allows no {what}.",))
    return rule
