"""Changes that a broker begins at the desk: a pause, its end, and more care within the tolerance."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from dps.contracts.contracts import Contract
from dps.contracts.variations.records import Variation
from dps.kernel.database import Database
from tests.web.pages.test_desk import at_the_desk
from tests.web.served import Served
from web.pages.wording import day

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])


@pytest.fixture
def cornwall(database: Database, tmp_path: Path) -> Iterator[Served]:
    with Served(database, tmp_path, "cornwall") as council:
        yield council


@pytest.fixture
def running(cornwall: Served) -> str:
    """A contract whose first visit was ten days ago."""
    contract, _ = cornwall.world.in_care(since=timedelta(days=10))
    return contract


def test_visits_are_paused_with_a_reason_and_restart_without_a_competition(cornwall: Served, running: str) -> None:
    broker, path = at_the_desk(cornwall), f"/desk/contracts/{running}/changes"
    broker.open(path)

    unsaid = broker.send(f"{path}/pause")
    ahead = broker.send(f"{path}/pause", why="hospital", from_day="2100-01-01")
    paused = broker.send(f"{path}/pause", why="hospital", from_day=cornwall.world.now.date().isoformat())
    offered, listed = broker.open(path).text, broker.open("/desk/contracts").text
    broker.open(path)
    restarted = broker.send(f"{path}/restart")

    assert (unsaid.status_code, "Choose why" in unsaid.text) == (400, True)
    assert ahead.status_code == 400
    assert "Visits paused" in paused.text
    until = cornwall.world.now.date() + timedelta(weeks=4)
    assert f"the place is kept until {day(until)}" in paused.text
    assert f"The place is kept until {day(until)}" in listed
    assert "Restart visits" in offered
    assert f'action="{path}/pause"' not in offered
    assert "Running" in restarted.text
    assert [(one.kind, one.state) for one in cornwall.world.rows(Variation)] == [("pause", "closed")]


def test_a_week_grows_within_the_tolerance_and_not_above_it(cornwall: Served, running: str) -> None:
    broker, path = at_the_desk(cornwall), f"/desk/contracts/{running}/changes"
    broker.open(path)
    day = cornwall.world.now.date().isoformat()

    odd = broker.send(f"{path}/increase", reason="needs_grew", **{"week-0-minutes": "many"})
    above = broker.send(f"{path}/increase", week="Mon-Sun 07:30-09:30 90m personal_care", reason="needs_grew")
    unreadable = broker.send(f"{path}/increase", week="every day", reason="needs_grew")
    grown = broker.send(
        f"{path}/increase", week="Mon-Sun 07:30-09:30 32m personal_care", begins=day, reason="needs_grew"
    )

    assert (above.status_code, unreadable.status_code) == (400, 400)
    assert (odd.status_code, 'href="#week-0-minutes"' in odd.text, 'value="many"' in odd.text) == (400, True, True)
    assert [(one.kind, one.state) for one in cornwall.world.rows(Variation)] == [("increase", "agreed")]
    assert "Increase, needs grew" in grown.text


def test_a_week_grows_by_the_minutes_of_one_visit(cornwall: Served, running: str) -> None:
    broker, path = at_the_desk(cornwall), f"/desk/contracts/{running}/changes"
    broker.open(path)

    broker.send(f"{path}/increase", reason="needs_grew", **{"week-0-minutes": "33"})

    (grown,) = cornwall.world.rows(Variation)
    assert grown.schedule["visits"][0]["minutes"] == 33


def test_a_contract_ends_with_its_last_day_of_care(cornwall: Served, running: str) -> None:
    broker, path = at_the_desk(cornwall), f"/desk/contracts/{running}/changes"
    broker.open(path)

    ahead = broker.send(f"{path}/end", end_reason="independent", ended_on="2100-01-01")
    ended = broker.send(f"{path}/end", end_reason="independent", ended_on=cornwall.world.now.date().isoformat())
    over = broker.open(path).text

    assert (ahead.status_code, 'href="#ended_on"' in ahead.text) == (400, True)
    assert "Ended" in ended.text
    assert "the contract is over" in over
    assert cornwall.world.events("hold.release")


def test_a_hand_back_by_telephone_is_recorded_and_the_package_is_sought_for_again(
    cornwall: Served, running: str
) -> None:
    broker, path = at_the_desk(cornwall), f"/desk/contracts/{running}/changes"
    broker.open(path)

    unsaid = broker.send(f"{path}/hand-back")
    back = broker.send(f"{path}/hand-back", hand_back_reason="staffing", last_day=cornwall.world.now.date().isoformat())

    assert (unsaid.status_code, "Choose why" in unsaid.text) == (400, True)
    assert "Handed back" in back.text
    assert cornwall.world.events("referral.broker_again")


def test_a_scheme_that_allows_neither_offers_neither_and_a_start_moves_or_fails(served: Served) -> None:
    world = served.world
    winner = world.provider("Ash Homecare")
    referral = world.referral()
    world.bid(winner, referral, pence=1600)
    world.close(referral)
    contract = world.accept_and_confirm(world.award(referral), winner)
    broker = at_the_desk(served)

    page = broker.open(f"/desk/contracts/{contract}/changes").text

    path = f"/desk/contracts/{contract}/changes"
    moved = broker.send(
        f"{path}/start-day", starts_on=(world.rows(Contract)[0].starts_on + timedelta(days=1)).isoformat()
    )
    broker.open(path)
    failed = broker.send(f"{path}/failed-start", failure="person_died")

    assert "Not started yet" in moved.text
    assert "Did not start" in failed.text
    assert "Pause visits" not in page
    assert "More care" not in page
    assert "Care can’t begin" in page
