"""The catalogue: every rule once, in the order in which its reason is read out.

*Standing* rules say whether a provider may have this work at all; they are asked again before an offer goes out.
*Capacity* rules say whether it has room; at the award the ledger, under its row lock, and the allocation have already
counted this very bid, so that only "I'm full" is asked again.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeAlias

from matching.eligibility import capacity_rules, membership_rules, suitability_rules
from matching.eligibility.candidate import Candidate
from matching.eligibility.need import Need
from matching.eligibility.reason import Reason

Judge: TypeAlias = Callable[[Need, Candidate], Reason | None]


class RuleKind(StrEnum):
    """Whether the reason bars the provider or only finds it without room."""

    STANDING = "standing"
    CAPACITY = "capacity"


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: the code of its reason, its judge, and what may be done with the answer."""

    code: str
    judge: Judge
    kind: RuleKind = RuleKind.STANDING
    is_asked_at_award: bool = True
    may_be_relaxed: bool = True
    """False where nobody may be told to loosen it: exclusions, removals, suspensions."""
    is_confidential: bool = False
    """True where the provider hears "not invited" and nothing else."""


def _capacity(code: str, judge: Judge, *, is_asked_at_award: bool = False) -> Rule:
    return Rule(code, judge, RuleKind.CAPACITY, is_asked_at_award)


RULES: tuple[Rule, ...] = (
    Rule("not_the_provider_asked", membership_rules.is_not_the_provider_asked),
    Rule(
        "confidential_exclusion",
        membership_rules.is_excluded_for_this_person,
        may_be_relaxed=False,
        is_confidential=True,
    ),
    Rule("asked_before", membership_rules.was_asked_before),
    Rule("removed", membership_rules.has_been_removed, may_be_relaxed=False),
    Rule("suspended", membership_rules.is_suspended, may_be_relaxed=False),
    Rule("not_a_member", membership_rules.is_not_a_member),
    Rule("membership_not_begun", membership_rules.has_not_begun_membership),
    Rule("membership_ended", membership_rules.has_ended_membership),
    Rule("quality_score_too_low", membership_rules.scores_too_low),
    Rule("no_base_in_area", suitability_rules.has_no_base_in_area),
    Rule("rating_not_accepted", suitability_rules.has_no_accepted_rating),
    Rule("document_missing", suitability_rules.lacks_a_document),
    Rule("document_expired", suitability_rules.has_an_expired_document),
    Rule("skill_missing", suitability_rules.lacks_a_skill),
    Rule("flag_not_accepted", suitability_rules.does_not_accept_a_flag),
    Rule("outside_service_hours", suitability_rules.is_closed_at_these_hours),
    Rule("too_few_carers", suitability_rules.sends_too_few_carers),
    _capacity("full", capacity_rules.is_full, is_asked_at_award=True),
    _capacity("declaration_expired", capacity_rules.has_an_expired_declaration),
    _capacity("too_few_free_minutes", capacity_rules.has_too_few_free_minutes),
    _capacity("too_few_free_minutes_in_locality", capacity_rules.has_too_few_free_minutes_in_locality),
    _capacity("package_limit_reached", capacity_rules.has_reached_its_package_limit),
    _capacity("minutes_limit_reached", capacity_rules.has_reached_its_minutes_limit),
    _capacity("starts_limit_reached", capacity_rules.has_reached_its_starts_limit),
    _capacity("can_not_start_in_time", capacity_rules.can_not_start_in_time),
)

_BY_CODE = {one.code: one for one in RULES}
_ASKED = {
    (is_served_already, at_award): tuple(
        one.judge
        for one in RULES
        if not (is_served_already and one.kind is RuleKind.CAPACITY) and (one.is_asked_at_award or not at_award)
    )
    for is_served_already in (False, True)
    for at_award in (False, True)
}


def rule(code: str) -> Rule:
    """The rule whose reason carries `code`; KeyError if there is none."""
    return _BY_CODE[code]


def judges_asked(need: Need, *, at_award: bool) -> tuple[Judge, ...]:
    """The judges that this need is put before, in the catalogue's order."""
    return _ASKED[need.is_for_a_person_already_served, at_award]
