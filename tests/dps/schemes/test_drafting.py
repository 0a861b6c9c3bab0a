"""A drafted scheme loads as it stands, whatever a commissioner calls things."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dps.schemes.drafting import Answers, draft
from dps.schemes.loader import load
from dps.schemes.model import EvaluationRule, LegalBasis, Mode, Urgency

ANSWERS = Answers(
    key="rutland",
    name="Rutland: home care",
    authority="rutland",
    authority_name="Rutland County Council",
    lads=["E06000017"],
    legal_basis=LegalBasis.LIGHT_TOUCH_FRAMEWORK,
    starts=date(2026, 4, 1),
    ends=date(2030, 4, 1),
    lots={"personal-care": "Personal care", "reablement": "Reablement"},
    localities={"oakham": ("Oakham & Uppingham", ["LE15"]), "stamford-side": ("Stamford side", ["PE9"])},
    floor_pence_per_hour=1800,
    ceiling_pence_per_hour=2800,
    quality_weight=40,
)


def test_a_draft_loads_and_marks_what_nobody_decided() -> None:
    text = draft(ANSWERS)

    scheme = load(text)

    assert (scheme.key, [lot.key for lot in scheme.lots]) == ("rutland", ["personal-care", "reablement"])
    assert {stage.mode for urgency in Urgency for stage in scheme.ladder("reablement", urgency).stages} == {
        Mode.SEALED_BID
    }
    assert (scheme.evaluation.price_weight, scheme.evaluation.quality_weight) == (60, 40)
    assert scheme.payment("personal-care") is not None
    assert text.count("# assumed") >= 8
    assert scheme.assumed


@pytest.mark.parametrize(
    ("starts", "ends", "first"),
    [
        (date(2026, 4, 1), None, "2026-04-06T07:00:00+00:00"),
        (date(2026, 12, 7), date(2027, 1, 1), "2026-12-07T08:00:00+00:00"),
        (date(2026, 12, 8), date(2026, 12, 11), "2026-12-08T08:00:00+00:00"),
    ],
)
def test_a_draft_can_be_tried_from_the_first_monday_of_its_term(starts: date, ends: date | None, first: str) -> None:
    demo = load(draft(replace(ANSWERS, starts=starts, ends=ends))).demo

    assert demo is not None
    assert (demo.starts_at.isoformat(), demo.rate_pence_per_hour) == (first, 2300)


def test_price_alone_and_no_end_are_answers_too() -> None:
    scheme = load(draft(replace(ANSWERS, quality_weight=0, ends=None)))

    assert (scheme.evaluation.rule, scheme.term.ends) == (EvaluationRule.LOWEST_PRICE, None)


@settings(max_examples=40)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_no_name_becomes_a_rule(name: str) -> None:
    scheme = load(draft(replace(ANSWERS, name=name, authority_name=name, lots={"personal-care": name})))

    assert (scheme.name, scheme.authorities[0].name, scheme.lots[0].name) == (name, name, name)


@pytest.mark.parametrize("basis", [LegalBasis.OPEN_FRAMEWORK, LegalBasis.DYNAMIC_MARKET, LegalBasis.PSR])
def test_every_legal_basis_of_today_can_be_drafted(basis: LegalBasis) -> None:
    assert load(draft(replace(ANSWERS, legal_basis=basis))).legal_basis is basis
