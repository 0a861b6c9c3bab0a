"""Each rule, alone, turns an eligible pair ineligible, and its cure turns it back."""

import re
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

import matching
from matching.eligibility import (
    RULES,
    DaySpan,
    DirectRoute,
    Location,
    MembershipState,
    Rule,
    RuleKind,
    Suspension,
    SuspensionScope,
    TakeLimit,
    assess,
    words,
)
from tests.matching.eligibility.builders import A_DAY, AN_HOUR, NOON, TODAY, a_candidate, a_membership, a_need

REMOVED = a_membership(state=MembershipState.REMOVED)
PRV_2_ALONE = {"direct_route": DirectRoute.FIRST_REFUSAL, "direct_to": "PRV-2"}


def suspended_until(ends_at: Any) -> dict[str, Any]:
    suspension = Suspension(scope=SuspensionScope.NEW_WORK, ends_at=ends_at)
    return {"memberships": (a_membership(state=MembershipState.SUSPENDED, suspension=suspension),)}


def based_in(lad: str, rating: str) -> dict[str, Any]:
    return {"locations": (Location(ref="LOC-1", lad=lad, rating=rating),)}


def limited_to(**left: Any) -> dict[str, Any]:
    return {"take_limits": (TakeLimit(**left),)}


@dataclass(frozen=True)
class Case:
    """What breaks the eligible pair, and what then mends it by another way than undoing that."""

    need: dict[str, Any] = field(default_factory=dict)
    candidate: dict[str, Any] = field(default_factory=dict)
    mended_need: dict[str, Any] = field(default_factory=dict)
    mended_candidate: dict[str, Any] = field(default_factory=dict)


CASES = {
    "not_the_provider_asked": Case(need=PRV_2_ALONE, mended_need={"direct_to": "PRV-1"}),
    "confidential_exclusion": Case(
        need={"excluded_providers": frozenset({"PRV-1", "PRV-2"})},
        mended_need={"excluded_providers": frozenset({"PRV-2"})},
    ),
    "asked_before": Case(
        need={"asked_before": frozenset({"PRV-1"})}, mended_need={"asked_before": frozenset({"PRV-2"})}
    ),
    "removed": Case(
        candidate={"memberships": (REMOVED,)},
        mended_need={"lists": frozenset({"approved", "tier_2"})},
        mended_candidate={"memberships": (REMOVED, a_membership(list_name="tier_2"))},
    ),
    "suspended": Case(candidate=suspended_until(NOON + AN_HOUR), mended_candidate=suspended_until(NOON)),
    "not_a_member": Case(
        candidate={"memberships": (a_membership(locality="L5"),)}, mended_need={"reach": frozenset({"L4", "L5"})}
    ),
    "membership_not_begun": Case(
        candidate={"memberships": (a_membership(starts_at=NOON + AN_HOUR),)},
        mended_candidate={"memberships": (a_membership(starts_at=NOON),)},
    ),
    "membership_ended": Case(
        candidate={"memberships": (a_membership(ends_at=NOON),)},
        mended_candidate={"memberships": (a_membership(ends_at=NOON + AN_HOUR),)},
    ),
    "quality_score_too_low": Case(
        need={"least_scores": {"approved": 60}},
        candidate={"quality_score": 59},
        mended_need={"least_scores": {"approved": 59}},
        mended_candidate={"quality_score": 60},
    ),
    "no_base_in_area": Case(candidate=based_in("E08000014", "good"), mended_need={"may_cross_border": True}),
    "rating_not_accepted": Case(
        candidate=based_in("E08000012", "not_rated"),
        mended_need={"accepted_ratings": frozenset({"good", "not_rated"})},
    ),
    "document_missing": Case(
        candidate={"documents": {"insurance": None}},
        mended_candidate={"documents": {"insurance": None, "accounts": TODAY + A_DAY}},
    ),
    "document_expired": Case(
        candidate={"documents": {"insurance": TODAY - A_DAY, "accounts": None}},
        mended_candidate={"documents": {"insurance": TODAY, "accounts": None}},
    ),
    "skill_missing": Case(
        need={"skills": frozenset({"bariatric"})}, mended_candidate={"skills": frozenset({"bariatric"})}
    ),
    "flag_not_accepted": Case(
        need={"flags": frozenset({"behaviour"})}, mended_candidate={"accepted_flags": frozenset({"behaviour"})}
    ),
    "outside_service_hours": Case(
        candidate={"service_hours": DaySpan(480, 1380)}, mended_need={"visit_hours": DaySpan(480, 1320)}
    ),
    "too_few_carers": Case(candidate={"most_carers": 1}, mended_need={"carers_needed": 1}),
    "full": Case(candidate={"is_full": True}, mended_candidate={"is_full": False}),
    "declaration_expired": Case(
        candidate={"declaration_expires_at": NOON}, mended_candidate={"declaration_expires_at": NOON + AN_HOUR}
    ),
    "too_few_free_minutes": Case(candidate={"free_minutes": 599}, mended_candidate={"free_minutes": 600}),
    "too_few_free_minutes_in_locality": Case(
        candidate={"free_minutes_by_locality": {"L4": 599}},
        mended_candidate={"free_minutes_by_locality": {"L5": 0}},
    ),
    "package_limit_reached": Case(
        candidate=limited_to(packages_left=0), mended_candidate=limited_to(packages_left=0, locality="L5")
    ),
    "minutes_limit_reached": Case(candidate=limited_to(minutes_left=599), mended_need={"weekly_minutes": 599}),
    "starts_limit_reached": Case(
        candidate=limited_to(starts_left=0), mended_candidate=limited_to(starts_left=0, hours=DaySpan(1320, 1860))
    ),
    "can_not_start_in_time": Case(
        candidate={"free_from": TODAY + 4 * A_DAY}, mended_need={"start_by": TODAY + 4 * A_DAY}
    ),
}

every_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)


def test_the_pair_that_every_case_begins_with_is_eligible() -> None:
    assert assess(a_need(), a_candidate()).eligible


def test_no_case_is_left_of_a_rule_that_is_gone() -> None:
    assert sorted(CASES) == sorted(rule.code for rule in RULES)


@every_rule
def test_a_rule_alone_makes_an_eligible_pair_ineligible(rule: Rule) -> None:
    case = CASES[rule.code]

    assessment = assess(a_need(**case.need), a_candidate(**case.candidate))

    assert [reason.code for reason in assessment.reasons] == [rule.code]
    assert not assessment.eligible


@every_rule
def test_what_a_rule_asks_for_makes_the_pair_eligible_again(rule: Rule) -> None:
    case = CASES[rule.code]
    need, candidate = a_need(**case.need), a_candidate(**case.candidate)

    mended = assess(replace(need, **case.mended_need), replace(candidate, **case.mended_candidate))

    assert mended.reasons == ()


@every_rule
def test_a_reason_bars_from_winning_only_if_it_is_a_standing_one(rule: Rule) -> None:
    case = CASES[rule.code]

    assessment = assess(a_need(**case.need), a_candidate(**case.candidate))

    assert assessment.may_win == (rule.kind is RuleKind.CAPACITY)
    assert assessment.standing_reasons + assessment.capacity_reasons == assessment.reasons


@every_rule
def test_at_the_award_every_standing_rule_and_im_full_are_asked_again(rule: Rule) -> None:
    case = CASES[rule.code]

    assessment = assess(a_need(**case.need), a_candidate(**case.candidate), at_award=True)

    assert assessment.eligible == (rule.kind is RuleKind.CAPACITY and rule.code != "full")


@every_rule
def test_a_restart_asks_no_capacity_rule(rule: Rule) -> None:
    if rule.kind is RuleKind.STANDING:
        return
    case = CASES[rule.code]
    restart = {"direct_route": DirectRoute.RESTART, "direct_to": "PRV-1"}

    assessment = assess(a_need(**case.need, **restart), a_candidate(**case.candidate))

    assert assessment.eligible


@every_rule
def test_every_reason_has_words_for_broker_provider_and_auditor(rule: Rule) -> None:
    case = CASES[rule.code]
    assessment = assess(a_need(**case.need), a_candidate(**case.candidate))

    said = [
        words.for_broker(assessment.reasons[0]),
        *words.for_provider(assessment),
        *words.for_provider(assessment, may_name_needs=True),
        words.for_auditor(rule.code, 2),
    ]

    assert len(said) == 4
    for sentence in said:
        assert sentence[0].isupper() or sentence[0].isdigit()
        assert sentence.endswith(".")
        assert not {"{", "}", "_"} & set(sentence)
        assert "None" not in sentence


def test_wordings_and_rules_name_each_other_exactly() -> None:
    assert list(words.WORDINGS) == [rule.code for rule in RULES]


@every_rule
def test_a_rule_that_may_be_relaxed_says_what_would_change(rule: Rule) -> None:
    assert (words.WORDINGS[rule.code].change is not None) == rule.may_be_relaxed


@pytest.mark.parametrize(("column", "kind"), [(2, RuleKind.STANDING), (3, RuleKind.CAPACITY)])
def test_the_readme_names_every_code_of_a_kind_in_the_catalogues_order(column: int, kind: RuleKind) -> None:
    readme = Path(matching.__path__[0], "README.md").read_text()
    (row,) = re.findall(r"^\| codes \|.*$", readme, re.M)

    assert re.findall(r"`(\w+)`", row.split("|")[column]) == [rule.code for rule in RULES if rule.kind is kind]
