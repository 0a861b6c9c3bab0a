"""Many bids in one transaction: each judged by itself, in time by its own closing, none answered before the commit."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session

from bidding.bids.handed import Handed, Verdict
from bidding.bids.handing_in import hand_in_all
from bidding.bids.intake import Intake
from bidding.bids.records import Bid
from dps.kernel import idempotency
from dps.kernel.actors import Actor
from dps.kernel.database import Database
from dps.kernel.ending import say
from dps.kernel.errors import AnsweredMeanwhile, BadInput, InvalidBid, KeyReused, NotFound, TooLate
from dps.kernel.references import Kind, new_reference
from dps.schemes.model import Urgency
from tests.support.race import race
from tests.support.world import World

MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path)


def handed(world: World, provider: Actor, referral: str, *, pence: int = 1600, key: str = "once") -> Handed:
    rounds = [world.round(referral).ref]
    return Handed(rounds=rounds, content=world.content(referral, pence), actor=provider, idempotency_key=key)


def all_in(world: World, requests: Sequence[Handed]) -> list[Verdict]:
    return world.database.run(lambda session: hand_in_all(session, world.ports, requests))


def test_each_bid_of_a_group_has_its_own_verdict_and_leaves_what_it_would_leave_alone(world: World) -> None:
    oak, elm = world.provider("Oak"), world.provider("Elm")
    referral = world.referral()
    good = handed(world, oak, referral)
    unknown = replace(good, rounds=[new_reference(Kind.ROUND, world.ports.entropy)], idempotency_key="2")
    dear = handed(world, elm, referral, pence=99_00, key="dear")
    foreign = replace(good, actor=replace(oak, provider="PRV-NOBODY"), idempotency_key="3")

    verdicts = all_in(world, [unknown, good, dear, foreign, handed(world, elm, referral, key="well")])

    receipts = [verdict["bid"] for verdict in verdicts if isinstance(verdict, dict)]
    assert [type(verdict) for verdict in verdicts] == [NotFound, dict, InvalidBid, NotFound, dict]
    assert receipts == [bid.ref for bid in world.rows(Bid)]
    assert world.faults() == []


def test_twins_in_one_group_are_one_bid_and_another_body_under_the_key_is_refused(world: World) -> None:
    oak, referral = world.provider("Oak"), world.referral()
    one = handed(world, oak, referral)

    first, twin, other = all_in(world, [one, one, handed(world, oak, referral, pence=1700)])

    assert first == twin
    assert isinstance(other, KeyReused)
    assert len(world.rows(Bid)) == 1


def test_a_later_bid_of_one_group_replaces_the_earlier(world: World) -> None:
    oak, referral = world.provider("Oak"), world.referral()

    all_in(world, [handed(world, oak, referral, key="a"), handed(world, oak, referral, pence=1700, key="b")])

    assert [str(bid.state) for bid in world.rows(Bid)] == ["replaced", "sealed"]
    assert world.faults() == []


def _breaks_a_constraint(session: Session, _bid: str, _now: datetime) -> None:
    session.execute(text("INSERT INTO bid_round (bid_id, round_id, version) VALUES (NULL, NULL, NULL)"))


def _says_what_cant_be_kept(session: Session, bid: str, now: datetime) -> None:
    say(session, lambda session, _rows: _breaks_a_constraint(session, bid, now), {})


def _refuses(_session: Session, _bid: str, _now: datetime) -> None:
    raise BadInput("too long to be kept", field="answers")


@dataclass
class _Ticking:
    """A clock that goes on a microsecond at each look, from `first`."""

    first: datetime
    looks: list[datetime] = field(default_factory=list)

    def read(self, _session: Session) -> datetime:
        self.looks.append(self.first + MICROSECOND * len(self.looks))
        return self.looks[-1]


@pytest.mark.parametrize("early", [True, False])
def test_an_instant_inside_a_group_parts_it_by_each_bids_own_closing(world: World, *, early: bool) -> None:
    providers = [world.provider(name) for name in ("Oak", "Elm")]
    soon = world.referral(urgency=Urgency.CRISIS)
    world.clock.step(timedelta(minutes=1))
    later = world.referral(urgency=Urgency.CRISIS)
    instant = world.closes_at(soon)
    # One look decides for all of the group; the next would be at, or past, the instant.
    world.ports = replace(world.ports, clock=_Ticking(instant - MICROSECOND if early else instant))
    requests = [handed(world, one, where, key=f"{where}") for where in (soon, later) for one in providers]

    verdicts = all_in(world, requests)

    in_time = [isinstance(verdict, dict) for verdict in verdicts]
    assert in_time == [early, early, True, True]
    assert all(isinstance(verdict, TooLate) for verdict in verdicts if not isinstance(verdict, dict))
    assert len(world.events("bid.refused_late")) == (0 if early else 2)
    assert all(bid.received_at < instant for bid in world.rows(Bid, Bid.closing_id == world.round(soon).closing_id))


@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_a_group_that_waited_for_its_locks_past_the_instant_is_too_late_whole(world: World) -> None:
    providers = [world.provider(name) for name in ("Oak", "Elm", "Ash")]
    referral = world.referral(urgency=Urgency.CRISIS)
    world.clock.move_to(world.closes_at(referral) - MICROSECOND)
    requests = [handed(world, one, referral) for one in providers]
    verdicts: list[Verdict] = []
    waiting = Thread(target=lambda: verdicts.extend(all_in(world, requests)))

    with world.database.transaction() as session:
        # As an extension or a closing holds it.
        session.execute(text("SELECT 1 FROM round FOR UPDATE"))
        waiting.start()
        _wait_for_a_waiter(world.database)
        world.clock.move_to(world.closes_at(referral))
    waiting.join(20)

    assert [type(verdict) for verdict in verdicts] == [TooLate] * 3
    assert world.rows(Bid) == []


def _wait_for_a_waiter(database: Database) -> None:
    while True:
        with database.reading() as session:
            query = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
            if session.execute(query).scalar_one():
                return


def test_those_who_hand_in_at_one_moment_each_get_their_own_receipt(world: World) -> None:
    providers = [world.provider(f"Synthetic {number}") for number in range(16)]
    referral = world.referral()
    intake = Intake(world.database, world.ports)
    requests = [handed(world, one, referral, key=one.ref) for one in providers]

    got = race([_submitting(intake, request) for request in requests])

    kept = {bid.ref: bid.provider for bid in world.rows(Bid)}
    assert [kept[one["bid"]] for one in got if isinstance(one, dict)] == [one.provider for one in providers]
    assert world.faults() == []


def test_a_bid_whose_storing_fails_takes_no_other_with_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    oak, elm = world.provider("Oak"), world.provider("Elm")
    referral = world.referral()
    store = idempotency._store

    def refuse(session: Session, rows: list[dict[str, Any]]) -> None:
        # As when a twin of one request is stored by another process at this moment.
        if any(row["key_hash"] == idempotency.key_hash(elm.ref, "elm") for row in rows):
            raise AnsweredMeanwhile()
        store(session, rows)

    monkeypatch.setattr(idempotency, "_store", refuse)
    intake = Intake(world.database, world.ports)

    verdicts = intake._taken([handed(world, oak, referral, key="oak"), handed(world, elm, referral, key="elm")])

    assert [type(verdict) for verdict in verdicts] == [dict, AnsweredMeanwhile]
    assert [bid.provider for bid in world.rows(Bid)] == [oak.provider]


@pytest.mark.parametrize("poison", [_says_what_cant_be_kept, _refuses])
def test_one_poisoned_bid_of_thirty_two_falls_alone_under_the_same_locks_and_clock(
    world: World, poison: Callable[[Session, str, datetime], None]
) -> None:
    providers = [world.provider(f"Synthetic {number}") for number in range(32)]
    referral = world.referral(urgency=Urgency.CRISIS)
    all_in(world, [handed(world, one, referral, key="before") for one in (providers[0], providers[20])])
    # One reading is before the instant; whoever were asked once more would be too late.
    world.ports = replace(world.ports, clock=_Ticking(world.closes_at(referral) - MICROSECOND))
    requests = [handed(world, one, referral, pence=1700) for one in providers]
    requests[20] = replace(requests[20], along=poison)

    verdicts = all_in(world, requests)

    receipts = [verdict["bid"] for verdict in verdicts if isinstance(verdict, dict)]
    assert len(receipts) == 31
    assert isinstance(verdicts[20], IntegrityError | BadInput)
    states = {(bid.provider, str(bid.state)) for bid in world.rows(Bid)}
    # What the poisoned one would have replaced stands as it stood.
    assert (providers[20].provider, "sealed") in states
    assert (providers[20].provider, "replaced") not in states
    assert (providers[0].provider, "replaced") in states
    assert len(world.rows(Bid)) == len(world.events("bid.sealed")) == 2 + 31
    assert len(world.events("bid.replace")) == 1
    assert world.faults() == []


def test_what_is_said_of_a_late_bid_outlives_the_fault_of_another(world: World) -> None:
    oak, elm, ash = (world.provider(name) for name in ("Oak", "Elm", "Ash"))
    soon = world.referral(urgency=Urgency.CRISIS)
    world.clock.step(timedelta(minutes=1))
    later = world.referral(urgency=Urgency.CRISIS)
    world.clock.move_to(world.closes_at(soon))
    poisoned = replace(handed(world, elm, later), along=_says_what_cant_be_kept)

    verdicts = all_in(world, [handed(world, oak, soon), poisoned, handed(world, ash, later)])

    assert [type(verdict) for verdict in (verdicts[0], verdicts[2])] == [TooLate, dict]
    assert isinstance(verdicts[1], IntegrityError)
    assert len(world.events("bid.refused_late")) == len(world.events("bid.sealed")) == 1
    assert world.faults() == []


def test_a_database_that_is_away_is_asked_once_for_all(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    oak, referral = world.provider("Oak"), world.referral()
    asked: list[int] = []

    def away(_session: Session, _ports: Any, requests: Sequence[Handed]) -> list[Verdict]:
        asked.append(len(requests))
        fault = OperationalError("", {}, Exception("synthetic"))
        fault.connection_invalidated = True
        raise fault

    monkeypatch.setattr("bidding.bids.intake.hand_in_all", away)
    monkeypatch.setattr("dps.kernel.database._FIRST_PAUSE_S", 0.0)
    intake = Intake(world.database, world.ports)

    verdicts = intake._taken([handed(world, oak, referral, key=key) for key in ("1", "2", "3")])

    assert all(isinstance(verdict, OperationalError) for verdict in verdicts)
    assert set(asked) == {3}


def test_what_a_group_looks_up_does_not_grow_with_its_bids(world: World) -> None:
    providers = [world.provider(f"Synthetic {number}") for number in range(8)]
    first, second = world.referral(), world.referral()
    all_in(world, [handed(world, providers[0], first, key="warm")])

    few = _looks(world, [handed(world, one, first, key="a") for one in providers[1:3]])
    many = _looks(world, [handed(world, one, second, key="b") for one in providers])

    assert many == few


def _looks(world: World, requests: Sequence[Handed]) -> int:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_more: Any) -> None:
        if statement.startswith("SELECT"):
            seen.append(statement)

    event.listen(world.database.engine, "before_cursor_execute", note)
    all_in(world, requests)
    event.remove(world.database.engine, "before_cursor_execute", note)
    return len(seen)


def _submitting(intake: Intake, request: Handed) -> Callable[[], dict[str, Any]]:
    return lambda: intake.submit(
        rounds=request.rounds,
        content=request.content,
        actor=request.actor,
        idempotency_key=request.idempotency_key,
    )
