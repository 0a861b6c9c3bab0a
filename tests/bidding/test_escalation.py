"""Up the ladder: nobody has to remember a package that nobody took."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from bidding import publishing
from bidding.looking.debriefed import debrief
from bidding.referrals import Referral
from bidding.rounds import EligibilityReport, Outcome, Round, RoundState
from dps.kernel.actors import Actor, Role
from dps.kernel.database import Database
from dps.kernel.errors import NoSuchStep, NotFound, OutOfTerm
from dps.kernel.outbox import OutboxMessage
from dps.register.capacity import say_full
from dps.schemes.loader import preset
from tests.support.world import World

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])

MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def ending(database: Database, tmp_path: Path) -> World:
    """St Helens, whose scheme ends tonight."""
    scheme = preset("st-helens")
    term = scheme.term.model_copy(update={"ends": date(2019, 3, 5)})
    return World(database, tmp_path, scheme=scheme.model_copy(update={"term": term}))


def stages(world: World) -> list[tuple[str, str, str | None]]:
    return [(one.stage_key, str(one.state), one.outcome) for one in world.rows(Round)]


def test_where_nobody_can_be_asked_the_ladder_is_climbed_at_once_to_its_end(world: World) -> None:
    oak = world.provider("Synthetic Oak")
    world.run(say_full, provider_id=world.row_of(oak).id or 0, actor=oak)

    referral = world.referral()

    exhausted = str(Outcome.EXHAUSTED)
    assert stages(world) == [("approved", "decided", exhausted), ("border", "decided", exhausted)]
    assert world.state(referral) == "unfilled"
    reports = world.rows(EligibilityReport)
    assert [(report.eligible, report.assessed) for report in reports] == [(0, 1), (0, 1)]
    assert all("full" in report.answers[oak.provider] for report in reports)
    (event,) = world.events("referral.exhaust")
    assert (event.body["eligible"], event.body["assessed"]) == (0, 1)
    (told,) = [message for message in world.rows(OutboxMessage) if message.kind == "referral_unfilled"]
    assert (told.recipient, told.about) == (f"authority:{world.authority}", referral)
    assert [message for message in world.rows(OutboxMessage) if message.kind == "invitation"] == []


def test_a_round_that_found_nobody_is_decided_and_the_next_one_names_it(world: World) -> None:
    oak, referral = world.provider("Synthetic Oak"), world.referral()
    lost = world.bid(oak, referral, pence=1600)["bid"]
    world.run(say_full, provider_id=world.row_of(oak).id or 0, actor=oak)
    first = world.round(referral)
    across = world.provider("Synthetic Elm", lad=world.scheme.bordering_lads[0])

    world.close(referral)

    second = world.round(referral)
    assert stages(world)[0] == ("approved", str(RoundState.DECIDED), str(Outcome.EXHAUSTED))
    assert (second.stage_key, second.predecessor_id, second.cycle) == ("border", first.id, 1)
    assert (second.opens_at, world.invited(referral)) == (world.now, {across.provider})
    with world.database.reading() as session:
        told = debrief(session, bid_ref=lost, round_ref=first.ref, actor=oak)
    assert not told.won
    assert told.main_reason.startswith("Your free hours, by your own word, left no room for this package")


@pytest.mark.parametrize("hours_late", [0, 1, 60])
def test_a_late_sweep_shortens_nobodys_window(world: World, hours_late: int) -> None:
    world.provider("Synthetic Oak")
    referral = world.referral()

    world.move_to(world.closes_at(referral) + timedelta(hours=hours_late))

    second = world.round(referral)
    least = world.scheme.closings.minimum.end(world.now, world.scheme.calendar())
    assert (second.stage_key, second.opens_at) == ("border", world.now)
    assert second.closes_at is not None
    assert second.closes_at >= least


def test_the_whole_ladder_is_asked_again_at_the_schemes_interval_and_not_before(world: World) -> None:
    referral = world.referral()  # nobody is there to be asked
    (left,) = world.rows(Referral)
    assert left.unfilled_at is not None
    due = world.scheme.unfilled.restart.end(left.unfilled_at, world.scheme.calendar())
    oak = world.provider("Synthetic Oak")
    assert world.move_to(due - MICROSECOND).done == {}

    assert world.move_to(due).done == {"restarts": 1}

    again = world.round(referral)
    assert (world.state(referral), again.cycle, again.stage_no, again.predecessor_id) == ("seeking", 2, 0, 2)
    assert world.invited(referral) == {oak.provider}
    assert [row.seeking_since for row in world.rows(Referral)] == [left.seeking_since]  # they have waited since then
    assert world.timetable.sweep().done == {}


def test_a_broker_restarts_an_unfilled_search_of_its_own_at_any_time(world: World) -> None:
    referral = world.referral()
    foreign = Actor(ref="broker-9", role=Role.BROKER, authority="knowsley")
    world.provider("Synthetic Oak")

    with pytest.raises(NotFound):
        world.run(publishing.restart_unfilled, referral_ref=referral, actor=foreign)
    world.run(publishing.restart_unfilled, referral_ref=referral, actor=world.broker)
    with pytest.raises(NoSuchStep):
        world.run(publishing.restart_unfilled, referral_ref=referral, actor=world.broker)

    assert (world.state(referral), world.round(referral).cycle) == ("seeking", 2)


def test_beyond_the_schemes_term_no_stage_is_opened_and_nothing_restarts(ending: World) -> None:
    ending.provider("Synthetic Oak")
    referral = ending.referral()

    ending.move_to(ending.closes_at(referral) + timedelta(days=1))
    ending.step(days=30)

    assert [stage for stage, *_ in stages(ending)] == ["approved"]
    assert ending.state(referral) == "unfilled"
    with pytest.raises(OutOfTerm):
        ending.run(publishing.restart_unfilled, referral_ref=referral, actor=ending.broker)
