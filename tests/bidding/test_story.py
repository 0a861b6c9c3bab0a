"""The story of an award tells who was asked and why, and its claims turn where the facts do; on both databases."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from bidding.awards import moving
from bidding.otherwise import deciding
from bidding.story.claims import Claim, claims
from bidding.story.telling import Story, story
from dps.kernel.actors import Actor, Role
from dps.kernel.database import Database
from dps.kernel.errors import Forbidden, NotFound
from dps.packages.exclusions import Ground, Reason, exclude
from dps.packages.persons import Person
from tests.support.world import World

AUDITOR = Actor(ref="auditor-1", role=Role.AUDITOR)


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


@pytest.fixture
def placed(world: World) -> tuple[World, str]:
    """An award that was won against another bid, taken and confirmed."""
    first, second = world.provider("First"), world.provider("Second")
    referral = world.referral()
    world.bid(first, referral, pence=1600)
    world.bid(second, referral, pence=1700)
    world.close(referral)
    world.accept_and_confirm(world.award(referral), first)
    return world, world.award(referral).ref


def told(world: World, award: str, actor: Actor = AUDITOR) -> Story:
    with world.database.reading() as session:
        return story(session, award_ref=award, actor=actor)


def claimed(world: World, one: Story, facts: dict[str, Any] | None = None) -> list[Claim]:
    keys = {name: key.hex() for name, key in world.ports.keyring.public_keys.items()}
    return claims(facts or one.facts, one.bids, keys)


def test_an_honest_award_claims_nothing_that_does_not_hold(placed: tuple[World, str]) -> None:
    world, award = placed

    found = claimed(world, told(world, award))

    assert [claim for claim in found if not claim.holds] == []
    assert len(found) == 10


def test_it_tells_who_was_asked_who_bid_what_and_who_could_look(placed: tuple[World, str]) -> None:
    world, award = placed

    facts = told(world, award).facts

    (asked,) = facts["rounds"]
    assert len(asked["invited"]) == 2
    assert [bid["scored"][0]["rank"] for bid in facts["bids"]] == [1, 2]
    assert [look["by"] for look in facts["looks"]["opened"]] == ["clock"]
    assert facts["people"]["published_by"] == ["broker-1"]
    assert facts["contract"]["card"] == facts["award"]["card"]


def test_whoever_was_excluded_confidentially_is_counted_and_not_named(world: World) -> None:
    first, excluded = world.provider("First"), world.provider("Second")
    referral = world.referral(publish_it=False)
    assert excluded.provider is not None
    with world.database.transaction() as session:
        exclude(
            session,
            world.ports.keyring,
            world.ports.entropy,
            session.exec(select(Person)).one(),
            provider=excluded.provider,
            reason=Reason(Ground.SAFEGUARDING, "Told to the broker."),
            actor=world.broker,
            now=world.now,
        )
    world.publish(referral)
    world.bid(first, referral, pence=1600)
    world.close(referral)

    facts = told(world, world.award(referral).ref).facts

    assert facts["rounds"][0]["excluded_confidentially"] == 1
    assert excluded.provider not in str(facts["rounds"])


@pytest.mark.parametrize(
    ("actor", "refused"),
    [
        (Actor(ref="b", role=Role.BROKER, authority="st-helens"), Forbidden),
        (Actor(ref="p", role=Role.PROVIDER, provider="PRV-0000-0000-0000"), Forbidden),
        (Actor(ref="a", role=Role.AUDITOR, authority="another"), NotFound),
    ],
)
def test_it_is_for_auditors_of_the_authority_alone(
    placed: tuple[World, str], actor: Actor, refused: type[Exception]
) -> None:
    world, award = placed

    with pytest.raises(refused):
        told(world, award, actor)


def test_each_claim_turns_with_its_facts(placed: tuple[World, str]) -> None:
    """Each change alone breaks the claim that is about it, and no other."""
    world, award = placed
    one = told(world, award)
    broken = {}
    for name, change in CHANGES.items():
        facts = deepcopy(one.facts)
        change(facts)
        broken[name] = [claim.words for claim in claimed(world, one, facts) if not claim.holds]

    assert broken == {
        "receipt": ["Every bid is what its signed receipt says."],
        "late": ["No bid was received at or after its closing."],
        "opened early": ["Nobody could read a price before the closing."],
        "another run": ["The allocation run gave this award."],
        "replay": ["The stored run, solved again, gives the same awards."],
        "interest": ["Who decided had no declared interest in a provider that was asked."],
        "typist": ["Who typed a bid for a provider did not decide."],
        "alone": ["Two people stood behind whatever was overturned."],
        "placed alone": ["Two people stood behind whatever was placed otherwise."],
        "rates": ["The contract's rates are those that were awarded."],
        "paid": ["What is paid follows from the rates awarded."],
    }


def test_a_package_placed_otherwise_afterwards_tells_both_people_and_their_roles(world: World) -> None:
    only = world.provider("Only")
    referral = world.referral()
    world.bid(only, referral, pence=1600)
    world.close(referral)
    award = world.award(referral)
    world.run(moving.decline, award_ref=award.ref, reason="No carer is free.", actor=only)
    while world.state(referral) == "seeking":
        world.close(referral)
    ask = {"how": "in_house", "weekly_pence": 40_000, "reason": "Our own carers are free."}
    placement = world.run(deciding.propose, referral_ref=referral, actor=world.broker, **ask)
    world.run(deciding.approve, placement_ref=placement.ref, actor=world.second)

    one = told(world, award.ref)

    (chapter,) = one.facts["otherwise"]
    assert [(step["kind"], step["by"], step["role"]) for step in chapter["steps"]] == [
        ("placement.proposed", world.broker.ref, "broker"),
        ("placement.approve", world.second.ref, "approver"),
    ]
    assert (chapter["how"], chapter["weekly_pence"], chapter["state"]) == ("in_house", 40_000, "approved")
    assert all(claim.holds for claim in claimed(world, one))


def _placed_alone(facts: dict[str, Any]) -> None:
    facts["otherwise"].append({"ref": "PLC", "state": "approved", "proposed_by": "one", "decided_by": "one"})


def _late(facts: dict[str, Any]) -> None:
    facts["bids"][0]["received_at"] = facts["closing"]["closes_at"]


def _typist(facts: dict[str, Any]) -> None:
    facts["people"] |= {"typed_by": ["broker-1"], "approved_by": ["broker-1"]}


def _paid(facts: dict[str, Any]) -> None:
    facts["contract"]["statements"] = [{"ref": "PAY-1", "state": "paid", "pence": 101, "reckoned_pence": 100}]


CHANGES = {
    "receipt": lambda facts: facts["bids"][1]["receipt"].update(ciphertext_bytes=1),
    "late": _late,
    "opened early": lambda facts: facts["closing"].update(opened_at="2019-03-04T00:00:00+00:00"),
    "another run": lambda facts: facts["run"].update(awards=[]),
    "replay": lambda facts: facts["run"].update(replayed="other awards"),
    "interest": lambda facts: facts["people"]["interests"].append({"account": "broker-1", "provider": "PRV-1"}),
    "typist": _typist,
    "alone": lambda facts: facts["people"]["decided"].append({"kind": "award.overturn", "by": "broker-1"}),
    "placed alone": _placed_alone,
    "rates": lambda facts: facts["contract"].update(card={"basis": "per_hour", "prices": {"weekday": 1}}),
    "paid": _paid,
}


def test_a_run_is_solved_again_for_the_auditor(placed: tuple[World, str]) -> None:
    world, award = placed

    with world.database.reading() as session:
        facts = story(session, award_ref=award, actor=AUDITOR, replay=world.timetable.solver).facts

    assert facts["run"]["replayed"] == "the same awards"


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_of_a_joint_run_the_auditor_reads_both_ends_of_the_price_of_each_other_award(liverpool: World) -> None:
    """One provider is first for both packages, but may hold no more than its share of the locality."""
    first, other = (liverpool.provider(name, lists=["approved"]) for name in ("Synthetic Oak", "Synthetic Elm"))
    referrals = [liverpool.referral() for _ in range(2)]
    for referral in referrals:
        liverpool.bid(first, referral, pence=1500)
        liverpool.bid(other, referral, pence=1550)
    liverpool.close(referrals[0])
    ref = liverpool.award(referrals[0]).ref

    with liverpool.database.reading() as session:
        run = story(session, award_ref=ref, actor=AUDITOR, replay=liverpool.timetable.solver).facts["run"]

    passed_over = [one for one in run["stories"] if one["alone"] != one["awarded"]]
    assert len(run["stories"]) == 2
    assert [one["between"] for one in passed_over] == ["share cap"]
    assert 0 <= passed_over[0]["at_least_pence"] <= passed_over[0]["at_most_pence"]
    assert {one["provider"]: one["won"] for one in run["providers"]} == {first.provider: 1, other.provider: 1}


def test_every_event_of_its_streams_is_there(placed: tuple[World, str]) -> None:
    world, award = placed

    events = told(world, award).events

    ends = {event.stream: event.seq for event in events}
    assert sum(ends.values()) == len(events)
    assert {"award.confirm", "bid.sealed", "closing.close", "contract.agreed", "referral.publish"} <= {
        event.kind for event in events
    }
