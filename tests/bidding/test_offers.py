"""Without sealed bids: one after another, the first to accept, direct awards, and the open list."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from bidding import offers, publishing
from bidding.awards import moving
from bidding.awards.records import Source
from bidding.bids.records import Bid
from bidding.offers import OpenOffer
from bidding.rounds import Invitation, Round
from dps.kernel.actors import Actor, Role
from dps.kernel.errors import (
    BadInput,
    Conflict,
    Forbidden,
    InvalidBid,
    NeedsSecondPerson,
    NoSuchStep,
    NotEligible,
    NotFound,
    Refused,
    TakenByAnother,
    TooLate,
    WrongMode,
)
from dps.register.interests import declare_interest
from dps.register.providers import register_provider
from dps.schemes.model import Mode, Urgency
from tests.dps.kernel.waiting import begun_and_waiting
from tests.support.race import race
from tests.support.world import World

WORDS = "Synthetic: said on the telephone."


# One after another


def test_a_ranked_offer_asks_one_after_another_and_nobody_else_knows(ranked: World) -> None:
    holders = [ranked.provider(f"Synthetic {name}", lists=["end-of-life-contract"]) for name in ("Oak", "Elm", "Ash")]
    ranked.provider("Synthetic Approved", lists=["approved"])
    referral = ranked.referral(lot="end-of-life")
    order = [row.provider for row in sorted(ranked.rows(Invitation), key=lambda row: row.position)]
    by_ref = {holder.provider: holder for holder in holders}

    for place, provider in enumerate(order):
        award = ranked.award(referral)
        assert (award.provider, award.state, award.source) == (provider, "offered", Source.RANKED_OFFER)
        assert award.weekly_pence == 6125  # 3.5 hours at the published £17.50
        states = [str(row.state) for row in sorted(ranked.rows(Invitation), key=lambda row: row.position)]
        assert states[place:] == ["invited"] + ["waiting"] * (len(order) - place - 1)
        ranked.run(moving.decline, award_ref=award.ref, reason=WORDS, actor=by_ref[provider])

    assert (ranked.round(referral).stage_key, ranked.round(referral).mode) == ("approved", "sealed_bid")
    assert ranked.faults() == []


def test_the_window_of_a_ranked_stage_is_the_time_that_each_provider_has(ranked: World) -> None:
    """The end-of-life contract's rung says two hours; other standard offers are answered in four working hours."""
    for name in ("Oak", "Elm"):
        ranked.provider(f"Synthetic {name}", lists=["end-of-life-contract"])
    referral = ranked.referral(lot="end-of-life")
    first = ranked.award(referral)
    assert ranked.scheme.award.acceptance[Urgency.STANDARD].words() == "4 working hours"

    assert first.answer_by == ranked.now + timedelta(hours=2)
    ranked.move_to(first.answer_by - timedelta(microseconds=1))
    assert ranked.award(referral).ref == first.ref
    ranked.move_to(first.answer_by)

    second = ranked.award(referral)
    assert (ranked.awards(referral)[0].state, second.state) == ("expired", "offered")
    assert second.answer_by == first.answer_by + timedelta(hours=2)


def test_the_published_order_is_drawn_and_recorded(ranked: World) -> None:
    for name in ("Oak", "Elm", "Ash"):
        ranked.provider(f"Synthetic {name}", lists=["end-of-life-contract"])

    ranked.referral(lot="end-of-life")

    (drawn,) = ranked.events("round.order_drawn")
    assert (drawn.body["of"], len(drawn.body["seed"])) == (3, 32)


# The first to accept


def crisis(world: World, *names: str) -> tuple[str, list[Actor]]:
    providers = [world.provider(f"Synthetic {name}", lists=["preferred"]) for name in names]
    return world.referral(urgency=Urgency.CRISIS), providers


def test_of_sixteen_who_accept_at_once_one_has_the_package(liverpool: World) -> None:
    referral, providers = crisis(liverpool, *(f"Provider {number}" for number in range(16)))
    round_ref = liverpool.round(referral).ref

    answers = race(
        [
            lambda one=one: liverpool.run(offers.accept_first, round_ref=round_ref, actor=one)  # type: ignore[misc]
            for one in providers
        ]
    )

    taken = [answer for answer in answers if isinstance(answer, str)]
    assert len(taken) == 1
    assert sum(isinstance(answer, TakenByAnother) for answer in answers) == 15
    (award,) = liverpool.awards(referral)
    assert (award.ref, award.state, award.weekly_pence) == (taken[0], "accepted", 5600)
    assert len(liverpool.events("hold.reserve")) == 1


def test_the_first_acceptance_needs_an_invitation_an_open_window_and_its_own_mode(liverpool: World) -> None:
    referral, (oak,) = crisis(liverpool, "Oak")
    elsewhere = liverpool.provider("Synthetic Elsewhere", localities=["speke-garston"])
    standard = liverpool.referral()
    accept, ref = offers.accept_first, liverpool.round(referral).ref

    for actor, round_ref, error in (
        (elsewhere, ref, NotFound),
        (oak, "RND-0000-0000-0000", NotFound),
        (oak, liverpool.round(standard).ref, WrongMode),
        (liverpool.broker, ref, Forbidden),
    ):
        with pytest.raises(error):
            liverpool.run(accept, round_ref=round_ref, actor=actor)
    liverpool.clock.move_to(liverpool.closes_at(referral))
    with pytest.raises(TooLate):
        liverpool.run(accept, round_ref=ref, actor=oak)
    liverpool.timetable.sweep()

    assert liverpool.round(referral).stage_key == "city"
    assert liverpool.awards(referral) == []


def test_who_comes_second_hears_that_another_was_first_and_not_that_it_is_late(liverpool: World) -> None:
    referral, (oak, elm) = crisis(liverpool, "Oak", "Elm")
    ref = liverpool.round(referral).ref
    award = liverpool.run(offers.accept_first, round_ref=ref, actor=oak)

    with pytest.raises(TakenByAnother):
        liverpool.run(offers.accept_first, round_ref=ref, actor=elm)
    with pytest.raises(NoSuchStep):
        liverpool.run(offers.accept_first, round_ref=ref, actor=oak)
    liverpool.run(moving.confirm, award_ref=award, actor=oak)
    with pytest.raises(TakenByAnother):
        liverpool.run(offers.accept_first, round_ref=ref, actor=elm)
    liverpool.clock.move_to(liverpool.round(referral).closes_at or liverpool.now)
    with pytest.raises(TooLate):
        liverpool.run(offers.accept_first, round_ref=ref, actor=elm)


def test_a_round_that_was_cancelled_is_taken_by_nobody(liverpool: World) -> None:
    referral, (oak,) = crisis(liverpool, "Oak")
    ref = liverpool.round(referral).ref
    liverpool.run(publishing.withdraw, referral_ref=referral, reason=WORDS, actor=liverpool.broker)

    with pytest.raises(InvalidBid, match="cancelled"):
        liverpool.run(offers.accept_first, round_ref=ref, actor=oak)


# Direct awards


def award_directly(world: World, referral: str, to: Actor, **more: Any) -> Any:
    request: dict[str, Any] = {
        "referral_ref": referral,
        "provider": to.provider,
        "reason": "persons_choice",
        "content": world.content(referral, 1700),
        "actor": world.broker,
        **more,
    }
    return world.run(offers.award_directly, **request)


def test_a_direct_award_cuts_the_competition_short_and_stands_beside_its_closing(world: World) -> None:
    oak, elm = world.provider("Synthetic Oak"), world.provider("Synthetic Elm")
    referral, other = world.referral(), world.referral()
    closes_at = world.closes_at(referral)
    world.bid(elm, referral, pence=1500)
    world.bid(elm, other, pence=1500)
    world.step(hours=6)

    award = award_directly(world, referral, oak)

    assert (award.state, award.reason, award.approved_by) == ("offered", "persons_choice", (world.broker.ref,))
    rounds = world.rows(Round)
    assert [(round_.mode, str(round_.state)) for round_ in rounds if round_.referral_id == 1] == [
        ("sealed_bid", "cancelled"),
        ("direct_award", "published"),
    ]
    assert [str(bid.state) for bid in world.rows(Bid)] == ["lapsed", "sealed"]
    world.move_to(closes_at)  # the closing of both rounds decides the other one alone
    assert (world.award(referral).provider, world.award(other).provider) == (oak.provider, elm.provider)
    world.accept_and_confirm(world.award(referral), oak)
    assert world.state(referral) == "placed"
    assert world.faults() == []


def test_a_direct_award_that_comes_to_nothing_gives_way_to_the_stage_it_cut_short(world: World) -> None:
    oak, elm = world.provider("Synthetic Oak"), world.provider("Synthetic Elm")
    referral = world.referral()
    award = award_directly(world, referral, oak)

    world.run(moving.decline, award_ref=award.ref, reason=WORDS, actor=oak)

    asked = world.round(referral)
    assert (asked.stage_key, asked.attempt, asked.mode, str(asked.state)) == ("approved", 3, "sealed_bid", "published")
    assert world.invited(referral) == {oak.provider, elm.provider}


def test_no_direct_award_once_bids_may_be_open_or_beside_another_award(world: World) -> None:
    oak, elm = world.provider("Synthetic Oak"), world.provider("Synthetic Elm")
    referral = world.referral()
    world.bid(elm, referral, pence=1600)
    world.clock.move_to(world.closes_at(referral))

    with pytest.raises(Conflict):  # the instant has come, whether a sweep has said so or not
        award_directly(world, referral, oak)
    world.timetable.sweep()
    with pytest.raises(Conflict):
        award_directly(world, referral, oak)

    assert [award.provider for award in world.awards(referral)] == [elm.provider]


def test_a_direct_award_needs_a_reason_of_the_scheme_a_lawful_price_and_somebody_without_a_tie(world: World) -> None:
    oak = world.provider("Synthetic Oak")
    referral = world.referral()
    outsider = Actor(ref="user-9", role=Role.PROVIDER, provider="PRV-0000-0000-0000")
    world.run(declare_interest, provider=oak.provider or "", actor=world.second)

    for more, error in (
        ({"reason": "because"}, BadInput),
        ({"reason": "off_list"}, BadInput),  # not one of this scheme's
        ({"content": world.content(referral, 2500)}, InvalidBid),
        ({"actor": world.second}, NeedsSecondPerson),
        ({"actor": oak}, Forbidden),
        ({"provider": outsider.provider}, NotFound),
    ):
        with pytest.raises(error):
            award_directly(world, referral, oak, **more)

    assert world.awards(referral) == []
    assert world.round(referral).state == "published"


def test_a_direct_award_to_a_stranger_of_the_scheme_is_refused_with_the_reasons(world: World) -> None:
    """The provider is on the register and was never admitted here."""
    world.provider("Synthetic Elm")
    referral = world.referral()
    stranger = world.run(
        register_provider, name="Synthetic Stranger", company_number=None, actor=world.officer, skills=[]
    )

    with pytest.raises(NotEligible) as refused:
        award_directly(world, referral, Actor("nobody", Role.PROVIDER, provider=stranger.ref))

    assert "It is not on the lists asked" in str(refused.value)
    assert world.awards(referral) == []


# The open list


def unfilled(world: World) -> tuple[str, Actor, Actor]:
    oak, elm = world.provider("Synthetic Oak"), world.provider("Synthetic Elm")
    referral = world.referral()
    while world.state(referral) == "seeking":
        world.close(referral)
    return referral, oak, elm


def offer(world: World, referral: str, provider: Actor, pence: int = 1650) -> OpenOffer:
    made: OpenOffer = world.run(
        offers.make_open_offer, referral_ref=referral, content=world.content(referral, pence), actor=provider
    )
    return made


def test_an_offer_on_the_open_list_is_taken_by_a_broker_and_the_others_lapse(world: World) -> None:
    referral, oak, elm = unfilled(world)
    first, second = offer(world, referral, oak), offer(world, referral, elm)

    with pytest.raises(Forbidden):
        world.run(offers.take_open_offer, offer_ref=first.ref, actor=oak)
    award = world.run(offers.take_open_offer, offer_ref=second.ref, actor=world.broker)

    assert (award.provider, award.state, award.source) == (elm.provider, "offered", Source.OPEN_LIST)
    assert (world.round(referral).mode, world.state(referral)) == (Mode.DIRECT_AWARD, "seeking")
    assert {row.ref: str(row.state) for row in world.rows(OpenOffer)} == {first.ref: "lapsed", second.ref: "taken"}
    with pytest.raises(NoSuchStep):
        world.run(offers.take_open_offer, offer_ref=first.ref, actor=world.broker)


def test_a_taken_offer_that_falls_through_puts_the_package_back_and_another_can_be_taken(world: World) -> None:
    referral, oak, elm = unfilled(world)
    for provider in (oak, elm):
        award = world.run(offers.take_open_offer, offer_ref=offer(world, referral, provider).ref, actor=world.broker)
        world.run(moving.decline, award_ref=award.ref, reason=WORDS, actor=provider)
        assert world.state(referral) == "unfilled"

    assert [str(award.state) for award in world.awards(referral)] == ["declined", "declined"]


@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_who_offers_while_the_package_is_taken_off_the_list_finds_it_gone(world: World) -> None:
    referral, oak, _ = unfilled(world)

    with ThreadPoolExecutor(1) as pool:
        with world.database.transaction() as session:
            publishing.restart_unfilled(session, world.ports, referral_ref=referral, actor=world.broker)
            session.flush()
            waiting = begun_and_waiting(pool, world.database, lambda: offer(world, referral, oak))

        with pytest.raises(NotFound):
            waiting.result()
    assert world.rows(OpenOffer) == []


def test_an_offer_is_withdrawn_by_its_own_provider_and_ends_when_the_package_leaves_the_list(world: World) -> None:
    referral, oak, elm = unfilled(world)
    first, second = offer(world, referral, oak), offer(world, referral, elm)

    with pytest.raises(NotFound):
        world.run(offers.withdraw_open_offer, offer_ref=first.ref, actor=elm)
    world.run(offers.withdraw_open_offer, offer_ref=first.ref, actor=oak)
    with pytest.raises(NoSuchStep):
        world.run(offers.withdraw_open_offer, offer_ref=first.ref, actor=oak)
    world.run(publishing.restart_unfilled, referral_ref=referral, actor=world.broker)

    assert {row.ref: str(row.state) for row in world.rows(OpenOffer)} == {first.ref: "withdrawn", second.ref: "lapsed"}
    with pytest.raises(NotFound):
        offer(world, referral, oak)


def test_an_offer_keeps_the_rules_of_the_competition(world: World) -> None:
    referral, oak, _ = unfilled(world)
    full = world.provider("Synthetic Full", hours=1)
    foreign = Actor(ref="broker-9", role=Role.BROKER, authority="knowsley")
    made = offer(world, referral, oak)

    with pytest.raises(InvalidBid):
        offer(world, referral, oak, pence=2500)
    with pytest.raises(NotEligible):
        offer(world, referral, full)
    with pytest.raises(NotFound):
        world.run(offers.take_open_offer, offer_ref=made.ref, actor=foreign)
    with pytest.raises(NotFound):
        world.run(offers.take_open_offer, offer_ref="BID-0000-0000-0000", actor=world.broker)


def test_of_two_brokers_who_take_two_offers_at_once_one_succeeds(world: World) -> None:
    referral, oak, elm = unfilled(world)
    made = [offer(world, referral, provider).ref for provider in (oak, elm)]

    answers = race(
        [
            lambda ref=ref: world.run(offers.take_open_offer, offer_ref=ref, actor=world.broker)  # type: ignore[misc]
            for ref in made * 4
        ]
    )

    refused = [answer for answer in answers if isinstance(answer, Exception)]
    assert len(refused) == 7
    assert all(isinstance(answer, Refused | Conflict) for answer in refused)
    assert len(world.awards(referral)) == 1


def test_the_restart_interval_runs_from_the_day_a_package_was_left(world: World) -> None:
    referral, _, _ = unfilled(world)
    left = world.now
    due = world.scheme.unfilled.restart.end(left, world.scheme.calendar())

    world.move_to(due - timedelta(microseconds=1))
    assert world.state(referral) == "unfilled"
    world.move_to(due)

    assert (world.state(referral), world.round(referral).stage_key, world.round(referral).cycle) == (
        "seeking",
        "approved",
        2,
    )
