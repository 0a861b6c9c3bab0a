"""Why nobody was eligible: the one rule that kept out the most."""

from typing import Any

from matching.eligibility import Candidate, OneChange, assess_all, one_change, one_changes, words
from tests.matching.eligibility.builders import a_candidate, a_membership, a_need
from tests.matching.eligibility.test_every_rule import CASES, limited_to


def providers(**made: dict[str, Any]) -> list[Candidate]:
    return [a_candidate(provider=name, **changes) for name, changes in made.items()]


def test_the_rule_that_alone_kept_out_the_most_is_named() -> None:
    report = assess_all(
        [a_need()],
        providers(
            full_1={"is_full": True},
            full_2={"is_full": True},
            elsewhere={"memberships": (a_membership(locality="L5"),)},
            both_1={"most_carers": 1, "skills": frozenset()},
            both_2={"most_carers": 1, "skills": frozenset()},
            both_3={"most_carers": 1, "skills": frozenset()},
        ),
    )

    change = one_change(report)

    assert change == OneChange("full", pairs=2, providers=2, needs=1)
    assert [one.code for one in one_changes(report)] == ["full", "not_a_member"]


def test_equal_counts_stand_in_the_catalogues_order() -> None:
    report = assess_all([a_need()], providers(late=limited_to(starts_left=0), single={"most_carers": 1}))

    assert [one.code for one in one_changes(report)] == ["too_few_carers", "starts_limit_reached"]


def test_nobody_is_led_to_loosen_an_exclusion_a_removal_or_a_suspension() -> None:
    need = a_need(excluded_providers=frozenset({"excluded"}))
    barred = {name: CASES[name].candidate for name in ("removed", "suspended")}

    report = assess_all([need], providers(excluded={}, **barred))

    assert report.eligible_for(need.ref) == ()
    assert one_change(report) is None


def test_a_report_of_several_needs_counts_pairs_providers_and_needs_apart() -> None:
    report = assess_all([a_need(), a_need(ref="REF-2")], providers(one={"is_full": True}, two={}))

    change = one_change(report)

    assert change == OneChange("full", pairs=2, providers=1, needs=2)
    assert one_change(report, "REF-2") == OneChange("full", pairs=1, providers=1, needs=1)
    assert words.in_one_line(change) == (
        "Had they not said that they are full, 1 provider would have been eligible 2 more times, over 2 referrals."
    )


def test_the_change_counted_is_what_happens_when_it_is_made() -> None:
    needs = [a_need(carers_needed=2)]
    candidates = providers(one={"most_carers": 1}, two={"most_carers": 1}, three={"most_carers": 1, "is_full": True})
    before = assess_all(needs, candidates)

    after = assess_all([a_need(carers_needed=1)], candidates)

    change = one_change(before)
    assert change is not None
    assert change.code == "too_few_carers"
    assert len(after.eligible_for("REF-1")) - len(before.eligible_for("REF-1")) == change.providers
