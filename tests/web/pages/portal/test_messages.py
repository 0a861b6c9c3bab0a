"""Choices, saved filters and the calendar's address, by form."""

import pytest
from icalendar import Calendar

from tests.support.drawn import without_references
from tests.web.pages.browsing import Browser
from tests.web.pages.portal.test_joining import member
from tests.web.served import Served
from web.pages.calendar import CalendarFeed
from web.sending.choices import Choice, Event, HowOften
from web.sending.chosen import LetterChoice, SavedFilter

pytestmark = pytest.mark.parametrize("database_kind", ["sqlite"])
PATH = "/portal/service/messages"


def test_choices_are_made_by_form_and_shown_again(served: Served) -> None:
    browser = member(served)
    browser.open(PATH)
    typed = {"often-invitations": "digest", "often-results": "never", "quiet-from": "22:00", "quiet-until": "07:00"}

    browser.send(PATH, **typed, **{"digest-at": "07:30"})

    assert "Your choices are saved" in browser.page.text
    (row,) = served.world.rows(LetterChoice)
    choice = Choice.from_dict(row.choice)
    assert choice.often[Event.INVITATIONS] is HowOften.DIGEST
    assert choice.often[Event.RESULTS] is HowOften.NEVER
    assert (choice.quiet_minutes, choice.digest_minute) == ((1320, 420), 450)
    shown = browser.form(PATH)
    assert (shown["often-invitations"], shown["quiet-until"], shown["digest-at"]) == ("digest", "07:00", "07:30")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"quiet-from": "22:00"}, "Give both times"),
        ({"quiet-from": "22:00", "quiet-until": "22:00"}, "quiet hours that never end"),
        ({"digest-at": ""}, "Say when the digest leaves"),
        ({"often-results": "weekly"}, "Choose one of the answers"),
    ],
)
def test_a_choice_that_makes_no_sense_is_refused_in_words(served: Served, wrong: dict[str, str], words: str) -> None:
    browser = member(served)
    browser.open(PATH)

    page = browser.send(PATH, **wrong)

    assert page.status_code == 400
    assert words.lower() in page.text.lower()
    assert served.world.rows(LetterChoice) == []


def test_all_that_is_wrong_with_a_choice_is_said_at_once(served: Served) -> None:
    browser = member(served)
    browser.open(PATH)

    page = browser.send(PATH, **{"quiet-from": "22:00", "digest-at": "", "often-results": "weekly"}).text.lower()

    for words in ("give both times", "say when the digest leaves", "choose one of the answers"):
        assert words in page


def test_a_filter_is_saved_from_the_list_used_and_removed(served: Served) -> None:
    browser = member(served)
    browser.open("/portal/opportunities?carers=2&time-morning=on")

    browser.send(f"{PATH}/filters", name="Double mornings")

    assert "/portal/opportunities?carers=2&amp;time-morning=on" in browser.page.text
    assert len(served.world.rows(SavedFilter)) == 1
    browser.send(f"{PATH}/filters/removal")
    assert served.world.rows(SavedFilter) == []
    browser.open("/portal/opportunities?carers=2")
    nameless = browser.send(f"{PATH}/filters", name="")
    assert (nameless.status_code, "Give the filter a name" in nameless.text) == (400, True)
    browser.send(f"{PATH}/filters", name="Two carers")
    assert [(one.name, one.narrowing) for one in served.world.rows(SavedFilter)] == [("Two carers", {"carers": "2"})]


def test_the_calendar_shows_deadlines_to_whoever_has_the_address_until_it_is_taken_back(served: Served) -> None:
    browser, world = member(served), served.world
    referral = world.referral()
    offered = world.referral()
    world.bid(browser.actor, offered, pence=1612)  # type: ignore[attr-defined]
    closes_at, round_ = world.closes_at(referral), world.round(referral).ref
    browser.open(PATH)
    browser.send(f"{PATH}/calendar")
    address = "/calendar/" + browser.page.text.split("/calendar/")[1].split("<")[0]
    stranger = Browser(served)

    answer = stranger.open(address)
    calendar = Calendar.from_ical(answer.content)
    entries = {str(entry["summary"]): entry for entry in calendar.walk("VEVENT")}

    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert entries[f"Bids close: {round_}"].decoded("dtend") == closes_at
    assert "1612" not in without_references(answer.text)
    assert "Synthetic" not in answer.text
    assert "Member" not in answer.text
    world.close(offered)
    after = [str(one["summary"]) for one in Calendar.from_ical(stranger.open(address).content).walk("VEVENT")]
    assert f"Answer an offer: {world.award(offered).ref}" in after
    (row,) = world.rows(CalendarFeed)
    assert row.token_sha256 not in address
    browser.open(PATH)
    assert address not in browser.page.text
    browser.send(f"{PATH}/calendar/removal")
    assert stranger.open(address).status_code == 404
    assert stranger.open("/calendar/.ics").status_code == 404


def test_a_new_address_ends_the_one_before(served: Served) -> None:
    browser, stranger = member(served), Browser(served)
    addresses = []
    for _ in range(2):
        browser.open(PATH)
        browser.send(f"{PATH}/calendar")
        addresses.append("/calendar/" + browser.page.text.split("/calendar/")[1].split("<")[0])

    assert [stranger.open(address).status_code for address in addresses] == [404, 200]
