"""The ladder under any council's rules and any register: its order, its ends, and who is asked at each stage."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bidding.rounds import Outcome, Round
from bidding.stages import ends_at
from dps.kernel.calendar import LONDON
from dps.schemes.loader import preset, presets
from dps.schemes.model import Mode, Reach, Scheme, Stage
from tests.support.schema import SqliteSchema
from tests.support.world import World

STAGES = [(key, stage) for key in presets() for ladder in preset(key).ladders for stage in ladder.stages]
INSTANTS = st.dates(date(2018, 1, 1), date(2031, 12, 31)).flatmap(
    lambda day: st.integers(0, 24 * 60 - 1).map(
        lambda minute: datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=minute)
    )
)


@given(of=st.sampled_from(STAGES), now=INSTANTS, later=st.timedeltas(timedelta(0), timedelta(days=9)))
def test_every_stage_leaves_at_least_its_window_and_ends_no_earlier_when_it_begins_later(
    of: tuple[str, Stage], now: datetime, later: timedelta
) -> None:
    key, stage = of
    scheme = preset(key)

    end, end_later = ends_at(stage, scheme, now), ends_at(stage, scheme, now + later)

    if stage.mode is Mode.RANKED_OFFER:
        assert (end, end_later) == (None, None)
        return
    assert end is not None
    assert end_later is not None
    assert now < end <= end_later
    assert end >= stage.window.end(now, scheme.calendar())
    if stage.closing == "published":
        wall = end.astimezone(LONDON)
        assert wall.time() in scheme.closings.times
        assert scheme.calendar().is_working_day(wall.date())


LIVERPOOL = preset("liverpool")
HOME = LIVERPOOL.localities[0]
NEAR = HOME.neighbours[0]
FAR = next(one.key for one in LIVERPOOL.localities if one.key not in (HOME.key, *HOME.neighbours))
STANDING = st.tuples(st.sampled_from(["preferred", "approved"]), st.sampled_from([HOME.key, NEAR, FAR]))


@pytest.fixture
def council(sqlite_schema: SqliteSchema, tmp_path: Path) -> Callable[[], World]:
    """Another Liverpool for each example."""
    numbers = count()

    def another() -> World:
        folder = tmp_path / f"{next(numbers)}"
        folder.mkdir()
        return World(sqlite_schema.database(folder / "test.sqlite3"), folder, scheme=LIVERPOOL)

    return another


def asked_at(scheme: Scheme, stage_no: int, standing: list[tuple[str, str]]) -> set[int]:
    """Who is asked, worked out apart from the code: earlier lists stay in, the reach is the stage's own."""
    stages = scheme.ladders[0].stages
    lists = {one for stage in stages[: stage_no + 1] for one in stage.lists}
    assert all(stage.keeps_earlier for stage in stages[1:])
    reached = {
        Reach.LOCALITY: {HOME.key},
        Reach.NEIGHBOURS: {HOME.key, *HOME.neighbours},
        Reach.SCHEME: {one.key for one in scheme.localities},
    }[stages[stage_no].reach]
    return {at for at, (list_, place) in enumerate(standing) if list_ in lists and place in reached}


@pytest.mark.slow
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(standing=st.lists(STANDING, max_size=4))
def test_where_nobody_bids_every_stage_is_asked_once_in_order_and_nobody_is_left_out(
    council: Callable[[], World], standing: list[tuple[str, str]]
) -> None:
    world = council()
    refs = [
        world.provider(f"Synthetic {at}", lists=[list_], localities=[place]).provider or ""
        for at, (list_, place) in enumerate(standing)
    ]
    stages = world.scheme.ladders[0].stages

    referral = world.referral()
    seen = []
    for _ in stages:
        if world.state(referral) != "seeking":
            break
        seen.append((world.round(referral).stage_key, world.invited(referral)))
        world.close(referral)

    expected = [
        (stage.key, {refs[at] for at in asked_at(world.scheme, no, standing)}) for no, stage in enumerate(stages)
    ]
    assert seen == [(key, asked) for key, asked in expected if asked]
    assert world.state(referral) == "unfilled"
    rounds = world.rows(Round)
    assert [one.stage_key for one in rounds] == [stage.key for stage in stages]
    assert [one.predecessor_id for one in rounds] == [None, *(one.id for one in rounds[:-1])]
    assert {one.outcome for one in rounds} == {Outcome.EXHAUSTED}
    world.database.dispose()
