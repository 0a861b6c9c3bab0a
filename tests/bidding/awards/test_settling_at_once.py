"""Two settlements that hand each other's packages on lock their providers in one order, and never in a ring."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from sqlmodel import Session, select

from bidding.awards import moving
from dps.kernel.actors import Actor
from dps.register.providers import Provider, locked_provider
from tests.dps.kernel.waiting import begun_and_waiting
from tests.support.race import race
from tests.support.world import World

ON_POSTGRESQL = pytest.mark.parametrize("database_kind", ["postgresql"])
WORDS = "Synthetic: said on the telephone."


def is_free(session: Session, provider_id: int) -> bool:
    """Whether nobody else holds this provider's lock now."""
    query = select(Provider.id).where(Provider.id == provider_id)
    return session.exec(query.with_for_update(key_share=True, skip_locked=True)).first() is not None


@ON_POSTGRESQL
def test_who_is_next_in_line_is_locked_before_a_winner_with_a_higher_id(world: World) -> None:
    low, high = world.provider("Synthetic Oak"), world.provider("Synthetic Elm")
    referral = world.referral()
    world.bid(high, referral, pence=1600)
    world.bid(low, referral, pence=1650)
    world.close(referral)
    ids = {actor: world.row_of(actor).id or 0 for actor in (low, high)}
    award = world.award(referral)

    with ThreadPoolExecutor(1) as pool:
        with world.database.transaction() as other:
            locked_provider(other, ids[low])
            declined = begun_and_waiting(
                pool,
                world.database,
                lambda: world.run(moving.decline, award_ref=award.ref, reason=WORDS, actor=high),
            )
            was_waiting, was_free = not declined.done(), is_free(other, ids[high])
        declined.result()

    assert (was_waiting, was_free) == (True, True)
    assert (award.provider, world.award(referral).provider) == (high.provider, low.provider)


def test_two_providers_who_decline_to_each_other_at_once_are_both_answered(world: World) -> None:
    oak, elm = world.provider("Synthetic Oak"), world.provider("Synthetic Elm")
    pairs = [(oak, elm, world.referral()), (elm, oak, world.referral()), (oak, elm, world.referral())]
    for best, reserve, referral in pairs:
        world.bid(best, referral, pence=1600)
        world.bid(reserve, referral, pence=1650)
    world.close(pairs[0][2])

    def decline(best: Actor, referral: str) -> None:
        world.run(moving.decline, award_ref=world.award(referral).ref, reason=WORDS, actor=best)

    answers = race([partial(decline, best, referral) for best, _, referral in pairs])

    assert answers == [None] * 3
    assert [world.award(referral).provider for _, _, referral in pairs] == [one.provider for _, one, _ in pairs]
    assert world.faults() == []
