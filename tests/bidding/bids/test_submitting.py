"""Handing in a bid: in time to the microsecond, once however often it is sent, and taken back before the closing."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import text, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from bidding import amending, deadline
from bidding.awards import moving
from bidding.bids import submitting
from bidding.bids.records import Bid, BidState
from bidding.calls import call_sheet
from bidding.referrals import Referral
from bidding.rounds import Invitation, InvitationState
from dps.kernel.actors import Actor, Role
from dps.kernel.audit import AuditEvent
from dps.kernel.database import Database
from dps.kernel.errors import (
    BadInput,
    Forbidden,
    InvalidBid,
    KeyReused,
    NeedsSecondPerson,
    NoSuchStep,
    NotEligible,
    NotFound,
    TooLate,
    WrongMode,
)
from dps.kernel.money import RateCard
from dps.kernel.outbox import OutboxMessage
from dps.kernel.ports import Ports
from dps.packages.packages import Package
from dps.packages.schedule import parse_schedule
from dps.register.suspensions import RunningContracts, SuspensionScope, suspend
from dps.schemes.model import Urgency
from tests.support.race import race
from tests.support.world import World

MICROSECOND = timedelta(microseconds=1)
NEEDS_APPROVAL = "Mon-Sun 07:00-11:00 120m x2 personal_care"
SPRING_FORWARD = datetime(2019, 3, 31, 0, 0, tzinfo=UTC)
FALL_BACK = datetime(2019, 10, 27, 0, 0, tzinfo=UTC)


def states(world: World, provider: Actor) -> list[str]:
    return [str(bid.state) for bid in world.rows(Bid, Bid.provider == provider.provider)]


def suspend_now(world: World, provider: Actor) -> None:
    world.run(
        suspend,
        provider_id=world.row_of(provider).id,
        scheme=world.scheme,
        scope=SuspensionScope.NEW_WORK,
        running_contracts=RunningContracts.CONTINUE,
        because="Synthetic: an enquiry is under way.",
        actor=world.officer,
    )


# The instant


@pytest.mark.parametrize("night", [SPRING_FORWARD, FALL_BACK, None], ids=["spring", "autumn", "ordinary day"])
def test_a_bid_is_in_time_up_to_the_last_microsecond(world: World, night: datetime | None) -> None:
    if night is not None:
        world.publish_lists()
        world.clock.move_to(night)
    ash, elm, oak = (world.provider(f"Synthetic {name}") for name in ("Ash", "Elm", "Oak"))
    referral = world.referral(urgency=Urgency.CRISIS)
    opened, closes_at = world.now, world.closes_at(referral)
    assert closes_at == opened + timedelta(minutes=90)  # real minutes, whatever the wall clock does meanwhile

    world.clock.move_to(closes_at - MICROSECOND)
    receipt = world.bid(ash, referral, pence=1600)
    for instant, late in ((closes_at, elm), (closes_at + MICROSECOND, oak)):
        world.clock.move_to(instant)
        with pytest.raises(TooLate) as refused:
            world.bid(late, referral, pence=1500)
        assert (refused.value.closes_at, refused.value.now) == (closes_at, instant)

    assert [bid.ref for bid in world.rows(Bid)] == [receipt["bid"]]


def test_a_late_bid_leaves_a_trace_of_its_refusal_and_nothing_of_itself(world: World) -> None:
    oak, referral = world.provider("Synthetic Oak"), world.referral()
    round_, closes_at = world.round(referral), world.closes_at(referral)
    world.clock.move_to(closes_at)

    with pytest.raises(TooLate):
        world.bid(oak, referral, pence=1599)

    (refusal,) = world.events("bid.refused_late")
    (invitation,) = world.rows(Invitation)
    assert (refusal.stream, refusal.actor, refusal.at) == (invitation.stream, oak.ref, closes_at)
    assert refusal.body == {"round": round_.ref, "closes_at": closes_at.isoformat()}
    assert world.rows(Bid) == []


def test_what_was_in_time_can_not_be_changed_afterwards(world: World) -> None:
    oak, referral = world.provider("Synthetic Oak"), world.referral()
    receipt = world.bid(oak, referral, pence=1600)
    round_ = world.round(referral)
    world.clock.move_to(world.closes_at(referral))

    for command, request in (
        (submitting.withdraw, {"bid_ref": receipt["bid"]}),
        (submitting.reconfirm, {"bid_ref": receipt["bid"]}),
        (submitting.decline, {"round_ref": round_.ref, "reason": "No carers."}),
    ):
        with pytest.raises(TooLate):
            world.run(command, actor=oak, **request)

    assert states(world, oak) == ["sealed"]


# Once


def test_ten_identical_posts_at_once_are_one_bid_and_ten_identical_receipts(world: World) -> None:
    oak, referral = world.provider("Synthetic Oak"), world.referral()
    rounds, bid = [world.round(referral).ref], world.content(referral, 1600)

    answers = race([lambda: world.send(oak, rounds, bid, key="one and the same")] * 10)

    assert len(world.rows(Bid)) == 1
    assert all(answer == answers[0] for answer in answers)
    assert isinstance(answers[0], dict)


def test_a_retry_after_the_closing_still_reads_its_receipt(world: World) -> None:
    oak, referral = world.provider("Synthetic Oak"), world.referral()
    rounds, bid = [world.round(referral).ref], world.content(referral, 1600)
    receipt = world.send(oak, rounds, bid, key="lost answer")
    world.close(referral)

    assert world.send(oak, rounds, bid, key="lost answer") == receipt
    assert world.events("bid.refused_late") == []


def test_a_key_is_for_one_request(world: World) -> None:
    oak, elm, referral = world.provider("Synthetic Oak"), world.provider("Synthetic Elm"), world.referral()
    world.bid(oak, referral, pence=1600, key="mine")

    with pytest.raises(KeyReused):
        world.bid(oak, referral, pence=1601, key="mine")
    world.bid(elm, referral, pence=1601, key="mine")  # another account's key is another key

    assert (states(world, oak), states(world, elm)) == (["sealed"], ["sealed"])


# One live bid


def test_a_new_bid_replaces_the_one_before_and_no_other(world: World) -> None:
    oak, elm, referral = world.provider("Synthetic Oak"), world.provider("Synthetic Elm"), world.referral()
    world.bid(elm, referral, pence=1650)

    first, second = (world.bid(oak, referral, pence=pence) for pence in (1600, 1580))

    assert first["bid"] != second["bid"]
    assert (states(world, oak), states(world, elm)) == (["replaced", "sealed"], ["sealed"])


def test_many_different_bids_at_once_leave_one(world: World) -> None:
    oak, referral = world.provider("Synthetic Oak"), world.referral()

    answers = race([lambda pence=pence: world.bid(oak, referral, pence=pence) for pence in range(1500, 1508)])  # type: ignore[misc]

    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert sorted(states(world, oak)) == ["replaced"] * 7 + ["sealed"]


def test_a_withdrawn_bid_is_gone_and_another_may_follow(world: World) -> None:
    oak, elm, referral = world.provider("Synthetic Oak"), world.provider("Synthetic Elm"), world.referral()
    receipt = world.bid(oak, referral, pence=1600)

    with pytest.raises(NotFound):
        world.run(submitting.withdraw, bid_ref=receipt["bid"], actor=elm)
    world.run(submitting.withdraw, bid_ref=receipt["bid"], actor=oak)
    with pytest.raises(NoSuchStep):
        world.run(submitting.withdraw, bid_ref=receipt["bid"], actor=oak)
    world.bid(oak, referral, pence=1610)

    assert states(world, oak) == ["withdrawn", "sealed"]


def test_declining_takes_the_bid_back_and_may_be_thought_better_of(world: World) -> None:
    oak, referral = world.provider("Synthetic Oak"), world.referral()
    round_ref = world.round(referral).ref
    world.bid(oak, referral, pence=1600)

    with pytest.raises(BadInput):
        world.run(submitting.decline, round_ref=round_ref, reason=" x ", actor=oak)
    world.run(submitting.decline, round_ref=round_ref, reason="No carers in the morning.", actor=oak)
    (declined,) = world.rows(Invitation)
    world.bid(oak, referral, pence=1620)
    (invited,) = world.rows(Invitation)

    assert declined.state is InvitationState.DECLINED
    assert world.said(referral) == [("decline", "No carers in the morning.")]
    assert (invited.state, invited.answered_at) == (InvitationState.INVITED, None)
    assert states(world, oak) == ["withdrawn", "sealed"]


# After an amendment


def amend(world: World, referral: str, **facts: Any) -> int:
    with world.database.transaction() as session:
        row = session.get(Package, world.rows(Referral, Referral.ref == referral)[0].package_id)
        assert row is not None
        return amending.amend(
            session, world.ports, referral_ref=referral, facts=replace(row.facts, **facts), actor=world.broker
        )


def test_of_the_bids_on_an_amended_referral_only_the_reconfirmed_stand(world: World) -> None:
    oak, elm, ash = (world.provider(f"Synthetic {name}") for name in ("Oak", "Elm", "Ash"))
    referral = world.referral()
    stands, lapses = (world.bid(provider, referral, pence=1600) for provider in (oak, elm))

    version = amend(world, referral, latest_start=world.now.date() + timedelta(days=20))
    world.run(submitting.reconfirm, bid_ref=stands["bid"], actor=oak)
    world.bid(ash, referral, pence=1700)
    world.close(referral)

    assert version == 2
    assert (states(world, oak), states(world, elm), states(world, ash)) == (["opened"], ["lapsed"], ["opened"])
    (lapse,) = world.events("bid.lapse")
    assert lapse.body["ref"] == lapses["bid"]
    assert world.events("bid.reconfirmed")[0].body == {"bid": stands["bid"], "versions": [2]}


def test_a_bid_that_was_taken_back_is_not_reconfirmed(world: World) -> None:
    oak, referral = world.provider("Synthetic Oak"), world.referral()
    receipt = world.bid(oak, referral, pence=1600)
    world.run(submitting.withdraw, bid_ref=receipt["bid"], actor=oak)

    with pytest.raises(NoSuchStep):
        world.run(submitting.reconfirm, bid_ref=receipt["bid"], actor=oak)

    assert world.events("bid.reconfirmed") == []


def test_a_reconfirmed_bid_that_no_longer_fits_is_invalid_and_stops_nobody(world: World) -> None:
    oak, elm, referral = world.provider("Synthetic Oak"), world.provider("Synthetic Elm"), world.referral()
    by_length = {"basis": "per_visit_length", "prices": {"30": {"weekday": 800}}}
    receipt = world.bid(oak, referral, pence=0, card=RateCard.from_dict(by_length))
    world.bid(elm, referral, pence=1600)

    longer = "Mon-Sun 07:30-09:30 45m personal_care"
    amend(world, referral, schedule=parse_schedule(longer))
    world.run(submitting.reconfirm, bid_ref=receipt["bid"], actor=oak)
    elms = world.rows(Bid, Bid.provider == elm.provider)[0].ref
    world.run(submitting.reconfirm, bid_ref=elms, actor=elm)
    world.close(referral)

    assert (states(world, oak), world.award(referral).provider) == (["invalid"], elm.provider)


# Who may bid, on what


def test_a_round_of_others_does_not_exist(world: World) -> None:
    elsewhere = world.provider("Synthetic Elsewhere", localities=["haydock"])
    world.provider("Synthetic Oak")
    referral = world.referral()
    bid, mine = world.content(referral, 1600), world.round(referral).ref
    refused: list[tuple[type[Exception], str, dict[str, Any]]] = []

    for ref in (mine, "RND-0000-0000-0000"):
        for call in (
            lambda ref=ref: world.send(elsewhere, [ref], bid),
            lambda ref=ref: world.run(submitting.decline, round_ref=ref, reason="No carers.", actor=elsewhere),
        ):
            with pytest.raises(NotFound) as caught:
                call()
            refused.append((type(caught.value), str(caught.value).replace(ref, "…"), {**caught.value.facts, "ref": ""}))

    assert all(one == refused[0] for one in refused)
    assert world.events("bid.refused_late") == []


def test_a_foreign_round_does_not_exist_after_its_closing_either(world: World) -> None:
    elsewhere = world.provider("Synthetic Elsewhere", localities=["haydock"])
    world.provider("Synthetic Oak")
    referral = world.referral()
    world.clock.move_to(world.closes_at(referral))

    with pytest.raises(NotFound):
        world.send(elsewhere, [world.round(referral).ref], world.content(referral, 1600))
    assert world.events("bid.refused_late") == []


def test_a_suspended_provider_can_not_bid_and_its_live_bid_lapses(world: World) -> None:
    oak, referral = world.provider("Synthetic Oak"), world.referral()
    world.bid(oak, referral, pence=1600)

    suspend_now(world, oak)
    with pytest.raises(NotEligible) as refused:
        world.bid(oak, referral, pence=1500)
    world.close(referral)

    assert refused.value.reasons == ("You are suspended from new work here until it is lifted. Your service says why.",)
    assert states(world, oak) == ["lapsed"]


def test_who_has_no_part_in_a_council_can_not_bid(world: World) -> None:
    world.provider("Synthetic Oak")
    referral = world.referral()

    for actor in (world.commissioner, Actor(ref="auditor-1", role=Role.AUDITOR)):
        with pytest.raises(Forbidden):
            world.bid(actor, referral, pence=1600)


def test_a_provider_bids_for_itself_alone(world: World) -> None:
    oak, elm, referral = world.provider("Synthetic Oak"), world.provider("Synthetic Elm"), world.referral()

    with pytest.raises(NotFound):
        typed(world, oak, referral, provider=elm.provider)
    with pytest.raises(BadInput, match="names its provider"):
        typed(world, world.broker, referral, provider=None)


# By telephone


def typed(
    world: World, who: Actor, referral: str, *, provider: str | None, pence: int = 1600, key: str = "first"
) -> dict[str, Any]:
    return submitting.submit_in(
        world.database,
        world.ports,
        rounds=[world.round(referral).ref],
        content=world.content(referral, pence),
        actor=who,
        idempotency_key=f"by {who.ref} for {provider}, {key}",
        provider=provider,
    )


def test_who_typed_a_telephone_bid_can_not_decide_its_round(world: World) -> None:
    oak, elm = world.provider("Synthetic Oak"), world.provider("Synthetic Elm")
    referral = world.referral(visits=NEEDS_APPROVAL)
    receipt = typed(world, world.broker, referral, provider=oak.provider)
    world.run(submitting.confirm_typed, bid_ref=receipt["bid"], actor=oak)
    world.bid(elm, referral, pence=1700)
    world.close(referral)
    award = world.award(referral)
    assert (award.provider, award.state) == (oak.provider, "proposed")

    with pytest.raises(NeedsSecondPerson):
        world.run(moving.approve, award_ref=award.ref, actor=world.broker)
    with pytest.raises(NeedsSecondPerson):
        world.run(moving.overturn, award_ref=award.ref, reason="Not this one.", actor=world.broker)
    world.run(moving.approve, award_ref=award.ref, actor=world.second)

    assert world.award(referral).state == "offered"
    (bid,) = world.rows(Bid, Bid.ref == receipt["bid"])
    assert (bid.typed_by, bid.provider) == (world.broker.ref, oak.provider)


def test_what_was_typed_lapses_unless_its_provider_has_confirmed_it_by_the_closing(world: World) -> None:
    oak, elm, ash = (world.provider(f"Synthetic {name}") for name in ("Oak", "Elm", "Ash"))
    referral = world.referral()
    for one in (oak, elm):
        typed(world, world.broker, referral, provider=one.provider)
    (mine,) = world.rows(Bid, Bid.provider == oak.provider)
    own = world.bid(ash, referral, pence=1700)["bid"]
    asked = {(one.recipient, one.about) for one in world.rows(OutboxMessage, OutboxMessage.kind == "telephone_bid")}

    for _ in range(2):
        world.run(submitting.confirm_typed, bid_ref=mine.ref, actor=oak)
    for bid, actor, refusal in ((mine.ref, elm, NotFound), (own, ash, NoSuchStep), (mine.ref, world.broker, Forbidden)):
        with pytest.raises(refusal):
            world.run(submitting.confirm_typed, bid_ref=bid, actor=actor)
    world.close(referral)

    assert (f"provider:{oak.provider}", mine.ref) in asked
    assert (states(world, oak), states(world, elm)) == (["opened"], ["lapsed"])
    assert len(world.events("bid.confirmed_by_provider")) == 1
    assert world.faults() == []


def test_what_was_typed_is_not_confirmed_at_the_closing_any_more(world: World) -> None:
    oak, referral = world.provider("Synthetic Oak"), world.referral()
    receipt = typed(world, world.broker, referral, provider=oak.provider)
    world.clock.move_to(world.closes_at(referral))

    with pytest.raises(TooLate):
        world.run(submitting.confirm_typed, bid_ref=receipt["bid"], actor=oak)


def test_what_was_typed_lies_beside_the_providers_own_and_takes_its_place_once_confirmed(world: World) -> None:
    oak, referral = world.provider("Synthetic Oak"), world.referral()
    world.bid(oak, referral, pence=1600)
    dictated = typed(world, world.broker, referral, provider=oak.provider, pence=1590)["bid"]
    beside = states(world, oak)

    world.run(submitting.confirm_typed, bid_ref=dictated, actor=oak)
    confirmed = states(world, oak)
    world.close(referral)

    assert (beside, confirmed) == (["sealed", "sealed"], ["replaced", "sealed"])
    assert [line[0] for line in world.events("closing.close")[0].body["manifest"]] == [dictated]
    assert _won(world, referral) == dictated
    assert world.faults() == []


def test_what_nobody_confirmed_undoes_nothing(world: World) -> None:
    oak, referral = world.provider("Synthetic Oak"), world.referral()
    own = world.bid(oak, referral, pence=1600)
    dictated = typed(world, world.broker, referral, provider=oak.provider, pence=1590)
    world.close(referral)

    assert states(world, oak) == ["opened", "lapsed"]
    assert [line[0] for line in world.events("closing.close")[0].body["manifest"]] == [own["bid"]]
    assert _won(world, referral) == own["bid"]
    assert {own["signature"], dictated["signature"]} == {bid.receipt["signature"] for bid in world.rows(Bid)}
    assert world.faults() == []


def test_the_newest_word_counts_and_a_typist_replaces_what_was_typed_alone(world: World) -> None:
    oak, referral = world.provider("Synthetic Oak"), world.referral()
    world.bid(oak, referral, pence=1600)
    for number in (1, 2):
        who = Actor(ref=f"broker-{number}", role=Role.BROKER, authority=world.authority)
        last = typed(world, who, referral, provider=oak.provider, pence=1590)["bid"]
    typed_twice = states(world, oak)
    world.bid(oak, referral, pence=1580)
    with pytest.raises(NoSuchStep):
        world.run(submitting.confirm_typed, bid_ref=last, actor=oak)

    assert typed_twice == ["sealed", "replaced", "sealed"]
    assert states(world, oak) == ["replaced", "replaced", "replaced", "sealed"]


def test_no_to_what_was_typed_leaves_ones_own_and_a_decline_takes_both_back(world: World) -> None:
    oak, elm = world.provider("Synthetic Oak"), world.provider("Synthetic Elm")
    referral = world.referral()
    for one in (oak, elm):
        world.bid(one, referral, pence=1600)
    dictated = {one.provider: typed(world, world.broker, referral, provider=one.provider)["bid"] for one in (oak, elm)}

    world.run(submitting.withdraw, bid_ref=dictated[oak.provider], actor=oak)
    world.run(submitting.decline, round_ref=world.round(referral).ref, reason="We are full.", actor=elm)

    assert (states(world, oak), states(world, elm)) == (["sealed", "withdrawn"], ["withdrawn", "withdrawn"])


def test_a_typist_learns_nothing_of_a_bid_that_is_there(world: World) -> None:
    """The same answer, the same events of the typist's own, and the same view, whether there is another bid or none."""
    oak, elm, ash = (world.provider(f"Synthetic {name}") for name in ("Oak", "Elm", "Ash"))
    referral = world.referral()
    world.bid(oak, referral, pence=1600)
    world.run(submitting.decline, round_ref=world.round(referral).ref, reason="We are full.", actor=ash)

    def told(one: Actor) -> tuple[list[str], list[str], list[Any]]:
        before = len(world.rows(AuditEvent))
        receipt = typed(world, world.broker, referral, provider=one.provider)
        said = world.rows(AuditEvent)[before:]
        _, lines = world.run(_sheet, referral_ref=referral, actor=world.broker)
        return (
            sorted(receipt),
            [event.kind for event in said],
            [line.state for line in lines if line.provider == one.provider],
        )

    with_one, with_none, declined = told(oak), told(elm), told(ash)

    assert with_one == with_none
    assert with_one[:2] == declined[:2]
    assert declined[2] == ["declined"]


def _won(world: World, referral: str) -> str:
    (bid,) = world.rows(Bid, Bid.id == world.award(referral).bid_id)
    return bid.ref


def _sheet(session: Session, _ports: Ports, **asked: Any) -> Any:
    return call_sheet(session, **asked)


def test_the_database_itself_keeps_one_live_and_one_provisional_bid(world: World) -> None:
    oak, referral = world.provider("Synthetic Oak"), world.referral()
    world.bid(oak, referral, pence=1600)
    typed(world, world.broker, referral, provider=oak.provider)
    second = typed(world, world.broker, referral, provider=oak.provider, key="second")

    with pytest.raises(IntegrityError), world.database.transaction() as session:
        session.execute(text("UPDATE bid SET state = 'sealed' WHERE state = 'replaced'"))
    with pytest.raises(IntegrityError), world.database.transaction() as session:
        session.execute(update(Bid).where(col(Bid.ref) == second["bid"]).values(confirmed_at=world.now))


def test_a_broker_of_another_council_types_nothing_here(world: World) -> None:
    oak, referral = world.provider("Synthetic Oak"), world.referral()
    foreign = Actor(ref="broker-9", role=Role.BROKER, authority="knowsley")

    with pytest.raises(NotFound):
        typed(world, foreign, referral, provider=oak.provider)

    assert world.rows(Bid) == []


# Bundles


def test_a_bundle_names_packages_that_close_together(liverpool: World) -> None:
    oak = liverpool.provider("Synthetic Oak", lists=["approved"])
    one, two = (liverpool.referral(publish_it=False) for _ in range(2))
    liverpool.publish(one)
    liverpool.publish(two)
    later = liverpool.referral(urgency=Urgency.URGENT)

    receipt = liverpool.bid(oak, one, two, pence=1600)
    with pytest.raises(InvalidBid, match="close together"):
        liverpool.bid(oak, one, later, pence=1600)
    with pytest.raises(BadInput, match="once"):
        liverpool.bid(oak, one, one, pence=1600)
    alone = liverpool.bid(oak, one, pence=1650)

    assert receipt["rounds"] == sorted(liverpool.round(ref).ref for ref in (one, two))
    assert alone["rounds"] == [liverpool.round(one).ref]
    assert states(liverpool, oak) == ["sealed", "sealed"]  # one for the pair, one for the single package


def test_where_each_package_is_awarded_by_itself_there_are_no_bundles(world: World) -> None:
    oak = world.provider("Synthetic Oak")
    one, two = world.referral(), world.referral()

    with pytest.raises(InvalidBid, match="bid for each"):
        world.bid(oak, one, two, pence=1600)


# Other modes


def test_an_acceptance_window_takes_the_published_rate_alone(liverpool: World) -> None:
    oak = liverpool.provider("Synthetic Oak", lists=["preferred"])
    referral = liverpool.referral()

    with pytest.raises(InvalidBid, match="published rate"):
        liverpool.bid(oak, referral, pence=1599)
    liverpool.accept_in_window(oak, referral)

    assert states(liverpool, oak) == ["sealed"]


def test_a_package_that_is_offered_in_turn_takes_no_bid_and_no_declined_invitation(world: World) -> None:
    oak = world.provider("Synthetic Oak", lists=["end-of-life-contract"])
    referral = world.referral(lot="end-of-life")

    with pytest.raises(WrongMode):
        world.bid(oak, referral, pence=1750)
    with pytest.raises(WrongMode):
        world.run(submitting.decline, round_ref=world.round(referral).ref, reason="No carers.", actor=oak)


def test_an_invalid_bid_is_refused_with_every_reason_while_it_can_be_mended(world: World) -> None:
    oak, referral = world.provider("Synthetic Oak"), world.referral()

    with pytest.raises(InvalidBid) as refused:
        world.bid(oak, referral, pence=2500, starts_on=world.now.date(), answers=())

    assert len(refused.value.problems) == 3
    assert world.rows(Bid) == []


# Locks


@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_a_bid_under_way_and_its_closing_never_wait_for_each_other_in_a_ring(world: World, database: Database) -> None:
    oak, referral = world.provider("Synthetic Oak"), world.referral()
    round_ = world.round(referral)
    real, closes_at = world.clock, world.closes_at(referral)
    world.clock.move_to(closes_at - MICROSECOND)
    outcome: list[bool] = []

    class Interrupted:
        """Reads the last microsecond, and lets the closing begin before the bid goes on."""

        def read(self, session: Session) -> datetime:
            before = real.read(session)
            if not closing.ident:
                closing.start()
                wait_until_somebody_waits(database)
            return before

    def close_it() -> None:
        real.move_to(closes_at)
        outcome.append(world.run(deadline.close, closing_id=round_.closing_id))

    closing = Thread(target=close_it)
    ports = replace(world.ports, clock=Interrupted())
    submitting.submit_in(
        database,
        ports,
        rounds=[round_.ref],
        content=world.content(referral, 1600),
        actor=oak,
        idempotency_key="just in time",
    )
    closing.join()

    assert outcome == [True]
    assert len(world.events("closing.close")[0].body["manifest"]) == 1
    assert states(world, oak) == [BidState.SEALED]


def wait_until_somebody_waits(database: Database) -> None:
    """Until a session of this database waits for a lock; the test's own time limit ends what never comes."""
    waiting = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with database.engine.connect() as connection:
        while connection.execute(waiting).scalar_one() == 0:
            connection.rollback()
