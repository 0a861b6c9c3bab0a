"""Rounds that close together: one closing for one instant, scheme, mode and rule hash, however many publish at once."""

import pytest

from bidding.closings import Closing, ClosingState, due_closings
from bidding.publishing import make_ready, publish
from bidding.rounds import Round
from bidding.sealing.seal import recipients_id
from dps.kernel.errors import Conflict, Refused
from dps.schemes.model import Urgency
from dps.schemes.stored import publish_rules
from tests.support.race import race
from tests.support.world import World

on_sqlite_alone = pytest.mark.parametrize("database_kind", ["sqlite"])


@on_sqlite_alone
def test_standard_rounds_share_the_published_closing_and_urgent_ones_close_alone(world: World) -> None:
    world.provider("Synthetic Oak")

    standard = [world.referral() for _ in range(2)]
    urgent = [world.referral(urgency=Urgency.URGENT) for _ in range(2)]

    by_referral = {referral: world.round(referral).closing_id for referral in (*standard, *urgent)}
    assert len(set(by_referral.values())) == 3
    assert by_referral[standard[0]] == by_referral[standard[1]]
    assert [closing.published for closing in world.rows(Closing)] == [True, False, False]


@on_sqlite_alone
def test_rules_that_differ_close_apart_at_the_same_instant(world: World) -> None:
    world.provider("Synthetic Oak")
    before = world.referral()
    world.scheme = world.scheme.model_copy(update={"name": "St Helens, amended"})
    with world.database.transaction() as session:
        publish_rules(session, world.scheme, world.commissioner, world.now)

    after = world.referral()

    assert world.closes_at(before) == world.closes_at(after)
    assert len({closing.rule_hash for closing in world.rows(Closing)}) == 2
    assert world.round(before).closing_id != world.round(after).closing_id


@on_sqlite_alone
def test_what_lots_and_seals_rest_on_is_in_the_trail_before_anybody_can_bid(world: World) -> None:
    world.provider("Synthetic Oak")
    world.referral()

    (closing,), (event,) = world.rows(Closing), world.events("closing.published")

    committed = {
        "closes_at": closing.closes_at.isoformat(),
        "number_sha256": closing.number_sha256,
        "recipients_id": closing.recipients_id,
        "rule_hash": world.rule_hash,
    }
    assert committed.items() <= event.body.items()
    assert closing.recipients_id == recipients_id(tuple(closing.recipients))
    assert (closing.lot_seed, closing.manifest_sha256, closing.closed_at) == (None, None, None)


@on_sqlite_alone
def test_due_is_what_has_come_the_earliest_instant_first(world: World) -> None:
    world.provider("Synthetic Oak")
    later, sooner = world.referral(), world.referral(urgency=Urgency.CRISIS)

    def due() -> list[int]:
        with world.database.reading() as session:
            return due_closings(session, world.now, ClosingState.GATHERING)

    assert due() == []
    world.clock.move_to(world.closes_at(sooner))
    assert due() == [world.round(sooner).closing_id]
    world.clock.move_to(world.closes_at(later))
    assert due() == [world.round(sooner).closing_id, world.round(later).closing_id]


def test_many_that_publish_at_once_meet_in_one_closing(world: World) -> None:
    world.provider("Synthetic Oak")
    referrals = [world.referral(publish_it=False) for _ in range(6)]
    for referral in referrals:
        world.run(make_ready, referral_ref=referral, scheme=world.scheme, actor=world.broker)
    ask = {"scheme": world.scheme, "actor": world.broker}

    published = race([lambda ref=ref: world.run(publish, referral_ref=ref, **ask) for ref in referrals])  # type: ignore[misc]

    assert [one for one in published if isinstance(one, Exception)] == []
    assert len(world.rows(Closing)) == len(world.events("closing.published")) == 1
    assert len({round_.closing_id for round_ in world.rows(Round)}) == 1
    assert world.faults() == []


def test_many_that_publish_one_referral_at_once_publish_it_once(world: World) -> None:
    world.provider("Synthetic Oak")
    referral = world.referral(publish_it=False)
    world.run(make_ready, referral_ref=referral, scheme=world.scheme, actor=world.broker)
    ask = {"referral_ref": referral, "scheme": world.scheme, "actor": world.broker}

    published = race([lambda: world.run(publish, **ask)] * 6)

    assert sum(isinstance(one, Round) for one in published) == 1
    assert all(isinstance(one, Round | Refused | Conflict) for one in published)
    assert len(world.rows(Round)) == 1
