"""Removed, suspended, ended: what bars a provider, how far, and for how long."""

from datetime import datetime, timedelta
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dps.kernel.errors import BadInput
from matching.eligibility import (
    Candidate,
    DirectRoute,
    Membership,
    MembershipState,
    Need,
    Suspension,
    SuspensionScope,
    assess,
)
from tests.matching.eligibility.builders import A_DAY, AN_HOUR, NOON, a_candidate, a_membership, a_need

LISTS = ("preferred", "approved")
LOTS = ("personal_care", "night")
LOCALITIES = ("L4", "L5", "L6")
KEYS = list(product(LISTS, LOTS, LOCALITIES))
STANDING_ANYWHERE = {"removed", "suspended", "not_a_member", "membership_not_begun", "membership_ended"}


def removed(**changes: str) -> Membership:
    return a_membership(state=MembershipState.REMOVED, **changes)


def suspended(scope: SuspensionScope = SuspensionScope.NEW_WORK, **changes: str) -> Membership:
    return a_membership(state=MembershipState.SUSPENDED, suspension=Suspension(scope=scope), **changes)


def codes(need: Need, *memberships: Membership) -> list[str]:
    return [reason.code for reason in assess(need, a_candidate(memberships=memberships)).reasons]


instants = st.none() | st.sampled_from([NOON - A_DAY, NOON - AN_HOUR, NOON, NOON + timedelta(seconds=1), NOON + A_DAY])


@st.composite
def some_memberships(draw: st.DrawFn) -> tuple[Membership, ...]:
    """Up to every key, in any state and any dates."""
    found = []
    for list_name, lot, locality in draw(st.lists(st.sampled_from(KEYS), unique=True, max_size=len(KEYS))):
        state = draw(st.sampled_from(MembershipState))
        suspension = None
        if state is MembershipState.SUSPENDED:
            scope = draw(st.sampled_from(SuspensionScope))
            suspension = Suspension(scope=scope, starts_at=draw(instants), ends_at=draw(instants))
        found.append(
            Membership(
                list_name=list_name,
                lot=lot,
                locality=locality,
                state=state,
                starts_at=draw(instants),
                ends_at=draw(instants),
                suspension=suspension,
            )
        )
    return tuple(found)


@st.composite
def some_needs(draw: st.DrawFn) -> Need:
    """Any lists and reach, with and without a direct route to the candidate."""
    route = draw(st.none() | st.sampled_from(DirectRoute))
    return a_need(
        lot=draw(st.sampled_from(LOTS)),
        lists=draw(st.frozensets(st.sampled_from(LISTS), min_size=1)),
        reach=draw(st.frozensets(st.sampled_from(LOCALITIES))) | {"L4"},
        direct_route=route,
        direct_to=None if route is None else "PRV-1",
    )


def is_in_force(starts_at: datetime | None, ends_at: datetime | None) -> bool:
    return not (starts_at is not None and starts_at > NOON) and not (ends_at is not None and ends_at <= NOON)


def is_stopped(one: Membership, need: Need) -> bool:
    """Said again from the design, with none of the product's sets: in force, and of a scope that reaches this work."""
    if one.state is not MembershipState.SUSPENDED or one.suspension is None:
        return False
    if not is_in_force(one.starts_at, one.ends_at):
        return False
    reaches = one.suspension.scope != "new_work" or need.direct_route not in ("restart", "increase")
    return reaches and is_in_force(one.suspension.starts_at, one.suspension.ends_at)


def is_good(one: Membership, need: Need) -> bool:
    in_force = is_in_force(one.starts_at, one.ends_at)
    return one.state is not MembershipState.REMOVED and in_force and not is_stopped(one, need)


@given(some_memberships(), some_needs())
def test_whoever_is_eligible_was_not_suspended_for_this_work_in_this_locality(
    memberships: tuple[Membership, ...], need: Need
) -> None:
    assessment = assess(need, a_candidate(memberships=memberships))

    here = [one for one in memberships if (one.lot, one.locality) == (need.lot, need.locality)]
    if any(is_stopped(one, need) for one in here):
        assert not assessment.may_win


@given(some_memberships(), some_needs())
def test_whoever_is_eligible_was_not_removed_from_all_it_had_in_this_locality(
    memberships: tuple[Membership, ...], need: Need
) -> None:
    assessment = assess(need, a_candidate(memberships=memberships))

    here = [one for one in memberships if (one.lot, one.locality) == (need.lot, need.locality)]
    if here and all(one.state is MembershipState.REMOVED for one in here):
        assert not assessment.may_win
    if memberships and all(one.state is MembershipState.REMOVED for one in memberships):
        assert not assessment.may_win


@given(some_memberships(), some_needs())
def test_whoever_is_eligible_has_a_good_membership_that_was_asked(
    memberships: tuple[Membership, ...], need: Need
) -> None:
    assessment = assess(need, a_candidate(memberships=memberships))

    asked = [
        one for one in memberships if one.list_name in need.lists and one.lot == need.lot and one.locality in need.reach
    ]
    needs_none = need.direct_route in ("off_list", "restart", "increase")
    if not needs_none and not any(is_good(one, need) for one in asked):
        assert STANDING_ANYWHERE & {reason.code for reason in assessment.reasons}


@given(some_memberships(), some_needs(), some_memberships())
def test_one_more_removal_or_suspension_never_makes_anybody_eligible(
    memberships: tuple[Membership, ...], need: Need, others: tuple[Membership, ...]
) -> None:
    taken = {one.key for one in memberships}
    barred = [one for one in others if one.key not in taken and one.state is not MembershipState.ACTIVE]
    barred = [one for one in barred if one.state is MembershipState.REMOVED or is_stopped(one, need)]

    before = assess(need, a_candidate(memberships=memberships))
    after = assess(need, a_candidate(memberships=(*memberships, *barred)))

    assert before.may_win or not after.may_win


@given(some_memberships(), some_needs())
def test_the_order_of_memberships_changes_no_reason(memberships: tuple[Membership, ...], need: Need) -> None:
    forwards = assess(need, a_candidate(memberships=memberships))
    backwards = assess(need, a_candidate(memberships=memberships[::-1]))

    assert forwards == backwards


@given(some_memberships())
def test_a_membership_is_in_exactly_one_of_the_groups_that_have_a_rule(memberships: tuple[Membership, ...]) -> None:
    candidate = a_candidate(memberships=memberships)

    groups = (candidate.active, candidate.suspended, candidate.removed, candidate.not_begun, candidate.ended)
    assert sorted(key for group in groups for key in group.keys) == sorted(candidate.known.keys)
    assert candidate.held.keys == candidate.active.keys | candidate.suspended.keys
    assert candidate.suspended_from_changes.keys <= candidate.suspended.keys


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "is_biting"),
    [(None, None, True), (NOON, None, True), (NOON + AN_HOUR, None, False), (None, NOON + AN_HOUR, True)],
)
def test_a_suspension_bites_from_its_start(
    starts_at: datetime | None, ends_at: datetime | None, is_biting: bool
) -> None:
    suspension = Suspension(scope=SuspensionScope.ALL, starts_at=starts_at, ends_at=ends_at)

    found = codes(a_need(), a_membership(state=MembershipState.SUSPENDED, suspension=suspension))

    assert found == (["suspended"] if is_biting else [])


def test_a_neighbours_membership_is_no_way_round_a_removal_at_home() -> None:
    need = a_need(reach=frozenset({"L4", "L5"}))

    assert codes(need, removed(), a_membership(locality="L5")) == ["removed"]


def test_a_neighbours_membership_is_no_way_round_a_suspension_at_home() -> None:
    need = a_need(reach=frozenset({"L4", "L5"}))

    assert codes(need, suspended(), a_membership(locality="L5")) == ["suspended"]


def test_a_suspension_from_one_list_bites_on_another_in_the_same_locality() -> None:
    assert codes(a_need(), suspended(list_name="preferred"), a_membership()) == ["suspended"]


def test_a_provider_moved_from_one_list_to_another_is_asked_with_the_other() -> None:
    moved = (removed(list_name="preferred"), a_membership())

    assert codes(a_need(), *moved) == []
    assert codes(a_need(lists=frozenset({"preferred"})), *moved) == ["removed"]


def test_a_suspension_elsewhere_leaves_this_locality_alone() -> None:
    assert codes(a_need(), a_membership(), suspended(locality="L5"), suspended(lot="night")) == []


def test_an_off_list_spot_asks_no_membership() -> None:
    spot = a_need(lists=frozenset(), direct_route=DirectRoute.OFF_LIST, direct_to="PRV-1")

    assert codes(spot) == []


@pytest.mark.parametrize(
    "barred",
    [
        (removed(locality="L5"),),
        (suspended(locality="L5"),),
        (removed(), a_membership(locality="L5")),
        (removed(locality="L5"), a_membership(lot="night")),
        (removed(lot="night"),),
    ],
)
def test_an_off_list_spot_is_no_way_round_a_removal_or_a_suspension(barred: tuple[Membership, ...]) -> None:
    spot = a_need(lists=frozenset(), direct_route=DirectRoute.OFF_LIST, direct_to="PRV-1")

    assert len(codes(spot, *barred)) == 1


@pytest.mark.parametrize("route", [DirectRoute.RESTART, DirectRoute.INCREASE])
@pytest.mark.parametrize(
    ("scope", "found"),
    [
        (SuspensionScope.NEW_WORK, []),
        (SuspensionScope.CHANGES, ["suspended"]),
        (SuspensionScope.ALL, ["suspended"]),
    ],
)
def test_only_the_wider_suspensions_stop_a_restart_or_an_increase(
    route: DirectRoute, scope: SuspensionScope, found: list[str]
) -> None:
    need = a_need(direct_route=route, direct_to="PRV-1")

    assert codes(need, suspended(scope)) == found


def test_a_membership_with_several_faults_reports_each_of_them() -> None:
    need = a_need(lists=frozenset(LISTS), reach=frozenset(LOCALITIES))

    found = codes(
        need,
        removed(locality="L5"),
        a_membership(locality="L6", ends_at=NOON),
        a_membership(locality="L4", starts_at=NOON + A_DAY),
        suspended(list_name="preferred", locality="L5"),
    )

    assert found == ["suspended"]
    assert codes(need, removed(locality="L5"), a_membership(locality="L6", ends_at=NOON)) == [
        "removed",
        "membership_ended",
    ]


def test_the_reason_names_the_localities_and_the_end_of_the_suspension() -> None:
    until = NOON + A_DAY
    one = a_membership(state=MembershipState.SUSPENDED, suspension=Suspension(scope=SuspensionScope.ALL, ends_at=until))

    reason = assess(a_need(), a_candidate(memberships=(one,))).reasons[0]

    assert (reason.fact("localities"), reason.fact("until")) == (("L4",), until)


def test_two_memberships_of_one_key_are_refused() -> None:
    with pytest.raises(BadInput, match="two memberships"):
        Candidate(provider="PRV-1", at=NOON, memberships=(a_membership(), removed()))


def test_a_suspended_membership_without_its_suspension_is_refused() -> None:
    with pytest.raises(BadInput, match="suspension"):
        a_membership(state=MembershipState.SUSPENDED)
