"""A block of paid hours, as in Worcestershire's pilots: unused hours come first, cost nothing more, and are shown.

Source: the county council's public paper of 2017-18; that unused hours are offered first is assumed, and marked so.
"""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bidding import offers
from bidding.awards import moving
from bidding.monthly.facts import month_facts
from bidding.monthly.figures import month_of
from dps.contracts.reasons import EndReason
from dps.contracts.statements.blocks import make_block_statement
from dps.contracts.statements.records import Statement
from dps.contracts.variations.ending import end_contract
from dps.contracts.variations.hours import raise_hours
from dps.kernel.actors import Actor
from dps.kernel.database import Database
from dps.kernel.errors import (
    BadInput,
    CannotState,
    Forbidden,
    NoCapacity,
    NotEligible,
    NotFound,
    RuleNotMet,
    StatedAlready,
)
from dps.register.blocks import Block, agree_block, end_block
from dps.register.capacity import free_minutes, rows_of
from dps.register.holds import unused_minutes
from tests.scenarios.serving import Care, items, on_sqlite, paid
from tests.support.world import World

PILOT, ELSEWHERE = "pershore-upton", "malvern"
WEEK = 210
"""The carer-minutes of a package: half an hour a day."""


@pytest.fixture
def council(database: Database, tmp_path: Path) -> World:
    return World(database, tmp_path, "worcestershire")


@pytest.fixture
def oak(council: World) -> Actor:
    """Without an hour declared free: its block is all that it has."""
    return council.provider("Synthetic Oak", localities=[PILOT, ELSEWHERE], hours=0)


def block_for(council: World, provider: Actor, *, hours: int = 7, **other: Any) -> Block:
    request = {
        "scheme": council.scheme,
        "provider_id": council.row_of(provider).id or 0,
        "lot": "home-care",
        "locality": PILOT,
        "weekly_minutes": hours * 60,
        "weekly_pence": hours * 1500,
        "from_day": council.now.date(),
        "actor": council.commissioner,
    }
    made: Block = council.run(agree_block, **request | other)
    return made


def unused(council: World, block: Block) -> int:
    with council.database.reading() as session:
        return unused_minutes(session, block.ref)


def test_from_unused_hours_to_a_paid_statement_that_shows_them(council: World, oak: Actor) -> None:
    council.provider("Synthetic Elm", localities=[PILOT])
    block = block_for(council, oak)
    referral = council.referral(locality=PILOT)
    award = council.award(referral)
    assert (award.provider, award.source, award.weekly_pence) == (oak.provider, "block_hours", 0)
    assert council.invited(referral) == set()  # nobody else was asked

    care = Care(council, referral, oak)
    assert unused(council, block) == 7 * 60 - WEEK
    council.step(days=14)
    with pytest.raises(CannotState, match=block.ref):
        care.stated(14)
    statement = paid(council, stated(council, block, care, 14), oak)

    assert items(statement) == [("block", 2 * 7 * 1500)]
    assert statement.lines[0]["working"][1] == "of 14 h 00 min bought, used 7 h 00 min, unused 7 h 00 min"
    assert council.faults() == []


def stated(council: World, block: Block, care: Care, days: int) -> Statement:
    made: Statement = council.run(
        make_block_statement,
        block_ref=block.ref,
        scheme=council.scheme,
        first_day=care.first,
        last_day=care.day(days - 1),
        actor=council.broker,
    )
    return made


@on_sqlite
def test_a_block_is_stated_once_and_an_empty_one_is_paid_in_full(council: World, oak: Actor) -> None:
    block = block_for(council, oak)
    first = council.now.date()
    council.step(days=10)
    request: dict[str, Any] = {
        "block_ref": block.ref,
        "scheme": council.scheme,
        "first_day": first,
        "last_day": first + timedelta(days=6),
        "actor": council.broker,
    }

    made = council.run(make_block_statement, **request)

    assert made.pence == 7 * 1500
    assert "used 0 h 00 min, unused 7 h 00 min" in made.lines[0]["working"][1]
    with pytest.raises(StatedAlready):
        council.run(make_block_statement, **request)
    with pytest.raises(CannotState, match="does not run"):
        council.run(make_block_statement, **request | {"first_day": first - timedelta(days=1)})


@on_sqlite
def test_what_does_not_fit_or_is_elsewhere_climbs_the_ladder(council: World, oak: Actor) -> None:
    elm = council.provider("Synthetic Elm", localities=[PILOT, ELSEWHERE])
    block = block_for(council, oak, hours=3)  # 180 minutes: less than the package's 210

    asked = {council.round(council.referral(locality=where)).stage_key for where in (PILOT, ELSEWHERE)}

    assert asked == {"locality"}
    assert elm.provider in council.invited(council.referral(locality=PILOT))
    assert unused(council, block) == 180


@on_sqlite
def test_where_the_blocks_provider_declines_the_next_block_is_asked_then_the_ladder_begins(
    council: World, oak: Actor
) -> None:
    ash = council.provider("Synthetic Ash", localities=[PILOT])
    blocks = [block_for(council, one) for one in (oak, ash)]
    referral = council.referral(locality=PILOT)

    for provider in (oak, ash):
        award = council.award(referral)
        assert (award.provider, award.source) == (provider.provider, "block_hours")
        council.run(moving.decline, award_ref=award.ref, actor=provider, reason="No carer is free.")

    round_ = council.round(referral)
    assert (round_.stage_key, round_.stage_no, round_.mode) == ("locality", 0, "sealed_bid")
    assert ash.provider in council.invited(referral)
    assert [unused(council, block) for block in blocks] == [420, 420]


@on_sqlite
def test_a_blocks_hours_are_never_taken_twice_and_come_back_with_the_contracts_end(council: World, oak: Actor) -> None:
    block = block_for(council, oak)
    cares = [Care(council, council.referral(locality=PILOT), oak) for _ in range(2)]
    assert unused(council, block) == 0

    third = council.referral(locality=PILOT)
    assert council.round(third).stage_key != "block-hours"
    with council.database.transaction() as session, pytest.raises(NoCapacity):
        raise_hours(session, cares[0].contract, ref="VAR-1", minutes=30, now=council.now)
    with pytest.raises(RuleNotMet, match=f"420 minutes a week of {block.ref} are used"):
        council.run(end_block, block_ref=block.ref, scheme=council.scheme, actor=council.commissioner)

    for care in cares:
        request = {"contract_ref": care.ref, "reason": EndReason.INDEPENDENT, "last_day": care.today}
        council.run(end_contract, **request, actor=council.broker)
    assert unused(council, block) == 420
    ended = council.run(end_block, block_ref=block.ref, scheme=council.scheme, actor=council.commissioner)
    assert ended.last_day == council.now.date()
    assert unused(council, block) == 0


@on_sqlite
def test_hours_that_come_free_while_others_are_asked_come_before_the_next_stage(council: World, oak: Actor) -> None:
    block_for(council, oak)
    cares = [Care(council, council.referral(locality=PILOT), oak) for _ in range(2)]
    elm = council.provider("Synthetic Elm", localities=[PILOT])
    third = council.referral(locality=PILOT)
    assert (council.round(third).stage_key, council.invited(third)) == ("locality", {elm.provider})
    request = {"contract_ref": cares[0].ref, "reason": EndReason.INDEPENDENT, "last_day": cares[0].today}
    council.run(end_contract, **request, actor=council.broker)

    council.close(third)  # nobody has bid

    award = council.award(third)
    assert (award.provider, award.source, award.weekly_pence) == (oak.provider, "block_hours", 0)
    council.run(moving.decline, award_ref=award.ref, actor=oak, reason="No carer is free.")
    round_ = council.round(third)
    assert (round_.stage_key, round_.stage_no, round_.mode) == ("neighbours", 1, "sealed_bid")
    council.close(third)
    assert council.round(third).stage_key == "county"  # who has said no is not asked again
    assert council.faults() == []


@on_sqlite
def test_the_ledger_holds_a_block_from_the_day_it_is_agreed_and_nothing_twice(council: World) -> None:
    elm = council.provider("Synthetic Elm", localities=[PILOT], hours=10)
    provider_id = council.row_of(elm).id or 0

    def counted() -> tuple[int, int, int]:
        with council.database.reading() as session:
            row = rows_of(session, provider_id, council.authority)[""]
            free = free_minutes(session, provider_id=provider_id, authority=council.authority, at=council.now)
            return row.committed_minutes, row.reserved_minutes, free

    block_for(council, elm)
    before = counted()
    Care(council, council.referral(locality=PILOT), elm)

    assert before == counted() == (420, 0, 600)


@on_sqlite
def test_a_broker_awards_unused_block_hours_directly_at_no_price(council: World, oak: Actor) -> None:
    elm = council.provider("Synthetic Elm", localities=[PILOT, ELSEWHERE])
    block = block_for(council, oak)
    referral = council.referral(locality=PILOT)
    council.run(moving.decline, award_ref=council.award(referral).ref, actor=oak, reason="Not today.")
    content = council.content(referral, 1750)
    request = {"referral_ref": referral, "provider": oak.provider or "", "reason": "block_hours", "content": content}

    award = council.run(offers.award_directly, **request, actor=council.second)

    assert (award.weekly_pence, award.source, award.reason) == (0, "direct_award", "block_hours")
    assert unused(council, block) == 420 - WEEK
    other = council.referral(locality=ELSEWHERE)
    with pytest.raises(NotEligible):  # it has free hours, and no block
        council.run(
            offers.award_directly,
            **request | {"referral_ref": other, "provider": elm.provider or ""},
            actor=council.second,
        )


@on_sqlite
def test_the_months_report_says_what_of_each_block_is_used_and_gives_it_no_price(council: World, oak: Actor) -> None:
    block = block_for(council, oak)
    first = council.now.date()
    Care(council, council.referral(locality=PILOT), oak)

    with council.database.reading() as session:
        facts = month_facts(
            session,
            scheme=council.scheme,
            first=first,
            last=council.now.date(),
            actor=council.commissioner,
            now=council.now,
        )
    month = month_of(facts)

    (use,) = month.blocks
    assert (use.block, use.bought_minutes, use.used_minutes, use.unused_minutes) == (block.ref, 420, WEEK, 420 - WEEK)
    assert month.prices == ()


@on_sqlite
def test_only_a_commissioner_of_the_scheme_buys_a_block_and_only_one_for_each_place(council: World, oak: Actor) -> None:
    block_for(council, oak)

    with pytest.raises(RuleNotMet, match="already"):
        block_for(council, oak)
    with pytest.raises(Forbidden):
        block_for(council, oak, locality=ELSEWHERE, actor=council.broker)
    stranger = Actor(ref="commissioner-9", role=council.commissioner.role, authority="kent")
    with pytest.raises(NotFound):
        block_for(council, oak, locality=ELSEWHERE, actor=stranger)
    with pytest.raises(BadInput, match="today or later"):
        block_for(council, oak, locality=ELSEWHERE, from_day=council.now.date() - timedelta(days=1))


@on_sqlite
def test_a_scheme_without_blocks_buys_none(database: Database, tmp_path: Path) -> None:
    council = World(database, tmp_path, "st-helens")
    oak = council.provider("Synthetic Oak")

    with pytest.raises(RuleNotMet, match="buys no blocks of hours"):
        block_for(council, oak, lot="personal-care", locality="town-centre")
