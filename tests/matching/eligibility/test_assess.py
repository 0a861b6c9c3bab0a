"""Nothing stops at the first "no"; the report answers by need and by provider."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dps.kernel.errors import BadInput
from matching.eligibility import RULES, DirectRoute, Location, TakeLimit, assess, assess_all
from tests.matching.eligibility.builders import A_DAY, NOON, a_candidate, a_need
from tests.matching.eligibility.test_every_rule import CASES

NAIVE = NOON.replace(tzinfo=None)
# Where a declaration has expired nothing is free: that is the reason, and not these as well.
SILENCED = {"too_few_free_minutes", "too_few_free_minutes_in_locality"}


@given(st.lists(st.sampled_from([rule.code for rule in RULES]), unique=True))
def test_every_rule_that_bites_is_reported_in_the_catalogues_order(broken: list[str]) -> None:
    need_fields: dict[str, Any] = {}
    candidate_fields: dict[str, Any] = {}
    expected: set[str] = set()
    for code in broken:
        case = CASES[code]
        if not (case.need.keys() & need_fields.keys() or case.candidate.keys() & candidate_fields.keys()):
            need_fields |= case.need
            candidate_fields |= case.candidate
            expected.add(code)
    if "declaration_expired" in expected:
        expected -= SILENCED

    assessment = assess(a_need(**need_fields), a_candidate(**candidate_fields))

    assert [reason.code for reason in assessment.reasons] == [rule.code for rule in RULES if rule.code in expected]


def test_a_report_answers_by_need_by_provider_and_by_both() -> None:
    needs = [a_need(), a_need(ref="REF-2", weekly_minutes=1000)]
    candidates = [
        a_candidate(take_limits=()),
        a_candidate(provider="PRV-2", free_minutes=None, free_minutes_by_locality={}, take_limits=()),
    ]

    report = assess_all(needs, candidates)

    assert report.eligible_for("REF-1") == ("PRV-1", "PRV-2")
    assert report.eligible_for("REF-2") == ("PRV-2",)
    assert [one.need_ref for one in report.by_provider("PRV-1")] == ["REF-1", "REF-2"]
    assert [one.eligible for one in report.by_need("REF-2")] == [False, True]
    assert report.of("REF-2", "PRV-1") == assess(needs[1], candidates[0])
    assert report.reason_counts("REF-2") == {"too_few_free_minutes_in_locality": 1}


def test_a_report_agrees_with_each_pair_assessed_alone() -> None:
    needs = [a_need(ref=code, **case.need) for code, case in CASES.items()]
    candidates = [a_candidate(provider=f"PRV-{code}", **case.candidate) for code, case in CASES.items()]

    for at_award in (False, True):
        report = assess_all(needs, candidates, at_award=at_award)

        for need in needs:
            for candidate in candidates:
                alone = assess(need, candidate, at_award=at_award)
                assert report.of(need.ref, candidate.provider) == alone


def test_a_reference_given_twice_is_refused() -> None:
    with pytest.raises(BadInput, match="twice"):
        assess_all([a_need(), a_need()], [a_candidate()])
    with pytest.raises(BadInput, match="twice"):
        assess_all([a_need()], [a_candidate(), a_candidate()])


def test_an_unknown_reference_is_a_key_error() -> None:
    report = assess_all([a_need()], [a_candidate()])

    with pytest.raises(KeyError):
        report.by_need("REF-9")
    with pytest.raises(KeyError):
        report.by_provider("PRV-9")


def test_a_record_made_for_another_instant_is_refused() -> None:
    with pytest.raises(BadInput, match="different instants"):
        assess(a_need(), a_candidate(at=NOON + A_DAY))


def test_an_empty_market_and_an_empty_day_have_reports_too() -> None:
    assert assess_all([a_need()], []).eligible_for("REF-1") == ()
    assert assess_all([], [a_candidate()]).by_provider("PRV-1") == ()


@pytest.mark.parametrize(
    ("at", "is_eligible"),
    [
        (datetime(2019, 6, 12, 22, 59, tzinfo=UTC), True),
        (datetime(2019, 6, 12, 23, 0, tzinfo=UTC), False),
        (datetime(2019, 12, 12, 23, 59, tzinfo=UTC), True),
        (datetime(2019, 12, 13, 0, 0, tzinfo=UTC), False),
    ],
)
def test_a_document_is_good_through_its_last_day_in_local_time(at: datetime, is_eligible: bool) -> None:
    documents = {"insurance": date(at.year, at.month, 12), "accounts": None}

    assessment = assess(
        a_need(at=at, start_by=None), a_candidate(at=at, documents=documents, declaration_expires_at=None)
    )

    assert assessment.eligible is is_eligible


def test_the_tightest_of_the_limits_that_apply_decides() -> None:
    limits = (TakeLimit(packages_left=5), TakeLimit(packages_left=0, locality="L4"), TakeLimit(minutes_left=9000))

    assessment = assess(a_need(), a_candidate(take_limits=limits))

    assert [reason.code for reason in assessment.reasons] == ["package_limit_reached"]


def test_nothing_free_because_the_declaration_expired_is_told_once() -> None:
    candidate = a_candidate(free_minutes=0, free_minutes_by_locality={"L4": 0}, declaration_expires_at=NOON)

    assert [reason.code for reason in assess(a_need(), candidate).reasons] == ["declaration_expired"]


@pytest.mark.parametrize("left", [(599, 900), (900, 599)])
def test_the_fewest_minutes_left_decide_whichever_limit_is_named_first(left: tuple[int, int]) -> None:
    limits = tuple(TakeLimit(minutes_left=minutes) for minutes in left)

    reason = assess(a_need(), a_candidate(take_limits=limits)).reasons[0]

    assert (reason.code, reason.fact("needed"), reason.fact("left")) == ("minutes_limit_reached", 600, 599)


def locations_of(pairs: list[tuple[str, str]]) -> tuple[Location, ...]:
    return tuple(Location(ref=f"LOC-{n}", lad=lad, rating=rating) for n, (lad, rating) in enumerate(pairs))


def test_a_rating_counts_where_the_location_may_serve_from() -> None:
    near_and_poor = [("E08000012", "inadequate"), ("E08000035", "good")]
    two_near = [("E08000012", "inadequate"), ("E08000012", "good")]

    found = [
        [reason.code for reason in assess(a_need(), a_candidate(locations=locations_of(pairs))).reasons]
        for pairs in (near_and_poor, two_near)
    ]

    assert found == [["rating_not_accepted"], []]


def test_a_provider_without_locations_counts_as_not_rated() -> None:
    anywhere = a_need(area_lads=None)

    refused = assess(anywhere, a_candidate(locations=()))
    taken = assess(a_need(area_lads=None, accepted_ratings=frozenset({"not_rated"})), a_candidate(locations=()))

    assert refused.reasons[0].fact("ratings") == ("not_rated",)
    assert taken.eligible


def test_what_a_need_or_a_scheme_leaves_out_is_not_asked() -> None:
    need = a_need(
        accepted_ratings=None, area_lads=None, visit_hours=None, start_by=None, required_documents=frozenset()
    )
    candidate = a_candidate(locations=(), documents={}, free_minutes=None, declaration_expires_at=None)

    assert assess(need, candidate).eligible


@pytest.mark.parametrize(
    ("changes", "at_field"),
    [
        ({"at": NAIVE}, "at"),
        ({"weekly_minutes": 0}, "weekly_minutes"),
        ({"carers_needed": 3}, "carers_needed"),
        ({"reach": frozenset({"L5"})}, "reach"),
        ({"lists": frozenset()}, "lists"),
        ({"direct_to": "PRV-1"}, "direct_to"),
        ({"direct_route": DirectRoute.RESTART}, "direct_to"),
    ],
)
def test_a_need_that_contradicts_itself_is_refused(changes: dict[str, Any], at_field: str) -> None:
    with pytest.raises(BadInput) as refusal:
        a_need(**changes)

    assert refusal.value.field == at_field
