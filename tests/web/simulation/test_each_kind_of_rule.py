"""A change of each kind of rule shows in the figures: stages, weights, shapes of lists, seasons, blocks, bundles."""

from collections import Counter
from dataclasses import replace
from datetime import date
from functools import cache
from typing import Any

import pytest

from dps.schemes.loader import preset
from dps.schemes.model import AllocationMode, Demo, ListShape, Scheme
from web.demo.blocks import block_of
from web.demo.market import Market, draw_year, in_season
from web.simulation.chapters import chapters
from web.simulation.comparing import Comparison, played
from web.simulation.course import Course
from web.simulation.figures import Figures
from web.simulation.ground import Rules, ground_of, market_of, playable, put_on

pytestmark = pytest.mark.slow
WEEKS, SEED = 2, 7


@cache
def ground(key: str) -> tuple[Scheme, Market]:
    scheme = playable(preset(key), weeks=WEEKS, referrals=20, providers=14)
    return scheme, market_of(scheme, ground_of(scheme), seed=SEED, weeks=WEEKS)


@cache
def as_it_is(key: str) -> Figures:
    return played(*ground(key), SEED, WEEKS, lambda _: None)


def tried(key: str, **changes: Any) -> tuple[Figures, Figures]:
    """The year under the council's own rules, and under a copy with these changes."""
    scheme, market = ground(key)
    return as_it_is(key), played(scheme.model_copy(update=changes), market, SEED, WEEKS, lambda _: None)


def test_a_ladder_without_its_later_stages_places_fewer() -> None:
    scheme, _ = ground("st-helens")
    short = tuple(one.model_copy(update={"stages": one.stages[:1]}) for one in scheme.ladders)

    before, after = tried("st-helens", ladders=short)

    assert len(after.stages) < len(before.stages)
    assert after.placed < before.placed


def test_other_weights_of_price_and_quality_give_work_to_others_at_other_prices() -> None:
    scheme, _ = ground("st-helens")
    price_alone = {"price_weight": 100, "quality_weight": 0}

    before, after = tried("st-helens", evaluation=scheme.evaluation.model_copy(update=price_alone))

    assert after.pence_per_hour != before.pence_per_hour
    assert after.rounds > 0


def test_a_list_with_one_seat_in_each_area_concentrates_the_work() -> None:
    scheme, _ = ground("liverpool")
    seats = tuple(one.model_copy(update={"shape": ListShape.ONE_PER_AREA}) for one in scheme.lists[:1])

    before, after = tried("liverpool", lists=(*seats, *scheme.lists[1:]))

    assert [stage.placed for stage in after.stages] != [stage.placed for stage in before.stages]


def test_a_season_s_ceiling_changes_what_closes_in_it_and_nothing_before() -> None:
    scheme, _ = ground("st-helens")
    assert scheme.demo is not None
    begins = scheme.demo.starts_at.date()
    second_week = date.fromordinal(begins.toordinal() + 7)

    def with_winter(lot: Any) -> Any:
        low = {"floor_pence_per_hour": 100, "ceiling_pence_per_hour": 900, "starts": second_week}
        return lot.model_copy(update={"envelopes": (*lot.envelopes, lot.envelopes[0].model_copy(update=low))})

    before, after = tried("st-helens", lots=tuple(map(with_winter, scheme.lots)))

    assert after.unplaced_minutes_by_week[0] == before.unplaced_minutes_by_week[0]
    assert after.unplaced_minutes_by_week[1] > before.unplaced_minutes_by_week[1]


def test_unused_hours_of_a_block_come_first_are_used_and_are_paid_in_full() -> None:
    with_block, without = tried("worcestershire", blocks=None)
    scheme, market = ground("worcestershire")
    bought = block_of(scheme, market.providers)

    assert without.blocks is None
    assert with_block.blocks is not None
    assert bought is not None
    assert (with_block.blocks.bought_minutes, with_block.blocks.weekly_pence) == (
        bought.weekly_minutes,
        bought.weekly_pence,
    )
    assert with_block.stages[0].name == "Unused hours of a block"
    assert with_block.stages[0].placed == with_block.blocks.people > 0
    assert 0 < with_block.blocks.used_thousandths <= 1000
    assert with_block.given_pence != without.given_pence


def test_no_more_of_a_block_serves_people_than_was_bought() -> None:
    scheme, market = ground("worcestershire")
    course = Course(scheme, market, seed=SEED, weeks=WEEKS)
    over: list[int] = []

    course.play(lambda _at, _count, _waiting: over.extend(
        block.used_minutes for block in course.supply.blocks
        if not 0 <= block.used_minutes <= block.weekly_minutes
    ))  # fmt: skip

    assert over == []
    assert course.tally.block_minutes_used


@cache
def crowded() -> tuple[Scheme, Market]:
    """One week with so many people that two of them now and then close together in one locality."""
    scheme = playable(preset("worcestershire"), weeks=1, referrals=110, providers=40)
    return scheme, market_of(scheme, ground_of(scheme), seed=SEED, weeks=1)


def test_bids_for_two_or_none_are_taken_whole() -> None:
    scheme, market = crowded()
    course = Course(scheme, market, seed=SEED, weeks=1)

    course.play(lambda _at, _count, _waiting: None)

    bundled = [one for case in course.cases for one in case.placements if one.is_bundled]
    assert course.tally.bundles > 0
    assert bundled
    assert set(Counter((one.at, one.provider) for one in bundled).values()) == {2}
    two = [case for case in course.cases if case.placements and case.placements[0].is_bundled]
    assert len({(case.package.lot, case.package.locality) for case in two}) <= len(two) // 2


def test_where_each_package_is_awarded_by_itself_nobody_bids_for_two() -> None:
    scheme, market = crowded()
    alone = scheme.allocation.model_copy(update={"mode": AllocationMode.PER_PACKAGE})
    few = replace(market, needs=market.needs[:60])

    joint, per_package = (
        played(scheme.model_copy(update={"allocation": rule}), few, SEED, 1, lambda _: None)
        for rule in (scheme.allocation, alone)
    )

    assert joint.bundles > 0 == per_package.bundles == per_package.in_bundles
    assert joint.weekly_pence != per_package.weekly_pence


def test_the_report_has_a_chapter_on_blocks_where_either_rule_set_buys_them() -> None:
    scheme, _ = ground("worcestershire")
    figures = tried("worcestershire", blocks=None)
    sides = tuple(Rules(name, scheme, ()) for name in ("bought", "none"))
    assert scheme.demo is not None
    compared = Comparison("worcestershire", SEED, WEEKS, 20, scheme.demo.starts_at, (sides[0], sides[1]), figures)

    (chapter,) = (one for one in chapters(compared) if one.key == "blocks")

    assert chapter.rows[0][2] == "none"
    assert [one.key for one in chapters(replace(compared, figures=(figures[1], figures[1])))].count("blocks") == 0


def test_rules_with_blocks_buy_them_for_the_services_of_another_ground() -> None:
    placed = put_on(preset("worcestershire"), preset("liverpool")).scheme

    assert placed.blocks is not None
    assert set(placed.blocks.lots) == {lot.key for lot in placed.lots}
    assert put_on(preset("liverpool"), preset("worcestershire")).scheme.blocks is None


def cornwall() -> Demo:
    demo = preset("cornwall").demo
    assert demo is not None
    return demo


def test_a_year_has_the_seasons_of_its_ground_and_its_first_week_is_the_demonstration_s() -> None:
    scheme = playable(preset("cornwall"), weeks=16, referrals=50)
    assert scheme.demo is not None
    found = ground_of(scheme)

    market = draw_year(scheme, found.places, found.centres, seed=SEED, weeks=16)

    weeks = [0] * 16
    for need in market.needs:
        weeks[(need.arrives_at - scheme.demo.starts_at).days // 7] += 1
    assert weeks[0] == 50  # July
    assert weeks[3] == 51  # August: 110 against July's 108
    assert weeks[12] == 42  # October: 90
    assert [need.number for need in market.needs] == list(range(1, len(market.needs) + 1))


def test_without_seasons_every_week_is_alike() -> None:
    flat = cornwall().model_copy(update={"month_percents": None, "referrals": 40})

    assert {in_season(flat, flat.starts_at.replace(month=month)) for month in range(1, 13)} == {40}
