"""The numbers and sliders of a what-if: which there are, what they stand at, and what was set. Pure.

Each number has a slider that says the same. Without a script the two don't follow each other: whichever was moved
away from what the page showed counts, the number first.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dps.kernel.errors import BadInput
from dps.schemes.model import AllocationMode, EvaluationRule, Scheme, Urgency
from web.pages.forms import Form
from web.pages.wording import plain


@dataclass(frozen=True, slots=True)
class Knob:
    """One number: its field's name, its words, its unit, and where its slider ends. `at` is None where nothing counts.

    `scale` is how many of the rules' own unit one of the page's is: 100 pence a pound.
    """

    name: str
    label: str
    unit: str
    most: int
    step: int
    at: int | None
    scale: int = 1

    @property
    def slider_at(self) -> int:
        return min(self.at or 0, self.most)


_TERMS = (
    ("coverage_pence", "For each provider missing in an area", "£ a week", 1000, 5, 100),
    ("coverage_target", "Providers wanted in each area", "providers", 20, 1, 1),
    ("entry_pence", "For a provider new to an area", "£ a week", 200, 5, 100),
    ("quality_pence_per_point_hour", "For each point of quality short of 100, an hour", "pence", 100, 1, 1),
    ("locality_share_cap_percent", "Most of an area that one provider may have", "%", 100, 5, 1),
    ("awards_cap", "Most packages that one provider may win", "packages", 50, 1, 1),
    ("stability_pence", "For each change against the award before", "£ a week", 200, 5, 100),
)
_BY_URGENCY = (
    ("unplaced_pence_per_hour", "For an hour left unplaced", "£", 1000, 10, 100),
    ("start_delay_pence_per_day", "For each day that a start is late", "£", 100, 1, 100),
    ("waited_pence_per_day", "For each day that was waited", "£", 100, 1, 100),
)


def knobs_of(rules: Scheme) -> tuple[list[Knob], list[Knob]]:
    """The weights and prices of these rules, and those that differ by urgency."""
    terms = rules.allocation.terms.model_dump(mode="json")
    first = []
    if rules.evaluation.rule is EvaluationRule.PRICE_QUALITY:
        weight = rules.evaluation.price_weight
        first.append(Knob("price_weight", "Weight of the price; the rest is quality", "%", 100, 5, weight))
    first += [Knob(name, words, unit, most, step, _shown(terms[name], scale), scale)
              for name, words, unit, most, step, scale in _TERMS]  # fmt: skip
    return first, list(_by_urgency(terms))


def _by_urgency(terms: Mapping[str, Any]) -> Iterator[Knob]:
    for name, words, unit, most, step, scale in _BY_URGENCY:
        for urgency in Urgency:
            value = (terms[name] or {}).get(str(urgency))
            label = f"{words}: {plain(urgency).lower()}"
            yield Knob(f"{name}.{urgency}", label, unit, most, step, _shown(value, scale), scale)


def _shown(value: int | None, scale: int) -> int | None:
    return None if value is None else value // scale


def turned(rules: Scheme, form: Form) -> tuple[dict[str, int | None], dict[str, str]]:
    """What each knob was set to, and the faults by field; a knob that was not sent stays as it stands."""
    first, later = knobs_of(rules)
    found: dict[str, int | None] = {}
    faults: dict[str, str] = {}
    for knob in (*first, *later):
        try:
            found[knob.name] = _set(knob, form)
        except BadInput as bad:
            faults[knob.name] = str(bad.reason)
    return found, faults


def _set(knob: Knob, form: Form) -> int | None:
    if knob.name not in form.fields:
        return knob.at
    typed = form.whole(knob.name, f"write a whole number for “{knob.label}”, or nothing", most=1_000_000)
    slid, was = form.text(f"{knob.name}.slider"), form.text(f"{knob.name}.was")
    if form.text(knob.name) == was and slid.isdigit() and slid != form.text(f"{knob.name}.at"):
        return int(slid[:7])
    return typed


def terms_of(rules: Scheme, values: Mapping[str, int | None]) -> dict[str, Any]:
    """The priced terms in the rules' own units; what a page shows in pounds keeps its pence where it was not moved."""
    now = rules.allocation.terms.model_dump(mode="json")
    terms: dict[str, Any] = {}
    for knob in (one for part in knobs_of(rules) for one in part if one.name != "price_weight"):
        name, _, urgency = knob.name.partition(".")
        stands = (now[name] or {}).get(urgency) if urgency else now[name]
        value = values[knob.name]
        pence = stands if value == knob.at else None if value is None else value * knob.scale
        if urgency and pence is not None:
            terms.setdefault(name, {})[urgency] = pence
        elif not urgency:
            terms[name] = pence
    return terms


def is_joint(rules: Scheme, form: Form) -> bool:
    """Whether all packages of a closing are to be decided together."""
    chosen = form.text("mode")
    return chosen == AllocationMode.JOINT if chosen else rules.allocation.mode is AllocationMode.JOINT
