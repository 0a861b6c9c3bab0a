"""Placed otherwise: a broker proposes, another person approves or refuses, and what is stale lapses with its cause."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import select

from bidding import amending, offers, publishing
from bidding.looking.otherwise import placements
from bidding.looking.queue import Place, work_queue
from bidding.offers import OpenOffer
from bidding.otherwise import deciding
from bidding.otherwise.records import Placement, PlacementState
from bidding.referrals import Referral, ReferralState
from dps.kernel.actors import Actor, Role
from dps.kernel.errors import BadInput, DpsError, Forbidden, NeedsSecondPerson, NoSuchStep, NotFound
from dps.kernel.outbox import OutboxMessage
from dps.packages.exclusions import Ground, Reason, exclude
from dps.packages.packages import Package, person_of
from dps.register.interests import declare_interest
from dps.register.suspensions import RunningContracts, SuspensionScope, suspend
from tests.bidding.histories import Worlds, few_of_many, off_the_tables
from tests.support.world import World

WORDS = "Synthetic: a neighbour's agency has a carer free."
PRICE = 50_000
PEOPLE = st.integers(0, 5)


def proposed(world: World, referral: str, **changed: Any) -> Placement:
    """A proposal to place an unfilled referral in house, unless told otherwise."""
    request: dict[str, Any] = {
        "referral_ref": referral,
        "how": "in_house",
        "weekly_pence": PRICE,
        "reason": WORDS,
        "actor": world.broker,
    }
    return world.run(deciding.propose, **request | changed)


def again(world: World, placement: Placement) -> Placement:
    (found,) = world.rows(Placement, Placement.ref == placement.ref)
    return found


def told(world: World, *kinds: str) -> list[tuple[str, str]]:
    return [(one.kind, one.recipient) for one in world.rows(OutboxMessage) if one.kind in kinds]


def unfilled_with_an_offer(world: World) -> tuple[str, Actor]:
    """A package that everybody was asked for in vain, and that a provider offers on afterwards."""
    oak, referral = world.provider("Synthetic Oak"), world.referral()
    content = world.content(referral, 1700)
    while world.state(referral) == "seeking":
        world.close(referral)
    world.run(offers.make_open_offer, referral_ref=referral, content=content, actor=oak)
    return referral, oak


# Two people


def test_nothing_is_placed_before_another_person_says_yes(world: World) -> None:
    referral, _ = unfilled_with_an_offer(world)

    placement = proposed(world, referral)

    assert world.state(referral) == "unfilled"
    assert told(world, "placement_to_approve") == [("placement_to_approve", f"authority:{world.authority}")]
    world.run(deciding.approve, placement_ref=placement.ref, actor=world.second)
    assert (world.state(referral), world.rows(Referral)[0].placed_at) == ("placed_otherwise", world.now)
    assert [str(one.state) for one in world.rows(OpenOffer)] == ["lapsed"]
    (event,) = world.events("referral.place_otherwise")
    assert (event.actor, event.role, event.stream) == (world.second.ref, Role.APPROVER, referral)
    assert event.body["proposed_by"] == world.broker.ref
    assert (event.body["how"], event.body["provider"], event.body["weekly_pence"]) == ("in_house", None, PRICE)
    assert len(told(world, "placement_approved")) == 1
    assert world.step(days=10).done == {}
    assert world.faults() == []


def test_who_proposed_neither_approves_nor_refuses_in_whatever_part(world: World) -> None:
    referral = world.referral()
    placement = proposed(world, referral)
    same = Actor(ref=world.broker.ref, role=Role.APPROVER, authority=world.authority)

    for command, more in ((deciding.approve, {}), (deciding.refuse, {"reason": WORDS})):
        with pytest.raises(NeedsSecondPerson):
            world.run(command, placement_ref=placement.ref, actor=same, **more)
        with pytest.raises(Forbidden):
            world.run(command, placement_ref=placement.ref, actor=world.broker, **more)

    assert again(world, placement).state is PlacementState.PROPOSED


def test_the_database_itself_keeps_no_approval_by_who_proposed(world: World) -> None:
    placement = proposed(world, world.referral())
    approved = {"state": PlacementState.APPROVED, "decided_at": world.now}

    for by in (placement.proposed_by, None):
        with pytest.raises(IntegrityError), world.database.transaction() as session:
            session.execute(update(Placement).values(**approved, decided_by=by))
    with world.database.transaction() as session:
        session.execute(update(Placement).values(**approved, decided_by="another"))


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"how": "a_friend"}, BadInput),
        ({"weekly_pence": -1}, BadInput),
        ({"reason": "too short"}, BadInput),
        ({"provider": "PRV-0000-0000-0000"}, BadInput),
        ({"actor": Actor(ref="x", role=Role.BROKER, authority="knowsley")}, NotFound),
        ({"actor": Actor(ref="x", role=Role.APPROVER, authority="st-helens")}, Forbidden),
    ],
)
def test_only_a_broker_of_the_authority_proposes_and_in_a_way_that_the_scheme_names(
    world: World, changed: dict[str, Any], error: type[DpsError]
) -> None:
    referral = world.referral()

    with pytest.raises(error):
        proposed(world, referral, **changed)

    assert world.rows(Placement) == []


def test_what_is_not_unfilled_is_not_placed_otherwise(world: World) -> None:
    world.provider("Synthetic Oak")
    referral = world.referral()

    with pytest.raises(NoSuchStep):
        proposed(world, referral)


def test_another_authority_finds_no_placement(world: World) -> None:
    placement = proposed(world, world.referral())
    stranger = Actor(ref="x", role=Role.APPROVER, authority="knowsley")

    with pytest.raises(NotFound):
        world.run(deciding.approve, placement_ref=placement.ref, actor=stranger)
    with world.database.reading() as session:
        assert placements(session, stranger, world.ports.keyring) == []


def test_an_approver_refuses_with_words_and_it_can_be_proposed_again(world: World) -> None:
    referral = world.referral()
    placement = proposed(world, referral)

    world.run(deciding.refuse, placement_ref=placement.ref, reason="Dearer than the list.", actor=world.second)
    second = proposed(world, referral, weekly_pence=PRICE - 1)

    with world.database.reading() as session:
        seen = placements(session, world.second, world.ports.keyring, referral=referral)
    assert [(one.placement, str(one.state), one.reason, one.refusal) for one in seen] == [
        (placement.ref, "refused", WORDS, "Dearer than the list."),
        (second.ref, "proposed", WORDS, None),
    ]
    assert world.state(referral) == "unfilled"
    with pytest.raises(NoSuchStep):
        world.run(deciding.approve, placement_ref=placement.ref, actor=world.second)


def test_a_broker_takes_a_proposal_back(world: World) -> None:
    referral = world.referral()
    placement = proposed(world, referral)

    world.run(deciding.withdraw, placement_ref=placement.ref, actor=world.broker)

    assert again(world, placement).state is PlacementState.WITHDRAWN
    with pytest.raises(NoSuchStep):
        world.run(deciding.approve, placement_ref=placement.ref, actor=world.second)


# Who may serve, who may decide


def test_a_provider_that_must_not_serve_the_person_is_refused_at_both_steps(world: World) -> None:
    referral, named = world.referral(), world.provider("Synthetic Oak")
    spot = {"how": "off_list_spot", "provider": named.provider}
    placement = proposed(world, referral, **spot)
    with world.database.transaction() as session:
        exclude(
            session,
            world.ports.keyring,
            world.ports.entropy,
            person_of(session, session.exec(select(Package)).one()),
            provider=named.provider or "",
            reason=Reason(Ground.SAFEGUARDING, "Told to the broker."),
            actor=world.broker,
            now=world.now,
        )

    with pytest.raises(BadInput, match="must not serve"):
        world.run(deciding.approve, placement_ref=placement.ref, actor=world.second)
    with pytest.raises(BadInput, match="must not serve"):
        proposed(world, referral, **spot)
    assert world.state(referral) == "unfilled"


def test_a_provider_that_takes_no_new_work_here_is_refused_at_both_steps(world: World) -> None:
    referral, named = world.referral(), world.provider("Synthetic Oak")
    spot = {"how": "off_list_spot", "provider": named.provider}
    placement = proposed(world, referral, **spot)
    world.run(
        suspend,
        provider_id=world.row_of(named).id or 0,
        scheme=world.scheme,
        scope=SuspensionScope.NEW_WORK,
        running_contracts=RunningContracts.CONTINUE,
        because="A visit by the regulator.",
        actor=world.officer,
    )

    with pytest.raises(BadInput, match="suspended"):
        world.run(deciding.approve, placement_ref=placement.ref, actor=world.second)
    with pytest.raises(BadInput, match="suspended"):
        proposed(world, referral, **spot)


def test_whoever_declared_an_interest_in_who_serves_neither_proposes_nor_approves(world: World) -> None:
    referral, named = world.referral(), world.provider("Synthetic Oak")
    other = Actor(ref="broker-2", role=Role.BROKER, authority=world.authority)
    for person in (world.second, other):
        world.run(declare_interest, provider=named.provider, actor=person)
    spot = {"how": "off_list_spot", "provider": named.provider}
    placement = proposed(world, referral, **spot)

    with pytest.raises(NeedsSecondPerson):
        world.run(deciding.approve, placement_ref=placement.ref, actor=world.second)
    with pytest.raises(NeedsSecondPerson):
        proposed(world, referral, **spot, actor=other)
    third = Actor(ref="approver-3", role=Role.APPROVER, authority=world.authority)
    world.run(deciding.approve, placement_ref=placement.ref, actor=third)
    assert world.events("referral.place_otherwise")[0].body["provider"] == named.provider


# What is stale


def restarted(world: World, referral: str) -> None:
    world.run(publishing.restart_unfilled, referral_ref=referral, actor=world.broker)


def restarted_by_the_clock(world: World, referral: str) -> None:
    (row,) = world.rows(Referral, Referral.ref == referral)
    assert row.unfilled_at is not None
    world.move_to(world.scheme.unfilled.restart.end(row.unfilled_at, world.scheme.calendar()))


def withdrawn(world: World, referral: str) -> None:
    world.run(publishing.withdraw, referral_ref=referral, reason=WORDS, actor=world.broker)


def amended(world: World, referral: str) -> None:
    facts = world.rows(Package)[0].facts
    assert facts.latest_start is not None
    later = replace(facts, latest_start=facts.latest_start + timedelta(days=7))
    world.run(amending.amend, referral_ref=referral, facts=later, actor=world.broker)


def taken(world: World, referral: str) -> None:
    world.run(offers.take_open_offer, offer_ref=world.rows(OpenOffer)[0].ref, actor=world.broker)


@pytest.mark.parametrize(
    ("happens", "because", "state"),
    [
        (restarted, "restarted", "seeking"),
        (restarted_by_the_clock, "restarted", "seeking"),
        (withdrawn, "withdrawn", "withdrawn"),
        (amended, "amended", "unfilled"),
        (taken, "offer_taken", "seeking"),
    ],
)
def test_what_becomes_of_the_package_lets_its_proposal_lapse_and_the_brokers_are_told(
    world: World, happens: Callable[[World, str], None], because: str, state: str
) -> None:
    referral, _ = unfilled_with_an_offer(world)
    placement = proposed(world, referral)

    happens(world, referral)

    lapsed = again(world, placement)
    assert (str(lapsed.state), lapsed.lapsed_because, lapsed.decided_by) == ("lapsed", because, None)
    assert world.state(referral) == state
    assert told(world, "placement_lapsed") == [("placement_lapsed", f"authority:{world.authority}")]
    with pytest.raises(NoSuchStep):
        world.run(deciding.approve, placement_ref=placement.ref, actor=world.second)


def test_a_newer_proposal_takes_the_older_ones_place(world: World) -> None:
    referral = world.referral()
    first = proposed(world, referral)

    second = proposed(world, referral, weekly_pence=PRICE + 1)

    assert (again(world, first).lapsed_because, str(again(world, second).state)) == ("replaced", "proposed")
    assert told(world, "placement_lapsed") == []


# Where it is seen


def test_the_queue_shows_what_waits_for_an_approver(world: World) -> None:
    referral, other = world.referral(), world.referral()
    placement = proposed(world, referral)

    with world.database.reading() as session:
        queue = {one.referral: one for one in work_queue(session, world.broker, world.now)}

    assert {Place.UNFILLED, Place.OTHERWISE} <= queue[referral].places
    assert (queue[referral].placement, queue[other].placement) == (placement.ref, None)
    assert Place.OTHERWISE not in queue[other].places


def test_a_price_that_was_changed_after_the_approval_is_found(world: World) -> None:
    placement = proposed(world, world.referral())
    world.run(deciding.approve, placement_ref=placement.ref, actor=world.second)
    assert world.faults() == []

    with world.database.transaction() as session:
        session.execute(update(Placement).values(weekly_pence=1))
    changed = world.faults()
    with world.database.transaction() as session:
        session.execute(delete(Placement))

    assert changed == [f"placement {placement.ref}: the trail says otherwise of who approved what"]
    assert world.faults() == [f"placement {placement.ref}: the trail approved it, and it is gone or not approved"]


# Whatever happens


class PlacingStory(RuleBasedStateMachine):
    """One package that nobody took, and several people of one council who propose, decide and change their minds."""

    worlds: Worlds
    world: World | None = None

    @initialize()
    def begin(self) -> None:
        self.world, (self.referral, _) = self.worlds.begin(lambda world, _: unfilled_with_an_offer(world), None)
        names = ("first", "second", "third")
        self.people = [
            Actor(ref=name, role=role, authority=self.w.authority)
            for name in names
            for role in (Role.BROKER, Role.APPROVER)
        ]

    @property
    def w(self) -> World:
        assert self.world is not None
        return self.world

    @rule(person=PEOPLE)
    def propose(self, person: int) -> None:
        self._tried(deciding.propose, person, referral_ref=self.referral, how="in_house", weekly_pence=1, reason=WORDS)

    @rule(person=PEOPLE, number=st.integers(0, 3))
    def approve(self, person: int, number: int) -> None:
        self._of_one(deciding.approve, person, number)

    @rule(person=PEOPLE, number=st.integers(0, 3))
    def refuse(self, person: int, number: int) -> None:
        self._of_one(deciding.refuse, person, number, reason=WORDS)

    @rule(person=PEOPLE, number=st.integers(0, 3))
    def withdraw(self, person: int, number: int) -> None:
        self._of_one(deciding.withdraw, person, number)

    @rule(person=PEOPLE)
    def seek_again(self, person: int) -> None:
        self._tried(publishing.restart_unfilled, person, referral_ref=self.referral)
        while self.w.state(self.referral) == "seeking":
            self.w.close(self.referral)

    @invariant()
    def nothing_was_placed_by_one_person(self) -> None:
        placements = self.w.rows(Placement)
        approved = [one for one in placements if one.state is PlacementState.APPROVED]
        waiting = [one for one in placements if one.state is PlacementState.PROPOSED]
        is_placed = self.w.state(self.referral) == ReferralState.PLACED_OTHERWISE
        asked = {event.body["ref"]: event.actor for event in self.w.events("placement.proposed")}
        said_yes = {event.body["placement"]: event.actor for event in self.w.events("referral.place_otherwise")}

        assert len(approved) == len(said_yes) == is_placed
        assert len(waiting) <= (not is_placed)
        for placement in approved:
            assert asked[placement.ref] == placement.proposed_by != placement.decided_by == said_yes[placement.ref]

    def teardown(self) -> None:
        if self.world is not None:
            assert off_the_tables(self.w) == []
            assert self.w.faults() == []

    def _of_one(self, command: Callable[..., object], person: int, number: int, **more: Any) -> None:
        found = self.w.rows(Placement)
        if found:
            self._tried(command, person, placement_ref=found[number % len(found)].ref, **more)

    def _tried(self, command: Callable[..., object], person: int, **request: Any) -> None:
        """Whoever may not is refused; the invariant looks at whatever was not."""
        with suppress(Forbidden, NoSuchStep, NeedsSecondPerson):
            self.w.run(command, actor=self.people[person], **request)


def test_no_history_places_a_package_otherwise_without_two_people(worlds: Worlds, database_kind: str) -> None:
    story = type("Story", (PlacingStory,), {"worlds": worlds})
    run_state_machine_as_test(story, settings=few_of_many(database_kind))
