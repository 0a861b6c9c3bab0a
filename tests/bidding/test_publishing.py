"""A referral on its way: made ready, published under frozen rules, held, resumed, withdrawn."""

from collections import Counter
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from bidding import amending, publishing
from bidding.bids.records import Bid
from bidding.closings import Closing
from bidding.publishing import make_ready, publish
from bidding.referrals import Referral
from bidding.rounds import Round
from dps.kernel.errors import BadInput, CannotAmend, NoSuchStep, NotReady, OutOfTerm
from dps.kernel.outbox import OutboxMessage
from dps.packages.packages import Package
from dps.schemes.loader import preset, rule_hash
from dps.schemes.model import Scheme
from dps.schemes.stored import publish_rules
from tests.support.world import World

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])

WORDS = "Synthetic: said on the telephone."


def row_of(world: World, referral: str) -> Referral:
    (row,) = world.rows(Referral, Referral.ref == referral)
    return row


def package_of(world: World, referral: str) -> Package:
    (package,) = world.rows(Package, Package.id == row_of(world, referral).package_id)
    return package


def without_second_stage(scheme: Scheme) -> Scheme:
    """The same rules with ladders of one stage."""
    ladders = tuple(ladder.model_copy(update={"stages": ladder.stages[:1]}) for ladder in scheme.ladders)
    return scheme.model_copy(update={"ladders": ladders})


# Before publication


def test_everything_that_is_missing_for_publication_is_named_at_once(world: World) -> None:
    referral = world.referral(publish_it=False, needs=None, flags=None)

    with pytest.raises(NotReady) as refused:
        world.run(make_ready, referral_ref=referral, scheme=world.scheme, actor=world.broker)

    assert len(refused.value.missing) == 2
    assert world.state(referral) == "draft"


def test_a_referral_is_published_under_its_own_schemes_rules_alone(world: World) -> None:
    referral, other = world.referral(publish_it=False), preset("liverpool")

    for command in (make_ready, publish):
        with pytest.raises(BadInput):
            world.run(command, referral_ref=referral, scheme=other, actor=world.broker)
    with pytest.raises(NoSuchStep):  # a draft is made ready first
        world.run(publish, referral_ref=referral, scheme=world.scheme, actor=world.broker)


# Published


def test_publication_freezes_ladder_and_rules_and_is_done_once(world: World) -> None:
    world.provider("Synthetic Oak")
    referral = world.referral()

    row, (event,) = row_of(world, referral), world.events("referral.publish")
    assert (row.rule_hash, row.cycle, row.published_at, row.seeking_since) == (
        world.rule_hash,
        1,
        world.now,
        world.now,
    )
    assert [stage.key for stage in row.stages] == ["approved", "border"] == event.body["stages"]
    assert world.round(referral).rule_hash == event.body["rule_hash"] == world.rule_hash
    with pytest.raises(NoSuchStep):
        world.run(publish, referral_ref=referral, scheme=world.scheme, actor=world.broker)


def test_rules_published_later_change_nothing_for_a_referral_that_is_out(world: World) -> None:
    world.provider("Synthetic Oak")
    before = world.referral()
    shorter = without_second_stage(world.scheme)
    with world.database.transaction() as session:
        publish_rules(session, shorter, world.commissioner, world.now)
    world.scheme = shorter
    after = world.referral()

    world.close(before)

    assert {closing.rule_hash for closing in world.rows(Closing)} == {
        row_of(world, before).rule_hash,
        rule_hash(shorter),
    }
    assert world.round(before).stage_key == "border"
    assert (world.state(before), world.state(after)) == ("seeking", "unfilled")


def test_nothing_is_published_outside_the_schemes_term(world: World) -> None:
    referral = world.referral(publish_it=False)
    world.run(make_ready, referral_ref=referral, scheme=world.scheme, actor=world.broker)
    assert world.scheme.term.ends == date(2022, 12, 1)
    world.clock.move_to(world.now.replace(year=2022, month=12, day=1))

    with pytest.raises(OutOfTerm):
        world.run(publish, referral_ref=referral, scheme=world.scheme, actor=world.broker)

    assert (world.state(referral), world.rows(Round)) == ("ready", [])


def test_only_what_is_out_is_amended_and_never_into_another_lot_or_place(world: World) -> None:
    draft, referral = world.referral(publish_it=False), world.referral()
    facts = package_of(world, referral).facts

    def amended(ref: str, **other: Any) -> int:
        return world.run(amending.amend, referral_ref=ref, facts=replace(facts, **other), actor=world.broker)

    with pytest.raises(CannotAmend):
        amended(draft, latest_start=None)
    for other in ({"lot": "end-of-life"}, {"locality": "haydock"}):
        with pytest.raises(BadInput):
            amended(referral, **other)
    assert row_of(world, referral).version == 1


# Held, resumed, withdrawn


def test_a_held_referrals_bids_lapse_unopened_and_everybody_invited_is_told(world: World) -> None:
    oak, elm, referral = world.provider("Synthetic Oak"), world.provider("Synthetic Elm"), world.referral()
    world.bid(oak, referral, pence=1600)

    world.run(publishing.hold, referral_ref=referral, reason=WORDS, actor=world.broker)

    assert (world.state(referral), str(world.round(referral).state)) == ("held", "cancelled")
    assert [str(bid.state) for bid in world.rows(Bid)] == ["lapsed"]
    told = Counter(message.recipient for message in world.rows(OutboxMessage) if message.kind == "round_cancelled")
    assert told == {f"provider:{provider.provider}": 1 for provider in (oak, elm)}
    assert world.close(referral).done == {"closed": 1}
    assert world.awards(referral) == []


def test_a_resumed_referral_asks_the_same_stage_again_and_forgets_nothing(world: World) -> None:
    oak, referral = world.provider("Synthetic Oak"), world.referral()
    held = world.round(referral)
    world.run(publishing.hold, referral_ref=referral, reason=WORDS, actor=world.broker)
    world.step(days=1)

    world.run(publishing.resume, referral_ref=referral, actor=world.broker)

    again = world.round(referral)
    assert (again.stage_no, again.cycle, again.attempt, again.predecessor_id) == (0, 1, 2, held.id)
    assert (again.opens_at, str(again.state)) == (world.now, "published")
    assert world.invited(referral) == {oak.provider}


def test_a_withdrawn_referral_is_never_sought_again(world: World) -> None:
    world.provider("Synthetic Oak")
    referral = world.referral()

    world.run(publishing.withdraw, referral_ref=referral, reason=WORDS, actor=world.broker)

    for command in (publishing.hold, publishing.withdraw):
        with pytest.raises(NoSuchStep):
            world.run(command, referral_ref=referral, reason=WORDS, actor=world.broker)
    for again in (publishing.resume, publishing.restart_unfilled):
        with pytest.raises(NoSuchStep):
            world.run(again, referral_ref=referral, actor=world.broker)
    world.step(days=10)
    assert (world.state(referral), len(world.rows(Round))) == ("withdrawn", 1)


# Unfilled
