"""What a provider's workbook asks for: each visit still to be recorded, once, of its own contracts."""

from datetime import date, time, timedelta

import pytest

from dps.contracts.deliveries.expected import ExpectedVisit, expected_on, expected_visits, is_of_workbook
from dps.contracts.deliveries.matching import VisitRecord
from dps.contracts.reasons import SuspensionReason as Paused
from dps.contracts.variations.pausing import pause
from dps.kernel.actors import Actor
from dps.kernel.database import Database
from dps.kernel.errors import BadInput, Forbidden
from dps.packages.schedule import parse_schedule
from tests.dps.contracts.cases import TODAY
from tests.dps.contracts.desk import Desk, morning
from tests.dps.packages.cases import BROKER, OTHER_PROVIDER, PROVIDER

MONDAY = date(2019, 3, 4)
WEEK = parse_schedule("Mon-Fri 18:00-20:00 30m meals; Mon,Sat 07:30-09:30 30m personal_care")


def test_a_day_has_its_weekdays_visits_in_order_of_time_named_by_day_and_place() -> None:
    assert expected_on("CON", MONDAY, WEEK) == [
        ExpectedVisit("CON", "WBK-2019-03-04-1", MONDAY, time(7, 30)),
        ExpectedVisit("CON", "WBK-2019-03-04-2", MONDAY, time(18)),
    ]
    assert [visit.planned_start for visit in expected_on("CON", MONDAY + timedelta(days=1), WEEK)] == [time(18)]
    assert expected_on("CON", MONDAY + timedelta(days=6), WEEK) == []


def test_a_place_that_is_taken_and_a_package_without_a_week_ask_for_nothing() -> None:
    assert [visit.visit_ref for visit in expected_on("CON", MONDAY, WEEK, {1: "M"})] == ["WBK-2019-03-04-1"]
    assert expected_on("CON", MONDAY, None) == []
    assert is_of_workbook("WBK-2019-03-04-1")
    assert not is_of_workbook("V-WBK-1")


def asked(desk: Desk, *, days: int, before: int = 0, actor: Actor = PROVIDER) -> list[ExpectedVisit]:
    first = TODAY - timedelta(days=before)
    last = TODAY + timedelta(days=days - 1)
    return desk.run(
        lambda session, ports: expected_visits(session, ports, scheme=desk.scheme, first=first, last=last, actor=actor)
    )


def test_days_before_the_start_or_to_come_and_visits_recorded_are_left_out(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        desk.after(days=3)
        desk.record(morning(TODAY + timedelta(days=1)))

        found = asked(desk, days=10, before=3)

        assert [(visit.contract, (visit.day - TODAY).days) for visit in found] == [(desk.ref, n) for n in (0, 2, 3)]


def test_what_is_filled_in_is_taken_and_then_no_longer_asked_for(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        (visit,) = asked(desk, days=1)

        done = desk.record(
            VisitRecord(
                visit_ref=visit.visit_ref,
                day=visit.day,
                planned_start=visit.planned_start,
                started=time(8),
                ended=time(8, 30),
            )
        )

        assert (done.new, done.oddities) == (1, {})
        assert asked(desk, days=1) == []


def test_paused_days_and_other_providers_are_asked_for_nothing(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        assert asked(desk, days=1, actor=OTHER_PROVIDER) == []
        desk.run(pause, contract_ref=desk.ref, scheme=desk.scheme, reason=Paused.HOSPITAL, from_day=TODAY, actor=BROKER)
        assert asked(desk, days=1) == []


def test_a_period_too_long_or_backwards_and_a_broker_are_refused(database: Database) -> None:
    with database.transaction() as session:
        desk = Desk(session)
        with pytest.raises(BadInput, match="at most 31 days"):
            asked(desk, days=32)
        with pytest.raises(BadInput, match="before the first"):
            asked(desk, days=0)
        with pytest.raises(Forbidden):
            asked(desk, days=1, actor=BROKER)
