"""What councils pay beyond one contract: prices that rise, and statements by area."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from dps.contracts.statements.records import Statement
from dps.contracts.variations.records import Uplift
from dps.kernel.database import Database
from tests.web.pages.test_desk import at_the_desk
from tests.web.pages.test_quality_pages import a_browser
from tests.web.served import Served
from web.security.accounts import Part

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])


@pytest.fixture
def kingston(database: Database, tmp_path: Path) -> Iterator[Served]:
    with Served(database, tmp_path, "kingston") as council:
        yield council


def test_an_uplift_is_looked_at_before_it_is_decided(kingston: Served) -> None:
    key, lot = kingston.world.scheme.key, kingston.world.scheme.lots[0].key
    commissioner = a_browser(kingston, Part.COMMISSIONER)
    action = f"/office/uplifts/{key}"
    empty = commissioner.open("/office/uplifts").text

    unreadable = commissioner.send(action, lot=lot, percent="two", from_day="1/4/2030")
    too_much = commissioner.send(action, lot=lot, percent="3.01", from_day="1/4/2030")
    undecided = commissioner.send(action, lot=lot, percent="2.5", from_day="1/4/2030")
    before = kingston.world.rows(Uplift)
    decided = commissioner.send(action)

    assert "No uplift was decided yet." in empty
    assert (unreadable.status_code, "Write the percentage as 2.5" in unreadable.text) == (400, True)
    assert (too_much.status_code, 'href="#percent"' in too_much.text) == (400, True)
    assert "Check before you decide" in undecided.text
    assert before == []
    assert "2.5%" in decided.text
    assert [(one.lot, one.basis_points) for one in kingston.world.rows(Uplift)] == [(lot, 250)]


def test_a_scheme_without_uplifts_says_so(served: Served) -> None:
    page = a_browser(served, Part.COMMISSIONER).open("/office/uplifts").text

    assert "allow no uplift" in page
    assert "See what it reaches" not in page


def test_an_area_is_stated_by_a_broker_and_found_in_the_list(kingston: Served) -> None:
    world, broker = kingston.world, at_the_desk(kingston)
    provider = world.provider("Ash Homecare").provider or ""
    yesterday = world.now.date() - timedelta(days=1)
    path = "/desk/area-statements"
    empty = broker.open(path).text
    wanted = {
        "lot": f"{world.scheme.key}/whole-area",
        "locality": world.scheme.localities[0].key,
        "provider": provider,
        "first_day": (yesterday - timedelta(days=364)).isoformat(),
        "last_day": yesterday.isoformat(),
    }

    unsaid = broker.send(path)
    no_cost = broker.send(path, **wanted)
    no_amount = broker.send(path, **wanted, actual_pence="two million")
    made = broker.send(path, **wanted, actual_pence="2140000.00")
    broker.open(path)
    again = broker.send(path, **wanted, actual_pence="2140000.00")

    assert "No statement was made for an area yet." in empty
    assert (unsaid.status_code, "Choose the service" in unsaid.text) == (400, True)
    assert (no_cost.status_code, "Say what care in the area cost" in no_cost.text) == (400, True)
    assert (no_amount.status_code, 'href="#actual_pence"' in no_amount.text) == (400, True)
    assert "To be talked about" in made.text
    assert again.status_code == 400
    (statement,) = world.rows(Statement)
    assert statement.ref in broker.open(path).text


def test_a_scheme_that_pays_contract_by_contract_says_so(served: Served) -> None:
    assert "None of your schemes pays a service by area" in at_the_desk(served).open("/desk/area-statements").text
