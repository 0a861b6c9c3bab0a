"""What a closing is decided from: the rows of the competition as the solver's frozen records."""

from datetime import timedelta

import pytest

from bidding import deadline, publishing
from bidding.allocation import runs
from bidding.allocation.instance import policy_of
from bidding.bids.records import Bid
from bidding.closings import Closing, ExtensionReason
from dps.register.capacity import say_full
from dps.register.limits import LimitPart
from dps.schemes.loader import preset
from dps.schemes.model import Mode, Urgency
from matching import allocation as solver
from tests.bidding.allocation.closed import instance_of, scored
from tests.support.world import World

on_sqlite_alone = pytest.mark.parametrize("database_kind", ["sqlite"])

WEEK = 210
"""Carer-minutes of half an hour each morning."""


@on_sqlite_alone
def test_packages_are_named_by_their_rounds_with_what_the_scheme_says_of_leaving_them(liverpool: World) -> None:
    oak = liverpool.provider("Synthetic Oak", lists=["approved"])
    referrals = [liverpool.referral() for _ in range(2)]
    for referral in referrals:
        liverpool.bid(oak, referral, pence=1600)

    found = instance_of(liverpool, referrals[0])

    home = liverpool.scheme.localities[0].key
    assert [package.ref for package in found.packages] == [liverpool.round(referral).ref for referral in referrals]
    assert {(one.locality, one.weekly_minutes, one.priority) for one in found.packages} == {(home, WEEK, 4)}
    assert {one.unplaced_pence for one in found.packages} == {20_000 * WEEK // 60}


@on_sqlite_alone
def test_days_are_counted_from_the_day_on_which_the_search_began(world: World) -> None:
    oak, referral = world.provider("Synthetic Oak"), world.referral()
    (closing,) = world.rows(Closing)
    why = ExtensionReason.SYSTEM_UNAVAILABLE
    three_days = world.now + timedelta(days=3)
    world.run(deadline.extend, closing_ref=closing.ref, until=three_days, reason=why, actor=world.broker)
    world.bid(oak, referral, pence=1600)

    (package,) = instance_of(world, referral).packages

    assert package.days_waited == 3


@on_sqlite_alone
def test_a_bid_carries_its_cost_ties_and_commitment_and_no_reference_decides(world: World) -> None:
    oak, elm = world.provider("Synthetic Oak"), world.provider("Synthetic Elm")
    referral = world.referral(existing_provider=elm.provider)
    starts = world.now.date() + timedelta(days=5)
    world.bid(oak, referral, pence=1600)
    world.bid(elm, referral, pence=1650, starts_on=starts, preference=2)

    bids = {bid.provider: bid for bid in instance_of(world, referral).bids}

    commitments = {bid.provider: bid.commitment for bid in world.rows(Bid)}
    assert {provider: bid.lot_key for provider, bid in bids.items()} == commitments
    first, second = bids[oak.provider or ""], bids[elm.provider or ""]
    assert (first.weekly_pence, second.weekly_pence) == (1600 * WEEK // 60, 1650 * WEEK // 60)
    assert (first.weekly_minutes, first.rank, second.rank) == (WEEK, 1, 2)
    assert (first.start_delay_days, second.start_delay_days) == (0, 2)
    assert (first.preference, second.preference) == (None, 2)
    assert (first.tie[0], second.tie[0]) == (starts.toordinal() - 2, starts.toordinal())
    assert (first.tie[1], second.tie[1]) == (1, 0)  # the existing provider comes first


@on_sqlite_alone
def test_a_bundle_counts_once_at_the_sum_and_not_at_all_without_one_of_its_packages(liverpool: World) -> None:
    oak = liverpool.provider("Synthetic Oak", lists=["approved"])
    first, second, third = (liverpool.referral() for _ in range(3))
    whole = liverpool.bid(oak, first, second, pence=1600)["bid"]
    torn = liverpool.bid(oak, first, third, pence=1500)["bid"]
    closing_id = scored(liverpool, first)
    liverpool.run(publishing.withdraw, referral_ref=third, reason="Went to family.", actor=liverpool.broker)

    run = liverpool.run(runs.claim, closing_id=closing_id)

    assert run is not None
    bids = solver.instance_from_json(run.instance).bids
    assert [bid.ref for bid in bids] == [whole]
    assert torn not in str(bids)
    assert bids[0].packages == (liverpool.round(first).ref, liverpool.round(second).ref)
    assert (bids[0].weekly_pence, bids[0].weekly_minutes) == (2 * 1600 * WEEK // 60, 2 * WEEK)
    assert bids[0].rank is None


@on_sqlite_alone
def test_this_or_that_excludes_both_ways_whoever_of_the_two_says_it(liverpool: World) -> None:
    oak, elm = (liverpool.provider(f"Synthetic {name}", lists=["approved"]) for name in ("Oak", "Elm"))
    first, second = liverpool.referral(), liverpool.referral()
    this = liverpool.bid(oak, first, pence=1600, not_with=(liverpool.round(second).ref,))["bid"]
    that = liverpool.bid(oak, second, pence=1600)["bid"]
    others = liverpool.bid(elm, second, pence=1600)["bid"]

    excludes = {bid.ref: bid.excludes for bid in instance_of(liverpool, first).bids}

    assert excludes == {this: (that,), that: (this,), others: ()}


@on_sqlite_alone
def test_providers_bring_their_free_hours_and_what_is_left_of_their_limits(world: World) -> None:
    oak, elm = world.provider("Synthetic Oak", hours=7), world.provider("Synthetic Elm")
    won, referral = world.referral(urgency=Urgency.CRISIS), world.referral()
    world.limit(oak, LimitPart(packages=2, minutes=500))
    world.bid(oak, won, pence=1600)
    for provider in (oak, elm):
        world.bid(provider, referral, pence=1600)
    world.close(won)
    world.run(say_full, provider_id=world.row_of(elm).id or 0, actor=elm)

    providers = {provider.ref: provider for provider in instance_of(world, referral).providers}

    assert providers[oak.provider or ""].capacity_minutes == 7 * 60 - WEEK
    assert providers[elm.provider or ""].capacity_minutes == 0
    (limit,) = providers[oak.provider or ""].take_limits
    assert limit.packages == {world.round(referral).ref}
    assert (limit.max_packages, limit.max_minutes) == (1, 500 - WEEK)


@on_sqlite_alone
def test_who_serves_a_locality_counts_there_although_it_did_not_bid(liverpool: World) -> None:
    oak, elm = (liverpool.provider(f"Synthetic {name}", lists=["approved"]) for name in ("Oak", "Elm"))
    before = liverpool.referral()
    liverpool.bid(elm, before, pence=1600)
    liverpool.close(before)
    liverpool.accept_and_confirm(liverpool.award(before), elm)
    referral = liverpool.referral()
    liverpool.bid(oak, referral, pence=1600)

    found = instance_of(liverpool, referral)

    serves = {terms.provider: (terms.committed_minutes, terms.entry_pence) for terms in found.localities}
    assert serves == {oak.provider: (0, 5000), elm.provider: (WEEK, 5000)}
    assert {bid.provider for bid in found.bids} == {oak.provider}


def test_every_published_term_is_in_the_policy_and_a_window_of_acceptances_has_none() -> None:
    joint, single = preset("liverpool"), preset("st-helens")

    policy = policy_of(joint, Mode.SEALED_BID)

    assert policy.mode is solver.Mode.JOINT
    assert (policy.coverage_pence, policy.default_target, policy.awards_per_provider) == (25_000, 3, 12)
    assert (policy.locality_share_bp, policy.share_spares_first_package) == (6_000, True)
    assert policy.delay_pence_per_day == (5000, 3000, 1000, 200)
    assert policy.waiting_pence_per_day == (3000, 1500, 500, 100)
    assert (policy.quality_pence_per_point_hour, policy.stability_pence) == (2, 10_000)
    for scheme, mode in ((joint, Mode.ACCEPTANCE_WINDOW), (single, Mode.SEALED_BID)):
        assert policy_of(scheme, mode) == solver.Policy(mode=solver.Mode.PER_PACKAGE)
