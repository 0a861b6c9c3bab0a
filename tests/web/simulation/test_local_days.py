"""The simulation's days and weeks are those on the wall: none loses or gains an hour when the clocks change."""

from datetime import UTC, date, datetime

import pytest

from web.demo.market import days_later, weeks_later
from web.simulation.course import local_day
from web.simulation.figures import four_weeks

MONDAY = datetime(2019, 3, 18, 8, tzinfo=UTC)
"""Eight in the morning; the clocks went forward on the 31st."""


def test_a_period_ends_at_the_same_time_on_the_wall_as_it_began() -> None:
    first, second = four_weeks(MONDAY, 0), four_weeks(MONDAY, 4)
    early = datetime(2019, 4, 15, 7, 30, tzinfo=UTC)  # half past eight in summer time: the second period's first Monday

    assert first == (MONDAY, datetime(2019, 4, 15, 7, tzinfo=UTC))
    assert first[1] == second[0] == weeks_later(MONDAY, 4) <= early


@pytest.mark.parametrize(
    ("day", "utc"), [(12, datetime(2019, 3, 30, 20, tzinfo=UTC)), (13, datetime(2019, 3, 31, 19, tzinfo=UTC))]
)
def test_the_same_hour_of_each_day_stays_the_same_hour(day: int, utc: datetime) -> None:
    assert days_later(datetime(2019, 3, 18, 20, tzinfo=UTC), day) == utc


def test_after_midnight_in_summer_it_is_the_next_day_already() -> None:
    assert local_day(datetime(2019, 6, 3, 23, 30, tzinfo=UTC)) == date(2019, 6, 4)
