"""What must hold between the keys of a scheme: one function a rule, numbered in this order in the README.

A rule takes the top-level sections that it is about, by their names, and yields a fault for each key that breaks it.
It is asked whenever those sections have the right shape, even if others have not, so that one look at a file finds as
much as can be found. The first line of its docstring is the rule.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from dps.schemes.checks import (
    allocation,
    area_contracts,
    contracting,
    evaluation,
    joining,
    ladders,
    law,
    localities,
    prices,
    quality,
)
from dps.schemes.faults import Fault

Rule = Callable[..., Iterable[Fault]]

RULES: tuple[Rule, ...] = (
    law.no_key_is_used_twice,
    law.term_ends_after_it_starts,
    law.legal_basis_allows_the_term,
    law.working_day_has_hours,
    joining.base_can_be_told,
    joining.questions_flag_what_their_kind_can_say,
    joining.every_rating_has_its_worth,
    localities.are_of_known_places,
    localities.do_not_overlap,
    localities.have_mutual_neighbours,
    prices.floors_are_not_above_ceilings,
    prices.one_envelope_applies,
    prices.offers_have_a_lawful_price,
    prices.shorter_visits_are_shorter,
    ladders.stages_ask_known_published_lists,
    ladders.every_lot_and_urgency_has_one_ladder,
    ladders.speed_decides_in_a_crisis_only,
    ladders.published_closings_are_published,
    ladders.every_reach_leads_somewhere,
    ladders.every_urgency_has_an_acceptance_window,
    evaluation.weights_make_100,
    evaluation.quality_can_be_scored,
    evaluation.questions_can_be_answered,
    evaluation.budgets_are_evaluated_by_the_ongoing_rate,
    evaluation.the_lot_parts_ties_last,
    allocation.terms_are_whole,
    allocation.joint_terms_are_published_and_priced,
    allocation.per_package_weighs_no_terms,
    law.approval_limits_are_in_order,
    law.demonstration_runs_within_the_term,
    contracting.variations_are_within_their_bounds,
    contracting.a_lot_is_paid_in_one_way,
    contracting.payments_have_their_models_terms,
    law.reopenings_lie_within_the_term,
    quality.failing_can_be_told_and_challenged,
    quality.indicators_can_be_counted,
    quality.recognition_is_whole,
    joining.lists_keep_their_shape,
    contracting.blocks_can_be_offered,
    area_contracts.area_contracts_are_of_known_places,
    area_contracts.area_contracts_have_their_models_terms,
    area_contracts.area_bids_can_be_ranked,
    evaluation.custodians_can_open,
)


def broken_rules(sections: Mapping[str, Any]) -> list[Fault]:
    """Every fault that the rules find in these sections; a rule about a section that is not there is not asked."""
    faults: list[Fault] = []
    for rule in RULES:
        wanted = inspect.signature(rule).parameters
        if all(name in sections for name in wanted):
            faults += rule(**{name: sections[name] for name in wanted})
    return faults
