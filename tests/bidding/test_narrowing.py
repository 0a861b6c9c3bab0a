"""Filters of published packages: each narrows by its own fact, at its own edge. Pure."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from bidding.looking.narrowing import Narrowing, Own, TimeOfDay, times_of_day, unread
from dps.packages.schedule import parse_schedule

NOON = datetime(2019, 3, 4, 12, tzinfo=UTC)
OWN = Own(areas=frozenset({"here"}), skills=frozenset({"peg_feeding"}))


def fits(wanted: Narrowing, *, visits: str = "Mon-Sun 07:30-09:30 30m personal_care", **facts: Any) -> bool:
    schedule = parse_schedule(visits)
    part = {
        "schedule": schedule.to_dict(),
        "weekly_minutes": schedule.weekly_minutes,
        "latest_start": "2019-03-14",
        "needs": [],
    } | {key: value for key, value in facts.items() if key not in ("lot", "locality", "closes_at")}
    return wanted.fits(
        lot=facts.get("lot", "care"),
        locality=facts.get("locality", "here"),
        part=part,
        closes_at=facts.get("closes_at", NOON + timedelta(hours=24)),
        now=NOON,
        own=OWN,
    )


@pytest.mark.parametrize(
    ("wanted", "facts", "expected"),
    [
        (Narrowing(), {}, True),
        (Narrowing(lot="care"), {}, True),
        (Narrowing(lot="night"), {}, False),
        (Narrowing(area="there"), {}, False),
        (Narrowing(area="mine"), {}, True),
        (Narrowing(area="mine"), {"locality": "there"}, False),
        (Narrowing(closing_hours=24), {}, True),
        (Narrowing(closing_hours=23), {}, False),
        (Narrowing(closing_hours=24), {"closes_at": None}, False),
        (Narrowing(least_hours=3), {}, True),
        (Narrowing(least_hours=4), {}, False),
        (Narrowing(most_hours=4), {}, True),
        (Narrowing(most_hours=3), {}, False),
        (Narrowing(starts_from=date(2019, 3, 14)), {}, True),
        (Narrowing(starts_from=date(2019, 3, 15)), {}, False),
        (Narrowing(starts_from=date(2019, 3, 15)), {"latest_start": None}, True),
        (Narrowing(times=frozenset({TimeOfDay.MORNING})), {}, True),
        (Narrowing(times=frozenset({TimeOfDay.EVENING})), {}, False),
        (Narrowing(carers=1), {}, True),
        (Narrowing(carers=2), {}, False),
        (Narrowing(own_skills=True), {"needs": ["peg_feeding"]}, True),
        (Narrowing(own_skills=True), {"needs": ["peg_feeding", "sign_language"]}, False),
        (Narrowing(own_skills=True), {"needs": None}, True),
    ],
)
def test_each_filter_narrows_by_its_own_fact(wanted: Narrowing, facts: dict[str, Any], expected: bool) -> None:
    assert fits(wanted, **facts) is expected


def test_double_handed_packages_are_told_from_single_ones() -> None:
    visits = "Mon-Sun 07:30-09:30 30m x2 personal_care"

    assert fits(Narrowing(carers=2), visits=visits)
    assert not fits(Narrowing(carers=1), visits=visits)


@pytest.mark.parametrize(
    ("window", "part"),
    [
        ("05:59-07:00", TimeOfDay.NIGHT),
        ("06:00-07:00", TimeOfDay.MORNING),
        ("10:59-12:00", TimeOfDay.MORNING),
        ("11:00-12:00", TimeOfDay.MIDDAY),
        ("15:00-16:00", TimeOfDay.TEATIME),
        ("18:00-19:00", TimeOfDay.EVENING),
        ("22:00-23:00", TimeOfDay.NIGHT),
    ],
)
def test_the_parts_of_the_day_begin_at_their_hours(window: str, part: TimeOfDay) -> None:
    assert times_of_day(parse_schedule(f"Mon {window} 30m personal_care")) == {part}


def test_a_filter_is_an_address_and_back() -> None:
    wanted = Narrowing(
        lot="care",
        area="mine",
        closing_hours=24,
        least_hours=1,
        most_hours=9,
        starts_from=date(2019, 3, 14),
        times=frozenset({TimeOfDay.MORNING, TimeOfDay.NIGHT}),
        carers=2,
        own_skills=True,
    )

    assert Narrowing.from_dict(wanted.to_dict()) == wanted
    assert Narrowing().to_dict() == {}


@pytest.mark.parametrize(
    "fields",
    [{"hours": "many"}, {"least": "-1"}, {"most": "9" * 50}, {"from": "soon"}, {"carers": "3"}, {"skills": "all"}],
)
def test_what_makes_no_sense_narrows_nothing(fields: dict[str, str]) -> None:
    assert Narrowing.from_dict(fields).is_empty


def test_what_makes_no_sense_is_named_by_its_field() -> None:
    fields = {"least": "ten", "most": "20", "from": "2019-02-30", "hours": "", "lot": "any"}

    assert unread(fields) == {"least": "ten", "from": "2019-02-30"}
