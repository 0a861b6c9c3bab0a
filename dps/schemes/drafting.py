"""A new council's scheme file from a few answers: sealed bids, sensible defaults, each default marked as assumed.

What is drafted loads as it stands; a commissioner then changes what the council has decided otherwise.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from dps.kernel.calendar import LONDON
from dps.schemes.model import LegalBasis


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What a commissioner is asked. Lots are names by key, localities a name and postcode districts by key."""

    key: str
    name: str
    authority: str
    authority_name: str
    lads: Sequence[str]
    legal_basis: LegalBasis
    starts: date
    ends: date | None
    lots: Mapping[str, str]
    localities: Mapping[str, tuple[str, Sequence[str]]]
    floor_pence_per_hour: int
    ceiling_pence_per_hour: int
    quality_weight: int
    source: str = "the council's own decision"


def draft(answers: Answers) -> str:
    """The text of the scheme file, ending in a newline."""
    parts = (
        _head(answers),
        _rules_of_joining(),
        *(_lot(answers, key, name) for key, name in answers.lots.items()),
        *(_locality(key, name, districts) for key, (name, districts) in answers.localities.items()),
        _list_and_ladders(answers),
        _competition(answers),
        _award(),
        _payments(answers),
        _demo(answers),
    )
    return "\n".join("\n".join(part) + "\n" for part in parts)


def _head(answers: Answers) -> Iterator[str]:
    yield "# Drafted with sensible defaults. Change what the council decides otherwise."
    yield ""
    yield f"key = {_text(answers.key)}"
    yield f"name = {_text(answers.name)}"
    yield f"legal_basis = {_text(answers.legal_basis)}"
    yield f"source = {_text(answers.source)}"
    yield "assumed = ["
    yield '    "Every clock, window, weight, limit and closing in this file is a default that nobody has decided yet.",'
    yield "]"
    yield ""
    yield "# assumed: what parts equal bids, in this order."
    yield 'ties = ["earlier_start", "existing_provider", "own_preference", "fewer_hours_28_days", "lot"]'
    yield ""
    yield "[[authorities]]"
    yield f"key = {_text(answers.authority)}"
    yield f"name = {_text(answers.authority_name)}"
    yield f"lads = {_list(answers.lads)}"
    yield ""
    yield "[term]"
    yield f"starts = {answers.starts.isoformat()}"
    if answers.ends is not None:
        yield f"ends = {answers.ends.isoformat()}"


def _rules_of_joining() -> Iterator[str]:
    yield "# assumed"
    yield "[admission]"
    yield 'opening = "always"'
    yield "decision_working_days = 10"
    yield 'documents = ["public_liability_insurance", "employers_liability_insurance"]'
    yield ""
    yield '# assumed: what a rating is worth, and that only "inadequate" keeps a provider from being invited.'
    yield "[quality]"
    yield 'accepted = ["outstanding", "good", "requires_improvement", "not_rated"]'
    yield "scores = { outstanding = 100, good = 80, not_rated = 60, requires_improvement = 40, inadequate = 0 }"


def _lot(answers: Answers, key: str, name: str) -> Iterator[str]:
    yield "[[lots]]"
    yield f"key = {_text(key)}"
    yield f"name = {_text(name)}"
    floor, ceiling = answers.floor_pence_per_hour, answers.ceiling_pence_per_hour
    yield f"envelopes = [{{ floor_pence_per_hour = {floor}, ceiling_pence_per_hour = {ceiling} }}]"


def _locality(key: str, name: str, districts: Sequence[str]) -> Iterator[str]:
    yield "[[localities]]"
    yield f"key = {_text(key)}"
    yield f"name = {_text(name)}"
    yield f"districts = {_list(districts)}"


def _list_and_ladders(answers: Answers) -> Iterator[str]:
    yield "[[lists]]"
    yield 'key = "approved"'
    yield 'name = "Approved providers"'
    yield "published = true"
    calm = (("locality", "4wh", "published"), ("scheme", "4wh", "published"))
    pressing = (("locality", "2h", "own"), ("scheme", "2h", "own"))
    for urgencies, stages in ((["standard"], calm), (["urgent", "hospital_discharge", "crisis"], pressing)):
        yield ""
        yield "# assumed: who is asked, in which order, and for how long."
        yield "[[ladders]]"
        yield f"lots = {_list(list(answers.lots))}"
        yield f"urgencies = {_list(urgencies)}"
        yield 'ends = "unfilled"'
        for reach, window, closing in stages:
            where = "the locality" if reach == "locality" else "the whole scheme"
            yield ""
            yield "[[ladders.stages]]"
            yield f"key = {_text(reach)}"
            yield f"name = {_text(f'Approved providers of {where}')}"
            yield 'lists = ["approved"]'
            yield f"reach = {_text(reach)}"
            yield 'mode = "sealed_bid"'
            yield f"window = {_text(window)}"
            yield f"closing = {_text(closing)}"


def _competition(answers: Answers) -> Iterator[str]:
    yield "# assumed: standard rounds close together at these times of each working day."
    yield "[closings]"
    yield 'times = ["11:00", "15:00"]'
    yield 'minimum = "4wh"'
    yield ""
    yield "[evaluation]"
    yield f"rule = {_text('price_quality' if answers.quality_weight else 'lowest_price')}"
    yield f"price_weight = {100 - answers.quality_weight}"
    yield f"quality_weight = {answers.quality_weight}"
    if answers.quality_weight:
        yield "rating_points = 100"
    yield ""
    yield "# Each package by itself: joint allocation would have to publish and price every term that it weighs."
    yield "[allocation]"
    yield 'mode = "per_package"'


def _award() -> Iterator[str]:
    yield "# assumed: every clock and limit of an award."
    yield "[award]"
    yield 'acceptance = { standard = "4wh", urgent = "2wh", hospital_discharge = "2h", crisis = "30m" }'
    yield 'confirmation = "17:00+2wd"'
    yield "automatic_to_pence = 40000"
    yield "second_person_above_pence = 100000"
    yield 'bid_valid = "17:00+5wd"'
    yield ""
    yield "# assumed: when an unfilled package starts again from the first stage."
    yield "[unfilled]"
    yield 'restart = "09:00+2wd"'
    yield ""
    yield "[direct_award]"
    yield 'reasons = ["first_refusal", "restart", "increase", "persons_choice"]'


def _payments(answers: Answers) -> Iterator[str]:
    yield "# assumed: the notice of a provider who hands a contract back."
    yield "[variations.hand_back]"
    yield "notice_days = 28"
    yield 'without_notice = ["safety"]'
    yield ""
    yield "# assumed: delivered minutes at the contract's rate."
    yield "[[payments]]"
    yield f"lots = {_list(list(answers.lots))}"
    yield 'model = "delivered"'
    yield "tolerance_minutes = 5"


def _demo(answers: Answers) -> Iterator[str]:
    """From the term's first Monday, or its first day where it has none; at the middle of the envelope."""
    monday = answers.starts + timedelta(days=-answers.starts.weekday() % 7)
    starts = monday if answers.ends is None or monday < answers.ends else answers.starts
    yield "# assumed: how the rules are tried with `dps simulate`; a synthetic market, and no rule."
    yield "[demo]"
    yield f"starts_at = {datetime.combine(starts, time(8), tzinfo=LONDON).isoformat()}"
    yield "providers = 30"
    yield "referrals = 100"
    yield "weekly_hours = 13"
    yield "capacity_percent = 90"
    yield f"rate_pence_per_hour = {(answers.floor_pence_per_hour + answers.ceiling_pence_per_hour) // 2}"


def _text(text: str) -> str:
    """A TOML text: JSON's escapes are TOML's, which has one more character to escape."""
    return json.dumps(str(text), ensure_ascii=False).replace("\x7f", "\\u007f")


def _list(texts: Sequence[str]) -> str:
    return f"[{', '.join(map(_text, texts))}]"
