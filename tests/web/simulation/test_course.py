"""A played year: what it keeps to whatever the rules, and that the same rules on the same people differ in nothing."""

import json
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from dps.schemes.loader import preset, presets
from dps.schemes.model import Demo, Scheme
from web.demo.market import Market
from web.simulation.comparing import compare, played
from web.simulation.course import Course
from web.simulation.figures import Figures, figures_of
from web.simulation.ground import Ground, ground_of, market_of, playable

pytestmark = pytest.mark.slow
WEEKS, PEOPLE = 2, 15


@cache
def grounds(key: str) -> tuple[Scheme, Ground]:
    scheme = playable(preset(key), weeks=WEEKS, referrals=PEOPLE, providers=12)
    return scheme, ground_of(scheme)


def figures(scheme: Scheme, market: Market, seed: int = 7) -> Figures:
    return played(scheme, market, seed, WEEKS, lambda _: None)


@pytest.mark.parametrize("key", presets())
def test_everybody_is_placed_or_left_or_waits_and_no_hour_is_sold_twice(key: str) -> None:
    scheme, ground = grounds(key)
    course = Course(scheme, market_of(scheme, ground, seed=7, weeks=WEEKS), seed=7, weeks=WEEKS)
    oversold: list[str] = []

    course.play(lambda _at, _count, _waiting: oversold.extend(over(course)))

    found = of(course)
    assert oversold == []
    assert found.people == WEEKS * PEOPLE == found.placed + found.left + found.waiting
    assert sum(stage.placed for stage in found.stages) == found.placed > 0
    shares = [share for _, share in found.within_days]
    assert shares == sorted(shares)
    assert found.sealed_rounds >= found.without_bids + found.single_bids
    assert all(case.placements or not case.served for case in course.cases)


def over(course: Course) -> list[str]:
    """Providers that hold more than they have declared."""
    return [
        one.ref
        for one in course.supply.providers.values()
        for rows in one.ledger.values()
        for row in rows.values()
        if row.reserved_minutes < 0 or row.free_minutes(course.now, is_full=False) < 0
    ]


def of(course: Course) -> Figures:
    return figures_of(
        course.cases,
        course.tally,
        course.scheme,
        free_minutes=course.supply.usual_minutes,
        begins=course.begins,
        until=course.until,
        weeks=WEEKS,
    )


def test_the_same_rules_differ_in_nothing_and_the_same_seed_gives_the_same_object() -> None:
    liverpool = preset("liverpool")
    tried = liverpool.model_copy(update={"key": "tried"})

    compared = compare(liverpool, tried, seed=7, weeks=WEEKS, referrals=PEOPLE, providers=12, apart=False)
    again = compare(liverpool, tried, seed=7, weeks=WEEKS, referrals=PEOPLE, providers=12, apart=False)
    other = compare(liverpool, tried, seed=8, weeks=WEEKS, referrals=PEOPLE, providers=12, apart=False)

    assert compared.figures[0] == compared.figures[1]
    assert json.dumps(compared.to_dict()) == json.dumps(again.to_dict())
    assert compared.figures[0] != other.figures[0]


def test_two_processes_give_the_object_that_one_gives() -> None:
    sides: Any = preset("liverpool"), preset("halton")

    apart = compare(*sides, seed=3, weeks=1, referrals=PEOPLE, providers=12)
    in_turn = compare(*sides, seed=3, weeks=1, referrals=PEOPLE, providers=12, apart=False)

    assert apart.to_dict() == in_turn.to_dict()


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_more_free_hours_of_the_same_providers_place_more_of_the_same_people_sooner(seed: int) -> None:
    scheme, ground = grounds("liverpool")
    market = market_of(scheme, ground, seed=seed, weeks=WEEKS)

    scarce, usual, ample = (figures(scheme, with_hours(market, share), seed) for share in (0.3, 1, 6))

    assert scarce.placed < usual.placed < ample.placed
    assert scarce.missed_minutes > usual.missed_minutes > ample.missed_minutes


def with_hours(market: Market, share: float) -> Market:
    """The same providers with this many times their hours, and without limits of their own."""
    more = [replace(one, minutes=int(one.minutes * share), max_packages=None) for one in market.drawn]
    return replace(market, drawn=tuple(more))


def test_a_published_price_that_nobody_takes_leaves_the_stage_empty_and_changes_who_pays_what() -> None:
    scheme, ground = grounds("liverpool")
    market = market_of(scheme, ground, seed=7, weeks=WEEKS)
    mean = scheme.model_copy(
        update={"lots": tuple(lot.model_copy(update={"offer_pence_per_hour": 100}) for lot in scheme.lots)}
    )

    found = {stage.stage: stage.placed for stage in figures(mean, market).stages}

    assert found["preferred"] == found["first"] == 0
    assert found["approved"] > 0


def test_a_ceiling_below_what_everybody_asks_places_nobody_by_bids() -> None:
    scheme, ground = grounds("st-helens")
    market = market_of(scheme, ground, seed=7, weeks=WEEKS)
    low = [
        envelope.model_copy(update={"floor_pence_per_hour": 100, "ceiling_pence_per_hour": 900})
        for envelope in scheme.lots[0].envelopes
    ]
    mean = scheme.model_copy(
        update={"lots": (scheme.lots[0].model_copy(update={"envelopes": tuple(low)}), *scheme.lots[1:])}
    )

    found = {stage.stage: stage.placed for stage in figures(mean, market).stages}

    assert found["open list"] == 0
    assert figures(mean, market).placed < figures(scheme, market).placed


def test_the_usual_size_is_a_hundred_people_a_week_or_the_demonstration_s_own() -> None:
    from web.simulation.command import _usual

    small = preset("halton").model_copy(update={"demo": demo_of(preset("halton"), referrals=40)})

    assert [_usual(preset("liverpool")), _usual(small)] == [100, 40]


def demo_of(scheme: Scheme, *, referrals: int) -> Demo:
    assert scheme.demo is not None
    return scheme.demo.model_copy(update={"referrals": referrals})
