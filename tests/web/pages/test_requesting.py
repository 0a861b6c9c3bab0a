"""A requester writes a referral down page by page, without JavaScript, and sends it; the brokers go on with it."""

import pytest

from bidding.referrals import Referral
from tests.web.pages.browsing import Browser, an_account
from tests.web.pages.test_desk import at_the_desk
from tests.web.pages.test_entry import a_visit
from tests.web.served import Served
from web.security.accounts import Part

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])


def a_requesters_browser(served: Served) -> Browser:
    browser = Browser(served)
    browser.sign_in(an_account(served, Part.REQUESTER))
    assert browser.page.url.path == "/requests"
    return browser


def begun(served: Served, browser: Browser, nhs_number: str = "") -> str:
    """The first three pages; the draft's address."""
    postcode = f"{served.world.sector(served.world.scheme.localities[0].key)}AA"
    browser.open("/requests/new")
    browser.send("/requests/new/person", name="Synthetic Newcomer", date_of_birth="1940-05-06", nhs_number=nhs_number)
    browser.send("/requests/new/home", postcode=postcode, address="1 Example Street")
    browser.send("/requests/new/service", lot=served.world.scheme.lots[0].key, urgency="hospital_discharge")
    return browser.page.url.path.removesuffix("/entry/week")


def test_a_requester_writes_checks_and_sends_and_a_broker_publishes(served: Served) -> None:
    served.world.provider("Somebody")
    ward, colleague, broker = a_requesters_browser(served), a_requesters_browser(served), at_the_desk(served)
    path = begun(served, ward)
    ref = path.rpartition("/")[2]

    ward.send(f"{path}/entry/week", add="yes", **a_visit().fields)
    ward.send(f"{path}/entry/week", save="yes")
    ward.send(f"{path}/entry/start", earliest_start="2019-03-10", latest_start="2019-03-20")
    ward.send(f"{path}/entry/needs")
    ward.send(f"{path}/entry/words", pen_picture="Needs help to wash.")
    ward.send(f"{path}/entry/funding", funding="council")
    checked = ward.send(f"{path}/entry/providers")
    unseen = [colleague.open(f"{path}{page}").status_code for page in ("", "/check", "/entry/person")]
    before = broker.open("/desk").text
    sent = ward.send(f"{path}/sending")
    too_late = ward.open(f"{path}/entry/person")
    broker.open(f"/desk/referrals/{ref}/publication")
    broker.send(f"/desk/referrals/{ref}/entry-words")
    published = broker.send(f"/desk/referrals/{ref}/publication")

    assert checked.url.path == f"{path}/check"
    assert "Synthetic Newcomer" not in checked.text
    assert unseen == [404, 404, 404]
    assert ref not in before
    assert ref in broker.open("/desk").text
    assert sent.url.path == path
    assert "with the brokers and not published yet" in sent.text
    assert (too_late.status_code, "tell them what has changed" in too_late.text) == (422, True)
    assert "Seeking a provider" in published.text
    assert "Providers are asked." in ward.open(path).text


def test_a_requester_reads_and_corrects_the_person_and_that_is_recorded(served: Served) -> None:
    ward = a_requesters_browser(served)
    path = begun(served, ward)

    shown = ward.open(f"{path}/entry/person")
    corrected = ward.send(f"{path}/entry/person", phone="01632 960001")

    assert 'value="Synthetic Newcomer"' in shown.text
    assert corrected.url.path == f"{path}/check"
    assert "Date of birth, phone given" in corrected.text
    assert len(served.world.events("person.disclosed")) == 2
    assert len(served.world.events("person.corrected")) == 1


def test_somebody_who_is_known_is_for_the_brokers_to_write_down(served: Served) -> None:
    begun(served, a_requesters_browser(served), nhs_number="943 476 5919")
    (first,) = served.world.rows(Referral)
    colleague = a_requesters_browser(served)

    begun(served, colleague, nhs_number="943 476 5919")

    assert colleague.page.status_code == 400
    assert "ask the brokers to write this one down" in colleague.page.text
    assert first.ref not in colleague.page.text


def test_a_draft_that_is_not_needed_is_withdrawn_with_a_reason(served: Served) -> None:
    ward = a_requesters_browser(served)
    path = begun(served, ward)

    ward.open(f"{path}/check")
    unsaid = ward.send(f"{path}/withdrawal")
    withdrawn = ward.send(f"{path}/withdrawal", reason="Goes home to family.")

    assert (unsaid.status_code, "give the reason" in unsaid.text.lower()) == (400, True)
    assert "The request was withdrawn." in withdrawn.text
