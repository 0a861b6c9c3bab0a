"""Why nobody was eligible: the single rule without which the most providers would have been.

A pair counts for a rule when that rule's reason is its only one. Exclusions of a person, removals and suspensions are
never proposed: nobody may be led to loosen them.
"""

from collections import defaultdict
from dataclasses import dataclass

from matching.eligibility.assess import Assessment, Report
from matching.eligibility.rules import RULES


@dataclass(frozen=True, slots=True)
class OneChange:
    """Without the rule `code`, `pairs` more (need, provider) pairs were eligible: `providers` over `needs`."""

    code: str
    pairs: int
    providers: int
    needs: int


def one_changes(report: Report, need_ref: str | None = None) -> tuple[OneChange, ...]:
    """Every rule that alone kept a provider out, the most pairs first; equal counts in the catalogue's order.

    Over one need, or over the whole report. KeyError for a need that is not in it.
    """
    need_refs = report.needs if need_ref is None else (need_ref,)
    alone: dict[str, list[Assessment]] = defaultdict(list)
    for ref in need_refs:
        for one in report.by_need(ref):
            if len(one.reasons) == 1:
                alone[one.reasons[0].code].append(one)
    changes = [_counted(rule.code, alone[rule.code]) for rule in RULES if rule.may_be_relaxed and rule.code in alone]
    return tuple(sorted(changes, key=lambda change: -change.pairs))


def one_change(report: Report, need_ref: str | None = None) -> OneChange | None:
    """The first of `one_changes`; None when no single rule kept anybody out."""
    return next(iter(one_changes(report, need_ref)), None)


def _counted(code: str, pairs: list[Assessment]) -> OneChange:
    return OneChange(code, len(pairs), len({one.provider for one in pairs}), len({one.need_ref for one in pairs}))
