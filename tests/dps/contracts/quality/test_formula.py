"""The published formula of the quality score, to the point."""

from typing import Any

import pytest

from dps.contracts.quality.evidence import Evidence
from dps.contracts.quality.formula import score
from dps.schemes.quality import Recognition

RULE: dict[str, Any] = {
    "weeks": 26,
    "outcomes_weight": 30,
    "reliability_weight": 25,
    "punctuality_weight": 15,
    "complaints_weight": 15,
    "hand_backs_weight": 15,
    "complaint_points": 25,
    "hand_back_points": 50,
    "least_contracts": 3,
    "without_evidence": 70,
    "appeal_days": 14,
}

WORK = Evidence(
    contracts=20,
    outcomes_agreed=30,
    outcomes_met=27,
    visits_done=980,
    visits_missed=20,
    visits_late=98,
    complaints_upheld=2,
    hand_backs=1,
    failed_starts=1,
)


def points(counts: Evidence, **rule: Any) -> dict[str, str]:
    return {part.name: str(part.points) for part in score(Recognition(**{**RULE, **rule}), counts).parts}


def test_five_parts_make_the_score() -> None:
    scored = score(Recognition(**RULE), WORK)

    # One complaint in ten contracts costs 25, one hand-back or failed start in ten 50.
    assert points(WORK) == {
        "outcomes": "90",
        "reliability": "98",
        "punctuality": "90",
        "complaints": "75",
        "hand-backs": "50",
    }
    assert scored.score == 84  # 27 + 24.5 + 13.5 + 11.25 + 7.5 = 83.75
    assert scored.parts[0].working == "27 of 30 outcomes met"


def test_too_few_contracts_say_nothing_and_neither_does_a_part_without_evidence() -> None:
    few = Evidence(contracts=2, complaints_upheld=2)
    no_visits = Evidence(contracts=3, outcomes_agreed=4, outcomes_met=4)

    assert score(Recognition(**RULE), few).score == 70
    assert points(no_visits)["reliability"] == points(no_visits)["punctuality"] == "70"
    assert points(no_visits)["outcomes"] == points(no_visits)["complaints"] == "100"


@pytest.mark.parametrize(("upheld", "left"), [(0, "100"), (1, "0"), (4, "0")])
def test_no_part_falls_below_nothing(upheld: int, left: str) -> None:
    assert points(Evidence(contracts=3, complaints_upheld=upheld), complaint_points=60)["complaints"] == left


def test_half_a_point_counts_in_full() -> None:
    exact = Evidence(contracts=4, outcomes_agreed=2, outcomes_met=1)

    one = score(
        Recognition(**{**RULE, "outcomes_weight": 31, "reliability_weight": 24, "without_evidence": 100}), exact
    )

    assert one.score == 85  # 15.5 + 69 = 84.5
