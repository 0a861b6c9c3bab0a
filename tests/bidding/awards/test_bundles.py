"""A bundle is one bid for several packages: its awards are offered, taken, confirmed and lost together."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bidding import publishing
from bidding.awards import moving
from bidding.awards.records import Award
from bidding.bids.records import Bid
from dps.kernel.actors import Actor
from dps.kernel.database import locked_one
from dps.kernel.errors import TooLate
from dps.register.capacity import declare
from dps.register.holds import Hold
from tests.bidding.awards.stories import AUTOMATIC, ONE_PERSON
from tests.support.world import World

WORDS = "Synthetic: said on the telephone."
Bundle = tuple[World, tuple[str, str], Actor, Actor]


@pytest.fixture
def bundle(liverpool: World) -> Bundle:
    """Two packages that one provider was offered together, and a reserve for each of them."""
    world = liverpool
    oak, elm = (world.provider(f"Synthetic {name}", lists=["approved"]) for name in ("Oak", "Elm"))
    one, two = _in_two_places(world)
    world.bid(oak, one, two, pence=1450)
    world.bid(elm, one, pence=1700)
    world.bid(elm, two, pence=1700)
    world.close(one)
    return world, (one, two), oak, elm


def _in_two_places(world: World, visits: str = AUTOMATIC) -> tuple[str, str]:
    """Two packages of different localities, so that no cap on a locality's share parts them."""
    here, there = (locality.key for locality in world.scheme.localities[:2])
    return world.referral(locality=here), world.referral(locality=there, visits=visits)


def latest(bundle: Bundle) -> list[Award]:
    return [bundle[0].award(referral) for referral in bundle[1]]


def firsts(bundle: Bundle) -> list[str]:
    return [str(bundle[0].awards(referral)[0].state) for referral in bundle[1]]


def decline(bundle: Bundle) -> None:
    bundle[0].run(moving.decline, award_ref=latest(bundle)[1].ref, reason=WORDS, actor=bundle[2])


def give_back(bundle: Bundle) -> None:
    ref = latest(bundle)[1].ref
    bundle[0].run(moving.accept, award_ref=ref, actor=bundle[2])
    bundle[0].run(moving.give_back, award_ref=ref, reason=WORDS, actor=bundle[2])


def refused(bundle: Bundle) -> None:
    bundle[0].run(moving.refused_by_person, award_ref=latest(bundle)[0].ref, reason=WORDS, actor=bundle[0].broker)


def overturned(bundle: Bundle) -> None:
    for person in (bundle[0].broker, bundle[0].second):
        bundle[0].run(moving.overturn, award_ref=latest(bundle)[0].ref, reason=WORDS, actor=person)


def unanswered(bundle: Bundle) -> None:
    answer_by = latest(bundle)[0].answer_by
    assert answer_by is not None
    bundle[0].move_to(answer_by)


def unconfirmed(bundle: Bundle) -> None:
    bundle[0].run(moving.accept, award_ref=latest(bundle)[1].ref, actor=bundle[2])
    confirm_by = latest(bundle)[0].confirm_by
    assert confirm_by is not None
    bundle[0].move_to(confirm_by)


@pytest.mark.parametrize(
    ("fall", "left"),
    [
        (decline, ["declined", "declined"]),
        (give_back, ["returned", "returned"]),
        (refused, ["refused_by_person", "expired"]),
        (overturned, ["overturned", "expired"]),
        (unanswered, ["expired", "expired"]),
        (unconfirmed, ["expired", "expired"]),
    ],
)
def test_what_one_package_of_a_bundle_loses_all_of_it_loses(
    bundle: Bundle, fall: Callable[[Bundle], None], left: list[str]
) -> None:
    world, _, oak, elm = bundle
    assert [(award.provider, str(award.state)) for award in latest(bundle)] == [(oak.provider, "offered")] * 2

    fall(bundle)

    assert firsts(bundle) == left
    assert [(award.provider, str(award.state)) for award in latest(bundle)] == [(elm.provider, "offered")] * 2
    assert world.faults() == []


def test_a_bundle_is_confirmed_as_a_whole(bundle: Bundle) -> None:
    world, (one, two), oak, _ = bundle
    first, second = latest(bundle)

    contract = world.accept_and_confirm(second, oak)

    assert firsts(bundle) == ["confirmed", "confirmed"]
    assert (world.state(one), world.state(two)) == ("placed", "placed")
    contracts = {event.body["award"]: event.body["contract"] for event in world.events("referral.place")}
    assert contracts.keys() == {first.ref, second.ref}
    assert contracts[second.ref] == contract
    assert sorted(str(bid.state) for bid in world.rows(Bid)) == ["awarded", "unsuccessful", "unsuccessful"]


def test_the_earliest_end_of_a_bundle_ends_it_whole(bundle: Bundle) -> None:
    """Its packages may differ in urgency, and with it in how long an answer may take."""
    world, _, oak, elm = bundle
    first, second = latest(bundle)
    world.run(moving.accept, award_ref=second.ref, actor=oak)
    soon = world.now + timedelta(minutes=30)
    with world.database.transaction() as session:
        locked_one(session, Award, first.id).confirm_by = soon
    world.clock.move_to(soon)

    with pytest.raises(TooLate):
        world.run(moving.confirm, award_ref=second.ref, actor=oak)
    world.timetable.sweep()

    assert firsts(bundle) == ["expired", "expired"]
    assert [award.provider for award in latest(bundle)] == [elm.provider] * 2
    assert world.events("contract.agreed") == []


def test_a_held_package_takes_its_bundle_with_it_and_the_other_goes_to_its_reserve(bundle: Bundle) -> None:
    world, (one, two), _, elm = bundle

    world.run(publishing.hold, referral_ref=one, reason="In hospital.", actor=world.broker)

    assert firsts(bundle) == ["expired", "expired"]
    assert (len(world.awards(one)), world.award(two).provider) == (1, elm.provider)


def test_a_bundle_is_offered_when_all_of_it_is_approved(liverpool: World) -> None:
    world = liverpool
    oak = world.provider("Synthetic Oak", lists=["approved"])
    small, large = _in_two_places(world, ONE_PERSON)
    world.bid(oak, small, large, pence=1600)
    world.close(small)
    assert [str(world.award(ref).state) for ref in (small, large)] == ["proposed", "proposed"]

    world.run(moving.approve, award_ref=world.award(large).ref, actor=world.broker)

    assert [str(world.award(ref).state) for ref in (small, large)] == ["offered", "offered"]


def test_a_bundle_that_no_longer_fits_is_given_up_whole(liverpool: World) -> None:
    world = liverpool
    oak, elm = (world.provider(f"Synthetic {name}", lists=["approved"]) for name in ("Oak", "Elm"))
    small, large = _in_two_places(world, ONE_PERSON)
    world.bid(oak, small, large, pence=1450)
    world.bid(elm, small, pence=1800)
    world.close(small)
    world.run(
        declare,
        provider_id=world.row_of(oak).id or 0,
        authority=world.authority,
        minutes=30 * 60,
        expires_at=world.now + timedelta(days=30),
        actor=oak,
    )

    world.run(moving.approve, award_ref=world.award(large).ref, actor=world.broker)

    assert [str(world.awards(ref)[0].state) for ref in (small, large)] == ["expired", "expired"]
    assert (world.award(small).provider, len(world.awards(large))) == (elm.provider, 1)
    assert world.round(large).stage_key != "preferred"
    assert [str(hold.state) for hold in world.rows(Hold, Hold.provider_id == world.row_of(oak).id)] == ["released"]


def test_words_about_a_bundle_stand_under_the_named_awards_person_alone(bundle: Bundle) -> None:
    world, (one, two), _, _ = bundle

    decline(bundle)

    assert (world.said(one), world.said(two)) == ([], [("decline", WORDS)])
    assert firsts(bundle) == ["declined", "declined"]
