"""What counts against a take limit: everything won or offered since it was set, and never the award in question."""

import pytest

from bidding import aftercare, offers
from bidding.awards import moving
from bidding.in_play import usage
from dps.contracts.reasons import FailureReason
from dps.kernel.errors import NotEligible
from dps.register.limits import LimitPart
from dps.schemes.model import Urgency
from tests.support.world import World

WORDS = "Synthetic: said on the telephone."


def taken(world: World) -> dict[str, list[int]]:
    with world.database.reading() as session:
        return {
            provider: [one.minutes for one in counted] for provider, counted in usage(session, world.scheme.key).items()
        }


def test_awards_count_from_the_proposal_until_they_fall_through(world: World) -> None:
    oak = world.provider("Synthetic Oak")
    before = world.referral()
    world.bid(oak, before, pence=1600)
    world.close(before)
    world.step(minutes=1)
    assert taken(world) == {}  # no limit, nothing to count
    world.limit(oak, LimitPart(packages=3))
    assert taken(world) == {}  # won before the limit was set
    after = world.referral()
    world.bid(oak, after, pence=1600)
    world.close(after)
    assert taken(world) == {oak.provider: [210]}

    contract = world.accept_and_confirm(world.award(after), oak)
    assert taken(world) == {oak.provider: [210]}
    world.run(
        aftercare.fail_to_start,
        contract_ref=contract,
        reason=FailureReason.PROVIDER_COULD_NOT,
        actor=oak,
    )

    assert taken(world) == {}
    award = world.award(after)
    with world.database.reading() as session:
        assert usage(session, world.scheme.key, provider="PRV-OTHER") == {}
        assert usage(session, world.scheme.key, leave_out=[award.ref]) == {}


def test_a_limit_of_one_does_not_bar_its_own_ranked_offer(world: World) -> None:
    holder = world.provider("Synthetic Holder", lists=["end-of-life-contract"])
    world.limit(holder, LimitPart(packages=1))

    first, second = (world.referral(lot="end-of-life") for _ in range(2))

    assert (world.award(first).provider, world.award(first).state) == (holder.provider, "offered")
    assert world.awards(second) == []  # the unanswered offer counts as taken


def test_a_limit_of_one_does_not_bar_its_own_reserve(world: World) -> None:
    oak, elm = world.provider("Synthetic Oak"), world.provider("Synthetic Elm")
    world.limit(elm, LimitPart(packages=1))
    referral = world.referral()
    world.bid(oak, referral, pence=1600)
    world.bid(elm, referral, pence=1700)
    world.close(referral)

    world.run(moving.decline, award_ref=world.award(referral).ref, reason=WORDS, actor=oak)

    assert (world.award(referral).provider, world.award(referral).state) == (elm.provider, "offered")


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_limit_of_one_does_not_bar_its_own_first_acceptance_nor_allow_a_second(liverpool: World) -> None:
    oak = liverpool.provider("Synthetic Oak", lists=["preferred"])
    first, second = (liverpool.referral(urgency=Urgency.CRISIS) for _ in range(2))
    liverpool.limit(oak, LimitPart(packages=1))

    liverpool.run(offers.accept_first, round_ref=liverpool.round(first).ref, actor=oak)
    with pytest.raises(NotEligible, match="limit of packages"):
        liverpool.run(offers.accept_first, round_ref=liverpool.round(second).ref, actor=oak)

    assert liverpool.award(first).state == "accepted"
