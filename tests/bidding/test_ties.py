"""What a tie bars on a search, what it does not, and who is told: each seen from both sides."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bidding import publishing
from bidding.amending import amend
from bidding.closings import Closing, ExtensionReason
from bidding.deadline import extend
from bidding.excluding import exclude, lift
from dps.kernel.actors import Actor, Role
from dps.kernel.errors import NeedsSecondPerson
from dps.kernel.outbox import OutboxMessage
from dps.packages.exclusions import Ground, ProviderExclusion, Reason
from dps.packages.packages import Package
from dps.register.interests import declare_interest
from tests.support.world import World

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])

WORDS = "Synthetic: said on the telephone."
REASON = Reason(ground=Ground.SAFEGUARDING, words=WORDS)


class Search:
    """A package that a tied provider and its rival are asked for; `world.broker` declared the tie, `other` has none."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.own, self.rival = world.provider("Synthetic Own"), world.provider("Synthetic Rival")
        self.tied = world.broker
        self.other = Actor("broker-without-a-tie", Role.BROKER, authority=world.authority)
        world.run(declare_interest, provider=self.own.provider or "", actor=self.tied)
        self.referral = world.referral()

    @property
    def closing(self) -> Closing:
        return self.world.rows(Closing)[-1]

    def told(self) -> list[str]:
        return [one.recipient for one in self.world.rows(OutboxMessage, OutboxMessage.kind == "tied_step")]

    def ask(self, command: Any, by: Actor, **more: Any) -> Any:
        return self.world.run(command, referral_ref=self.referral, actor=by, **more)


@pytest.fixture
def search(world: World) -> Search:
    return Search(world)


def test_who_is_tied_to_somebody_asked_moves_no_closing(search: Search) -> None:
    until = search.closing.closes_at + timedelta(hours=1)
    moved: dict[str, Any] = {
        "closing_ref": search.closing.ref,
        "until": until,
        "reason": next(iter(ExtensionReason)),
    }

    with pytest.raises(NeedsSecondPerson):
        search.world.run(extend, actor=search.tied, **moved)
    search.world.run(extend, actor=search.other, **moved)

    assert search.closing.closes_at == until


@pytest.mark.parametrize(("step", "command"), [("hold", publishing.hold), ("withdraw", publishing.withdraw)])
def test_what_protects_the_person_is_done_at_once_written_down_and_told(
    search: Search, step: str, command: Any
) -> None:
    search.world.bid(search.rival, search.referral, pence=1600)

    search.ask(command, search.tied, reason=WORDS)

    (event,) = search.world.events(f"referral.{step}")
    assert event.body["tied"] is True
    assert search.told() == [f"authority:{search.world.authority}"]


@pytest.mark.parametrize("command", [publishing.hold, publishing.withdraw])
def test_of_who_has_no_tie_nobody_is_told(search: Search, command: Any) -> None:
    search.ask(command, search.other, reason=WORDS)

    assert search.told() == []
    assert "tied" not in str([event.body for event in search.world.events("referral.hold")])


@pytest.mark.parametrize("command", [publishing.hold, publishing.withdraw])
def test_once_bids_may_be_open_another_person_ends_the_search(search: Search, command: Any) -> None:
    search.world.bid(search.rival, search.referral, pence=1600)
    search.world.clock.move_to(search.closing.closes_at)

    with pytest.raises(NeedsSecondPerson):
        search.ask(command, search.tied, reason=WORDS)
    search.world.timetable.sweep()
    search.world.step(minutes=1)
    assert search.world.award(search.referral).provider == search.rival.provider
    with pytest.raises(NeedsSecondPerson):
        search.ask(command, search.tied, reason=WORDS)
    search.ask(command, search.other, reason=WORDS)

    assert search.world.award(search.referral).state == "expired"
    assert search.told() == []


def test_what_was_held_is_sought_again_by_somebody_without_a_tie(search: Search) -> None:
    search.ask(publishing.hold, search.tied, reason=WORDS)

    with pytest.raises(NeedsSecondPerson):
        search.ask(publishing.resume, search.tied)
    search.ask(publishing.resume, search.other)

    assert search.world.state(search.referral) == "seeking"


def test_nobody_who_is_tied_keeps_a_rival_away_or_lets_its_own_in(search: Search) -> None:
    own, rival = search.own.provider or "", search.rival.provider or ""

    with pytest.raises(NeedsSecondPerson):
        search.ask(exclude, search.tied, provider=rival, reason=REASON)
    search.ask(exclude, search.tied, provider=own, reason=REASON)
    search.ask(exclude, search.other, provider=rival, reason=REASON)
    refs = {one.provider: one.ref for one in search.world.rows(ProviderExclusion)}
    with pytest.raises(NeedsSecondPerson):
        search.ask(lift, search.tied, exclusion_ref=refs[own])
    search.ask(lift, search.tied, exclusion_ref=refs[rival])
    search.ask(lift, search.other, exclusion_ref=refs[own])

    assert [one.lifted_at is not None for one in search.world.rows(ProviderExclusion)] == [True, True]


def test_an_amendment_is_told_too_and_the_time_that_the_rules_give_with_it_is_nobodys_choice(search: Search) -> None:
    facts = search.world.rows(Package)[0].facts
    assert facts.latest_start is not None
    before = search.closing.closes_at
    search.world.clock.move_to(before - timedelta(minutes=1))

    search.ask(amend, search.tied, facts=replace(facts, latest_start=facts.latest_start + timedelta(days=7)))

    (event,) = search.world.events("round.amended")
    assert event.body["tied"] is True
    assert search.told() == [f"authority:{search.world.authority}"]
    assert search.closing.closes_at > before
