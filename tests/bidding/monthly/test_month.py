"""Each number of the month's report is what a plain SQL statement of its own counts; on both databases."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from bidding import aftercare, offers
from bidding.bids import submitting
from bidding.monthly.facts import month_facts
from bidding.monthly.figures import Month, month_of, thousandths
from bidding.monthly.tables import Unit, tables
from bidding.otherwise import deciding
from dps.contracts.reasons import FailureReason, HandBackReason
from dps.kernel.actors import Actor, Role
from dps.kernel.database import Database
from dps.kernel.errors import BadInput, Forbidden, NotFound
from dps.schemes.model import Urgency
from tests.support.world import World

MARCH = date(2019, 3, 1), date(2019, 3, 31)


@pytest.fixture
def world(database: Database, tmp_path: Path) -> World:
    """Five referrals: two bids, one bid, a failed start, a hand-back, and one that nobody answered."""
    world = World(database, tmp_path)
    first, second = world.provider("First"), world.provider("Second")
    contested, single, failed, handed, declined = (
        world.referral(urgency=urgency)
        for urgency in (Urgency.STANDARD, Urgency.STANDARD, Urgency.URGENT, Urgency.STANDARD, Urgency.STANDARD)
    )
    world.bid(first, contested, pence=1600)
    world.bid(second, contested, pence=1650)
    world.bid(second, single, pence=1550)
    world.bid(first, failed, pence=1700)
    world.bid(second, handed, pence=1720)
    for provider in (first, second):
        world.run(submitting.decline, round_ref=world.round(declined).ref, reason="No carers free.", actor=provider)
    agreed = {}
    for referral, provider in ((failed, first), (contested, first), (single, second), (handed, second)):
        world.move_to(max(world.now, world.closes_at(referral)))
        agreed[referral] = provider, world.accept_and_confirm(world.award(referral), provider)
    for referral, (provider, contract) in agreed.items():
        if referral == failed:
            world.run(
                aftercare.fail_to_start,
                contract_ref=contract,
                reason=FailureReason.PROVIDER_COULD_NOT,
                actor=provider,
            )
            continue
        begins = world.award(referral).starts_on
        world.clock.move_to(max(world.now, datetime(begins.year, begins.month, begins.day, 10, tzinfo=UTC)))
        world.run(aftercare.start_contract, contract_ref=contract, first_visit_on=begins, actor=provider)
        if referral == handed:
            world.run(
                aftercare.hand_back,
                contract_ref=contract,
                reason=HandBackReason.STAFFING,
                last_day=world.now.date() + timedelta(days=7),
                actor=provider,
            )
    return world


def reported(world: World, actor: Actor | None = None, days: tuple[date, date] = MARCH) -> Month:
    """A minute later: a report is of what lies before it."""
    world.clock.move_to(world.now + timedelta(minutes=1))
    with world.database.reading() as session:
        facts = month_facts(
            session,
            scheme=world.scheme,
            first=days[0],
            last=days[1],
            actor=actor or world.commissioner,
            now=world.now,
        )
    return month_of(facts)


def asked(world: World, statement: str) -> list[tuple[Any, ...]]:
    with world.database.reading() as session:
        return [tuple(row) for row in session.connection().execute(text(statement))]


def test_the_ways_of_referrals_are_what_the_tables_count(world: World) -> None:
    counted = asked(
        world,
        "SELECT r.urgency, count(*), sum(CASE WHEN EXISTS (SELECT 1 FROM contract c WHERE c.package_id = r.package_id)"
        " THEN 1 ELSE 0 END), sum(CASE WHEN EXISTS (SELECT 1 FROM contract c WHERE c.package_id = r.package_id"
        " AND c.started_on IS NOT NULL) THEN 1 ELSE 0 END) FROM referral r WHERE r.published_at IS NOT NULL"
        " GROUP BY r.urgency",
    )

    ways = {way.urgency: (way.published, way.placed, way.started) for way in reported(world).ways}

    assert ways == {urgency: (int(a), int(b), int(c)) for urgency, a, b, c in counted}
    assert ways["standard"] == (4, 3, 3)


def test_the_ladder_and_the_competition_are_what_the_tables_count(world: World) -> None:
    rounds = dict(asked(world, "SELECT stage_key, count(*) FROM round WHERE state <> 'planned' GROUP BY stage_key"))
    declined = asked(world, "SELECT count(*) FROM invitation WHERE state = 'declined'")
    bids = asked(
        world,
        "SELECT count(s.id) FROM round r LEFT JOIN scored_bid s ON s.round_id = r.id"
        " WHERE r.mode = 'sealed_bid' AND r.state = 'decided' GROUP BY r.id",
    )

    month = reported(world)

    assert {stage.stage: stage.rounds for stage in month.stages} == rounds
    assert sum(stage.declined for stage in month.stages) == declined[0][0] == 2
    assert month.competition.rounds == len(bids)
    assert month.competition.single == sum(count == 1 for (count,) in bids)
    assert month.competition.several == sum(count > 1 for (count,) in bids) == 1
    assert month.competition.single_thousandths == 750


def test_market_and_prices_are_what_the_tables_add_up_to(world: World) -> None:
    minutes, pence, providers = asked(
        world, "SELECT sum(weekly_minutes), sum(weekly_pence), count(DISTINCT provider) FROM contract"
    )[0]
    rates = asked(
        world, "SELECT min(weekly_pence * 60 / weekly_minutes), max(weekly_pence * 60 / weekly_minutes) FROM contract"
    )

    month = reported(world)

    assert (month.market.weekly_minutes, month.market.weekly_pence, month.market.providers) == (
        minutes,
        pence,
        providers,
    )
    assert (month.market.top_three_thousandths, month.market.small_thousandths) == (1000, 1000)
    (lot,) = month.prices
    assert (lot.least, lot.most) == tuple(int(rate) for rate in rates[0]) == (1550, 1720)
    floor = world.scheme.lots[0].envelope_on(MARCH[0], world.scheme.localities[0].key).floor_pence_per_hour
    assert lot.median_above_floor_pence == lot.median - floor


def test_what_came_to_nothing_is_counted_by_its_reason(world: World) -> None:
    month = reported(world)

    assert month.after == (("fail_to_start", "provider_could_not", 1), ("hand_back", "staffing", 1))
    assert month.singly == ()


def test_an_award_round_the_competition_is_listed_by_itself(world: World) -> None:
    first = world.provider("Third")
    referral = world.referral()
    world.run(
        offers.award_directly,
        referral_ref=referral,
        provider=first.provider,
        reason="persons_choice",
        content=world.content(referral, 1600),
        actor=world.broker,
    )

    (one,) = reported(world).singly

    assert (one.award, one.how) == (world.award(referral).ref, "direct_award")


def test_what_was_placed_otherwise_is_listed_with_the_two_people_who_did_it(world: World) -> None:
    referral = world.referral()
    while world.state(referral) == "seeking":
        world.close(referral)
    ask = {"referral_ref": referral, "reason": "Our own carers are free.", "actor": world.broker}
    for pence in (40_000, 41_000):
        placement = world.run(deciding.propose, how="in_house", weekly_pence=pence, **ask)
    world.run(deciding.approve, placement_ref=placement.ref, actor=world.second)

    counted = asked(world, "SELECT weekly_pence, proposed_by, decided_by FROM placement WHERE state = 'approved'")

    (one,) = reported(world).otherwise
    assert [(one.weekly_pence, one.proposed_by, one.approved_by)] == counted == [(41_000, "broker-1", "approver-2")]
    assert (one.referral, one.how, one.provider) == (referral, "in_house", "other")


def test_nothing_of_another_month_is_counted(world: World) -> None:
    empty = reported(world, days=(date(2019, 1, 1), date(2019, 1, 31)))

    assert (empty.ways, empty.stages, empty.prices, empty.singly) == ((), (), (), ())
    assert all(not table.rows and table.empty for table in tables(empty))


def test_a_report_is_for_those_who_answer_for_the_scheme(world: World) -> None:
    with pytest.raises(Forbidden):
        reported(world, world.broker)
    with pytest.raises(NotFound):
        reported(world, Actor(ref="c", role=Role.COMMISSIONER, authority="another"))
    with pytest.raises(BadInput, match="366 days"):
        reported(world, days=(date(2019, 3, 2), date(2019, 3, 1)))


def test_every_row_fits_its_columns(world: World) -> None:
    for table in tables(reported(world)):
        for row in table.rows:
            assert len(row) == len(table.columns)
            for value, (_, unit) in zip(row, table.columns, strict=True):
                words = unit in (Unit.WORDS, Unit.REFERENCE)
                assert isinstance(value, str) if words else value is None or isinstance(value, int)


def test_a_share_of_nothing_is_nothing() -> None:
    assert thousandths(0, 0) is None
    assert (thousandths(1, 3), thousandths(3, 3)) == (333, 1000)
