"""Which provider may be asked for which referral, and every reason why not.

Read in this order: `need` and `candidate` (the records), `reason` and the three files of rules, `rules` (the
catalogue), `assess` (one pair, or all of them), `one_change` (what single rule kept the most providers out), `words`.
"""

from matching.eligibility.assess import Assessment, Report, assess, assess_all
from matching.eligibility.candidate import (
    NOT_RATED,
    Candidate,
    Location,
    Membership,
    MembershipState,
    Suspension,
    SuspensionScope,
    TakeLimit,
)
from matching.eligibility.day_span import DaySpan
from matching.eligibility.need import DirectRoute, Need
from matching.eligibility.one_change import OneChange, one_change, one_changes
from matching.eligibility.reason import Reason
from matching.eligibility.rules import RULES, Rule, RuleKind, rule

__all__ = [
    "NOT_RATED",
    "RULES",
    "Assessment",
    "Candidate",
    "DaySpan",
    "DirectRoute",
    "Location",
    "Membership",
    "MembershipState",
    "Need",
    "OneChange",
    "Reason",
    "Report",
    "Rule",
    "RuleKind",
    "Suspension",
    "SuspensionScope",
    "TakeLimit",
    "assess",
    "assess_all",
    "one_change",
    "one_changes",
    "rule",
]
