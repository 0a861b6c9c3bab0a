"""Visit rules: no visit shorter than its lot, but for the tasks that may be. Source: schemes.md, Worcestershire."""

from datetime import time

from hypothesis import given

from dps.packages.schedule import Schedule, VisitKind
from dps.packages.visit_rules import ShortVisit, check_visits
from tests.dps.packages.builders import a_visit, schedules
from tests.dps.packages.cases import SCHEME

LOT = SCHEME.lot("personal-care")


def test_thirty_minutes_is_the_least_and_a_medicine_check_may_take_fifteen() -> None:
    week = Schedule.of(
        [
            a_visit(minutes=30),
            a_visit(minutes=15, task="medication", window=(time(12), time(13))),
        ]
    )

    assert check_visits(week, LOT) == ()


def test_a_shorter_visit_is_named_with_its_least() -> None:
    week = Schedule.of(
        [
            a_visit(minutes=29),
            a_visit(minutes=14, task="medication", window=(time(12), time(13))),
        ]
    )

    short = check_visits(week, LOT)

    assert short == (ShortVisit(1, "personal_care", 29, 30), ShortVisit(2, "medication", 14, 15))
    assert short[0].words() == "line 1: 29 minutes of personal care, where the least is 30 minutes"


@given(schedules)
def test_exactly_the_visits_below_their_own_least_are_named(week: Schedule) -> None:
    short = {each.line for each in check_visits(week, LOT)}

    for line, visit in enumerate(week.visits, 1):
        least = 15 if visit.task == "medication" else 30
        assert (line in short) is (visit.kind is VisitKind.VISIT and visit.minutes < least)
