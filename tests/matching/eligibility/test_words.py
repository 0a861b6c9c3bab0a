"""What each reader hears: brokers all of it, providers nothing confidential, auditors counts."""

from datetime import UTC, datetime

from matching.eligibility import (
    Candidate,
    DirectRoute,
    MembershipState,
    Need,
    OneChange,
    Reason,
    Suspension,
    SuspensionScope,
    assess,
    words,
)
from tests.matching.eligibility.builders import a_candidate, a_membership, a_need
from tests.matching.eligibility.test_every_rule import CASES

EXCLUDED = frozenset({"PRV-1"})


def the_reason(need: Need, candidate: Candidate) -> Reason:
    (reason,) = assess(need, candidate).reasons
    return reason


def test_a_provider_excluded_for_one_person_hears_only_that_it_was_not_invited() -> None:
    assessment = assess(a_need(excluded_providers=EXCLUDED), a_candidate())

    assert words.for_provider(assessment) == ("You were not invited to this package.",)
    assert "Excluded for this person" in words.for_broker(assessment.reasons[0])


def test_an_exclusion_among_other_reasons_leaves_no_trace_in_the_providers_words() -> None:
    excluded = assess(a_need(excluded_providers=EXCLUDED), a_candidate(is_full=True))
    not_excluded = assess(a_need(), a_candidate(is_full=True))

    assert words.for_provider(excluded) == words.for_provider(not_excluded) == ("You have said that you are full.",)


def test_an_exclusion_carries_no_facts() -> None:
    assert the_reason(a_need(excluded_providers=EXCLUDED), a_candidate()).facts == ()


def test_an_auditor_hears_how_many_and_not_why_a_person_was_kept_from_a_provider() -> None:
    assert words.for_auditor("confidential_exclusion", 1) == "1 provider: not invited."
    assert words.for_auditor("document_expired", 3) == "3 providers: a required document expired."


def test_an_eligible_provider_hears_no_reason() -> None:
    assert words.for_provider(assess(a_need(), a_candidate())) == ()


def test_what_a_person_needs_is_named_to_a_provider_only_where_it_is_published() -> None:
    assessment = assess(
        a_need(skills=frozenset({"end_of_life"}), flags=frozenset({"behaviour"})), a_candidate(skills=frozenset())
    )

    kept_back = " ".join(words.for_provider(assessment))
    named = " ".join(words.for_provider(assessment, may_name_needs=True))

    assert "end of life" not in kept_back
    assert "behaviour" not in kept_back
    assert "end of life" in named
    assert "behaviour" in named


def test_instants_are_told_in_local_time() -> None:
    until = datetime(2019, 7, 1, 23, 30, tzinfo=UTC)
    suspension = Suspension(scope=SuspensionScope.ALL, ends_at=until)
    one = a_membership(state=MembershipState.SUSPENDED, suspension=suspension)

    said = words.for_broker(the_reason(a_need(), a_candidate(memberships=(one,))))

    assert said == "It is suspended (L4) until 2 July 2019 at 00:30."


def test_a_suspension_without_an_end_lasts_until_it_is_lifted() -> None:
    one = a_membership(state=MembershipState.SUSPENDED, suspension=Suspension(scope=SuspensionScope.ALL))

    said = words.for_broker(the_reason(a_need(), a_candidate(memberships=(one,))))

    assert said == "It is suspended (L4) until it is lifted."


def test_minutes_are_told_in_hours_and_times_of_day() -> None:
    hours = CASES["outside_service_hours"]
    few = a_candidate(free_minutes=90)

    assert words.for_broker(the_reason(a_need(), few)) == "The package takes 10 h a week; it has 1 h 30 min free."
    assert words.for_broker(the_reason(a_need(), a_candidate(**hours.candidate))) == (
        "It works 08:00–23:00; the visits need 07:00–22:00."
    )


def test_days_routes_and_borders_are_told_plainly() -> None:
    expired = a_candidate(**CASES["document_expired"].candidate)
    chosen = a_need(direct_route=DirectRoute.PERSONS_CHOICE, direct_to="PRV-2")
    across = a_candidate(**CASES["no_base_in_area"].candidate)

    assert words.for_broker(the_reason(a_need(), expired)) == "Expired: insurance (last good day 11 June 2019)."
    assert "(the person's choice)" in words.for_broker(the_reason(chosen, a_candidate()))
    assert words.for_broker(the_reason(a_need(), across)) == (
        "It has no registered location in the area asked (across the border, where this stage does not reach)."
    )


def test_one_change_is_told_in_one_line() -> None:
    change = OneChange("not_a_member", pairs=3, providers=3, needs=1)

    assert words.in_one_line(change) == (
        "Had more lists or localities been asked, 3 more providers would have been eligible."
    )
