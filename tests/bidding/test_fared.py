"""A provider's own win rate: only what is decided counts, by service, and nothing of anybody else's."""

from datetime import timedelta

import pytest

from bidding.awards import moving
from bidding.awards.records import AwardState
from bidding.looking.fared import Fared, bids_fared, by_lot, offers_fared
from dps.kernel.actors import Actor
from tests.support.world import World


@pytest.mark.parametrize(
    ("decided", "won", "percent"), [(0, 0, 0), (1, 1, 100), (3, 1, 33), (3, 2, 66), (1000, 999, 99)]
)
def test_a_share_is_cut_and_never_rounded_up(decided: int, won: int, percent: int) -> None:
    assert Fared(lot="care", decided=decided, won=won, invalid=0).won_percent == percent


def test_states_of_one_service_are_one_line() -> None:
    rows = [("night", "awarded", 1), ("care", "unsuccessful", 2), ("care", "awarded", 1), ("care", "invalid", 1)]

    assert by_lot(rows) == [
        Fared(lot="care", decided=4, won=1, invalid=1),
        Fared(lot="night", decided=1, won=1, invalid=0),
    ]


def test_a_bid_counts_once_it_is_decided_and_for_its_own_provider_alone(world: World) -> None:
    best, other = world.provider("Best"), world.provider("Other")
    referral, lot = world.referral(), world.scheme.lots[0].key
    world.bid(best, referral, pence=1500)
    world.bid(other, referral, pence=1900)
    world.close(referral)

    assert fared(world, best) == fared(world, other) == []
    assert offered(world, best) == [(AwardState.OFFERED, 1)]
    world.accept_and_confirm(world.award(referral), best)

    assert fared(world, best) == [Fared(lot=lot, decided=1, won=1, invalid=0)]
    assert fared(world, other) == [Fared(lot=lot, decided=1, won=0, invalid=0)]
    assert offered(world, best) == [(AwardState.CONFIRMED, 1)]
    assert offered(world, other) == []


def test_an_offer_that_was_declined_is_counted_as_such(world: World) -> None:
    provider = world.provider("Picky")
    referral = world.referral()
    world.bid(provider, referral, pence=1500)
    world.close(referral)
    world.run(moving.decline, award_ref=world.award(referral).ref, reason="Our carer left.", actor=provider)

    assert offered(world, provider) == [(AwardState.DECLINED, 1)]


def fared(world: World, actor: Actor) -> list[Fared]:
    with world.database.reading() as session:
        return bids_fared(session, actor, since=world.now - timedelta(days=365))


def offered(world: World, actor: Actor) -> list[tuple[AwardState, int]]:
    with world.database.reading() as session:
        return offers_fared(session, actor, since=world.now - timedelta(days=365))
