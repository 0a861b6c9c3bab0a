"""Locations as pages: stated in the portal, looked up and recorded or refused by an officer."""

import pytest

from dps.register.location_notices import LocationNotice
from dps.register.providers import Location
from tests.web.pages.portal.test_joining import member
from tests.web.pages.test_register import an_officer
from tests.web.served import Served

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])

HOME = "/portal/service/locations"
TYPED = {"regulator_id": "1-777", "name": "North Office", "postcode": "WA10 1AA", "registered_on": "2018-01-08"}


def test_a_location_is_stated_looked_up_and_recorded(served: Served) -> None:
    browser, officer = member(served), an_officer(served)
    before = browser.open(HOME).text
    browser.open(f"{HOME}/new")
    empty = browser.send(f"{HOME}/new")
    wrong = browser.send(f"{HOME}/new", **TYPED | {"postcode": "WA10"})
    waits = browser.send(f"{HOME}/new", **TYPED).text
    (notice,) = served.world.rows(LocationNotice)
    path = f"/register/locations/{notice.ref}"
    counted = officer.open("/register").text
    listed = officer.open("/register/locations").text
    officer.open(path)

    unrated = officer.send(f"{path}/recording")
    officer.send(f"{path}/recording", rating="outstanding")
    done = browser.open(HOME).text
    again = officer.post(f"{path}/recording", rating="good")

    assert "Your registered locations" in before
    assert (empty.status_code, 'href="#regulator_id"' in empty.text) == (400, True)
    assert (wrong.status_code, 'href="#postcode"' in wrong.text) == (400, True)
    assert "Waits for the council" in waits
    assert "<strong>1</strong><span>location waits" in counted
    assert "location waits" not in officer.open("/register").text
    assert "North Office, 1-777" in listed
    assert (unrated.status_code, "Choose the rating" in unrated.text) == (400, True)
    assert "Outstanding" in done
    assert again.status_code == 409
    assert "Nothing waits." in officer.open("/register/locations").text


def test_a_closing_is_stated_refused_with_a_reason_stated_anew_and_taken_back(served: Served) -> None:
    browser, officer = member(served), an_officer(served)
    (location,) = served.world.rows(Location)
    browser.open(f"{HOME}/closing?number={location.regulator_id}")
    chosen = browser.form(f"{HOME}/closing")["regulator_id"]
    another = browser.send(f"{HOME}/closing", regulator_id="1-000")
    browser.open(f"{HOME}/closing")
    browser.send(f"{HOME}/closing", regulator_id=location.regulator_id)
    (notice,) = served.world.rows(LocationNotice)
    path = f"/register/locations/{notice.ref}"
    officer.open(path)

    unsaid = officer.send(f"{path}/refusal")
    officer.send(f"{path}/refusal", reason="The regulator has it open.")
    told = browser.open(HOME).text
    browser.open(f"{HOME}/closing")
    browser.send(f"{HOME}/closing", regulator_id=location.regulator_id)
    second = served.world.rows(LocationNotice)[-1]
    back = browser.send(f"{HOME}/notices/{second.ref}/withdrawal").text

    assert chosen == location.regulator_id
    assert (another.status_code, "Choose the location" in another.text) == (400, True)
    assert (unsaid.status_code, "A reason is needed" in unsaid.text) == (400, True)
    assert "The council: The regulator has it open." in told
    assert "Taken back" in back
    assert served.world.rows(Location)[0].closed_on is None
