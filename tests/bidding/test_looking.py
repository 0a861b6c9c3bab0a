"""Lists are one SELECT a page, show nobody more than they may know, and go on where the last page ended."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event
from sqlmodel import Session

from bidding import publishing
from bidding.bids.records import LapseCause
from bidding.bids.submitting import decline, submit_in
from bidding.looking import pages
from bidding.looking.answered import WHY_LAPSED, contracts, why_unread
from bidding.looking.due import next_closing_at
from bidding.looking.invited import opportunities, own_bids
from bidding.looking.office import closings, places_of_rounds, referrals, rounds, timeline
from bidding.looking.placing import awards, open_packages
from bidding.rounds import note_opened
from dps.kernel.actors import Actor, Role
from dps.kernel.errors import NotFound
from tests.support.world import World

ELSEWHERE = Actor("broker-elsewhere", Role.BROKER, authority="another-council")


@contextmanager
def statements(world: World) -> Iterator[list[str]]:
    """What the database is asked while this is open."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if statement.startswith("SELECT"):
            asked.append(statement)

    event.listen(world.database.engine, "before_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(world.database.engine, "before_cursor_execute", note)


@pytest.mark.parametrize(
    "look",
    [
        lambda session, world, provider, ref: opportunities(session, provider, world.clock.read(session)),
        lambda session, world, provider, ref: own_bids(session, provider),
        lambda session, world, provider, ref: awards(session, provider, world.ports.keyring),
        lambda session, world, provider, ref: awards(session, world.broker, world.ports.keyring),
        lambda session, world, provider, ref: open_packages(session, provider),
        lambda session, world, provider, ref: open_packages(session, world.broker),
        lambda session, world, provider, ref: referrals(session, world.broker),
        lambda session, world, provider, ref: rounds(session, ref),
        lambda session, world, provider, ref: timeline(session, [ref]),
        lambda session, world, provider, ref: closings(session, world.broker),
    ],
)
def test_a_list_is_one_select(world: World, look: Callable[[Session, World, Actor, str], list[Any]]) -> None:
    provider = world.provider("Provider")
    decided, unfilled = world.referral(), world.referral()
    world.bid(provider, decided, pence=1650)
    world.step(hours=8)
    world.step(hours=48)
    world.referral()
    assert world.state(unfilled) == "unfilled"

    with world.database.reading() as session, statements(world) as asked:
        found = look(session, world, provider, decided)

    assert found
    assert len(asked) == 1


def test_pages_follow_each_other_without_gap_or_repeat(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.provider("Provider")
    made = [world.referral() for _ in range(5)]
    monkeypatch.setattr("bidding.looking.office.PAGE", 2)

    seen: list[str] = []
    with world.database.reading() as session:
        while page := referrals(session, world.broker, after=seen[-1] if seen else None):
            seen += [row.referral for row in page]

    assert seen == made
    assert pages.PAGE == 100


def test_an_unknown_reference_has_nothing_behind_it(world: World) -> None:
    world.provider("Provider")
    world.referral()

    with world.database.reading() as session:
        assert referrals(session, world.broker, after="REF-0000-0000-0000") == []


def test_a_round_is_no_opportunity_any_more_at_its_closing_instant(world: World) -> None:
    provider = world.provider("Provider")
    closes_at = world.round(world.referral()).closes_at
    assert closes_at is not None

    with world.database.reading() as session:
        before = opportunities(session, provider, closes_at - timedelta(microseconds=1))
        after = opportunities(session, provider, closes_at)

    assert (len(before), len(after)) == (1, 0)


def test_another_authority_sees_nothing(world: World) -> None:
    provider = world.provider("Provider")
    referral = world.referral()
    world.bid(provider, referral, pence=1650)
    world.step(hours=8)

    with world.database.reading() as session:
        assert referrals(session, ELSEWHERE) == []
        assert awards(session, ELSEWHERE, world.ports.keyring) == []
        assert closings(session, ELSEWHERE) == []
        assert open_packages(session, ELSEWHERE) == []


def test_an_award_that_was_never_offered_is_not_shown_to_its_provider(world: World) -> None:
    """Over the automatic limit a broker must say yes first."""
    provider = world.provider("Provider")
    windows = ("07:30-09:30", "12:00-14:00", "17:00-20:00")
    referral = world.referral(visits="; ".join(f"Mon-Sun {window} 60m personal_care" for window in windows))
    world.bid(provider, referral, pence=1990)
    world.step(hours=8)

    with world.database.reading() as session:
        to_provider, to_office = (awards(session, actor, world.ports.keyring) for actor in (provider, world.broker))

    assert to_provider == []
    assert [award.state for award in to_office] == ["proposed"]


def test_bids_offers_and_contracts_are_paged_from_the_last_one_back(world: World) -> None:
    provider = world.provider("Provider")
    referrals_ = [world.referral() for _ in range(3)]
    bids = [world.bid(provider, referral, pence=1650)["bid"] for referral in referrals_]
    world.step(hours=8)
    for referral in referrals_:
        world.accept_and_confirm(world.award(referral), provider)

    with world.database.reading() as session:
        first = own_bids(session, provider, most=2, last_first=True)
        second = own_bids(session, provider, most=2, last_first=True, after=first[-1].bid)
        made = [one.award for one in awards(session, provider, world.ports.keyring)]
        back = [one.award for one in awards(session, provider, world.ports.keyring, last_first=True, after=made[-1])]
        agreed = [one.contract for one in contracts(session, provider)]
        agreed_back = [one.contract for one in contracts(session, provider, last_first=True, after=agreed[-1])]

    assert [one.bid for one in (*first, *second)] == bids[::-1]
    assert (len(made), back) == (3, made[1::-1])
    assert (len(agreed), agreed_back) == (3, agreed[1::-1])


def test_the_next_closing_is_the_earliest_that_is_still_to_come(world: World) -> None:
    world.provider("Provider")
    closes_at = world.round(world.referral()).closes_at
    assert closes_at is not None

    with world.database.reading() as session:
        assert next_closing_at(session, world.now) == closes_at
        assert next_closing_at(session, closes_at) is None


def test_a_timeline_tells_who_looked_first_and_who_declined_and_no_bid(world: World) -> None:
    quick, slow = world.provider("Quick Homecare"), world.provider("Slow Homecare")
    referral, other = world.referral(), world.referral()
    round_ = world.round(referral).ref
    with pytest.raises(NotFound):
        world.run(note_opened, round_ref="RND-0000-0000-0000", actor=quick)
    for _ in range(2):
        world.run(note_opened, round_ref=round_, actor=quick)
    world.run(note_opened, round_ref=world.round(other).ref, actor=slow)
    world.bid(quick, referral, pence=1650)
    world.run(decline, round_ref=round_, reason="Too far at that hour.", actor=slow)

    with world.database.reading() as session:
        told = [(one.what, one.provider) for one in timeline(session, [referral], rounds=[round_]) if one.provider]

    assert told == [("invitation.opened", "Quick Homecare"), ("invitation.decline", "Slow Homecare")]
    assert world.faults() == []


def test_a_round_is_told_by_what_it_seeks(world: World) -> None:
    world.provider("Provider")
    referral = world.referral()
    round_ = world.round(referral)

    with world.database.reading() as session:
        found = places_of_rounds(session, [round_.ref, "RND-0000-0000-0000"])

    assert found == {round_.ref: (referral, round_.lot, round_.locality)}


def test_a_story_names_the_provider_of_each_award(world: World) -> None:
    winner = world.provider("Ash Homecare")
    referral = world.referral()
    world.bid(winner, referral, pence=1650)
    world.close(referral)
    award = world.award(referral).ref

    with world.database.reading() as session:
        told = {(one.what, one.provider) for one in timeline(session, [referral, award])}

    assert ("award.proposed", "Ash Homecare") in told
    assert ("referral.publish", None) in told


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_a_provider_reads_why_its_bid_was_never_opened_and_nobody_else_does(world: World) -> None:
    oak, elm, ash = (world.provider(f"Synthetic {name}") for name in ("Oak", "Elm", "Ash"))
    held, referral = world.referral(), world.referral()
    cancelled = world.bid(oak, held, pence=1600)["bid"]
    typed = submit_in(
        world.database,
        world.ports,
        rounds=[world.round(referral).ref],
        content=world.content(referral, 1600),
        actor=world.broker,
        idempotency_key="told by telephone",
        provider=elm.provider,
    )["bid"]
    opened = world.bid(ash, referral, pence=1700)["bid"]

    world.run(publishing.hold, referral_ref=held, reason="The family decides first.", actor=world.broker)
    world.close(referral)

    with world.database.reading() as session:
        assert why_unread(session, oak, [cancelled]) == {
            cancelled: "The round was cancelled before its bids were opened."
        }
        assert why_unread(session, elm, [typed]) == {
            typed: "You did not confirm what the council typed before the closing."
        }
        assert why_unread(session, ash, [opened, typed, cancelled]) == {}
    assert set(WHY_LAPSED) == set(LapseCause)
