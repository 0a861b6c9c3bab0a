"""The page of an area contract at the desk: what was bid, its statements, and the form for the next."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from bidding.tenders.content import AreaBid
from bidding.tenders.deciding import accept_area
from dps.contracts.statements.records import Statement
from dps.kernel.database import Database
from tests.scenarios.serving import Care
from tests.scenarios.test_kingston_area_records import served as somebody_served
from tests.scenarios.test_kingston_areas import CHEAP, MALDEN, TOWN, Competition
from tests.web.pages.test_desk import at_the_desk
from tests.web.pages.test_page_guards import seated
from tests.web.served import Served
from web.security.accounts import Part

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])


@pytest.fixture
def kingston(database: Database, tmp_path: Path) -> Iterator[Served]:
    with Served(database, tmp_path, "kingston") as council:
        yield council


def test_a_broker_states_what_nobody_records_and_recorded_hours_are_read(kingston: Served) -> None:
    world, broker = kingston.world, at_the_desk(kingston)
    oak = world.provider("Synthetic Oak", localities=[MALDEN], lists=["area-provider"])
    row = Competition(world, "two-rates", MALDEN).let(oak, (oak, CHEAP))
    care: Care = somebody_served(world, oak)
    world.step(days=7)
    care.mornings(7)
    path = f"/desk/area-contracts/{row.ref}"
    days = {"first_day": care.first.isoformat(), "last_day": care.day(6).isoformat()}
    assert path in broker.open("/desk/area-statements").text

    page = broker.open(path).text
    unsaid = broker.send(f"{path}/statements")
    odd = broker.send(f"{path}/statements", **days, **{"unit-reablement": "ten"})
    made = broker.send(f"{path}/statements", **days, **{"unit-reablement": "10"})
    broker.open(path)
    again = broker.send(f"{path}/statements", **days)

    assert "read from the records of visits" in page
    assert "unit-home-care" not in page
    assert "Nothing was stated yet." in page
    assert (unsaid.status_code, "Give the first day" in unsaid.text) == (400, True)
    assert (odd.status_code, 'href="#unit-reablement"' in odd.text) == (400, True)
    assert "3 h 30 min in 7 recorded visits" in made.text
    assert again.status_code == 400
    (statement,) = world.rows(Statement)
    assert statement.pence == 10 * 1_800 + 7 * 800
    assert statement.ref in broker.open(path).text
    assert seated(kingston, Part.BROKER, authority="another-council").open(path).status_code == 404


def test_a_years_price_asks_what_care_cost_and_what_was_reached(kingston: Served) -> None:
    world, broker = kingston.world, at_the_desk(kingston)
    oak = world.provider("Synthetic Oak", lists=["approved"])
    goals = world.scheme.area_contract("outcomes").targets
    bid = AreaBid(yearly_pence=1_949_000_00, targets=tuple(sorted((one.key, one.least_percent) for one in goals)))
    row = Competition(world, "outcomes", TOWN).let(oak, (oak, bid))
    path = f"/desk/area-contracts/{row.ref}"
    days = {
        "first_day": row.from_day.isoformat(),
        "last_day": (row.from_day + timedelta(days=27)).isoformat(),
    }
    reached = {f"reached-{one.key}": "90" for one in goals}
    broker.open(path)

    nothing = broker.send(f"{path}/statements")
    no_cost = broker.send(f"{path}/statements", **days, **reached)
    not_said = broker.send(f"{path}/statements", **days, actual_pence="150000.00", **reached | {"reached-at-home": ""})
    made = broker.send(f"{path}/statements", **days, actual_pence="150000.00", **reached)

    assert (no_cost.status_code, "Say what care in the area cost" in no_cost.text) == (400, True)
    assert nothing.text.count('href="#reached-') == len(goals)
    assert all(f'href="#{name}"' in nothing.text for name in ("first_day", "last_day", "actual_pence"))
    assert (not_said.status_code, 'href="#reached-at-home"' in not_said.text) == (400, True)
    assert "100 of 100 points" in made.text
    assert "care cost £150,000.00: £487.67 more" in made.text
    assert f"Area, {world.scheme.locality(TOWN).name}," in made.text
    assert f'href="/desk/area-contracts/{row.ref}"' in made.text
    (statement,) = world.rows(Statement)
    assert statement.pence == 149_512_33


def test_before_a_contract_begins_there_is_nothing_to_state(kingston: Served) -> None:
    world, broker = kingston.world, at_the_desk(kingston)
    oak = world.provider("Synthetic Oak", lists=["approved"])
    competition = Competition(world, "two-rates", MALDEN)
    competition.bid(oak, CHEAP)
    competition.close()
    competition.offer()
    row = competition.step(accept_area, oak)

    page = broker.open(f"/desk/area-contracts/{row.ref}").text

    assert "there is nothing to state yet" in page
    assert 'name="first_day"' not in page
