"""What a bidder is told once a round is over: its own score, its rank, why; of the winner no more than a band."""

from typing import Any

import pytest

from bidding import publishing
from bidding.awards import moving
from bidding.bids.content import BidContent
from bidding.bids.records import Bid
from bidding.looking.debriefed import Debrief, band_of, debrief
from dps.kernel.actors import Actor
from dps.kernel.errors import NotFound, PriceStillSealed
from dps.kernel.outbox import OutboxMessage
from dps.register.limits import LimitPart
from tests.support.drawn import without_references
from tests.support.world import World

on_sqlite_alone = pytest.mark.parametrize("database_kind", ["sqlite"])
WORDS = "Synthetic: said on the telephone."


def told(world: World, receipt: dict[str, Any], actor: Actor) -> Debrief:
    with world.database.reading() as session:
        return debrief(session, bid_ref=receipt["bid"], round_ref=receipt["rounds"][0], actor=actor)


def worse(world: World, referral: str, pence: int) -> BidContent:
    """A bid that promises less than the best."""
    return world.content(referral, pence, answers=(("continuity", "more"),))


@pytest.mark.parametrize(
    ("points", "band"),
    [(100_000, "95 or more"), (95_000, "95 or more"), (94_999, "85 to 95"), (70_000, "70 to 85"), (0, "below 70")],
)
def test_a_band_is_wide(points: int, band: str) -> None:
    assert band_of(points) == band


@on_sqlite_alone
def test_each_loser_reads_its_own_reason_and_no_price_but_its_own(world: World) -> None:
    winner, dear, poor = (world.provider(f"Synthetic {name}") for name in ("Oak", "Elm", "Ash"))
    referral = world.referral()
    best = world.bid(winner, referral, pence=1600)
    dearer = world.bid(dear, referral, pence=1900)
    poorer = world.send(poor, [world.round(referral).ref], worse(world, referral, 1590))
    world.close(referral)
    for receipt, actor in ((best, winner), (dearer, dear)):
        with pytest.raises(PriceStillSealed):  # awarded, and not yet over
            told(world, receipt, actor)

    world.accept_and_confirm(world.award(referral), winner)

    won, lost, low = told(world, best, winner), told(world, dearer, dear), told(world, poorer, poor)
    assert (won.won, won.rank, won.of, won.main_reason) == (True, 1, 3, "You were awarded this package.")
    assert (lost.won, lost.rank, lost.of) == (False, 2, 3)
    assert lost.main_reason == "The successful bid had the better price."
    assert (low.rank, low.main_reason) == (3, "The successful bid scored higher on quality.")
    assert lost.winner_band == low.winner_band == band_of(won.total_points)
    for one in (lost, low):
        shown = without_references(str(one))
        assert "1600" not in shown
        assert str(1600 * 210 // 60) not in shown


@on_sqlite_alone
def test_who_let_an_offer_go_reads_that_and_not_that_nobody_was_awarded(world: World) -> None:
    oak, elm, referral = world.provider("Synthetic Oak"), world.provider("Synthetic Elm"), world.referral()
    first, second = world.bid(oak, referral, pence=1500), world.bid(elm, referral, pence=1600)
    world.close(referral)
    world.run(moving.decline, award_ref=world.award(referral).ref, reason="No carer is free.", actor=oak)

    world.move_to(world.award(referral).answer_by or world.now)
    while world.state(referral) == "seeking" and world.round(referral).stage_no == 0:
        world.close(referral)

    assert told(world, first, oak).main_reason == "This package was offered to you, and you said no."
    assert told(world, second, elm).main_reason == "This package was offered to you, and you did not answer in time."


@on_sqlite_alone
def test_who_was_better_and_had_no_room_reads_that_its_own_limit_stood_in_the_way(world: World) -> None:
    oak, elm = world.provider("Synthetic Oak"), world.provider("Synthetic Elm")
    world.limit(oak, LimitPart(packages=1))
    wanted, other = world.referral(), world.referral()
    world.bid(oak, wanted, pence=1500, preference=1)
    better = world.bid(oak, other, pence=1500, preference=2)
    world.bid(elm, other, pence=1600)
    world.close(other)

    world.accept_and_confirm(world.award(other), elm)

    said = told(world, better, oak)
    assert (said.won, said.rank) == (False, 1)
    assert said.main_reason.startswith("Your own take limit left no room for this package")


@on_sqlite_alone
def test_the_only_bidder_reads_that_its_own_limit_and_not_a_rival_stood_in_the_way(world: World) -> None:
    oak, referral = world.provider("Synthetic Oak"), world.referral()
    world.limit(oak, LimitPart(minutes=60))
    receipt = world.bid(oak, referral, pence=1500)

    world.close(referral)

    said = told(world, receipt, oak)
    assert (said.rank, said.of, said.winner_band) == (1, 1, None)
    assert said.main_reason.startswith("Your own take limit left no room for this package")


@on_sqlite_alone
def test_a_cancelled_round_says_so_to_whoever_was_opened_and_nothing_else_was_there(world: World) -> None:
    oak, elm, referral = world.provider("Synthetic Oak"), world.provider("Synthetic Elm"), world.referral()
    receipts = [world.bid(oak, referral, pence=1600), world.bid(elm, referral, pence=1650)]
    world.close(referral)

    world.run(publishing.withdraw, referral_ref=referral, reason=WORDS, actor=world.broker)

    assert told(world, receipts[1], elm).main_reason == (
        "The round was cancelled before anybody was awarded this package."
    )
    assert told(world, receipts[1], elm).winner_band is None
    assert {str(bid.state) for bid in world.rows(Bid)} == {"unsuccessful"}


@on_sqlite_alone
def test_a_debrief_is_its_bidders_and_its_offices_and_of_bids_that_were_opened(world: World) -> None:
    oak, elm, referral = world.provider("Synthetic Oak"), world.provider("Synthetic Elm"), world.referral()
    replaced = world.bid(oak, referral, pence=1700)
    receipt = world.bid(oak, referral, pence=1600)
    world.close(referral)
    world.run(moving.decline, award_ref=world.award(referral).ref, reason=WORDS, actor=oak)

    assert told(world, receipt, world.broker).bid == told(world, receipt, oak).bid
    for asked, actor in ((receipt, elm), (receipt, world.acting_for("knowsley").broker), (replaced, oak)):
        with pytest.raises(NotFound):
            told(world, asked, actor)


@on_sqlite_alone
def test_a_bundle_is_in_play_until_the_last_of_its_rounds_is_over(liverpool: World) -> None:
    oak, elm = (liverpool.provider(f"Synthetic {name}", lists=["approved"]) for name in ("Oak", "Elm"))
    # Two localities, so that no share cap stands between the packages.
    first, second = (liverpool.referral(locality=place.key) for place in liverpool.scheme.localities[:2])
    bundle = liverpool.bid(oak, first, second, pence=1900)["bid"]
    for referral in (first, second):
        liverpool.bid(elm, referral, pence=1500)
    liverpool.close(first)

    states = []
    for referral in (first, second):
        liverpool.accept_and_confirm(liverpool.award(referral), elm)
        states += [str(bid.state) for bid in liverpool.rows(Bid, Bid.ref == bundle)]

    assert states == ["opened", "unsuccessful"]
    ready = [message.about for message in liverpool.rows(OutboxMessage) if message.kind == "debrief_ready"]
    assert ready.count(bundle) == 2  # one for each round
